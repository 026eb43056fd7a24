package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
)

// Reasoning state is opaque to clients, and providers refuse state that they did not make. The emulator's state needs
// no memory: it holds a number, a digest of what it is bound to, and an HMAC over both.

const (
	stateNonceLen   = 8
	stateBindingLen = 16
	stateCodeLen    = 16
	stateLen        = stateNonceLen + stateBindingLen + stateCodeLen
)

// newState makes state of a kind, bound to other parts of the conversation.
func newState(kind string, serial int64, bound string) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(serial))
	b = append(b, digest("bound", bound)[:stateBindingLen]...)
	return append(b, digest(kind, string(b))[:stateCodeLen]...)
}

// verifyState reports whether an emulator made this state of that kind, and whether its binding matches.
func verifyState(kind string, b []byte, bound string) (made, fits bool) {
	if len(b) != stateLen {
		return false, false
	}
	made = hmac.Equal(b[stateNonceLen+stateBindingLen:],
		digest(kind, string(b[:stateNonceLen+stateBindingLen]))[:stateCodeLen])
	return made, made && string(b[stateNonceLen:stateNonceLen+stateBindingLen]) == string(digest("bound",
		bound)[:stateBindingLen])
}

func digest(kind, s string) []byte {
	m := hmac.New(sha256.New, []byte("emulator/"+kind))
	m.Write([]byte(s))
	return m.Sum(nil)
}

// unbase64 decodes base64 or base64url, with or without padding.
func unbase64(s string) ([]byte, bool) {
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding,
		base64.RawURLEncoding} {
		if b, err := e.DecodeString(s); err == nil {
			return b, true
		}
	}
	return nil, false
}

// canonical returns a JSON text without insignificant differences.
func canonical(raw json.RawMessage) string {
	v, err := decode(raw)
	if err != nil {
		return string(raw)
	}
	return string(encode(v))
}
