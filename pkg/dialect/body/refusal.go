package body

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// BeginPart says which part is written, for RefusePart.
func (w *Writer) BeginPart(p *chat.Part) { w.part = p }

// RefusePart makes the request fail because of the part that is written.
func (w *Writer) RefusePart(format string, args ...any) {
	if p := w.part; p != nil && p.At != "" {
		w.Refuse(p.At, "%s: "+format, append([]any{p.At}, args...)...)
		return
	}
	w.Refuse("messages", format, args...)
}

// RefusePartType makes the request fail because the provider takes no parts such as the one that is written.
func (w *Writer) RefusePartType() {
	w.RefusePart("a part of the type %s cannot be sent to %s", Quote(TypeOfPart(w.part)), w.Provider())
}

// TypeOfPart returns the type that a part has in its dialect, or else the word for its kind.
func TypeOfPart(p *chat.Part) string {
	switch p.Kind {
	case chat.Image:
		return "image"
	case chat.Audio:
		return "audio"
	case chat.File:
		return "file"
	case chat.Reason:
		return "reasoning"
	case chat.Refusal:
		return "refusal"
	case chat.Call:
		return "call"
	case chat.Result:
		return "result"
	}
	if v, err := jsonx.Parse(p.Raw, jsonx.Lenient); err == nil {
		if word := v.Get("type").Str(); word != "" {
			return word
		} else if m := v.First(); m.Exists() {
			return string(m.Key())
		}
	}
	return "unknown"
}

// RefuseTool makes the request fail because of the tool.
func (w *Writer) RefuseTool(t *chat.Tool, format string, args ...any) {
	if t.At != "" {
		w.Refuse(t.At, "%s: "+format, append([]any{t.At}, args...)...)
		return
	}
	w.Refuse("tools", format, args...)
}
