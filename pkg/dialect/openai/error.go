package openai

import (
	"cmp"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// DecodeError reads a failed answer in any of these shapes:
//
//	{"error":{"message","type","param","code"}}                        OpenAI, Groq, DeepSeek, Together, Fireworks
//	{"error":{"code":429,"message","metadata":{"error_type","raw",..}}} OpenRouter
//	{"error":".."}, {"message":".."}, {"detail":".."}                   Mistral and proxies
//	{"object":"error","message":".."|{"detail":[{"loc","msg","type"}]},"type","code"} Mistral
//
// A numeric code from 400 to 599 is also the Status. OpenRouter's error_type and
// provider_code take precedence over its code, which only repeats the status.
func (Client) DecodeError(data []byte) *chat.Error {
	return decodeError(body.ReadError(data))
}

func decodeError(root jsonx.Value) *chat.Error {
	if v := root.Get("error"); body.HasError(v) && v.Kind() != jsonx.Bool {
		return ErrorOf(v)
	}
	if v := root.Get("detail"); v.Given() && !root.Get("message").Given() {
		return &chat.Error{Message: detailText(v)}
	}
	return ErrorOf(root)
}

// errorIn returns the error inside an answer or a chunk of status 200, nil if there is none.
func errorIn(root jsonx.Value) *chat.Error {
	if body.HasError(root.Get("error")) || root.Get("object").Is("error") {
		return decodeError(root)
	}
	return nil
}

// ErrorOf reads an error: an object or a text.
func ErrorOf(v jsonx.Value) *chat.Error {
	e := new(chat.Error)
	if v.Kind() != jsonx.Object {
		e.Message = body.Clip(v.Str())
		return e
	}
	code := v.Get("code")
	e.Code, e.Type, e.Param = body.Word(code), cmp.Or(body.Word(v.Get("type")), body.Word(v.Get("status"))), body.Word(v.Get("param"))
	for _, name := range [...]string{"status_code", "raw_status_code", "code"} {
		e.Status = cmp.Or(e.Status, body.ReadStatus(v.Get(name)))
	}
	e.Message = body.Clip(messageText(v.Get("message")))
	addOpenRouter(e, v)
	return e
}

// addOpenRouter reads the members that OpenRouter adds
// (https://openrouter.ai/docs/api-reference/errors).
func addOpenRouter(e *chat.Error, v jsonx.Value) {
	meta := v.Get("metadata")
	e.Type = cmp.Or(body.Word(meta.Get("error_type")), e.Type)
	e.Code = cmp.Or(body.Word(meta.Get("provider_code")), body.Word(v.Get("availability").Get("code")), e.Code)
	// The message is "Provider returned error"; raw has the provider's own.
	raw := meta.Get("raw")
	if raw.Empty() {
		return
	}
	text := raw.Str()
	if inner, err := jsonx.Parse([]byte(text), jsonx.Lenient); err == nil && inner.Kind() == jsonx.Object {
		text = decodeError(inner).Message
	}
	if text != "" && !strings.Contains(e.Message, text) {
		e.Message = body.Clip(strings.TrimSpace(e.Message + ": " + text))
	}
}

func messageText(v jsonx.Value) string {
	if v.Kind() == jsonx.Object {
		if d := v.Get("detail"); d.Given() {
			return detailText(d)
		}
		return messageText(v.Get("message"))
	}
	return v.Str()
}

// detailText reads FastAPI's details: a text, or a list of {"loc":[..],"msg"}.
func detailText(v jsonx.Value) string {
	if v.Kind() != jsonx.Array {
		return body.Clip(v.Str())
	}
	var b strings.Builder
	for d := v.First(); d.Exists() && b.Len() < body.MaxMessage; d = d.Next() {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		separator := ""
		for l := d.Get("loc").First(); l.Exists(); l = l.Next() {
			b.WriteString(separator + body.Word(l))
			separator = "."
		}
		if separator != "" {
			b.WriteString(": ")
		}
		b.WriteString(d.Get("msg").Str())
	}
	return body.Clip(b.String())
}
