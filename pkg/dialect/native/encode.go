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
	UsageAtFinish:  true,
	ToolCalls:      `"toolCalls":[`,
	Citations:      `"citations":[`,
	FinishReason:   `,"finishReason":`,
	Signature:      `,"signature":`,
	Head:           func(out []byte, _ *chat.Event, served *dialect.Served) []byte { return appendHead(out, served) },
	Tail:           appendTail,
	Usage:          appendUsage,
	Reasoning:      appendReasoning,
	ReasoningDelta: appendReasoningDelta,
	Image:          appendImage,
	Citation:       appendCitation,
	Fault:          appendError,
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
	out = body.AppendMember(out, `{"error":{"code":`, string(err.Code))
	out = body.AppendMember(out, `,"message":`, err.Message)
	out = body.AppendDetails(out, err)
	out = body.AppendMember(out, `},"requestId":`, requestID)
	return append(out, '}')
}

// appendHead appends a response up to its choices, appendTail the end that follows choices and usage.
func appendHead(out []byte, served *dialect.Served) []byte {
	out = body.AppendMember(out, `{"id":`, served.RequestID)
	out = body.AppendMember(out, `,"provider":`, served.Provider)
	out = body.AppendMember(out, `,"model":`, served.Model)
	return append(out, `,"choices":[`...)
}

func appendTail(out []byte, served *dialect.Served) []byte {
	out = body.AppendCount(out, `,"created":`, served.Created)
	return append(out, '}')
}

// appendImage appends an image with the members of a part of that type.
func appendImage(out []byte, m *chat.Media, _ int) []byte {
	out = append(out, '{')
	for _, member := range [...]struct{ name, value string }{
		{`"url":`, m.URL}, {`"data":`, m.Data}, {`"mimeType":`, m.MIMEType},
	} {
		if member.value == "" {
			continue
		}
		out = body.AppendMember(jsonx.AppendComma(out), member.name, member.value)
	}
	return append(out, '}')
}

// A stateText is a member of a block of reasoning that is a string of the provider's.
type stateText struct {
	name  string
	value *string
}

func textsOf(s *chat.ReasoningState) [5]stateText {
	return [...]stateText{
		{"id", &s.ID}, {"signature", &s.Signature}, {"redacted", &s.Redacted},
		{"encrypted", &s.Encrypted}, {"format", &s.Format},
	}
}

func appendReasoning(out []byte, parts []chat.Part) []byte {
	return openai.AppendList(out, `"reasoning":[`, parts, chat.Reason, func(out []byte, _ int, p *chat.Part) []byte {
		state := p.State
		if state == nil {
			state = new(chat.ReasoningState)
		}
		return append(appendBlock(append(out, '{'), p.Text, state), '}')
	})
}

// appendReasoningDelta appends a piece of a block of reasoning. Each member of the state is sent once.
func appendReasoningDelta(out []byte, block *openai.Block, ev *chat.Event) []byte {
	out = body.AppendCount(jsonx.AppendComma(out), `"reasoning":[{"index":`, int64(block.Count-1))
	out = append(out, ',')
	state, before := block.State, textsOf(&block.Before)
	for i, text := range textsOf(&state) {
		if *text.value == *before[i].value {
			*text.value = ""
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
	out = body.AppendMember(out, `"text":`, text)
	for _, text := range textsOf(s) {
		if *text.value != "" {
			out = jsonx.AppendString(jsonx.AppendKey(out, text.name), *text.value)
		}
	}
	if s.Index != 0 {
		out = body.AppendCount(out, `,"group":`, int64(s.Index))
	}
	if s.Summary {
		out = append(out, `,"summary":true`...)
	}
	return out
}

func appendCitation(out []byte, c *chat.Citation) []byte {
	out = body.AppendMember(out, `{"url":`, c.URL)
	out = body.AppendMember(out, `,"title":`, c.Title)
	out = body.AppendOptional(out, `,"text":`, c.Text)
	if c.Start != 0 || c.End != 0 {
		out = body.AppendCount(out, `,"start":`, int64(c.Start))
		out = body.AppendCount(out, `,"end":`, int64(c.End))
	}
	return append(out, '}')
}

// appendUsage appends usage. Unknown usage is an estimate of nothing, for programs that rely on the member.
func appendUsage(out []byte, u *chat.Usage) []byte {
	if u == nil {
		u = &chat.Usage{Estimated: true}
	}
	out = body.AppendCount(out, `{"promptTokens":`, u.Input)
	out = body.AppendCount(out, `,"completionTokens":`, u.Output)
	out = body.AppendCount(out, `,"totalTokens":`, u.Total())
	for _, m := range [...]struct {
		name  string
		count int64
	}{
		{`,"cachedTokens":`, u.Cached},
		{`,"cacheWriteTokens":`, u.CacheWrite + u.CacheWrite1h},
		{`,"reasoningTokens":`, u.Reasoning},
		{`,"inputAudioTokens":`, u.InputAudio},
		{`,"outputAudioTokens":`, u.OutputAudio},
	} {
		if m.count > 0 {
			out = body.AppendCount(out, m.name, m.count)
		}
	}
	if u.Estimated {
		out = append(out, `,"estimated":true`...)
	}
	return append(out, '}')
}
