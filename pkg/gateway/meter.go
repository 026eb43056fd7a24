package gateway

import "github.com/alicetears/llm-gateway/pkg/chat"

// meter keeps what accounting needs of an answer that passes by.
type meter struct {
	reported *chat.Usage
	tier     string // the service tier that the provider says it used
	model    string // the model that the provider says has answered
	bytes    int64  // of text, reasoning and arguments
	complete bool
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
	case chat.EventText, chat.EventReason, chat.EventRefusal, chat.EventCallArgs:
		m.bytes += int64(len(ev.Text))
	case chat.EventCall:
		if ev.ToolCall != nil {
			m.bytes += int64(len(ev.ToolCall.Name) + len(ev.ToolCall.Arguments))
		}
	}
}

// usage is what the provider reported or, if it reported nothing, an estimate. Of a stream that broke off
// the report may be that of its start (Anthropic): its output is then estimated.
func (m *meter) usage(request *Request) *chat.Usage {
	if m.reported != nil {
		if came := tokens(m.bytes); !m.complete && came > m.reported.Output {
			u := *m.reported
			u.Output, u.Estimated = came, true
			return &u
		}
		return m.reported
	}
	return &chat.Usage{Input: estimateInput(request), Output: tokens(m.bytes), Estimated: true}
}

// tokens estimates by the rule of thumb of four bytes of English text to a token.
func tokens(bytes int64) int64 { return (bytes + 3) / 4 }

// estimateInput guesses the tokens of what is asked.
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
