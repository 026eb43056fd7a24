package openai

import (
	"fmt"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (d *requestDecoder) messages(v jsonx.Value) {
	if v.Kind() == jsonx.Array && v.Len() == 0 {
		d.Add(v, "must not be empty")
	}
	d.req.Messages = make([]chat.Message, 0, v.Len())
	d.Array(v, d.message)
}

// A turn is one message's members, found before any is read: what they mean depends on the role.
type turn struct {
	role, content, name, calls, callID, functionCall, refusal, images jsonx.Value
	reasoning, reasoningContent, details, cache                       jsonx.Value
}

func (t *turn) find(key string, m jsonx.Value) {
	switch key {
	case "role":
		t.role = m
	case "content":
		t.content = m
	case "name":
		t.name = m
	case "tool_calls":
		t.calls = m
	case "tool_call_id":
		t.callID = m
	case "function_call":
		t.functionCall = m
	case "refusal":
		t.refusal = m
	case "images":
		t.images = m
	case "reasoning":
		t.reasoning = m
	case "reasoning_content":
		t.reasoningContent = m
	case "reasoning_details":
		t.details = m
	case "cache_control":
		t.cache = m
	}
}

// roleFunction is what tools were called before there were tools.
const roleFunction = "function"

func (d *requestDecoder) message(v jsonx.Value) {
	var t turn
	d.object(v, t.find)
	if !d.require(v, "role") {
		return
	}
	role := d.OneOf(t.role, "system", "developer", "user", "assistant", "tool", roleFunction)
	out := chat.Message{Role: chat.Role(role)}
	if t.name.Exists() {
		if out.Name = d.Str(t.name); len(out.Name) > body.MaxName {
			d.Add(t.name, "expected at most %d bytes", body.MaxName)
		}
	}
	switch role {
	case "assistant":
		d.assistant(v, &t, &out)
	case "tool":
		d.result(v, &t, &out)
	case roleFunction:
		d.functionResult(v, &t, &out)
	case "user":
		out.Parts = d.content(v, t.content, anyPart)
	default:
		out.Parts = d.content(v, t.content, textOnly)
	}
	if t.cache.Exists() && len(out.Parts) > 0 {
		out.Parts[len(out.Parts)-1].Cache = d.cache(t.cache)
	}
	d.req.Messages = append(d.req.Messages, out)
}

// assistant reads a turn of the model's. Its parts come in the order in which models
// say them: reasoning, text, refusal, images, calls.
func (d *requestDecoder) assistant(v jsonx.Value, t *turn, out *chat.Message) {
	d.thoughts(t, out)
	if t.content.Exists() && !(t.content.Kind() == jsonx.String && t.content.Empty()) {
		out.Parts = append(out.Parts, d.content(v, t.content, assistantPart)...)
	}
	if t.refusal.Exists() {
		if text := d.Str(t.refusal); text != "" {
			out.Parts = append(out.Parts, chat.Part{Kind: chat.Refusal, Text: text})
		}
	}
	for e := t.images.First(); e.Exists(); e = e.Next() { // of an earlier answer
		if m := imageOf(e); m != nil {
			out.Parts = append(out.Parts, chat.Part{Kind: chat.Image, Media: m})
		}
	}
	if t.calls.Exists() {
		d.Array(t.calls, func(e jsonx.Value) { d.addCall(out, d.call(e)) })
	}
	if t.functionCall.Exists() {
		c := &chat.ToolCall{ID: fmt.Sprintf("call_%d", len(d.calls))}
		d.callee(t.functionCall, c, "arguments")
		d.addCall(out, c)
	}
	if len(out.Parts) == 0 {
		if !t.content.Exists() && !v.Get("audio").Given() {
			d.AddMember(v, "content", "required, unless there are tool_calls")
		}
		out.Parts = []chat.Part{{Kind: chat.Text}}
	}
	signCalls(out)
}

func (d *requestDecoder) addCall(out *chat.Message, c *chat.ToolCall) {
	d.calls = append(d.calls, c)
	out.Parts = append(out.Parts, chat.Part{Kind: chat.Call, ToolCall: c})
}

// call reads a tool call.
func (d *requestDecoder) call(v jsonx.Value) *chat.ToolCall {
	c := new(chat.ToolCall)
	var function, custom jsonx.Value
	d.object(v, func(key string, m jsonx.Value) {
		switch key {
		case "id":
			c.ID = d.CallID(m)
		case "type":
			c.Custom = d.OneOf(m, "function", "custom") == "custom"
		case "function":
			function = m
		case "custom":
			custom = m
		case "extra_content":
			c.Signature = d.thoughtSignature(m)
		}
	})
	if v.Kind() != jsonx.Object {
		return c
	}
	d.require(v, "id")
	switch {
	case c.Custom && d.require(v, "custom"):
		d.callee(custom, c, "input")
	case !c.Custom && d.require(v, "function"):
		d.callee(function, c, "arguments")
	}
	return c
}

// callee reads what is called, and with what.
func (d *requestDecoder) callee(v jsonx.Value, c *chat.ToolCall, input string) {
	d.object(v, func(key string, m jsonx.Value) {
		switch key {
		case "name":
			c.Name = d.ToolName(m)
		case input:
			c.Arguments = d.Str(m)
		}
	})
	d.require(v, "name")
	if !c.Custom && strings.TrimSpace(c.Arguments) == "" {
		c.Arguments = "{}"
	}
}

// thoughtSignature reads Google's extra_content
// (https://ai.google.dev/gemini-api/docs/openai#thinking).
func (d *requestDecoder) thoughtSignature(v jsonx.Value) string {
	s := v.Get("google").Get("thought_signature")
	if !s.Given() {
		return ""
	}
	return d.Str(s)
}

// result reads the result of a tool. The called function's name, which some providers want,
// is that of the call with the id, the latest if there are several.
func (d *requestDecoder) result(v jsonx.Value, t *turn, out *chat.Message) {
	r := &chat.ToolResult{Name: out.Name}
	if d.require(v, "tool_call_id") {
		r.CallID = d.CallID(t.callID)
	}
	// A tool that says nothing has said so: null and an empty array are what programs write then.
	if c := v.Get("content"); c.Kind() != jsonx.Null && (c.Kind() != jsonx.Array || c.Len() > 0) {
		r.Parts = d.content(v, t.content, anyPart)
	}
	for i := len(d.calls) - 1; i >= 0; i-- {
		if d.calls[i].ID == r.CallID {
			r.Name = d.calls[i].Name
			break
		}
	}
	out.Name, out.Parts = "", []chat.Part{{Kind: chat.Result, ToolResult: r}}
}

// functionResult reads the result of a function from before there were tools. It belongs
// to the last call, which has no id but the one that it was given here.
func (d *requestDecoder) functionResult(v jsonx.Value, t *turn, out *chat.Message) {
	r := &chat.ToolResult{Name: out.Name}
	d.require(v, "name")
	if n := len(d.calls); n > 0 {
		r.CallID, r.Name = d.calls[n-1].ID, d.calls[n-1].Name
	} else {
		d.Add(v, "the result of a function must follow the assistant's function_call")
	}
	r.Parts = []chat.Part{{Kind: chat.Text}}
	if t.content.Exists() {
		r.Parts = d.content(v, t.content, textOnly)
	}
	out.Role, out.Name, out.Parts = chat.ToolRole, "", []chat.Part{{Kind: chat.Result, ToolResult: r}}
}
