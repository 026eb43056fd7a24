package gemini

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// media writes an image, audio or a document.
func (e *encoder) media(p *chat.Part) {
	e.BeginPart(p)
	m := p.Media
	switch {
	case p.Kind != chat.Image && p.Kind != chat.Audio && p.Kind != chat.File || m == nil:
		e.RefusePartType()
	case m.Data != "":
		e.Raw(`{"inlineData":`)
		e.Out = appendBlob(e.Out, p.Kind, m)
		e.Raw("}")
	case m.FileID != "" && ownFile(m.FileID), m.URL != "" && ownURL(m.URL):
		e.Raw(`{"fileData":{`)
		if mime := mimeOf(p.Kind, m); m.MIMEType != "" || m.Format != "" {
			e.Member(`"mimeType":`, mime)
		}
		e.Key("fileUri")
		e.Str(cmp.Or(m.FileID, m.URL))
		e.Raw("}}")
	case m.URL != "":
		e.RefusePart("%s does not fetch from URLs: send the content itself as a data URL or in base64, or a URI of Gemini's Files API", e.Provider())
	case m.FileID != "":
		e.RefusePart("the file id is not %s's: it must be a URI of Gemini's Files API, such as files/abc-123", e.Provider())
	default:
		e.RefusePart("an image, sound or file has no content")
	}
}

// appendBlob writes the object of inlineData.
func appendBlob(out []byte, kind chat.PartKind, m *chat.Media) []byte {
	out = body.AppendMember(out, `{"mimeType":`, mimeOf(kind, m))
	out = body.AppendMember(out, `,"data":`, m.Data)
	return append(out, '}')
}

// mimeOf returns the medium's type, which the dialect requires.
func mimeOf(kind chat.PartKind, m *chat.Media) string {
	switch {
	case m.MIMEType != "":
		return m.MIMEType
	case kind == chat.Image:
		return "image/png"
	case kind == chat.Audio:
		return "audio/" + cmp.Or(m.Format, "wav")
	}
	return "application/pdf"
}

// ownFile says whether the id is that of an upload to Google: files/x, or a URI.
func ownFile(id string) bool {
	return strings.HasPrefix(id, "files/") || strings.HasPrefix(id, "gs://") || ownURL(id)
}

// ownURL says whether Gemini reads from the URL: the Files API, and YouTube
// (https://ai.google.dev/gemini-api/docs/video-understanding).
func ownURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" {
		return false
	}
	switch strings.TrimPrefix(strings.ToLower(u.Host), "www.") {
	case "youtube.com", "youtu.be":
		return true
	}
	return filesAPI(u)
}

func filesAPI(u *url.URL) bool {
	return strings.EqualFold(u.Host, "generativelanguage.googleapis.com") && strings.Contains(u.Path, "/files/")
}

// result writes the result of a tool. Google reads the members output and error of the
// response; without them the whole response is the output.
func (e *encoder) result(r *chat.ToolResult) {
	name := r.Name
	if name == "" {
		name = e.names[r.CallID]
	}
	if name == "" {
		e.Refuse("messages", "a tool's result answers no call before it, and %s wants the function's name", e.Provider())
		return
	}
	text, media := splitResult(r)
	e.part(roleUser)
	e.Raw(`{"functionResponse":{`)
	e.Optional(`"id":`, r.CallID)
	e.Key("name")
	e.Str(name)
	e.Raw(`,"response":`)
	e.Out = appendOutput(e.Out, text, r.IsError)
	if e.Model.ResultMediaInside {
		e.resultMedia(&media)
	}
	e.Raw("}}")
	e.afterResults = append(e.afterResults, media...)
}

// splitResult separates the text of a result from its media.
func splitResult(r *chat.ToolResult) (text string, media []chat.Part) {
	var texts []string
	for _, p := range r.Parts {
		if p.Kind == chat.Text {
			texts = append(texts, p.Text)
		} else {
			media = append(media, p)
		}
	}
	return strings.Join(texts, "\n"), media
}

// appendOutput writes the object of a response. A text that is a JSON object is written unchanged,
// unless Google would read one of its members as output or error.
func appendOutput(out []byte, text string, failed bool) []byte {
	name := `{"output":`
	if failed {
		name = `{"error":`
	} else if v, err := jsonx.Parse([]byte(text), jsonx.Strict); err == nil && v.Kind() == jsonx.Object &&
		!v.Get("output").Exists() && !v.Get("error").Exists() {
		return jsonx.AppendCompact(out, []byte(text))
	}
	out = append(out, name...)
	out = jsonx.AppendString(out, text)
	return append(out, '}')
}

// resultMedia writes functionResponse.parts, which hold only inline data, and leaves the rest in media.
func (e *encoder) resultMedia(media *[]chat.Part) {
	var rest []chat.Part
	open := false
	for _, p := range *media {
		if p.Media == nil || p.Media.Data == "" {
			rest = append(rest, p)
			continue
		}
		if !open {
			e.Raw(`,"parts":[`)
			open = true
		}
		e.Comma()
		e.Raw(`{"inlineData":`)
		e.Out = appendBlob(e.Out, p.Kind, p.Media)
		e.Raw("}")
	}
	if open {
		e.Raw("]")
	}
	*media = rest
}

// flushAfterResults writes the media that functionResponses could not hold, after the last of them.
func (e *encoder) flushAfterResults() {
	parts := e.afterResults
	e.afterResults = nil
	for i := range parts {
		e.part(roleUser)
		e.media(&parts[i])
	}
}
