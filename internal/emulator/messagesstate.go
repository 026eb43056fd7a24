package emulator

import (
	"encoding/base64"
	"strings"
)

// The signature of a thinking block is bound to the block's text; newer models bind it to all that precedes it as well
// (platform.claude.com, preserved thinking).

func (m *messagesRequest) signature(x *exchange, thought string) string {
	text := newState("thinking", x.serial, thought)
	place := newState("place", x.serial, m.binding(x, len(m.Messages)))
	return base64.StdEncoding.EncodeToString(append(text, place...))
}

func (m *messagesRequest) redacted(x *exchange) string {
	return base64.StdEncoding.EncodeToString(newState("redacted", x.serial, m.binding(x, len(m.Messages))))
}

// binding returns what a block before the i-th message is bound to: the conversation so far and, for some models, the
// account.
func (m *messagesRequest) binding(x *exchange, i int) string {
	if m.claude.owned {
		return x.account() + m.before(i)
	}
	return m.before(i)
}

// before returns the conversation before the i-th message, without what may change. Consecutive messages of one role
// are one turn (API reference, create a message).
func (m *messagesRequest) before(i int) string {
	list, _ := m.raw["messages"].([]any)
	var turns [][]any
	for _, t := range list[:i] {
		t := t.(map[string]any)
		if n := len(turns); n == 0 || turns[n-1][0] != t["role"] {
			turns = append(turns, []any{t["role"]})
		}
		last := &turns[len(turns)-1]
		*last = append(*last, bare(t["content"])...)
	}
	return string(encode([]any{bare(m.raw["system"]), bare(m.raw["tools"]), turns}))
}

// bare returns content as blocks, without cache breakpoints and thinking.
func bare(v any) []any {
	if s, ok := v.(string); ok {
		v = []any{object{"type": "text", "text": s}}
	}
	list, _ := v.([]any)
	out := []any{}
	for _, item := range list {
		b, ok := item.(map[string]any)
		if !ok || b["type"] == "thinking" || b["type"] == "redacted_thinking" {
			continue
		}
		kept := object{}
		for name, value := range b {
			switch name {
			case "cache_control", "caller":
			case "content":
				kept[name] = bare(value)
			default:
				kept[name] = value
			}
		}
		out = append(out, kept)
	}
	return out
}

// refuseState checks the thinking blocks of the history.
func (m *messagesRequest) refuseState(x *exchange) *failure {
	for i, t := range m.Messages {
		for j, b := range t.blocks {
			var made, here bool
			switch b.Type {
			case "thinking":
				raw, _ := base64.StdEncoding.DecodeString(b.Signature)
				if len(raw) == 2*stateLen {
					_, made = verifyState("thinking", raw[:stateLen], b.Thinking)
					_, here = verifyState("place", raw[stateLen:], m.binding(x, i))
				}
			case "redacted_thinking":
				raw, _ := base64.StdEncoding.DecodeString(b.Data)
				made, here = verifyState("redacted", raw, m.binding(x, i))
			default:
				continue
			}
			if !made {
				return x.invalid("messages.%d.content.%d: Invalid `%s` in `%s` block", i, j, stateMember(b.Type),
					b.Type)
			}
			if m.claude.bound && !here {
				return x.invalid("messages.%d.content.%d: Invalid `%s` in `%s` block. The block is bound to a different conversation", i, j, stateMember(b.Type), b.Type)
			}
		}
	}
	return m.refuseLostThinking(x)
}

func stateMember(kind string) string {
	if kind == "redacted_thinking" {
		return "data"
	}
	return "signature"
}

// refuseLostThinking: with a budget, the assistant's turn whose tools are being answered must begin with its thinking.
// Adaptive thinking has no such rule.
func (m *messagesRequest) refuseLostThinking(x *exchange) *failure {
	if m.Thinking.Type != "enabled" {
		return nil
	}
	i := len(m.Messages) - 1
	for ; i >= 0; i-- {
		t := m.Messages[i]
		if t.Role == "user" && len(t.blocks) > 0 && t.blocks[0].Type != "tool_result" {
			return nil
		}
		if t.Role != "assistant" || len(t.blocks) == 0 {
			continue
		}
		if kind := t.blocks[0].Type; !strings.HasSuffix(kind, "thinking") {
			return x.invalid("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking", i, kind)
		}
		return nil
	}
	return nil
}
