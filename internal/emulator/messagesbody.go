package emulator

import (
	"encoding/json"
	"iter"
	"strings"
)

// contents returns the answer's content blocks.
func (m *messagesRequest) contents(x *exchange, a *answer) []ordered {
	blocks := []ordered{}
	switch {
	case a.redacted:
		blocks = append(blocks, ordered{{"type", "redacted_thinking"}, {"data", m.redacted(x)}})
	case a.reasoned > 0:
		blocks = append(blocks, ordered{{"type", "thinking"}, {"thinking", a.reasoning},
			{"signature", m.signature(x, a.reasoning)}})
	}
	if x.hasText(a) {
		blocks = append(blocks, ordered{{"type", "text"}, {"text", a.text}})
	}
	for _, c := range a.calls {
		blocks = append(blocks, ordered{{"type", "tool_use"}, {"id", c.id}, {"name", c.name},
			{"input", json.RawMessage(c.arguments)}, {"caller", ordered{{"type", "direct"}}}})
	}
	return blocks
}

// message is the body of an answer that is not streamed.
func (x *exchange) message(m *messagesRequest, a *answer, use messagesUse) any {
	reason, sequence, details := stopReason(a)
	return ordered{{"model", m.Model}, {"id", x.id("msg_01", 0)}, {"type", "message"}, {"role", "assistant"},
		{"content", m.contents(x, a)},
		{"stop_reason", reason}, {"stop_sequence", sequence}, {"stop_details", details},
		{"usage", use.full(m, a.completion, a.reasoned)}}
}

func stopReason(a *answer) (reason string, sequence, details any) {
	switch {
	case a.refusal != "":
		return "refusal", nil, ordered{{"type", "refusal"}, {"category", "cyber"}, {"explanation", a.refusal}}
	case a.finish == finishFilter:
		return "refusal", nil, nil
	case a.finish == finishLength:
		return "max_tokens", nil, nil
	case a.finish == finishCalls:
		return "tool_use", nil, nil
	case a.stopped != "":
		return "stop_sequence", a.stopped, nil
	}
	return "end_turn", nil, nil
}

// full returns usage as in whole answers and message_start.
func (u messagesUse) full(m *messagesRequest, output, thinking int) ordered {
	geo := "not_available"
	if m.claude.version >= 48 {
		geo = "global"
	}
	o := ordered{{"input_tokens", u.input}, {"cache_creation_input_tokens", u.made5m + u.made1h},
		{"cache_read_input_tokens", u.read},
		{"cache_creation", ordered{{"ephemeral_5m_input_tokens", u.made5m}, {"ephemeral_1h_input_tokens", u.made1h}}},
		{"output_tokens", output}, {"service_tier", "standard"}, {"inference_geo", geo}}
	if m.claude.version >= 48 {
		o = append(o, thinkingTokens(thinking))
	}
	return o
}

// thinkingTokens returns how many of the output tokens are thinking (SDK types: in whole answers and message_delta).
func thinkingTokens(n int) member {
	return member{"output_tokens_details", ordered{{"thinking_tokens", n}}}
}

// messageEvents returns the answer's events, in the recorded order.
func (x *exchange) messageEvents(m *messagesRequest, a *answer, use messagesUse) iter.Seq[event] {
	return func(yield func(event) bool) {
		s := &messagesStream{yield: yield, on: true}
		reason, sequence, details := stopReason(a)
		s.send("message_start", ordered{{"message",
			ordered{{"model", m.Model}, {"id", x.id("msg_01", 0)}, {"type", "message"}, {"role", "assistant"},
				{"content", []any{}}, {"stop_reason", nil}, {"stop_sequence", nil}, {"stop_details", nil},
				{"usage", use.full(m, min(a.completion, 1), 0)}}}})
		for i, b := range m.contents(x, a) {
			s.block(x, i, b, a)
		}
		delta := ordered{{"input_tokens", use.input}, {"cache_creation_input_tokens", use.made5m + use.made1h},
			{"cache_read_input_tokens", use.read}, {"output_tokens", a.completion}}
		if m.claude.version >= 48 {
			delta = append(delta, thinkingTokens(a.reasoned))
		}
		s.send("message_delta", ordered{{"delta",
			ordered{{"stop_reason", reason}, {"stop_sequence", sequence}, {"stop_details", details}}},
			{"usage", delta}})
		s.send("message_stop", nil)
	}
}

// messagesStream sends events while the client reads them.
type messagesStream struct {
	yield func(event) bool
	on    bool
	sent  int
}

// send sends one event. Spaces precede its last brace (recorded); their number depends on the event's position only.
func (s *messagesStream) send(kind string, rest ordered) {
	if !s.on {
		return
	}
	s.sent++
	data := encode(append(ordered{{"type", kind}}, rest...))
	data = append(data[:len(data)-1], strings.Repeat(" ", s.sent*5%16)+"}"...)
	s.on = s.yield(event{kind, json.RawMessage(data)})
}

func (s *messagesStream) ping() {
	if s.on {
		s.on = s.yield(event{"ping", json.RawMessage(`{"type": "ping"}`)})
	}
}

func (s *messagesStream) delta(i int, kind, name string, value string) {
	s.send("content_block_delta", ordered{{"index", i}, {"delta", ordered{{"type", kind}, {name, value}}}})
}

// block sends a content block: an empty start, its deltas, its end.
func (s *messagesStream) block(x *exchange, i int, b ordered, a *answer) {
	kind := b[0].value.(string)
	begun := ordered{{"type", kind}}
	switch kind {
	case "thinking":
		begun = append(begun, member{"thinking", ""}, member{"signature", ""})
	case "text":
		begun = append(begun, member{"text", ""})
	case "tool_use":
		begun = append(begun, b[1], b[2], member{"input", object{}}, b[4])
	default:
		begun = b
	}
	s.send("content_block_start", ordered{{"index", i}, {"content_block", begun}})
	if i == 0 {
		s.ping()
	}
	switch kind {
	case "thinking":
		for _, p := range pieces(a.reasoning) {
			s.delta(i, "thinking_delta", "thinking", p)
		}
		s.delta(i, "signature_delta", "signature", b[2].value.(string))
	case "text":
		for p := range x.textPieces(a) {
			if s.delta(i, "text_delta", "text", p); !s.on {
				return
			}
		}
	case "tool_use":
		// The first piece is empty; for a call without arguments it is the only one (recorded).
		s.delta(i, "input_json_delta", "partial_json", "")
		if arguments := string(b[3].value.(json.RawMessage)); arguments != "{}" {
			for _, p := range fragments(arguments) {
				s.delta(i, "input_json_delta", "partial_json", p)
			}
		}
	}
	s.send("content_block_stop", ordered{{"index", i}})
}
