package openai

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// place says which parts a content may have.
type place uint8

const (
	anyPart place = iota
	textOnly
	assistantPart
)

// content reads the content of a message: a string or an array of parts.
func (d *RequestDecoder) content(message jsonx.Value, where place) []chat.Part {
	v := message.Get("content")
	switch kind := v.Kind(); {
	case kind == jsonx.String:
		return []chat.Part{{Kind: chat.Text, Text: v.Str()}}
	case kind == jsonx.Array:
		if v.Len() == 0 {
			d.Add(v, "must not be empty")
		}
		parts := make([]chat.Part, 0, v.Len())
		for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
			parts = d.part(parts, e, where)
		}
		return parts
	case kind == jsonx.Missing, kind == jsonx.Null && !d.format.Strict:
		d.AddMember(message, "content", "required")
	default:
		d.Expected(v, "a string or an array of parts")
	}
	return nil
}

// part appends a part to those before. A lenient format keeps a part of an unknown type as it is,
// for the provider that knows it.
func (d *RequestDecoder) part(out []chat.Part, v jsonx.Value, where place) []chat.Part {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return out
	}
	if !d.require(v, "type") {
		return out
	}
	p := chat.Part{}
	kind := v.Get("type")
	switch partType := d.word(kind, d.format.PartTypes); partType {
	case "text":
		d.Only(v, "type", "text", d.format.CacheControl)
		p = d.textPart(v, chat.Text, "text")
	case "refusal":
		p = d.textPart(v, chat.Refusal, "refusal")
	case "thinking": // Mistral
		return d.thinkingPart(out, v)
	default:
		p = d.mediaPart(partType, v)
	}
	if p.Media != nil || p.Kind == chat.Unrendered {
		p.At = d.PathOf(v)
	}
	switch {
	case p.Kind == chat.Unrendered && d.format.Strict: // noted with the type
	case p.Kind == chat.Refusal && where != assistantPart:
		d.Unfit(kind, "only goes with the role assistant")
	case p.Kind != chat.Text && where == textOnly, p.Media != nil && where == assistantPart:
		d.Unfit(v, "only text may be here")
	}
	if mark := v.Get(d.format.CacheControl); mark.Given() {
		p.Cache = d.Cache(mark)
	}
	return append(out, p)
}

func (d *RequestDecoder) textPart(v jsonx.Value, kind chat.PartKind, member string) chat.Part {
	return chat.Part{Kind: kind, Text: d.Text(v, member)}
}

func (d *RequestDecoder) mediaPart(partType string, v jsonx.Value) chat.Part {
	if d.format.Part != nil {
		if p, ok := d.format.Part(d, partType, v); ok {
			return p
		}
	}
	switch partType {
	case "image_url":
		return d.wrappedMedia(v, chat.Image, "image_url", "url", "detail")
	case "input_audio":
		return d.wrappedMedia(v, chat.Audio, "input_audio", "data", "format")
	case "file":
		return d.wrappedMedia(v, chat.File, "file", "filename", "file_data", "file_id")
	case "document_url": // Mistral
		p := d.wrappedMedia(v, chat.File, "document_url")
		p.Media.Filename = d.OptionalText(v, "document_name")
		return p
	}
	return body.Unrendered(Name, partType, v)
}

// thinkingPart reads {"type":"thinking","thinking":[{"type":"text","text":".."}]}.
func (d *RequestDecoder) thinkingPart(out []chat.Part, v jsonx.Value) []chat.Part {
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

// wrappedMedia reads media: an object with the members named or, as Mistral writes it, the URL or data itself.
func (d *RequestDecoder) wrappedMedia(v jsonx.Value, kind chat.PartKind, member string, members ...string) chat.Part {
	if d.format.Strict {
		d.Only(v, "type", member, d.format.CacheControl)
	} else {
		d.Others(v, "type", member, "cache_control", "document_name")
	}
	p := chat.Part{Kind: kind, Media: new(chat.Media)}
	if !d.require(v, member) {
		return p
	}
	inner := v.Get(member)
	if inner.Kind() == jsonx.String && !d.format.Strict {
		if kind == chat.Audio {
			d.fileData(inner, p.Media)
		} else {
			d.URL(inner, p.Media)
		}
		return p
	}
	if d.format.Strict {
		d.Only(inner, members...)
	} else {
		d.Others(inner, "url", "data", "file_data", "detail", "format", "filename", "file_id")
	}
	d.object(inner, nil, func(name []byte, m jsonx.Value) { d.MediaMember(name, m, p.Media) })
	if inner.Kind() == jsonx.Object {
		d.checkMedia(inner, kind)
	}
	return p
}

// MediaMember reads one member of media. It skips unknown ones.
func (d *RequestDecoder) MediaMember(name []byte, m jsonx.Value, out *chat.Media) {
	switch string(name) {
	case "url":
		d.URL(m, out)
	case "data":
		out.Data = d.Base64(m, d.Str(m))
	case "file_data":
		d.fileData(m, out)
	case "detail":
		out.Detail = d.OneOf(m, d.format.Details...)
	case "format":
		if out.Format = d.Str(m); m.Kind() == jsonx.String && !body.MadeOf(out.Format, 16, "") {
			d.Unfit(m, "expected a format such as wav or mp3")
		}
	case "filename":
		out.Filename = d.Str(m)
	case "file_id":
		out.FileID = d.CallID(m)
	}
}

// checkMedia notes an issue unless the media have exactly one source.
func (d *RequestDecoder) checkMedia(v jsonx.Value, kind chat.PartKind) {
	switch kind {
	case chat.Image:
		d.require(v, "url")
	case chat.Audio:
		d.require(v, "data")
		d.require(v, "format")
	case chat.File:
		if v.Get("file_data").Given() == v.Get("file_id").Given() {
			d.Unfit(v, "expected either file_data or file_id")
		}
	}
}

// fileData reads a URL, which may be a data URL, or base64 alone, which says less.
func (d *RequestDecoder) fileData(m jsonx.Value, out *chat.Media) {
	if s := m.Str(); m.Kind() == jsonx.String && !strings.Contains(s[:min(len(s), 8)], ":") {
		out.Data = d.Base64(m, s)
		return
	}
	d.URL(m, out)
}

// Cache reads the mark at the end of a prefix to be cached: Anthropic's cache_control, which OpenRouter
// and others take on parts.
func (d *RequestDecoder) Cache(v jsonx.Value) *chat.CacheMark {
	if d.format.Strict {
		d.Only(v, "ttl")
	}
	mark := new(chat.CacheMark)
	d.object(v, nil, func(name []byte, m jsonx.Value) {
		switch string(name) {
		case "type":
			d.OneOf(m, "ephemeral")
		case "ttl":
			mark.TTL = d.OneOf(m, "5m", "1h")
		}
	})
	return mark
}
