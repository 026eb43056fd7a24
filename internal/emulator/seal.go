package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
)

// Reasoning state is opaque to callers, and the providers take none that they did not
// make. The emulator's needs no memory: it holds a number, what it is bound to, and a
// code over both.

const (
	sealNonce = 8
	sealBound = 16
	sealCode  = 16
	sealed    = sealNonce + sealBound + sealCode
)

// seal makes state of a kind, bound to what must come back beside it.
func seal(kind string, serial int64, bound string) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(serial))
	b = append(b, digest("bound", bound)[:sealBound]...)
	return append(b, digest(kind, string(b))[:sealCode]...)
}

// unseal says whether this is state of that kind that an emulator made, and whether it is bound so.
func unseal(kind string, b []byte, bound string) (made, fits bool) {
	if len(b) != sealed {
		return false, false
	}
	made = hmac.Equal(b[sealNonce+sealBound:], digest(kind, string(b[:sealNonce+sealBound]))[:sealCode])
	return made, made && string(b[sealNonce:sealNonce+sealBound]) == string(digest("bound", bound)[:sealBound])
}

func digest(kind, s string) []byte {
	m := hmac.New(sha256.New, []byte("emulator/"+kind))
	m.Write([]byte(s))
	return m.Sum(nil)
}

// unbase64 reads base64, which may be base64url and lack its padding.
func unbase64(s string) ([]byte, bool) {
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := e.DecodeString(s); err == nil {
			return b, true
		}
	}
	return nil, false
}

// canonical is a JSON text without differences that mean nothing.
func canonical(raw json.RawMessage) string {
	v, err := decode(raw)
	if err != nil {
		return string(raw)
	}
	return string(encode(v))
}
