package openai

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
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
	switch d.string(kind) {
	case "text":
		p.Kind = chat.Text
		if d.require(v, "text") {
			p.Text = d.string(v.Get("text"))
		}
	case "refusal":
		p.Kind = chat.Refusal
		if d.require(v, "refusal") {
			p.Text = d.string(v.Get("refusal"))
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
			p.Media.Filename = d.string(name)
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
	d.array(thinking, func(e jsonx.Value) {
		if text := e.Get("text"); text.Given() {
			p.Text += d.string(text)
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
			d.url(inner, p.Media)
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
		d.url(m, out)
	case "data":
		out.Data = d.base64(m, d.string(m))
	case "file_data":
		d.fileData(m, out)
	case "detail":
		out.Detail = d.oneOf(m, "auto", "low", "high", "original")
	case "format":
		if out.Format = d.string(m); m.Kind() == jsonx.String && !madeOf(out.Format, 16, "") {
			d.Add(m, "expected a format such as wav or mp3")
		}
	case "filename":
		out.Filename = d.string(m)
	case "file_id":
		out.FileID = d.id(m)
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
		out.Data = d.base64(m, s)
		return
	}
	d.url(m, out)
}

// url reads the address of a medium, or its data as a URL.
func (d *requestDecoder) url(m jsonx.Value, out *chat.Media) {
	s := d.string(m)
	scheme, rest, _ := strings.Cut(s, ":")
	switch scheme = strings.ToLower(scheme); {
	case m.Kind() != jsonx.String:
	case scheme == "data":
		kind, data, ok := strings.Cut(rest, ",")
		kind, encoded := strings.CutSuffix(kind, ";base64")
		kind, _, _ = strings.Cut(kind, ";") // parameters, such as a charset
		if !ok || !encoded || kind != "" && !mimeType(kind) {
			d.Add(m, "expected a data URL of the form data:<media type>;base64,<data>")
			return
		}
		out.MIMEType, out.Data = kind, d.base64(m, data)
	case (scheme == "http" || scheme == "https") && strings.HasPrefix(rest, "//") && len(rest) > 2 && printable(s) && !strings.Contains(s, " "):
		out.URL = s
	default:
		d.Add(m, "expected an http, https or data URL")
	}
}

// base64 checks the alphabet and the padding: providers say less clearly what is wrong.
func (d *requestDecoder) base64(at jsonx.Value, s string) string {
	n := strings.TrimRight(s, "=")
	ok := s != "" && len(s)%4 == 0 && len(s)-len(n) <= 2
	for i := 0; ok && i < len(n); i++ {
		c := n[i]
		ok = c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
	}
	if !ok && at.Kind() == jsonx.String {
		d.Add(at, "expected standard base64 with padding")
	}
	return s
}

func mimeType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	return ok && madeOf(kind, 64, "-") && madeOf(sub, 128, "-+._")
}

// cache reads Anthropic's cache_control, which OpenRouter and others take on parts.
func (d *requestDecoder) cache(v jsonx.Value) *chat.CacheMark {
	mark := new(chat.CacheMark)
	d.object(v, func(key string, m jsonx.Value) {
		switch key {
		case "type":
			d.oneOf(m, "ephemeral")
		case "ttl":
			mark.TTL = d.oneOf(m, "5m", "1h")
		}
	})
	return mark
}
