package native

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// answers describes the answers: Chat Completions in camel case, with members of this dialect's own.
var answers = openai.AnswerFormat{
	UsageAtFinish: true,
	ToolCalls:     `,"toolCalls":[`,
	Citations:     `,"citations":[`,
	FinishReason:  `,"finishReason":`,
	Signature:     `,"signature":`,
	Head:          func(out []byte, _ *chat.Event, served *dialect.Served) []byte { return appendHead(out, served) },
	Tail:          appendTail,
	Usage:         appendUsage,
	Thoughts:      appendThoughts,
	Thought:       appendThought,
	Image:         appendImage,
	Citation:      appendCitation,
	Fault:         appendError,
}

// EncodeResponse writes a whole answer.
func (s *Server) EncodeResponse(resp *chat.Response, served dialect.Served) []byte {
	out := make([]byte, 0, openai.SizeOfAnswer(resp))
	out = appendHead(out, &served)
	out = answers.AppendChoices(out, resp.Choices, &served)
	out = append(out, `],"usage":`...)
	out = appendUsage(out, resp.Usage)
	return appendTail(out, &served)
}

// NewStreamEncoder returns an encoder for one streamed answer.
func (s *Server) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	return answers.NewStreamEncoder(served)
}

// EncodeError writes the body of a failed answer.
func (s *Server) EncodeError(err *fault.Error, requestID string) []byte {
	return appendError(nil, err, requestID)
}

func appendError(out []byte, err *fault.Error, requestID string) []byte {
	out = append(out, `{"error":{"code":`...)
	out = jsonx.AppendString(out, string(err.Code))
	out = append(out, `,"message":`...)
	out = jsonx.AppendString(out, err.Message)
	out = body.AppendDetails(out, err)
	out = append(out, `},"requestId":`...)
	out = jsonx.AppendString(out, requestID)
	return append(out, '}')
}

// appendHead appends a response up to its choices, appendTail the end that follows choices and usage.
func appendHead(out []byte, served *dialect.Served) []byte {
	out = append(out, `{"id":`...)
	out = jsonx.AppendString(out, served.RequestID)
	out = append(out, `,"provider":`...)
	out = jsonx.AppendString(out, served.Provider)
	out = append(out, `,"model":`...)
	out = jsonx.AppendString(out, served.Model)
	return append(out, `,"choices":[`...)
}

func appendTail(out []byte, served *dialect.Served) []byte {
	out = append(out, `,"created":`...)
	out = jsonx.AppendInt(out, served.Created)
	return append(out, '}')
}

// appendImage appends an image with the members of a part of that type.
func appendImage(out []byte, m *chat.Media, _ int) []byte {
	out = append(out, '{')
	for _, member := range [...]struct{ name, value string }{{`"url":`, m.URL}, {`"data":`, m.Data}, {`"mimeType":`, m.MIMEType}} {
		if member.value == "" {
			continue
		}
		if out[len(out)-1] != '{' {
			out = append(out, ',')
		}
		out = append(out, member.name...)
		out = jsonx.AppendString(out, member.value)
	}
	return append(out, '}')
}

func appendThoughts(out []byte, parts []chat.Part) []byte {
	return openai.AppendList(out, `,"reasoning":[`, parts, chat.Reason, func(out []byte, _ int, p *chat.Part) []byte {
		state := p.State
		if state == nil {
			state = new(chat.ReasoningState)
		}
		return append(appendBlock(append(out, '{'), p.Text, state), '}')
	})
}

// appendThought appends a piece of a block of reasoning. Each member of the state is sent once.
func appendThought(out []byte, start int, block *openai.Block, ev *chat.Event) []byte {
	if len(out) > start {
		out = append(out, ',')
	}
	out = append(out, `"reasoning":[{"index":`...)
	out = jsonx.AppendInt(out, int64(block.Count-1))
	out = append(out, ',')
	state := block.State
	for _, m := range [...]struct{ now, before *string }{
		{&state.ID, &block.Before.ID}, {&state.Signature, &block.Before.Signature}, {&state.Redacted, &block.Before.Redacted},
		{&state.Encrypted, &block.Before.Encrypted}, {&state.Format, &block.Before.Format},
	} {
		if *m.now == *m.before {
			*m.now = ""
		}
	}
	if state.Index == block.Before.Index {
		state.Index = 0
	}
	state.Summary = state.Summary && !block.Before.Summary
	return append(appendBlock(out, ev.Text, &state), `}]`...)
}

// appendBlock appends the members of a block of reasoning, the text first.
func appendBlock(out []byte, text string, s *chat.ReasoningState) []byte {
	out = append(out, `"text":`...)
	out = jsonx.AppendString(out, text)
	for _, m := range [...]struct{ name, value string }{
		{`,"id":`, s.ID}, {`,"signature":`, s.Signature}, {`,"redacted":`, s.Redacted}, {`,"encrypted":`, s.Encrypted}, {`,"format":`, s.Format},
	} {
		if m.value != "" {
			out = append(out, m.name...)
			out = jsonx.AppendString(out, m.value)
		}
	}
	if s.Index != 0 {
		out = append(out, `,"group":`...)
		out = jsonx.AppendInt(out, int64(s.Index))
	}
	if s.Summary {
		out = append(out, `,"summary":true`...)
	}
	return out
}

func appendCitation(out []byte, c *chat.Citation) []byte {
	out = append(out, `{"url":`...)
	out = jsonx.AppendString(out, c.URL)
	out = append(out, `,"title":`...)
	out = jsonx.AppendString(out, c.Title)
	if c.Text != "" {
		out = append(out, `,"text":`...)
		out = jsonx.AppendString(out, c.Text)
	}
	if c.Start != 0 || c.End != 0 {
		out = append(out, `,"start":`...)
		out = jsonx.AppendInt(out, int64(c.Start))
		out = append(out, `,"end":`...)
		out = jsonx.AppendInt(out, int64(c.End))
	}
	return append(out, '}')
}

// appendUsage appends usage. Unknown usage is an estimate of nothing, for programs that rely on the member.
func appendUsage(out []byte, u *chat.Usage) []byte {
	if u == nil {
		u = &chat.Usage{Estimated: true}
	}
	out = append(out, `{"promptTokens":`...)
	out = jsonx.AppendInt(out, u.Input)
	out = append(out, `,"completionTokens":`...)
	out = jsonx.AppendInt(out, u.Output)
	out = append(out, `,"totalTokens":`...)
	out = jsonx.AppendInt(out, u.Total())
	for _, m := range [...]struct {
		name  string
		count int64
	}{
		{`,"cachedTokens":`, u.Cached}, {`,"cacheWriteTokens":`, u.CacheWrite + u.CacheWrite1h}, {`,"reasoningTokens":`, u.Reasoning},
		{`,"inputAudioTokens":`, u.InputAudio}, {`,"outputAudioTokens":`, u.OutputAudio},
	} {
		if m.count > 0 {
			out = append(out, m.name...)
			out = jsonx.AppendInt(out, m.count)
		}
	}
	if u.Estimated {
		out = append(out, `,"estimated":true`...)
	}
	return append(out, '}')
}
