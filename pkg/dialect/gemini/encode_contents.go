package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// The roles of turns.
const (
	roleUser  = "user"
	roleModel = "model"
)

// skipSignature replaces the signature of a call that Gemini did not make
// (https://ai.google.dev/gemini-api/docs/thought-signatures).
const skipSignature = "skip_thought_signature_validator"

func instructs(m *chat.Message) bool { return m.Role == chat.System || m.Role == chat.Developer }

// instructions writes the leading system and developer messages as systemInstruction and returns the rest. A
// conversation needs a turn of the user, so that one of nothing but instructions sends them as that turn.
func (e *encoder) instructions() []chat.Message {
	all := e.Req.Messages
	n := 0
	for n < len(all) && instructs(&all[n]) {
		n++
	}
	if n == 0 || e.Model.InstructionsInTurn {
		return all
	}
	if n == len(all) {
		e.Warn("%s wants a turn of the user's: the instructions are sent as one", e.Provider())
		return all
	}
	e.Key("systemInstruction")
	e.Raw(`{"parts":[`)
	for i := range all[:n] {
		e.instruction(&all[i])
	}
	e.Raw("]}")
	return all[n:]
}

func (e *encoder) instruction(m *chat.Message) {
	for i := range m.Parts {
		if m.Parts[i].Kind != chat.Text {
			e.Refuse("messages", "instructions can only be text for %s", e.Provider())
			return
		}
		e.Comma()
		e.text(m.Parts[i].Text)
	}
}

// contents writes the turns. Gemini requires alternating roles: successive messages of one role become one turn,
// which also puts the results of parallel calls together, as it requires.
func (e *encoder) contents(messages []chat.Message) {
	e.Key("contents")
	e.Raw("[")
	asked := lastAsked(messages)
	for i := range messages {
		m := &messages[i]
		if m.Name != "" {
			e.Warn("names of participants are not supported by %s: dropped", e.Provider())
		}
		switch {
		case m.Role == chat.Assistant:
			e.assistant(m.Parts, i > asked)
		case m.Role == chat.User || m.Role == chat.ToolRole:
			e.user(m.Parts)
		case instructs(m):
			if i > 0 && !e.Model.InstructionsInTurn {
				e.Warn("%s takes instructions at the start alone: later ones are sent as the user's", e.Provider())
			}
			e.user(m.Parts)
		default:
			e.Refuse("messages", "the role %q cannot be sent to %s", m.Role, e.Provider())
		}
	}
	e.flushAfterResults()
	if e.role != "" {
		e.Raw("]}")
	} else {
		e.Refuse("messages", "%s wants at least one message with content", e.Provider())
	}
	e.Raw("]")
}

// lastAsked is the index of the last message in which the user says something, rather than a tool.
func lastAsked(messages []chat.Message) int {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == chat.User {
			return i
		}
	}
	return -1
}

// part begins a part in a turn of the role.
func (e *encoder) part(role string) {
	if e.role == role {
		e.Comma()
		return
	}
	if e.role != "" {
		e.Raw("]}")
	}
	e.Comma()
	e.role, e.signed = role, false
	e.Raw(`{"role":"` + role + `","parts":[`)
}

func (e *encoder) text(s string) {
	e.Member(`{"text":`, s)
	e.Raw("}")
}

func (e *encoder) user(parts []chat.Part) {
	for i := range parts {
		p := &parts[i]
		switch p.Kind {
		case chat.Result:
			e.result(p.ToolResult)
			continue
		case chat.Text:
			if p.Text != "" {
				e.flushAfterResults()
				e.part(roleUser)
				e.text(p.Text)
			}
			continue
		}
		e.flushAfterResults()
		e.part(roleUser)
		e.media(p)
	}
	if e.role != roleUser && len(e.afterResults) == 0 {
		e.part(roleUser) // a turn must have a part
		e.text("")
	}
}

// assistant writes a turn of the model. Current says whether no message of the user follows it.
func (e *encoder) assistant(parts []chat.Part, current bool) {
	e.flushAfterResults()
	for i := range parts {
		p := &parts[i]
		switch p.Kind {
		case chat.Text, chat.Refusal:
			if p.Text != "" {
				e.part(roleModel)
				e.text(p.Text)
			}
		case chat.Reason:
			e.reason(p)
		case chat.Call:
			e.part(roleModel)
			e.call(p.ToolCall, current)
		case chat.Image, chat.Audio, chat.File:
			e.part(roleModel)
			e.media(p)
		case chat.Unrendered:
			if p.Dialect == string(Name) { // the trace of a tool that Google runs
				e.part(roleModel)
				e.Out = jsonx.AppendCompact(e.Out, p.Raw)
			}
		default:
			e.BeginPart(p)
			e.RefusePartType()
		}
	}
}

// reason returns a thought to Gemini, unless another provider signed it. A signature without a text belongs to the
// answer's text: it is written on an empty part that is no thought, as in Gemini's streams.
func (e *encoder) reason(p *chat.Part) {
	s := p.State
	if s == nil {
		s = &chat.ReasoningState{Format: Format}
	}
	if s.Format != Format || p.Text == "" && s.Signature == "" {
		return
	}
	e.part(roleModel)
	e.Out = appendReason(e.Out, p.Text, s.Signature, p.Text != "" || s.Summary)
}

func (e *encoder) call(c *chat.ToolCall, current bool) {
	if e.names == nil {
		e.names = make(map[string]string)
	}
	e.names[c.ID] = c.Name
	signature := c.Signature
	if signature == "" && current && !e.signed && e.Model.DemandsSignatures {
		signature = skipSignature
	}
	e.signed = true
	e.Out = appendCall(e.Out, c, signature)
}

// appendCall writes a part with a call.
func appendCall(out []byte, c *chat.ToolCall, signature string) []byte {
	out = append(out, `{"functionCall":{`...)
	out = body.AppendOptional(out, `"id":`, c.ID)
	out = body.AppendMember(jsonx.AppendComma(out), `"name":`, c.Name)
	out = appendArgs(append(out, `,"args":`...), c)
	out = append(out, '}')
	return appendSignature(out, signature)
}

// appendSignature ends a part, with its signature if it has one.
func appendSignature(out []byte, signature string) []byte {
	out = body.AppendOptional(out, `,"thoughtSignature":`, signature)
	return append(out, '}')
}

// appendReason writes a part that is a thought, or a signature alone.
func appendReason(out []byte, text, signature string, thought bool) []byte {
	out = body.AppendMember(out, `{"text":`, text)
	if thought {
		out = append(out, `,"thought":true`...)
	}
	return appendSignature(out, signature)
}

// appendArgs writes the arguments, which the dialect requires to be an object. Arguments that are none (a model's
// mistake, or a free text) become a member of one.
func appendArgs(out []byte, c *chat.ToolCall) []byte {
	if body.Blank(c.Arguments) {
		return append(out, "{}"...)
	}
	name := `{"input":`
	if !c.Custom {
		if isObject(c.Arguments) {
			return jsonx.AppendCompact(out, []byte(c.Arguments))
		}
		name = `{"arguments":`
	}
	out = append(out, name...)
	out = jsonx.AppendString(out, c.Arguments)
	return append(out, '}')
}

func isObject(text string) bool {
	v, err := jsonx.Parse([]byte(text), jsonx.Lenient)
	return err == nil && v.Kind() == jsonx.Object
}
