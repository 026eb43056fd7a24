package native

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (d *decoder) messages(v jsonx.Value) {
	switch {
	case v.Kind() != jsonx.Array:
		d.Expected(v, "an array")
		return
	case v.Len() == 0:
		d.Add(v, "must not be empty")
		return
	}
	d.req.Messages = make([]chat.Message, 0, v.Len())
	for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
		d.message(e)
	}
}

// A turn is one message's members, found before any is read: what they mean depends on the role.
type turn struct {
	role, content, name, calls, callID, isError, reasoning, refusal, images jsonx.Value
}

func turnFields() []string {
	return []string{"role", "content", "name", "toolCalls", "toolCallId", "isError", "reasoning", "refusal", "images", "citations"}
}

func (d *decoder) message(v jsonx.Value) {
	var t turn
	d.Object(v, func(m jsonx.Value) {
		switch string(m.Key()) {
		case "role":
			t.role = m
		case "content":
			t.content = m
		case "name":
			t.name = m
		case "toolCalls":
			t.calls = m
		case "toolCallId":
			t.callID = m
		case "isError":
			t.isError = m
		case "reasoning":
			t.reasoning = m
		case "refusal":
			t.refusal = m
		case "images":
			t.images = m
		case "citations":
			// Part of an answer; no provider takes it back.
		default:
			d.Unknown(m, slices.Values(turnFields()))
		}
	})
	if v.Kind() != jsonx.Object {
		return
	}
	if !t.role.Exists() {
		d.AddMember(v, "role", "required")
		return
	}
	out := chat.Message{Role: chat.Role(d.OneOf(t.role, "system", "developer", "user", "assistant", "tool"))}
	if t.name.Given() {
		out.Name = d.Name(t.name)
	}
	d.misplaced(&t, out.Role)
	switch out.Role {
	case chat.Assistant:
		d.assistant(v, &t, &out)
	case chat.ToolRole:
		d.result(v, &t, &out)
	default:
		out.Parts = d.content(v, t.content, out.Role == chat.User)
	}
	d.req.Messages = append(d.req.Messages, out)
}

// misplaced finds members that the role does not have.
func (d *decoder) misplaced(t *turn, role chat.Role) {
	check := func(v jsonx.Value, only chat.Role) {
		if v.Given() && role != only {
			d.Add(v, "only goes with the role %s", only)
		}
	}
	check(t.calls, chat.Assistant)
	check(t.reasoning, chat.Assistant)
	check(t.refusal, chat.Assistant)
	check(t.images, chat.Assistant)
	check(t.callID, chat.ToolRole)
	check(t.isError, chat.ToolRole)
}

// assistant reads a turn of the model's. Its parts come in the order in which models
// say them: reasoning, text, refusal, images, calls.
func (d *decoder) assistant(v jsonx.Value, t *turn, out *chat.Message) {
	if t.reasoning.Given() {
		d.reasons(t.reasoning, out)
	}
	if t.content.Given() && !(t.content.Kind() == jsonx.String && t.content.Empty()) {
		out.Parts = append(out.Parts, d.content(v, t.content, false)...)
	}
	if t.refusal.Given() {
		out.Parts = append(out.Parts, chat.Part{Kind: chat.Refusal, Text: d.Str(t.refusal)})
	}
	if t.images.Given() {
		d.Array(t.images, func(e jsonx.Value) {
			if e.Kind() != jsonx.Object {
				d.Expected(e, "an object")
				return
			}
			out.Parts = append(out.Parts, d.media(e, chat.Image, "url", "data", "mimeType", "detail"))
		})
	}
	if t.calls.Given() {
		if t.calls.Kind() != jsonx.Array {
			d.Expected(t.calls, "an array")
		}
		for e := t.calls.First(); e.Exists() && !d.Full(); e = e.Next() {
			out.Parts = append(out.Parts, d.call(e))
		}
	}
	if len(out.Parts) == 0 {
		if !t.content.Given() {
			d.AddMember(v, "content", "required, unless there are toolCalls")
		}
		out.Parts = []chat.Part{{Kind: chat.Text}}
	}
}

// call reads a tool call.
func (d *decoder) call(v jsonx.Value) chat.Part {
	c := new(chat.ToolCall)
	var id, name bool
	d.Object(v, func(m jsonx.Value) {
		switch key := string(m.Key()); {
		case key == "id":
			id = true
			c.ID = d.CallID(m)
		case key == "type":
			c.Custom = d.OneOf(m, "function", "custom") == "custom"
		case key == "function":
			name = d.calledFunction(m, c)
		case !m.Given() && key == "signature", key == "index": // left over from a stream
		case key == "signature":
			c.Signature = d.Str(m)
		default:
			d.Unknown(m, slices.Values([]string{"id", "type", "function", "signature"}))
		}
	})
	if v.Kind() == jsonx.Object {
		if !id {
			d.AddMember(v, "id", "required")
		}
		if !name && !v.Get("function").Exists() {
			d.AddMember(v, "function", "required")
		}
	}
	if !c.Custom && strings.TrimSpace(c.Arguments) == "" {
		c.Arguments = "{}"
	}
	d.Call(c.ID, c.Name)
	return chat.Part{Kind: chat.Call, ToolCall: c}
}

func (d *decoder) calledFunction(v jsonx.Value, c *chat.ToolCall) (named bool) {
	d.Object(v, func(m jsonx.Value) {
		switch string(m.Key()) {
		case "name":
			named = true
			c.Name = d.ToolName(m)
		case "arguments":
			c.Arguments = d.Str(m)
		default:
			d.Unknown(m, slices.Values([]string{"name", "arguments"}))
		}
	})
	if !named && v.Kind() == jsonx.Object {
		d.AddMember(v, "name", "required")
	}
	return named
}

// reasons reads the reasoning of an earlier turn: a string, or blocks as answers have them.
func (d *decoder) reasons(v jsonx.Value, out *chat.Message) {
	switch v.Kind() {
	case jsonx.String:
		if !v.Empty() {
			out.Parts = append(out.Parts, chat.Part{Kind: chat.Reason, Text: v.Str()})
		}
	case jsonx.Array:
		for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
			out.Parts = append(out.Parts, d.reason(e))
		}
	default:
		d.Expected(v, "a string or an array")
	}
}

func (d *decoder) reason(v jsonx.Value) chat.Part {
	p := chat.Part{Kind: chat.Reason}
	var state chat.ReasoningState
	d.Object(v, func(m jsonx.Value) {
		switch key := string(m.Key()); {
		case !m.Given() && slices.Contains(reasonFields(), key):
		case key == "text":
			p.Text = d.Str(m)
		case key == "id":
			state.ID = d.Str(m)
		case key == "signature":
			state.Signature = d.Str(m)
		case key == "redacted":
			state.Redacted = d.Str(m)
		case key == "encrypted":
			state.Encrypted = d.Str(m)
		case key == "format":
			state.Format = d.Str(m)
		case key == "summary":
			state.Summary = d.Bool(m)
		case key == "group":
			if n := d.Int(m, 0, 1<<31-1); n != nil {
				state.Index = int(*n)
			}
		case key == "index":
			// Left over from a stream.
		default:
			d.Unknown(m, slices.Values(reasonFields()))
		}
	})
	if state != (chat.ReasoningState{}) {
		p.State = &state
	}
	return p
}

func reasonFields() []string {
	return []string{"text", "id", "signature", "redacted", "encrypted", "format", "group", "summary"}
}

// result reads the result of a tool. The called function's name, which some providers want,
// is that of the call with the id, the latest if there are several.
func (d *decoder) result(v jsonx.Value, t *turn, out *chat.Message) {
	r := &chat.ToolResult{Name: out.Name}
	if t.callID.Given() {
		r.CallID = d.CallID(t.callID)
	} else {
		d.AddMember(v, "toolCallId", "required with the role tool")
	}
	if t.isError.Given() {
		r.IsError = d.Bool(t.isError)
	}
	r.Parts = d.content(v, t.content, true)
	if name := d.Called(r.CallID); name != "" {
		r.Name = name
	}
	out.Name = ""
	out.Parts = []chat.Part{{Kind: chat.Result, ToolResult: r}}
}
