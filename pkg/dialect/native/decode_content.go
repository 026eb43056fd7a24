package native

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// content reads a string or an array of parts; media says whether other parts than text may be.
func (d *decoder) content(message, v jsonx.Value, media bool) []chat.Part {
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
			p := d.part(e)
			if p.Kind != 0 && p.Kind != chat.Text && !media {
				d.Add(e, "only text may be here")
			}
			parts = append(parts, p)
		}
		return parts
	default:
		d.Expected(v, "a string or an array of parts")
	}
	return nil
}

func (d *decoder) part(v jsonx.Value) chat.Part {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return chat.Part{}
	}
	kind := v.Get("type")
	if !kind.Exists() {
		d.AddMember(v, "type", "required")
		return chat.Part{}
	}
	var p chat.Part
	switch d.Str(kind) {
	case "text":
		p = d.textPart(v)
	case "image":
		p = d.media(v, chat.Image, "url", "data", "mimeType", "detail")
	case "audio":
		p = d.media(v, chat.Audio, "url", "data", "mimeType", "format")
	case "file":
		if v.Get("file").Exists() {
			return d.wrapped(v, chat.File, "file", "filename", "file_data", "file_id")
		}
		p = d.media(v, chat.File, "url", "data", "mimeType", "filename", "fileId")
	case "image_url":
		return d.wrapped(v, chat.Image, "image_url", "url", "detail")
	case "input_audio":
		return d.wrapped(v, chat.Audio, "input_audio", "data", "format")
	default:
		if kind.Kind() == jsonx.String {
			d.OneOf(kind, "text", "image", "audio", "file", "image_url", "input_audio")
		}
	}
	p.Cache = d.cache(v.Get("cache"))
	return p
}

func (d *decoder) textPart(v jsonx.Value) chat.Part {
	p := chat.Part{Kind: chat.Text}
	text := false
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "text":
			text = true
			p.Text = d.Str(m)
		case "type", "cache":
		default:
			d.Unknown(m, slices.Values([]string{"type", "text", "cache"}))
		}
	}
	if !text {
		d.AddMember(v, "text", "required")
	}
	return p
}

// media reads a medium whose members stand beside the type.
func (d *decoder) media(v jsonx.Value, kind chat.PartKind, allowed ...string) chat.Part {
	out := new(chat.Media)
	for m := v.First(); m.Exists(); m = m.Next() {
		key := string(m.Key())
		switch {
		case key == "type" || key == "cache":
		case !slices.Contains(allowed, key):
			d.Unknown(m, slices.Values(append(allowed, "type", "cache")))
		case m.Given():
			d.medium(m, key, out)
		}
	}
	d.checkMedia(v, kind, out)
	return chat.Part{Kind: kind, Media: out}
}

// wrapped reads a part as OpenAI writes it: with the medium in an object of its own.
func (d *decoder) wrapped(v jsonx.Value, kind chat.PartKind, member string, allowed ...string) chat.Part {
	p := chat.Part{Kind: kind, Media: new(chat.Media)}
	inner := v.Get(member)
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "cache":
			p.Cache = d.cache(m)
		case "type", member:
		default:
			d.Unknown(m, slices.Values([]string{"type", member, "cache"}))
		}
	}
	if !inner.Exists() {
		d.AddMember(v, member, "required")
		return p
	}
	d.Object(inner, func(m jsonx.Value) {
		key := string(m.Key())
		switch {
		case !slices.Contains(allowed, key):
			d.Unknown(m, slices.Values(allowed))
		case m.Given():
			d.medium(m, key, p.Media)
		}
	})
	if inner.Kind() == jsonx.Object {
		d.checkMedia(inner, kind, p.Media)
	}
	return p
}

// medium reads one member of a medium.
func (d *decoder) medium(m jsonx.Value, key string, out *chat.Media) {
	switch key {
	case "url", "file_data":
		d.URL(m, out)
	case "data":
		out.Data = d.Base64(m, d.Str(m))
	case "mimeType":
		if out.MIMEType = d.Str(m); m.Kind() == jsonx.String && !body.IsMIMEType(out.MIMEType) {
			d.Add(m, "expected a media type such as image/png")
		}
	case "detail":
		out.Detail = d.OneOf(m, "auto", "low", "high")
	case "format":
		if out.Format = d.Str(m); m.Kind() == jsonx.String && !body.MadeOf(out.Format, 16, "") {
			d.Add(m, "expected a format such as wav or mp3")
		}
	case "filename":
		out.Filename = d.Str(m)
	case "fileId", "file_id":
		out.FileID = d.CallID(m)
	}
}

// checkMedia sees to it that the medium comes from exactly one place.
func (d *decoder) checkMedia(v jsonx.Value, kind chat.PartKind, m *chat.Media) {
	sources := 0
	for _, name := range [...]string{"url", "data", "file_data", "fileId", "file_id"} {
		if v.Get(name).Given() {
			sources++
		}
	}
	if sources != 1 {
		d.Add(v, "expected exactly one of url, data and fileId")
	}
	if m.Data != "" && m.MIMEType == "" && m.Format == "" && v.Get("data").Given() {
		if kind == chat.Audio {
			d.AddMember(v, "format", "required with data")
		} else {
			d.AddMember(v, "mimeType", "required with data")
		}
	}
}

func (d *decoder) cache(v jsonx.Value) *chat.CacheMark {
	if !v.Given() {
		return nil
	}
	mark := new(chat.CacheMark)
	d.Object(v, func(m jsonx.Value) {
		switch {
		case string(m.Key()) != "ttl":
			d.Unknown(m, slices.Values([]string{"ttl"}))
		case m.Given():
			mark.TTL = d.OneOf(m, "5m", "1h")
		}
	})
	return mark
}
