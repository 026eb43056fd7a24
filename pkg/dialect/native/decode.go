package native

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

const (
	maxRequestID = 128
	maxModels    = 32
)

// DecodeRequest reads a client's body and keeps nothing of it. Errors are *fault.Error of
// code Validation, whose details list the issues found, each with its path.
func (s *Server) DecodeRequest(data []byte) (*chat.Request, dialect.Route, error) {
	r := routing{providers: s.providers}
	r.RequestDecoder = openai.NewRequestDecoder(s.format, r.member)
	err := s.docs.Read(data, func(root jsonx.Value) error {
		r.Decode(root)
		r.checkToolNames(root.Get("tools"))
		r.CheckChoice(root, "toolChoice", "function", r.Request)
		return r.Err()
	})
	if err != nil {
		return nil, dialect.Route{}, err
	}
	return r.Request, r.route, nil
}

// routing reads the members that say where the request may go.
type routing struct {
	*openai.RequestDecoder
	providers []string
	route     dialect.Route
}

func (r *routing) member(m jsonx.Value) bool {
	switch string(m.Key()) {
	case "provider":
		if m.Is(dialect.Auto) {
			return true
		}
		r.route.Provider = r.provider(m, "auto, ")
	case "allowedProviders":
		r.List(m, "allow every provider", func(e jsonx.Value) {
			r.route.Providers = append(r.route.Providers, r.provider(e, ""))
		})
	case "allowedPriorities":
		r.List(m, "allow every priority", func(e jsonx.Value) {
			n, _ := r.Int64(e)
			r.route.Priorities = append(r.route.Priorities, n)
		})
	case "models":
		r.List(m, "name no other model", func(e jsonx.Value) { r.route.Models = append(r.route.Models, r.Name(e)) })
		if len(r.route.Models) > maxModels {
			r.Add(m, "expected at most %d models", maxModels)
		}
	case "requestId":
		r.route.RequestID = r.requestID(m)
	case "async":
		r.route.Async = r.Bool(m)
	default:
		return false
	}
	return true
}

// provider reads the id of a provider; others are the words that may stand in its place.
func (r *routing) provider(v jsonx.Value, others string) string {
	id := r.Str(v)
	if v.Kind() == jsonx.String && !slices.Contains(r.providers, id) && !mayBeSlug(id) {
		r.Add(v, "unknown provider %s: expected one of %s%s", body.Quote(id), others, strings.Join(r.providers, ", "))
	}
	return id
}

// mayBeSlug reports whether the text may be the slug of a user's own endpoint. Whether it is one the server knows.
func mayBeSlug(s string) bool {
	return s != dialect.Auto && len(s) >= 2 && len(s) <= 32 && !strings.ContainsFunc(s, func(c rune) bool {
		return !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-')
	})
}

func (r *routing) requestID(v jsonx.Value) string {
	id := r.Str(v)
	if v.Kind() == jsonx.String && (id == "" || len(id) > maxRequestID || !body.Printable(id)) {
		r.Add(v, "expected 1 to %d printable ASCII characters", maxRequestID)
	}
	return id
}

// checkToolNames notes an issue for each tool that has the name of an earlier one.
func (r *routing) checkToolNames(tools jsonx.Value) {
	var seen body.Names
	for e := tools.First(); e.Exists() && !r.Full(); e = e.Next() {
		r.Distinct(&seen, e.Get("function").Get("name"))
	}
}

// part reads a part whose members stand beside the type. File parts of Chat Completions have the
// type of this dialect's, and an object.
func part(d *openai.RequestDecoder, partType string, v jsonx.Value) (chat.Part, bool) {
	switch {
	case partType == "image":
		return chat.Part{Kind: chat.Image, Media: media(d, v, chat.Image, "detail")}, true
	case partType == "audio":
		return chat.Part{Kind: chat.Audio, Media: media(d, v, chat.Audio, "format")}, true
	case partType == "file" && !v.Get("file").Exists():
		return chat.Part{Kind: chat.File, Media: media(d, v, chat.File, "filename", "fileId")}, true
	}
	return chat.Part{}, false
}

// image reads an image of an earlier answer.
func image(d *openai.RequestDecoder, v jsonx.Value) *chat.Media {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return nil
	}
	return media(d, v, chat.Image, "detail")
}

// media reads the source of media, and the members that its kind has beside.
func media(d *openai.RequestDecoder, v jsonx.Value, kind chat.PartKind, members ...string) *chat.Media {
	d.Only(v, append(members, "type", "cache", "url", "data", "mimeType")...)
	out := new(chat.Media)
	sources := 0
	for m := v.First(); m.Exists(); m = m.Next() {
		if !m.Given() {
			continue
		}
		switch name := m.Key(); string(name) {
		case "mimeType":
			if out.MIMEType = d.Str(m); m.Kind() == jsonx.String && !body.IsMIMEType(out.MIMEType) {
				d.Add(m, "expected a media type such as image/png")
			}
		case "fileId":
			sources++
			out.FileID = d.CallID(m)
		case "url", "data":
			sources++
			fallthrough
		default:
			d.MediaMember(name, m, out)
		}
	}
	if sources != 1 {
		d.Add(v, "expected exactly one of url, data and fileId")
	}
	if v.Get("data").Given() && out.MIMEType == "" && out.Format == "" {
		needed := "mimeType"
		if kind == chat.Audio {
			needed = "format"
		}
		d.AddMember(v, needed, "required with data")
	}
	return out
}

// earlierReasoning reads the reasoning of an earlier turn: a string, or blocks as answers have them.
func earlierReasoning(d *openai.RequestDecoder, v jsonx.Value) []chat.Part {
	var parts []chat.Part
	switch v.Kind() {
	case jsonx.Missing:
	case jsonx.String:
		if !v.Empty() {
			parts = []chat.Part{{Kind: chat.Reason, Text: v.Str()}}
		}
	case jsonx.Array:
		d.Array(v, func(e jsonx.Value) { parts = append(parts, reasoningBlock(d, e)) })
	default:
		d.Expected(v, "a string or an array")
	}
	return parts
}

// reasoningBlock reads a block of reasoning. An index is left over from a stream.
func reasoningBlock(d *openai.RequestDecoder, v jsonx.Value) chat.Part {
	d.Only(v, "text", "id", "signature", "redacted", "encrypted", "format", "group", "summary", "index")
	p := chat.Part{Kind: chat.Reason}
	var state chat.ReasoningState
	d.Object(v, func(m jsonx.Value) {
		if !m.Given() {
			return
		}
		for _, text := range textsOf(&state) {
			if text.name == string(m.Key()) {
				*text.value = d.Str(m)
			}
		}
		switch string(m.Key()) {
		case "text":
			p.Text = d.Str(m)
		case "summary":
			state.Summary = d.Bool(m)
		case "group":
			if n := d.Int(m, 0, 1<<31-1); n != nil {
				state.Index = int(*n)
			}
		}
	})
	if state != (chat.ReasoningState{}) {
		p.State = &state
	}
	return p
}
