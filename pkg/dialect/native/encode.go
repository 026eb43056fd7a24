package native

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// EncodeResponse writes a whole answer.
func (s *Server) EncodeResponse(resp *chat.Response, served dialect.Served) []byte {
	out := make([]byte, 0, sizeOf(resp))
	out = appendHead(out, served)
	for i := range resp.Choices {
		out = comma(out, i)
		out = appendChoice(out, &resp.Choices[i])
	}
	out = append(out, `],"usage":`...)
	out = appendUsage(out, resp.Usage)
	return appendTail(out, served)
}

func sizeOf(resp *chat.Response) int {
	n := 512
	for i := range resp.Choices {
		n += 128 + len(resp.Choices[i].Logprobs)
		for j := range resp.Choices[i].Message.Parts {
			p := &resp.Choices[i].Message.Parts[j]
			n += 64 + len(p.Text) + len(p.Text)/8
			if p.Media != nil {
				n += len(p.Media.Data)
			}
			if p.ToolCall != nil {
				n += 128 + len(p.ToolCall.Arguments)*5/4
			}
			if p.State != nil {
				n += 128 + len(p.State.Signature) + len(p.State.Encrypted) + len(p.State.Redacted)
			}
		}
	}
	return n
}

// appendHead writes a response up to its choices, appendTail what follows them.
func appendHead(out []byte, served dialect.Served) []byte {
	out = append(out, `{"id":`...)
	out = jsonx.AppendString(out, served.RequestID)
	out = append(out, `,"provider":`...)
	out = jsonx.AppendString(out, served.Provider)
	out = append(out, `,"model":`...)
	out = jsonx.AppendString(out, served.Model)
	return append(out, `,"choices":[`...)
}

func appendTail(out []byte, served dialect.Served) []byte {
	out = append(out, `,"created":`...)
	out = jsonx.AppendInt(out, served.Created)
	return append(out, '}')
}

func comma(out []byte, i int) []byte {
	if i > 0 {
		out = append(out, ',')
	}
	return out
}

func appendChoice(out []byte, c *chat.Choice) []byte {
	out = append(out, `{"index":`...)
	out = jsonx.AppendInt(out, int64(c.Index))
	out = append(out, `,"message":{"role":"assistant","content":"`...)
	count := [chat.Unrendered + 1]int{}
	citations := 0
	for i := range c.Message.Parts {
		p := &c.Message.Parts[i]
		count[p.Kind]++
		citations += len(p.Citations)
		if p.Kind == chat.Text {
			out = jsonx.AppendEscaped(out, p.Text)
		}
	}
	out = append(out, '"')
	if count[chat.Reason] > 0 {
		out = append(out, `,"reasoning":[`...)
		out = appendEach(out, c, chat.Reason, func(out []byte, _ int, p *chat.Part) []byte {
			return append(appendReason(append(out, '{'), p.Text, p.State), '}')
		})
	}
	if count[chat.Refusal] > 0 {
		out = append(out, `,"refusal":"`...)
		for i := range c.Message.Parts {
			if p := &c.Message.Parts[i]; p.Kind == chat.Refusal {
				out = jsonx.AppendEscaped(out, p.Text)
			}
		}
		out = append(out, '"')
	}
	if count[chat.Call] > 0 {
		out = append(out, `,"toolCalls":[`...)
		out = appendEach(out, c, chat.Call, func(out []byte, _ int, p *chat.Part) []byte {
			return append(appendCall(append(out, '{'), p.ToolCall), '}')
		})
	}
	if citations > 0 {
		out = append(out, `,"citations":[`...)
		n := 0
		for i := range c.Message.Parts {
			for j := range c.Message.Parts[i].Citations {
				out = appendCitation(comma(out, n), &c.Message.Parts[i].Citations[j])
				n++
			}
		}
		out = append(out, ']')
	}
	if count[chat.Image] > 0 {
		out = append(out, `,"images":[`...)
		out = appendEach(out, c, chat.Image, func(out []byte, _ int, p *chat.Part) []byte { return appendImage(out, p.Media) })
	}
	out = append(out, '}')
	if len(c.Logprobs) > 0 {
		out = append(out, `,"logprobs":`...)
		out = jsonx.AppendCompact(out, c.Logprobs)
	}
	out = append(out, `,"finishReason":`...)
	out = jsonx.AppendString(out, string(c.Finish))
	return append(out, '}')
}

// appendEach writes the parts of a kind, and the array's end.
func appendEach(out []byte, c *chat.Choice, kind chat.PartKind, write func(out []byte, n int, p *chat.Part) []byte) []byte {
	n := 0
	for i := range c.Message.Parts {
		if p := &c.Message.Parts[i]; p.Kind == kind {
			out = write(comma(out, n), n, p)
			n++
		}
	}
	return append(out, ']')
}

// appendImage writes a picture that the model made, with the members of a part of that type.
func appendImage(out []byte, m *chat.Media) []byte {
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

// appendReason writes the members of a block of reasoning, the text first.
func appendReason(out []byte, text string, s *chat.ReasoningState) []byte {
	out = append(out, `"text":`...)
	out = jsonx.AppendString(out, text)
	if s == nil {
		return out
	}
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

// appendCall writes the members of a tool call.
func appendCall(out []byte, c *chat.ToolCall) []byte {
	out = append(out, `"id":`...)
	out = jsonx.AppendString(out, c.ID)
	if c.Custom {
		out = append(out, `,"type":"custom","function":{"name":`...)
	} else {
		out = append(out, `,"type":"function","function":{"name":`...)
	}
	out = jsonx.AppendString(out, c.Name)
	out = append(out, `,"arguments":`...)
	out = jsonx.AppendString(out, c.Arguments)
	out = append(out, '}')
	if c.Signature != "" {
		out = append(out, `,"signature":`...)
		out = jsonx.AppendString(out, c.Signature)
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

// appendUsage writes usage; unknown usage is written as an estimate of nothing, for
// programs that count on the member.
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
