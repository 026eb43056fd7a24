package openai

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// partArray writes the parts of a message of any role but the assistant.
func (e *encoder) partArray(parts []chat.Part) {
	e.Raw("[")
	for i := range parts {
		e.Comma()
		e.part(&parts[i])
	}
	e.Raw("]")
}

func (e *encoder) part(p *chat.Part) {
	e.BeginPart(p)
	switch {
	case p.Kind == chat.Text:
		e.Member(`{"type":"text","text":`, p.Text)
	case p.Kind == chat.Image && p.Media != nil:
		e.image(p.Media)
	case p.Kind == chat.Audio && p.Media != nil:
		e.audio(p.Media)
	case p.Kind == chat.File && p.Media != nil:
		e.file(p.Media)
	case p.Kind == chat.Unrendered && p.Dialect == string(Name) && !e.strict():
		e.Out = jsonx.AppendCompact(e.Out, p.Raw)
		return
	default:
		e.RefusePartType()
		return
	}
	if e.keepsMark(p) {
		e.Raw(`,"cache_control":{"type":"ephemeral"`)
		e.Optional(`,"ttl":`, p.Cache.TTL)
		e.Raw("}")
	}
	e.Raw("}")
}

func (e *encoder) image(m *chat.Media) {
	if e.Rules.NoImages || m.URL == "" && m.Data == "" {
		e.RefusePart("this image cannot be sent to %s", e.Provider())
	}
	e.Raw(`{"type":"image_url","image_url":{"url":`)
	e.DataURL(m, "image/png")
	e.Optional(`,"detail":`, m.Detail)
	e.Raw("}")
}

func (e *encoder) audio(m *chat.Media) {
	e.Raw(`{"type":"input_audio","input_audio":`)
	switch {
	case e.Rules.Audio == AudioString && m.URL != "":
		e.Str(m.URL)
	case e.Rules.Audio == AudioString && m.Data != "":
		e.Str(m.Data)
	case e.Rules.Audio == AudioObject && m.Data != "":
		e.Member(`{"data":`, m.Data)
		e.Member(`,"format":`, audioFormat(m))
		e.Raw("}")
	default:
		e.RefusePart("this audio cannot be sent to %s", e.Provider())
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
	if body.IsVideo(m) {
		e.RefusePart("video cannot be sent to %s", e.Provider())
	}
	form := e.Rules.Files
	if form == FileDocumentURL && (m.URL != "" || m.Data != "") {
		e.Raw(`{"type":"document_url","document_url":`)
		e.DataURL(m, "application/pdf")
		e.Optional(`,"document_name":`, m.Filename)
		return
	}
	if form == FilesRefused || form == FileDocumentURL || m.URL != "" && form != FileObjectOrURL {
		e.RefusePart("this file cannot be sent to %s", e.Provider())
	}
	e.Raw(`{"type":"file","file":{`)
	if m.FileID != "" {
		e.Member(`"file_id":`, m.FileID)
	} else {
		e.Member(`"filename":`, body.Filename(m))
		e.Raw(`,"file_data":`)
		e.DataURL(m, "application/pdf")
	}
	e.Raw("}")
}
