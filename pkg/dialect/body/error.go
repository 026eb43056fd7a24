package body

import (
	"encoding/json"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
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

// Detail returns one of the error's details; nil if there is none.
func Detail(err *fault.Error, name string) any {
	details, _ := err.Details.(map[string]any)
	return details[name]
}

// ClassOf returns the class of the failure that the error tells of; empty if it has none.
func ClassOf(err *fault.Error) chat.Class {
	switch class := Detail(err, "class").(type) {
	case chat.Class:
		return class
	case string: // the details were stored meanwhile
		return chat.Class(class)
	}
	return ""
}

// AnswerUnknown is the class of an error that tells of an answer which is not stored.
const AnswerUnknown chat.Class = "answer_unknown"

// ContextSize returns how many tokens a request has that is too long, and how many its model takes. known is false if
// the provider did not say.
func ContextSize(err *fault.Error) (requested, limit int64, known bool) {
	requested, limit = number(Detail(err, "requested")), number(Detail(err, "limit"))
	return requested, limit, requested > limit && limit > 0
}

func number(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case float64: // the details were stored meanwhile
		return int64(n)
	}
	return 0
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
