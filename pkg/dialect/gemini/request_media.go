package gemini

import (
	"net/url"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// inline reads inlineData.
func (d *decoder) inline(v jsonx.Value) chat.Part {
	m := new(chat.Media)
	d.object(v, func(f jsonx.Value) {
		switch camel(f) {
		case "mimeType":
			m.MIMEType = d.Str(f)
		case "data":
			m.Data = standardBase64(d.Str(f))
			if f.Kind() == jsonx.String && !body.IsBase64(m.Data) {
				d.Add(f, "expected base64")
			}
		case "displayName":
			m.Filename = d.Str(f)
		default:
			d.unknown(f, "mimeType", "data", "displayName")
		}
	})
	if v.Kind() == jsonx.Object && m.MIMEType == "" {
		d.AddMember(v, "mimeType", "required")
	}
	if v.Kind() == jsonx.Object && m.Data == "" {
		d.AddMember(v, "data", "required")
	}
	return chat.Part{Kind: mediaKind(m.MIMEType), Media: m}
}

// file reads fileData: an upload to Google, or a URL, which other providers may fetch.
func (d *decoder) file(v jsonx.Value) chat.Part {
	m := new(chat.Media)
	d.object(v, func(f jsonx.Value) {
		switch camel(f) {
		case "mimeType":
			m.MIMEType = d.Str(f)
		case "fileUri":
			uri := d.Str(f)
			u, err := url.Parse(uri)
			switch {
			case err != nil:
				d.Add(f, "expected a URI")
			case (u.Scheme == "http" || u.Scheme == "https") && !filesAPI(u):
				m.URL = uri
			default:
				m.FileID = uri
			}
		case "displayName":
			m.Filename = d.Str(f)
		default:
			d.unknown(f, "mimeType", "fileUri", "displayName")
		}
	})
	if v.Kind() == jsonx.Object && m.URL == "" && m.FileID == "" {
		d.AddMember(v, "fileUri", "required")
	}
	return chat.Part{Kind: mediaKind(m.MIMEType), Media: m}
}

func mediaKind(mime string) chat.PartKind {
	switch kind, _, _ := strings.Cut(strings.ToLower(mime), "/"); kind {
	case "image":
		return chat.Image
	case "audio":
		return chat.Audio
	}
	return chat.File
}
