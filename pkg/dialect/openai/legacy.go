package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// LegacyName is the name of the dialect of POST /v1/completions.
const LegacyName dialect.Name = "openai-text"

// NewLegacyDialect describes Completions, which came before Chat Completions: one prompt, and its continuation as a text
// (https://platform.openai.com/docs/api-reference/completions). The prompt becomes a message of the user. No provider is
// called in it. Requests are told by their route alone, as it lies beside those of Chat Completions.
func NewLegacyDialect() *dialect.Dialect {
	server := new(legacyServer)
	return &dialect.Dialect{
		Name: LegacyName,
		Endpoints: []dialect.Endpoint{
			{Name: "text-completions", StreamType: dialect.EventStream, Chat: func(string) dialect.Server { return server }},
		},
		Errors:    server,
		RateLimit: dialect.XRateLimit,
	}
}

// legacyServer reads requests and errors as Chat Completions do.
type legacyServer struct{ Server }

// DecodeRequest reads a request as the chat that its prompt begins. Error: Validation.
func (s *legacyServer) DecodeRequest(data []byte) (*chat.Request, dialect.Route, error) {
	root, err := jsonx.Parse(data, jsonx.Strict)
	if err != nil {
		return nil, dialect.Route{}, jsonx.Syntax(err)
	}
	var report body.Reader
	if root.Kind() != jsonx.Object {
		report.Expected(root, "an object")
		return nil, dialect.Route{}, report.Err()
	}
	out, prompt := []byte{'{'}, false
	for m := root.First(); m.Exists(); m = m.Next() {
		switch name := string(m.Key()); name {
		case "prompt":
			if m.Given() && !prompt {
				prompt = true
				out = append(jsonx.AppendComma(out), `"messages":[{"role":"user","content":`...)
				out = append(append(out, promptOf(&report, m)...), `}]`...)
			}
		case "messages":
			report.Add(m, "is of chat: post to /v1/chat/completions, or send a prompt")
		case "suffix":
			refuseUnless(&report, m, m.Kind() == jsonx.String && m.Str() == "", "a text between two others has no form in chat")
		case "echo":
			refuseUnless(&report, m, string(m.Raw()) == "false", "the prompt cannot be repeated: put it before the answer")
		case "logprobs":
			refuseUnless(&report, m, false, "not supported here: chat has logprobs in another form")
		case "best_of":
			n, ok := m.Int64()
			refuseUnless(&report, m, ok && n == 1, "must be 1: the best of several answers has no form in chat")
		default:
			out = append(jsonx.AppendKey(out, name), m.Raw()...)
		}
	}
	if !prompt {
		report.AddMember(root, "prompt", "required")
	}
	if err := report.Err(); err != nil {
		return nil, dialect.Route{}, err
	}
	return s.Server.DecodeRequest(append(out, '}'))
}

func refuseUnless(report *body.Reader, m jsonx.Value, fits bool, why string) {
	if m.Given() && !fits {
		report.Add(m, "%s", why)
	}
}

// promptOf returns the prompt as a JSON text: one text, or an array of one.
func promptOf(report *body.Reader, v jsonx.Value) []byte {
	text := v
	if v.Kind() == jsonx.Array && v.Len() == 1 {
		text = v.First()
	}
	switch {
	case text.Kind() == jsonx.String:
		return text.Raw()
	case v.Kind() == jsonx.Array && v.First().Kind() == jsonx.String:
		report.Add(v, "must be one text: send a request for each prompt")
	default:
		report.Add(v, "must be a text; tokens have no form in chat")
	}
	return []byte(`""`)
}

// EncodeResponse writes a text_completion. Only text has a place in it.
func (*legacyServer) EncodeResponse(resp *chat.Response, served dialect.Served) []byte {
	start := chat.Event{ID: resp.ID, Model: resp.Model, Created: resp.Created}
	out := appendHead(make([]byte, 0, SizeOfAnswer(resp)), "text_completion", &start, &served)
	out = append(out, `,"choices":[`...)
	for i := range resp.Choices {
		c := &resp.Choices[i]
		out = body.AppendCount(jsonx.AppendComma(out), `{"index":`, int64(c.Index))
		out = append(out, `,"text":`...)
		kind := chat.Text
		if !hasPart(c.Message.Parts, kind) {
			kind = chat.Refusal
		}
		out = appendJoined(out, c.Message.Parts, kind)
		out = append(out, `,"logprobs":null,"finish_reason":`...)
		out = append(jsonx.AppendString(out, string(c.Finish)), '}')
	}
	out = append(out, ']')
	if resp.Usage != nil {
		out = appendUsage(append(out, `,"usage":`...), resp.Usage)
	}
	out = body.AppendOptional(out, `,"system_fingerprint":`, resp.SystemFingerprint)
	return append(out, '}')
}

// NewStreamEncoder returns an encoder for one streamed answer.
func (*legacyServer) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	return &legacyEncoder{served: served}
}

// legacyEncoder writes a chunk for each piece of text and for each end.
type legacyEncoder struct {
	served dialect.Served
	start  chat.Event
	usage  *chat.Usage
}

func (e *legacyEncoder) Encode(out []byte, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventStart:
		e.start = *ev
	case chat.EventText, chat.EventRefusal:
		if ev.Text != "" {
			out = e.chunk(out, ev.Choice, ev.Text, "null")
		}
	case chat.EventFinish:
		out = e.chunk(out, ev.Choice, "", string(jsonx.AppendString(nil, string(ev.Finish))))
	case chat.EventUsage:
		e.usage = ev.Usage
	case chat.EventEnd:
		if e.usage != nil && e.served.Request != nil && e.served.Request.StreamUsage {
			out = appendHead(sse.Begin(out, ""), "text_completion", &e.start, &e.served)
			out = appendUsage(append(out, `,"choices":[],"usage":`...), e.usage)
			out = sse.End(append(out, '}'))
		}
		out = sse.AppendDone(out)
	}
	return out
}

func (e *legacyEncoder) chunk(out []byte, choice int, text, finish string) []byte {
	out = appendHead(sse.Begin(out, ""), "text_completion", &e.start, &e.served)
	out = body.AppendCount(out, `,"choices":[{"index":`, int64(choice))
	out = body.AppendMember(out, `,"text":`, text)
	out = append(out, `,"logprobs":null,"finish_reason":`...)
	out = append(out, finish...)
	return sse.End(append(out, "}]}"...))
}

// Error appends the failure as Chat Completions do.
func (e *legacyEncoder) Error(out []byte, err *fault.Error) []byte {
	return sse.End(AppendFault(sse.Begin(out, ""), err))
}

// Heartbeat appends a comment.
func (*legacyEncoder) Heartbeat(out []byte) []byte { return sse.AppendComment(out) }
