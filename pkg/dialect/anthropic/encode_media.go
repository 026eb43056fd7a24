package anthropic

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// media writes an image or a document.
func (e *encoder) media(p *chat.Part) {
	e.BeginPart(p)
	m := p.Media
	switch {
	case p.Kind == chat.Image && m != nil:
		e.Raw(`{"type":"image","source":`)
		if m.Detail == "low" || m.Detail == "high" {
			e.Warn("the detail of images is not supported by %s: dropped", e.Provider())
		}
		e.source(m, imageType(m.MIMEType))
	case p.Kind == chat.File && m != nil:
		if body.IsVideo(m) {
			e.RefusePart("video cannot be sent to %s", e.Provider())
		}
		e.Raw(`{"type":"document","source":`)
		e.document(m)
		e.Optional(`,"title":`, m.Filename)
		e.Optional(`,"context":`, m.Context)
	case p.Kind == chat.Audio:
		e.RefusePart("%s does not take audio", e.Provider())
	default:
		e.RefusePartType()
	}
	e.cache(p.Cache)
	e.Raw("}")
}

// source writes where a medium is, or what it is.
func (e *encoder) source(m *chat.Media, mimeType string) {
	switch {
	case m.URL != "":
		e.Member(`{"type":"url","url":`, m.URL)
	case m.FileID != "":
		e.files = true
		e.Member(`{"type":"file","file_id":`, m.FileID)
	case m.Data == "":
		e.RefusePart("a medium without URL and data cannot be sent to %s", e.Provider())
	case mimeType == "":
		e.RefusePart("%s does not take media of the type %q: it knows image/jpeg, image/png, image/gif, image/webp, application/pdf and text",
			e.Provider(), m.MIMEType)
	default:
		e.Member(`{"type":"base64","media_type":`, mimeType)
		e.Member(`,"data":`, m.Data)
	}
	e.Raw("}")
}

func imageType(mimeType string) string {
	switch t := strings.ToLower(mimeType); t {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return t
	case "image/jpg":
		return "image/jpeg"
	}
	return ""
}

// document writes the source of a PDF or, in clear, of a text.
func (e *encoder) document(m *chat.Media) {
	mimeType := strings.ToLower(m.MIMEType)
	if m.Data == "" || !strings.HasPrefix(mimeType, "text/") {
		if mimeType == "" || mimeType == "application/x-pdf" {
			mimeType = "application/pdf"
		}
		if mimeType != "application/pdf" {
			mimeType = ""
		}
		e.source(m, mimeType)
		return
	}
	text, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil || !utf8.Valid(text) {
		e.RefusePart("a document of the type %s is not text in base64", mimeType)
	}
	e.Member(`{"type":"text","media_type":"text/plain","data":`, string(text))
	e.Raw("}")
}
