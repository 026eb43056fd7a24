package gateway

import "github.com/alicetears/llm-gateway/pkg/chat"

// meter collects what accounting needs of an answer.
type meter struct {
	reported *chat.Usage
	tier     string // the service tier that the provider says it used
	model    string // the model that the provider says has answered
	bytes    int64  // of text, reasoning and arguments
	complete bool
	finish   chat.FinishReason // of the first choice
}

func (m *meter) count(ev *chat.Event) {
	if ev.ServiceTier != "" {
		m.tier = ev.ServiceTier
	}
	if ev.Model != "" {
		m.model = ev.Model
	}
	switch ev.Kind {
	case chat.EventEnd:
		m.complete = true
	case chat.EventUsage:
		m.reported = ev.Usage
	case chat.EventFinish:
		if ev.Choice == 0 {
			m.finish = ev.Finish
		}
	case chat.EventText, chat.EventReason, chat.EventRefusal, chat.EventCallArgs:
		m.bytes += int64(len(ev.Text))
	case chat.EventCall:
		if ev.ToolCall != nil {
			m.bytes += int64(len(ev.ToolCall.Name) + len(ev.ToolCall.Arguments))
		}
	}
}

// usage returns the usage that the provider reported, or an estimate. If a stream broke off, the report may be from its
// start (Anthropic): then the output is estimated.
func (m *meter) usage(r *Request) *chat.Usage {
	if m.reported != nil {
		if came := tokens(m.bytes); !m.complete && came > m.reported.Output {
			u := *m.reported
			u.Output, u.Estimated = came, true
			return &u
		}
		return m.reported
	}
	return &chat.Usage{Input: estimateInput(r), Output: tokens(m.bytes), Estimated: true}
}

// tokens estimates a number of tokens: about four bytes of English text are one.
func tokens(bytes int64) int64 { return (bytes + 3) / 4 }

// estimateInput estimates the input tokens of a request.
func estimateInput(request *Request) int64 {
	if request.Embedding == nil {
		return tokens(requestBytes(request.Chat))
	}
	var bytes, counted int64
	for _, in := range request.Embedding.Inputs {
		bytes += int64(len(in.Text))
		counted += int64(len(in.Tokens))
	}
	return tokens(bytes) + counted
}

func requestBytes(req *chat.Request) int64 {
	var n int
	for i := range req.Messages {
		n += partsBytes(req.Messages[i].Parts)
	}
	for i := range req.Tools {
		n += len(req.Tools[i].Name) + len(req.Tools[i].Description) + len(req.Tools[i].Parameters)
	}
	return int64(n)
}

func partsBytes(parts []chat.Part) int {
	var n int
	for i := range parts {
		p := &parts[i]
		n += len(p.Text)
		if p.ToolCall != nil {
			n += len(p.ToolCall.Name) + len(p.ToolCall.Arguments)
		}
		if p.ToolResult != nil {
			n += partsBytes(p.ToolResult.Parts)
		}
	}
	return n
}
