package body

import (
	"encoding/json"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// MaxMessage bounds the text of a provider's error, in bytes: some repeat the whole request.
const MaxMessage = 4 << 10

// Fails says whether an error says something: there are servers that have the member in every answer, as false,
// as an empty text or as an object that is empty or has nothing but empty members.
func Fails(v jsonx.Value) bool {
	switch v.Kind() {
	case jsonx.Missing, jsonx.Null:
		return false
	case jsonx.Bool:
		yes, _ := v.Bool()
		return yes
	case jsonx.String:
		return !v.Empty()
	case jsonx.Number:
		n, ok := v.Float64()
		return !ok || n != 0
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		if Fails(m) {
			return true
		}
	}
	return false
}

// Word is a short value of a provider's error: a string of at most 256 bytes, or a number as it is
// written; else empty.
func Word(v jsonx.Value) string {
	if v.Kind() == jsonx.Number {
		return string(v.Raw())
	}
	if s := v.Str(); len(s) <= 256 {
		return s
	}
	return ""
}

// Clip is the text of a provider's error, cut after MaxMessage bytes.
func Clip(s string) string {
	if len(s) > MaxMessage {
		return strings.ToValidUTF8(s[:MaxMessage], "") + "..."
	}
	return s
}

// AppendDetails appends the member details of an error object that has members before it. Details that
// cannot be written are left out: the error itself matters more.
func AppendDetails(out []byte, err *fault.Error) []byte {
	if err.Details == nil {
		return out
	}
	details, failed := json.Marshal(err.Details)
	if failed != nil {
		return out
	}
	return append(append(out, `,"details":`...), details...)
}
