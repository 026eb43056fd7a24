package openai

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// partArray writes the parts of a message that is not the assistant's.
func (e *encoder) partArray(parts []chat.Part) {
	e.raw("[")
	for i := range parts {
		e.comma(i)
		e.part(&parts[i])
	}
	e.raw("]")
}

func (e *encoder) part(p *chat.Part) {
	switch {
	case p.Kind == chat.Text:
		e.raw(`{"type":"text","text":`)
		e.str(p.Text)
	case p.Kind == chat.Image && p.Media != nil:
		e.image(p.Media)
	case p.Kind == chat.Audio && p.Media != nil:
		e.audio(p.Media)
	case p.Kind == chat.File && p.Media != nil:
		e.file(p.Media)
	default:
		e.refuse("messages", "a part of a message cannot be sent to %s", e.provider())
		return
	}
	if e.keepsMark(p) {
		e.raw(`,"cache_control":{"type":"ephemeral"`)
		if p.Cache.TTL != "" {
			e.raw(`,"ttl":`)
			e.str(p.Cache.TTL)
		}
		e.raw("}")
	}
	e.raw("}")
}

// dataURL writes the medium as a string: its URL, or its data as one.
func (e *encoder) dataURL(m *chat.Media, mimeType string) {
	if m.URL != "" {
		e.str(m.URL)
		return
	}
	if m.MIMEType != "" {
		mimeType = m.MIMEType
	}
	e.raw(`"data:`)
	e.out = jsonx.AppendEscaped(e.out, mimeType)
	e.raw(`;base64,`)
	e.out = jsonx.AppendEscaped(e.out, m.Data)
	e.raw(`"`)
}

func (e *encoder) image(m *chat.Media) {
	if e.rules.Images == dialect.ImagesRefused || m.URL == "" && m.Data == "" {
		e.refuse("messages", "this image cannot be sent to %s", e.provider())
	}
	e.raw(`{"type":"image_url","image_url":{"url":`)
	e.dataURL(m, "image/png")
	if m.Detail != "" {
		e.raw(`,"detail":`)
		e.str(m.Detail)
	}
	e.raw("}")
}

func (e *encoder) audio(m *chat.Media) {
	e.raw(`{"type":"input_audio","input_audio":`)
	switch {
	case e.rules.Audio == dialect.AudioString && m.URL != "":
		e.str(m.URL)
	case e.rules.Audio == dialect.AudioString && m.Data != "":
		e.str(m.Data)
	case e.rules.Audio == dialect.AudioObject && m.Data != "":
		e.raw(`{"data":`)
		e.str(m.Data)
		e.raw(`,"format":`)
		e.str(audioFormat(m))
		e.raw("}")
	default:
		e.refuse("messages", "this audio cannot be sent to %s", e.provider())
	}
}

func audioFormat(m *chat.Media) string {
	if m.Format != "" {
		return m.Format
	}
	switch _, format, _ := strings.Cut(m.MIMEType, "/"); format {
	case "mpeg":
		return "mp3"
	case "x-wav", "wave", "vnd.wave", "":
		return "wav"
	default:
		return format
	}
}

func (e *encoder) file(m *chat.Media) {
	form := e.rules.Files
	if form == dialect.FileDocumentURL && (m.URL != "" || m.Data != "") {
		e.raw(`{"type":"document_url","document_url":`)
		e.dataURL(m, "application/pdf")
		if m.Filename != "" {
			e.raw(`,"document_name":`)
			e.str(m.Filename)
		}
		return
	}
	if form == dialect.FilesRefused || form == dialect.FileDocumentURL || m.URL != "" && form != dialect.FileObjectOrURL {
		e.refuse("messages", "this file cannot be sent to %s", e.provider())
	}
	e.raw(`{"type":"file","file":{`)
	if m.FileID != "" {
		e.raw(`"file_id":`)
		e.str(m.FileID)
	} else {
		e.raw(`"filename":`)
		e.str(filename(m))
		e.raw(`,"file_data":`)
		e.dataURL(m, "application/pdf")
	}
	e.raw("}")
}

// filename makes a name up where the dialect wants one.
func filename(m *chat.Media) string {
	switch {
	case m.Filename != "":
		return m.Filename
	case m.MIMEType == "text/plain":
		return "document.txt"
	}
	return "document.pdf"
}
