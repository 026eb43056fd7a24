package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// readReasoning combines the members that control reasoning:
//
//	reasoning_effort: "low"                                          OpenAI; Fireworks also a number or a boolean
//	reasoning: {effort | max_tokens, enabled, exclude, summary}      OpenRouter
//	thinking: {type: enabled | disabled | adaptive, budget_tokens}   DeepSeek, and Anthropic's clients
//	include_reasoning: false, reasoning_format: "hidden"             OpenRouter, Groq
func (d *RequestDecoder) readReasoning() {
	var r chat.Reasoning
	on, off := "", false // the effort if reasoning is merely turned on
	if d.reasoning.Exists() {
		d.object(d.reasoning, d.format.Reasoning, func(name []byte, m jsonx.Value) {
			switch string(name) {
			case "effort":
				r.Effort = d.OneOf(m, d.format.Efforts...)
			case "max_tokens":
				r.Budget = d.Int(m, 0, 1<<53)
			case "enabled":
				if off = !d.Bool(m); !off {
					on = "medium" // as OpenRouter documents
				}
			case "exclude":
				r.Hide = d.Bool(m)
			case "summary":
				r.Summary = d.OneOf(m, "auto", "concise", "detailed")
			}
		})
	}
	if d.thinking.Exists() {
		d.object(d.thinking, nil, func(name []byte, m jsonx.Value) {
			switch string(name) {
			case "type":
				if off = d.OneOf(m, "enabled", "disabled", "adaptive") == "disabled"; !off {
					on = "high" // DeepSeek's default
				}
			case "budget_tokens":
				r.Budget = d.Int(m, 0, 1<<53)
			}
		})
	}
	switch d.effort.Kind() {
	case jsonx.Missing:
	case jsonx.Number:
		r.Budget = d.Int(d.effort, 0, 1<<53)
	case jsonx.Bool:
		if off = !d.Bool(d.effort); !off {
			on = "medium"
		}
	default:
		r.Effort = d.OneOf(d.effort, d.format.Efforts...)
	}
	switch {
	case off:
		r.Effort, r.Budget = "none", nil
	case r.Effort == "" && r.Budget == nil:
		r.Effort = on
	}
	if d.without.Kind() == jsonx.String {
		r.Hide = r.Hide || d.OneOf(d.without, "hidden", "parsed", "raw") == "hidden"
	} else if d.without.Exists() {
		r.Hide = r.Hide || !d.Bool(d.without)
	}
	if r != (chat.Reasoning{}) {
		d.Request.Reasoning = &r
	}
}

// earlierReasoning reads the reasoning of an earlier turn as answers have it: as a text, and as
// OpenRouter's details, which repeat the text and carry the state that must go back unchanged. The
// code that reads answers reads it, so that a turn comes back as it went out.
func (d *RequestDecoder) earlierReasoning(t *turn, out *chat.Message) {
	text := t.reasoningContent
	if !text.Given() || text.Empty() && text.Kind() == jsonx.String {
		text = t.reasoning
	}
	if text.Given() {
		d.Str(text)
	}
	if t.details.Given() {
		d.Array(t.details, func(e jsonx.Value) {
			d.object(e, nil, d.checkDetail)
		})
	}
	var read choice
	events := read.reason(nil, text, t.details)
	if len(events) == 0 {
		return
	}
	if resp, failed := chat.Assemble(events); failed == nil {
		out.Parts = append(out.Parts, resp.Choices[0].Message.Parts...)
	}
}

func (d *RequestDecoder) checkDetail(name []byte, m jsonx.Value) {
	switch string(name) {
	case "type", "text", "summary", "data", "signature", "format", "id":
		d.Str(m)
	case "index":
		d.Int(m, 0, 1<<31-1)
	}
}

// signCalls gives Gemini's tool calls the signature that OpenRouter sends in a reasoning detail
// with the call's id.
func signCalls(m *chat.Message) {
	for i := range m.Parts {
		s := m.Parts[i].State
		if s == nil || s.Format != formatGemini || s.Encrypted == "" {
			continue
		}
		for j := range m.Parts {
			if c := m.Parts[j].ToolCall; c != nil && c.ID == s.ID && c.Signature == "" {
				c.Signature = s.Encrypted
			}
		}
	}
}
