package openai

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// place says which parts may be somewhere.
type place uint8

const (
	anyPart place = iota
	textOnly
	assistantPart
)

// content reads a string or an array of parts.
func (d *requestDecoder) content(message, v jsonx.Value, where place) []chat.Part {
	switch v.Kind() {
	case jsonx.Missing:
		d.AddMember(message, "content", "required")
	case jsonx.String:
		return []chat.Part{{Kind: chat.Text, Text: v.Str()}}
	case jsonx.Array:
		if v.Len() == 0 {
			d.Add(v, "must not be empty")
		}
		parts := make([]chat.Part, 0, v.Len())
		for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
			parts = d.part(parts, e, where)
		}
		return parts
	default:
		d.Expected(v, "a string or an array of parts")
	}
	return nil
}

// part appends a part to those before. One of a type that nobody knows is kept as it is: its
// meaning is its provider's.
func (d *requestDecoder) part(out []chat.Part, v jsonx.Value, where place) []chat.Part {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return out
	}
	if !d.require(v, "type") {
		return out
	}
	var p chat.Part
	kind := v.Get("type")
	switch d.Str(kind) {
	case "text":
		p.Kind = chat.Text
		if d.require(v, "text") {
			p.Text = d.Str(v.Get("text"))
		}
	case "refusal":
		p.Kind = chat.Refusal
		if d.require(v, "refusal") {
			p.Text = d.Str(v.Get("refusal"))
		}
	case "thinking": // Mistral
		return d.thinkingPart(out, v)
	case "image_url":
		p = d.media(v, chat.Image, "image_url")
	case "input_audio":
		p = d.media(v, chat.Audio, "input_audio")
	case "file":
		p = d.media(v, chat.File, "file")
	case "document_url": // Mistral
		p = d.media(v, chat.File, "document_url")
		if name := v.Get("document_name"); p.Media != nil && name.Given() {
			p.Media.Filename = d.Str(name)
		}
	default:
		p.Kind, p.Raw = chat.Unrendered, v.Clone()
	}
	switch {
	case p.Kind == chat.Refusal && where != assistantPart:
		d.Add(kind, "only goes with the role assistant")
	case p.Kind != chat.Text && where == textOnly, p.Media != nil && where == assistantPart:
		d.Add(v, "only text may be here")
	}
	if mark := v.Get("cache_control"); mark.Given() {
		p.Cache = d.cache(mark)
	}
	return append(out, p)
}

// thinkingPart reads {"type":"thinking","thinking":[{"type":"text","text":".."}]}.
func (d *requestDecoder) thinkingPart(out []chat.Part, v jsonx.Value) []chat.Part {
	thinking := v.Get("thinking")
	if thinking.Kind() == jsonx.String {
		return append(out, chat.Part{Kind: chat.Reason, Text: thinking.Str()})
	}
	if !d.require(v, "thinking") {
		return out
	}
	p := chat.Part{Kind: chat.Reason}
	d.Array(thinking, func(e jsonx.Value) {
		if text := e.Get("text"); text.Given() {
			p.Text += d.Str(text)
		}
	})
	return append(out, p)
}

// media reads a medium: the object of that name, or the URL or data itself, as Mistral has it.
func (d *requestDecoder) media(v jsonx.Value, kind chat.PartKind, member string) chat.Part {
	p := chat.Part{Kind: kind, Media: new(chat.Media)}
	if !d.require(v, member) {
		return p
	}
	inner := v.Get(member)
	if inner.Kind() == jsonx.String {
		if kind == chat.Audio {
			d.fileData(inner, p.Media)
		} else {
			d.URL(inner, p.Media)
		}
		return p
	}
	d.object(inner, func(key string, m jsonx.Value) { d.medium(key, m, p.Media) })
	if inner.Kind() == jsonx.Object {
		d.checkMedia(inner, kind)
	}
	return p
}

// medium reads one member of a medium.
func (d *requestDecoder) medium(key string, m jsonx.Value, out *chat.Media) {
	switch key {
	case "url":
		d.URL(m, out)
	case "data":
		out.Data = d.Base64(m, d.Str(m))
	case "file_data":
		d.fileData(m, out)
	case "detail":
		out.Detail = d.OneOf(m, "auto", "low", "high", "original")
	case "format":
		if out.Format = d.Str(m); m.Kind() == jsonx.String && !body.MadeOf(out.Format, 16, "") {
			d.Add(m, "expected a format such as wav or mp3")
		}
	case "filename":
		out.Filename = d.Str(m)
	case "file_id":
		out.FileID = d.CallID(m)
	}
}

// checkMedia sees to it that the medium comes from exactly one place.
func (d *requestDecoder) checkMedia(v jsonx.Value, kind chat.PartKind) {
	switch kind {
	case chat.Image:
		d.require(v, "url")
	case chat.Audio:
		d.require(v, "data")
		d.require(v, "format")
	case chat.File:
		if v.Get("file_data").Given() == v.Get("file_id").Given() {
			d.Add(v, "expected either file_data or file_id")
		}
	}
}

// fileData reads a URL, which may be a data URL, or base64 alone, which says less.
func (d *requestDecoder) fileData(m jsonx.Value, out *chat.Media) {
	if s := m.Str(); m.Kind() == jsonx.String && !strings.Contains(s[:min(len(s), 8)], ":") {
		out.Data = d.Base64(m, s)
		return
	}
	d.URL(m, out)
}

// cache reads Anthropic's cache_control, which OpenRouter and others take on parts.
func (d *requestDecoder) cache(v jsonx.Value) *chat.CacheMark {
	mark := new(chat.CacheMark)
	d.object(v, func(key string, m jsonx.Value) {
		switch key {
		case "type":
			d.OneOf(m, "ephemeral")
		case "ttl":
			mark.TTL = d.OneOf(m, "5m", "1h")
		}
	})
	return mark
}
