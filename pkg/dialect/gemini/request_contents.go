package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// content reads a turn.
func (d *decoder) content(v jsonx.Value) {
	var role, parts jsonx.Value
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "role":
			role = m
		case "parts":
			parts = m
		default:
			d.unknown(m, "role", "parts")
		}
	})
	if v.Kind() != jsonx.Object {
		return
	}
	word := "user"
	if role.Exists() {
		word = d.Str(role)
	}
	switch word {
	case "model":
		if parts.Exists() { // a blocked answer has none
			d.modelTurn(parts)
		}
	case "user", "function", "tool", "":
		if parts.Len() == 0 {
			d.AddMember(v, "parts", "required, and must not be empty")
			return
		}
		d.userTurn(parts)
	case "system":
		d.Unfit(role, "instructions belong into systemInstruction")
	default:
		d.Unfit(role, "expected one of user, model")
	}
}

// A part is a part's content with the members that may accompany it.
type part struct {
	kind      string // the member's name in camel case; empty if there is none
	data      jsonx.Value
	thought   bool
	signature string
}

func (d *decoder) part(v jsonx.Value) part {
	var p part
	known := true
	d.object(v, func(m jsonx.Value) {
		switch name := camel(m); name {
		case "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
			if p.kind != "" {
				d.Unfit(m, "a part is one thing: it is %s already", p.kind)
			}
			p.kind, p.data = name, m
		case "thought":
			p.thought = d.Bool(m)
		case "thoughtSignature":
			p.signature = standardBase64(d.Str(m))
		case "videoMetadata", "mediaResolution", "mediaProcessing", "partMetadata":
		default:
			known = false
			d.unknown(m, "text", "inlineData", "fileData", "functionCall", "functionResponse", "thought", "thoughtSignature")
		}
	})
	if p.kind == "text" && p.data.Kind() != jsonx.String {
		d.Expected(p.data, "a string")
	}
	if v.Kind() == jsonx.Object && p.kind == "" && p.signature == "" && known {
		d.Add(v, "expected one of text, inlineData, fileData, functionCall, functionResponse")
	}
	return p
}

// userTurn reads a turn of the user or of tools. Successive results are one message.
func (d *decoder) userTurn(parts jsonx.Value) {
	start := len(d.req.Messages)
	d.each(parts, func(v jsonx.Value) {
		p := d.part(v)
		role, out := chat.User, chat.Part{Kind: chat.Text, Text: p.data.Str()}
		switch p.kind {
		case "text", "":
		case "inlineData":
			out = d.inline(p.data)
			out.At = d.PathOf(v)
		case "fileData":
			out = d.file(p.data)
			out.At = d.PathOf(v)
		case "functionResponse":
			role, out = chat.ToolRole, chat.Part{Kind: chat.Result, ToolResult: d.response(p.data)}
		default:
			d.Unfit(p.data, "only goes with the role model")
		}
		if n := len(d.req.Messages); n == start || d.req.Messages[n-1].Role != role {
			d.req.Messages = append(d.req.Messages, chat.Message{Role: role})
		}
		last := &d.req.Messages[len(d.req.Messages)-1]
		last.Parts = append(last.Parts, out)
	})
}

// modelTurn reads a turn of the model. The SDKs keep a streamed answer as a content for each chunk: successive
// contents of the model become one message.
func (d *decoder) modelTurn(parts jsonx.Value) {
	n := len(d.req.Messages)
	continued := n > 0 && d.req.Messages[n-1].Role == chat.Assistant
	if !continued {
		d.model, d.turn = modelTurn{}, len(d.calls)
	}
	t := &d.model
	d.each(parts, func(v jsonx.Value) {
		switch p := d.part(v); p.kind {
		case "text", "":
			t.text(p)
		case "functionCall":
			t.thoughts.open = false
			t.parts = append(t.parts, chat.Part{Kind: chat.Call, ToolCall: d.call(p.data, p.signature)})
		case "inlineData":
			t.thoughts.open = false
			t.parts = append(t.parts, d.inline(p.data))
			t.parts[len(t.parts)-1].At = d.PathOf(v)
		case "fileData":
			t.thoughts.open = false
			t.parts = append(t.parts, d.file(p.data))
			t.parts[len(t.parts)-1].At = d.PathOf(v)
		case "functionResponse":
			d.Unfit(p.data, "only goes with the role user")
		default:
			t.parts = append(t.parts, body.Unrendered(Name, p.kind, v))
			t.parts[len(t.parts)-1].At = d.PathOf(v)
		}
	})
	switch {
	case continued:
		d.req.Messages[n-1].Parts = t.parts
	case len(t.parts) > 0:
		d.req.Messages = append(d.req.Messages, chat.Message{Role: chat.Assistant, Parts: t.parts})
	}
}

// A modelTurn collects the parts of an assistant's message as choice.part and chat.Assembler do for an answer, so
// that a returned answer means the same.
type modelTurn struct {
	parts    []chat.Part
	thoughts thoughtRun
}

func (t *modelTurn) text(p part) {
	s := p.data.Str()
	if p.thought {
		if state, ok := t.thoughts.state(s, p.signature); ok {
			t.reason(s, state)
		}
		return
	}
	if s != "" {
		t.thoughts.open = false
		if n := len(t.parts); n > 0 && t.parts[n-1].Kind == chat.Text {
			t.parts[n-1].Text += s
		} else {
			t.parts = append(t.parts, chat.Part{Kind: chat.Text, Text: s})
		}
	}
	if p.signature != "" {
		t.thoughts.open = false
		t.reason("", stateOf(p.signature, false))
	}
}

// reason adds a piece of reasoning to the part that it belongs to. A state without a text may come late.
func (t *modelTurn) reason(s string, state *chat.ReasoningState) {
	if s == "" && state == nil {
		return
	}
	at := len(t.parts) - 1
	for s == "" && at >= 0 && t.parts[at].Kind != chat.Reason {
		at--
	}
	if at < 0 || t.parts[at].Kind != chat.Reason || !t.parts[at].State.Takes(state) {
		t.parts = append(t.parts, chat.Part{Kind: chat.Reason, Text: s, State: state})
		return
	}
	t.parts[at].Text += s
	t.parts[at].State = t.parts[at].State.Merge(state)
}

// call reads a function's call. A call without an id gets one from its position in the conversation, the same in
// every request that repeats it.
func (d *decoder) call(v jsonx.Value, signature string) *chat.ToolCall {
	c := &chat.ToolCall{Arguments: "{}", Signature: signature}
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "id":
			c.ID = d.Str(m)
		case "name":
			c.Name = d.Str(m)
		case "args":
			if m.Kind() != jsonx.Object {
				d.Expected(m, "an object")
			}
			c.Arguments = string(m.Clone())
		case "partialArgs", "willContinue":
			d.foreign(m, "calls in pieces are Gemini's: send the whole args")
		default:
			d.unknown(m, "id", "name", "args")
		}
	})
	if c.Name == "" {
		d.AddMember(v, "name", "required")
	}
	d.addCall(c)
	return c
}
