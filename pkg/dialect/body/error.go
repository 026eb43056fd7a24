package body

import (
	"encoding/json"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// MaxMessage limits the text of a provider's error, in bytes: some quote the whole request.
const MaxMessage = 4 << 10

// HasError reports whether the member error of an answer says something. Some servers send it in every answer: as
// false, as an empty text, or as an object without content.
func HasError(v jsonx.Value) bool {
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
		if HasError(m) {
			return true
		}
	}
	return false
}

// Word returns a string of at most 256 bytes, or a number's text; else an empty string.
func Word(v jsonx.Value) string {
	if v.Kind() == jsonx.Number {
		return string(v.Raw())
	}
	if s := v.Str(); len(s) <= 256 {
		return s
	}
	return ""
}

// Clip returns the text of a provider's error, cut after MaxMessage bytes.
func Clip(s string) string {
	if len(s) > MaxMessage {
		return strings.ToValidUTF8(s[:MaxMessage], "") + "..."
	}
	return s
}

// AppendDetails appends the member details to an error object that has other members. It leaves out details that
// cannot be encoded.
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
