package openai

import (
	"crypto/sha256"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (e *encoder) messages() { e.messagesBut(nil, e.schemaPrompt()) }

// messagesBut writes the messages; those that kept has, at their indexes, as they came. The prompt goes before all, unless it is empty.
func (e *encoder) messagesBut(kept []jsonx.Value, prompt string) {
	e.Raw("[")
	start := len(e.Out)
	if prompt != "" {
		e.Raw(`{"role":"system","content":`)
		e.Str(prompt)
		e.Raw("}")
	}
	for i := range e.Req.Messages {
		m := &e.Req.Messages[i]
		if i < len(kept) && kept[i].Exists() {
			if m.Role != chat.ToolRole {
				e.flushMedia(start)
			}
			e.next(start)
			e.Out = append(e.Out, kept[i].Raw()...)
			continue
		}
		rest := e.results(m, start)
		if len(rest) > 0 || len(m.Parts) == 0 {
			e.flushMedia(start)
			e.message(m, rest, start)
		}
	}
	e.flushMedia(start)
	e.Raw("]")
}

// next puts a comma before every message but the first.
func (e *encoder) next(start int) { e.Comma(len(e.Out) - start) }

// results writes each tool result of the message as a message of its own, as the
// dialect wants it, and returns the other parts.
func (e *encoder) results(m *chat.Message, start int) []chat.Part {
	n := 0
	for i := range m.Parts {
		if m.Parts[i].Kind == chat.Result {
			n++
		}
	}
	if n == 0 {
		return m.Parts
	}
	rest := make([]chat.Part, 0, len(m.Parts)-n)
	for i := range m.Parts {
		if m.Parts[i].Kind == chat.Result {
			e.next(start)
			e.result(&m.Parts[i])
		} else {
			rest = append(rest, m.Parts[i])
		}
	}
	return rest
}

// result writes a tool message. It takes text alone (OpenAI refuses other parts):
// images and files follow in a message of the user, after the last result.
func (e *encoder) result(p *chat.Part) {
	r := p.ToolResult
	e.Raw(`{"role":"tool","tool_call_id":`)
	e.Str(e.toolID(r.CallID))
	e.Raw(`,"content":`)
	var texts []chat.Part
	for _, part := range body.ResultParts(r) {
		switch part.Kind {
		case chat.Text:
			texts = append(texts, part)
		case chat.Image, chat.Audio, chat.File:
			if len(e.media) == 0 {
				e.Warn("%s takes text alone as the result of a tool: images and files follow as a message of the user", e.Provider())
			}
			e.media = append(e.media, part)
		default:
			e.Refuse("messages", "the result of a tool holds what cannot be sent to %s", e.Provider())
		}
	}
	if p.Cache != nil && len(texts) > 0 {
		texts[len(texts)-1].Cache = p.Cache
	}
	e.content(texts, "\n")
	e.Raw("}")
}

// flushMedia sends what tool messages could not hold.
func (e *encoder) flushMedia(start int) {
	if len(e.media) == 0 {
		return
	}
	parts := append([]chat.Part{{Kind: chat.Text, Text: "What the tools above returned beside text:"}}, e.media...)
	e.media = nil
	e.next(start)
	e.Raw(`{"role":"user","content":`)
	e.partArray(parts)
	e.Raw("}")
}

func (e *encoder) message(m *chat.Message, parts []chat.Part, start int) {
	role := m.Role
	switch role {
	case chat.Developer:
		if e.Rules.DeveloperRole == DeveloperAsSystem {
			role = chat.System
		}
	case chat.ToolRole:
		role = chat.User // what is left beside the results
	case chat.System, chat.User, chat.Assistant:
	default:
		e.Refuse("messages", "the role %q cannot be sent to %s", role, e.Provider())
	}
	e.next(start)
	e.Raw(`{"role":`)
	e.Str(string(role))
	if m.Name != "" {
		if e.Rules.Names == NamesKept {
			e.Raw(`,"name":`)
			e.Str(m.Name)
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

// content writes text parts as one string, which every provider takes, unless a
// cache mark has to be kept.
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
	return p.Cache != nil && e.Rules.CacheMarks == dialect.CacheMarksKept
}

// assistant writes a turn of the model's: text, reasoning as the rules want it
// back, and calls.
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
	if len(texts) == 0 && len(calls) > 0 {
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
		e.Comma(i)
		e.call(calls[i].ToolCall)
	}
	e.Raw("]")
}

func (e *encoder) call(c *chat.ToolCall) {
	e.Raw(`{"id":`)
	e.Str(e.toolID(c.ID))
	if c.Custom && len(e.Rules.MessageFields) > 0 { // free text is nothing that such a provider knows
		e.Raw(`,"type":"function","function":{"name":`)
		e.Str(c.Name)
		e.Raw(`,"arguments":`)
		e.Str(string(append(jsonx.AppendString([]byte(`{"input":`), c.Arguments), '}')))
	} else if c.Custom {
		e.Raw(`,"type":"custom","custom":{"name":`)
		e.Str(c.Name)
		e.Raw(`,"input":`)
		e.Str(c.Arguments)
	} else {
		e.Raw(`,"type":"function","function":{"name":`)
		e.Str(c.Name)
		e.Raw(`,"arguments":`)
		if strings.TrimSpace(c.Arguments) == "" {
			e.Raw(`"{}"`)
		} else {
			e.Str(c.Arguments)
		}
	}
	e.Raw("}}")
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// toolID is the id as the provider takes it. Mistral wants ^[a-zA-Z0-9]{9}$ (error
// 3280 otherwise): a foreign id becomes a digest of itself, the same in the call and in its
// result, in this request and the next.
func (e *encoder) toolID(id string) string {
	if e.Rules.ToolIDs != ToolIDNine || isNine(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	var out [9]byte
	n := uint64(0)
	for _, b := range sum[:8] {
		n = n<<8 | uint64(b)
	}
	for i := range out {
		out[i] = base62[n%62]
		n /= 62
	}
	return string(out[:])
}

func isNine(id string) bool {
	for i := range len(id) {
		if strings.IndexByte(base62, id[i]) < 0 {
			return false
		}
	}
	return len(id) == 9
}

// reasoningBack writes the reasoning of an earlier turn.
func (e *encoder) reasoningBack(reasons []chat.Part, calls bool) {
	field := ""
	switch e.Rules.ReasoningBack {
	case ReasoningBackDropped:
		return
	case ReasoningBackDetails:
		e.reasoningDetails(reasons)
		return
	case ReasoningBackContent:
		field = "reasoning_content"
	case ReasoningBackField:
		field = "reasoning"
	}
	text := joinText(reasons)
	// DeepSeek refuses a turn with calls that lacks the member; an empty one will do.
	if text == "" && !(calls && e.Rules.Reasoning == ReasoningThinking) {
		return
	}
	e.Raw(",")
	e.Key(field)
	e.Str(text)
}

func joinText(parts []chat.Part) string {
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return parts[0].Text
	}
	var b strings.Builder
	for i := range parts {
		b.WriteString(parts[i].Text)
	}
	return b.String()
}

// reasoningDetails writes OpenRouter's reasoning_details, "unmodified". Reasoning of
// another dialect that nobody signed goes as plain text.
func (e *encoder) reasoningDetails(reasons []chat.Part) {
	if len(reasons) == 0 {
		return
	}
	e.Raw(`,"reasoning_details":[`)
	start := len(e.Out)
	for i := range reasons {
		p := &reasons[i]
		index := 0
		if p.State != nil {
			index = p.State.Index
		}
		e.Out = appendDetails(e.Out, start, p.Text, p.State, index)
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
