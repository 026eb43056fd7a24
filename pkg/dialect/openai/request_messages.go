package openai

import (
	"fmt"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (d *RequestDecoder) messages(v jsonx.Value) {
	if v.Kind() == jsonx.Array && v.Len() == 0 {
		d.Add(v, "must not be empty")
	}
	d.Request.Messages = make([]chat.Message, 0, v.Len())
	d.Array(v, d.message)
}

// A turn holds the members of one message, found before any is read: their meaning depends on the role.
type turn struct {
	role, content, name, calls, callID, functionCall, refusal, images jsonx.Value
	reasoning, reasoningContent, details, cache                       jsonx.Value
}

func (t *turn) find(name []byte, m jsonx.Value) {
	switch string(name) {
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

// messageMembers are the members that a message's meaning is read from, and those that say nothing.
var messageMembers = []string{"role", "content", "tool_calls", "tool_call_id", "name", "function_call", "refusal", "images",
	"reasoning", "reasoning_content", "reasoning_details", "cache_control", "prefix", "index"}

// roleFunction is the role of a function's result in requests from before OpenAI had tools.
const roleFunction = "function"

func (d *RequestDecoder) message(v jsonx.Value) {
	var t turn
	d.object(v, d.format.Message, t.find)
	if !d.require(v, "role") {
		return
	}
	role := d.OneOf(t.role, d.format.Roles...)
	if role == "" {
		role = string(chat.User) // one that only a provider knows
	}
	out := chat.Message{Role: chat.Role(role)}
	if t.name.Exists() {
		out.Name = d.participant(t.name)
	}
	if d.format.Strict {
		d.checkRole(v, &t, out.Role)
	} else {
		d.Others(v, messageMembers...)
	}
	switch role {
	case "assistant":
		d.assistant(v, &t, &out)
	case "tool":
		d.result(v, &t, &out)
	case roleFunction:
		d.functionResult(v, &t, &out)
	case "user":
		out.Parts = d.content(v, anyPart)
	default:
		out.Parts = d.content(v, textOnly)
	}
	if t.cache.Exists() && len(out.Parts) > 0 {
		out.Parts[len(out.Parts)-1].Cache = d.Cache(t.cache)
	}
	d.Request.Messages = append(d.Request.Messages, out)
}

// checkRole notes an issue for each member that messages of the role do not have.
func (d *RequestDecoder) checkRole(v jsonx.Value, t *turn, role chat.Role) {
	for _, m := range [...]jsonx.Value{t.calls, t.reasoning, t.refusal, t.images} {
		if m.Exists() && role != chat.Assistant {
			d.Add(m, "only goes with the role assistant")
		}
	}
	for _, m := range [...]jsonx.Value{t.callID, optional(v, d.format.ResultError)} {
		if m.Given() && role != chat.ToolRole {
			d.Add(m, "only goes with the role tool")
		}
	}
}

// assistant reads a message of the assistant. Its parts have the order in which models
// generate them: reasoning, text, refusal, images, calls.
func (d *RequestDecoder) assistant(v jsonx.Value, t *turn, out *chat.Message) {
	if d.format.EarlierReasoning != nil {
		out.Parts = d.format.EarlierReasoning(d, t.reasoning)
	} else {
		d.earlierReasoning(t, out)
	}
	if t.content.Exists() && !(t.content.Kind() == jsonx.String && t.content.Empty()) {
		out.Parts = append(out.Parts, d.content(v, assistantPart)...)
	}
	if t.refusal.Exists() {
		if text := d.Str(t.refusal); text != "" {
			out.Parts = append(out.Parts, chat.Part{Kind: chat.Refusal, Text: text})
		}
	}
	if t.images.Kind() == jsonx.Array || t.images.Exists() && d.format.Strict {
		d.Array(t.images, func(e jsonx.Value) {
			if m := d.format.Image(d, e); m != nil {
				out.Parts = append(out.Parts, chat.Part{Kind: chat.Image, Media: m})
			}
		})
	}
	if t.calls.Exists() {
		d.Array(t.calls, func(e jsonx.Value) { d.addCall(out, d.call(e)) })
	}
	if t.functionCall.Exists() {
		c := &chat.ToolCall{ID: fmt.Sprintf("call_%d", len(d.calls))}
		d.calledFunction(t.functionCall, c, "arguments")
		d.addCall(out, c)
	}
	if len(out.Parts) == 0 {
		if !t.content.Exists() && !v.Get("audio").Given() {
			d.AddMember(v, "content", "required, unless there are %s", d.format.Message.local("tool_calls"))
		}
		out.Parts = []chat.Part{{Kind: chat.Text}}
	}
	signCalls(out)
}

func (d *RequestDecoder) addCall(out *chat.Message, c *chat.ToolCall) {
	d.calls = append(d.calls, c)
	d.Call(c.ID, c.Name)
	out.Parts = append(out.Parts, chat.Part{Kind: chat.Call, ToolCall: c})
}

// call reads a tool call. An index is left over from a stream.
func (d *RequestDecoder) call(v jsonx.Value) *chat.ToolCall {
	if d.format.Strict {
		d.Only(v, "id", "type", "function", d.format.CallSignature, "index")
	} else {
		d.Others(v, "id", "type", "function", "custom", "extra_content", "index")
	}
	c := new(chat.ToolCall)
	var function, custom jsonx.Value
	d.object(v, nil, func(name []byte, m jsonx.Value) {
		switch string(name) {
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
	if signature := optional(v, d.format.CallSignature); signature.Given() {
		c.Signature = d.Str(signature)
	}
	d.require(v, "id")
	if c.Custom && !d.format.Strict {
		if d.require(v, "custom") {
			d.calledFunction(custom, c, "input")
		}
	} else if d.require(v, "function") {
		d.calledFunction(function, c, "arguments")
	}
	return c
}

// calledFunction reads the name of the tool that is called, and its input.
func (d *RequestDecoder) calledFunction(v jsonx.Value, c *chat.ToolCall, input string) {
	d.Only(v, "name", input)
	d.object(v, nil, func(name []byte, m jsonx.Value) {
		switch string(name) {
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
func (d *RequestDecoder) thoughtSignature(v jsonx.Value) string {
	s := v.Get("google").Get("thought_signature")
	if !s.Given() {
		return ""
	}
	return d.Str(s)
}

// result reads the result of a tool. The called function's name, which some providers want,
// is that of the call with the id, the latest if there are several.
func (d *RequestDecoder) result(v jsonx.Value, t *turn, out *chat.Message) {
	r := &chat.ToolResult{Name: out.Name}
	switch {
	case t.callID.Exists():
		r.CallID = d.CallID(t.callID)
	case d.format.Strict:
		d.AddMember(v, d.format.Message.local("tool_call_id"), "required with the role tool")
	default:
		d.AddMember(v, "tool_call_id", "required")
	}
	if failed := optional(v, d.format.ResultError); failed.Given() {
		r.IsError = d.Bool(failed)
	}
	content := v.Get("content")
	if d.format.Strict && content.Given() && !body.IsContent(content) {
		d.Expected(content, "a string or an array of parts")
	} else {
		r.Parts = body.ResultContent(content, func() []chat.Part { return d.content(v, anyPart) })
	}
	if name := d.Called(r.CallID); name != "" {
		r.Name = name
	}
	out.Name, out.Parts = "", []chat.Part{{Kind: chat.Result, ToolResult: r}}
}

// functionResult reads a result of the role function. It belongs to the last call, whose id
// this decoder made up.
func (d *RequestDecoder) functionResult(v jsonx.Value, t *turn, out *chat.Message) {
	r := &chat.ToolResult{Name: out.Name}
	d.require(v, "name")
	if n := len(d.calls); n > 0 {
		r.CallID, r.Name = d.calls[n-1].ID, d.calls[n-1].Name
	} else {
		d.Add(v, "the result of a function must follow the assistant's function_call")
	}
	r.Parts = []chat.Part{{Kind: chat.Text}}
	if t.content.Exists() {
		r.Parts = d.content(v, textOnly)
	}
	out.Role, out.Name, out.Parts = chat.ToolRole, "", []chat.Part{{Kind: chat.Result, ToolResult: r}}
}
