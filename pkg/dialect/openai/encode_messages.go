package openai

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (e *encoder) messages() { e.messagesBut(nil, e.schemaPrompt()) }

// messagesBut writes the prompt, unless it is empty, and the messages. A message that kept has at its index is
// written so.
func (e *encoder) messagesBut(kept [][]byte, prompt string) {
	e.Raw("[")
	if prompt != "" {
		e.Member(`{"role":"system","content":`, prompt)
		e.Raw("}")
	}
	for i := range e.Req.Messages {
		m := &e.Req.Messages[i]
		if i < len(kept) && kept[i] != nil {
			e.Comma()
			e.Out = append(e.Out, kept[i]...)
			continue
		}
		rest := e.results(m)
		if len(rest) > 0 || len(m.Parts) == 0 {
			e.message(m, rest)
		}
	}
	e.Raw("]")
}

// results writes each tool result of the message as a message of its own, and returns the other parts.
func (e *encoder) results(m *chat.Message) []chat.Part {
	if !hasPart(m.Parts, chat.Result) {
		return m.Parts
	}
	var rest []chat.Part
	for i := range m.Parts {
		if m.Parts[i].Kind == chat.Result {
			e.Comma()
			e.result(&m.Parts[i])
		} else {
			rest = append(rest, m.Parts[i])
		}
	}
	return rest
}

// result writes a tool message.
func (e *encoder) result(p *chat.Part) {
	r := p.ToolResult
	e.Member(`{"role":"tool","tool_call_id":`, r.CallID)
	e.Raw(`,"content":`)
	parts := body.ResultParts(r)
	if n := len(parts); p.Cache != nil && n > 0 {
		parts = slices.Clone(parts)
		parts[n-1].Cache = p.Cache
	}
	e.content(parts, "\n")
	e.Raw("}")
}

func (e *encoder) message(m *chat.Message, parts []chat.Part) {
	role := m.Role
	switch role {
	case chat.Developer:
		if e.Rules.NoDeveloperRole {
			role = chat.System
		}
	case chat.ToolRole:
		role = chat.User // for the parts beside the results
	case chat.System, chat.User, chat.Assistant:
	default:
		e.Refuse("messages", "the role %q cannot be sent to %s", role, e.Provider())
	}
	e.Comma()
	e.Member(`{"role":`, string(role))
	if m.Name != "" {
		if !e.Rules.NoNames {
			e.Member(`,"name":`, m.Name)
		} else {
			e.Warn("names of participants are not supported by %s: dropped", e.Provider())
		}
	}
	switch role {
	case chat.Assistant:
		e.assistant(parts)
	case chat.User:
		e.Raw(`,"content":`)
		if len(parts) > 1 || len(parts) == 1 && parts[0].Kind != chat.Text {
			e.partArray(parts)
		} else {
			e.content(parts, "")
		}
	default:
		e.Raw(`,"content":`)
		e.content(parts, "\n\n")
	}
	e.Raw("}")
}

// content writes text parts as one string, which every provider takes, unless one has a
// cache mark that the provider takes.
func (e *encoder) content(parts []chat.Part, separator string) {
	plain := true
	for i := range parts {
		plain = plain && parts[i].Kind == chat.Text && !e.keepsMark(&parts[i])
	}
	if !plain {
		e.partArray(parts)
		return
	}
	e.Raw(`"`)
	for i := range parts {
		if i > 0 {
			e.Out = jsonx.AppendEscaped(e.Out, separator)
		}
		e.Out = jsonx.AppendEscaped(e.Out, parts[i].Text)
	}
	e.Raw(`"`)
}

func (e *encoder) keepsMark(p *chat.Part) bool {
	return p.Cache != nil && e.Rules.CacheMarks
}

// assistant writes the text of a turn, its reasoning in the form that the provider wants back, and its calls.
func (e *encoder) assistant(parts []chat.Part) {
	var texts, reasons, calls []chat.Part
	for _, p := range parts {
		switch p.Kind {
		case chat.Text, chat.Refusal:
			p.Kind = chat.Text
			texts = append(texts, p)
		case chat.Reason:
			reasons = append(reasons, p)
		case chat.Call:
			calls = append(calls, p)
		default:
			e.Warn("%s takes back text and calls alone from the assistant: other parts dropped", e.Provider())
		}
	}
	e.Raw(`,"content":`)
	if e.thinkingBack(reasons) {
		e.thinkingParts(reasons, texts)
	} else if len(texts) == 0 && len(calls) > 0 {
		e.Raw("null")
	} else {
		e.content(texts, "")
	}
	e.reasoningBack(reasons, len(calls) > 0)
	if len(calls) == 0 {
		return
	}
	e.Raw(`,"tool_calls":[`)
	for i := range calls {
		e.Comma()
		e.call(calls[i].ToolCall)
	}
	e.Raw("]")
}

func (e *encoder) call(c *chat.ToolCall) {
	e.Member(`{"id":`, c.ID)
	if c.Custom {
		e.Member(`,"type":"custom","custom":{"name":`, c.Name)
		e.Member(`,"input":`, c.Arguments)
	} else {
		e.Member(`,"type":"function","function":{"name":`, c.Name)
		e.Raw(`,"arguments":`)
		if strings.TrimSpace(c.Arguments) == "" {
			e.Raw(`"{}"`)
		} else {
			e.Str(c.Arguments)
		}
	}
	e.Raw("}}")
}

// reasoningBack writes the reasoning of an earlier turn in the field that the provider wants.
func (e *encoder) reasoningBack(reasons []chat.Part, calls bool) {
	field := ""
	switch e.Rules.ReasoningBack {
	case ReasoningBackDropped, ReasoningBackParts:
		return
	case ReasoningBackDetails:
		e.reasoningDetails(reasons)
		return
	case ReasoningBackContent:
		field = "reasoning_content"
	case ReasoningBackField:
		field = "reasoning"
	}
	// DeepSeek refuses a turn with calls that lacks the member, and takes an empty one.
	empty := !slices.ContainsFunc(reasons, func(p chat.Part) bool { return p.Text != "" })
	if empty && !(calls && e.Rules.Reasoning == ReasoningThinking) {
		return
	}
	e.Key(field)
	e.Out = appendJoined(e.Out, reasons, chat.Reason)
}

// thinkingBack reports whether the reasoning of an earlier turn goes back as parts of its content: to a model that reasons.
func (e *encoder) thinkingBack(reasons []chat.Part) bool {
	return e.Rules.ReasoningBack == ReasoningBackParts && len(e.Model.Efforts) > 0 &&
		slices.ContainsFunc(reasons, func(p chat.Part) bool { return p.Text != "" })
}

// thinkingParts writes reasoning and text as Mistral's models answer them.
func (e *encoder) thinkingParts(reasons, texts []chat.Part) {
	e.Raw(`[{"type":"thinking","thinking":[{"type":"text","text":`)
	e.Out = appendJoined(e.Out, reasons, chat.Reason)
	e.Raw("}]}")
	for i := range texts {
		e.Comma()
		e.Member(`{"type":"text","text":`, texts[i].Text)
		e.Raw("}")
	}
	e.Raw("]")
}

// reasoningDetails writes OpenRouter's reasoning_details, unmodified. Reasoning without a state
// becomes plain text.
func (e *encoder) reasoningDetails(reasons []chat.Part) {
	if len(reasons) == 0 {
		return
	}
	e.Raw(`,"reasoning_details":[`)
	for i := range reasons {
		p := &reasons[i]
		index := 0
		if p.State != nil {
			index = p.State.Index
		}
		e.Out = appendDetails(e.Out, p.Text, p.State, index)
	}
	e.Raw("]")
}

func mentionsJSON(messages []chat.Message) bool {
	for i := range messages {
		for j := range messages[i].Parts {
			text := messages[i].Parts[j].Text
			if strings.Contains(text, "JSON") || strings.Contains(strings.ToLower(text), "json") {
				return true
			}
		}
	}
	return false
}
