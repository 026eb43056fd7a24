package openai

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// shape reads what shapes the answer: stop sequences, tools, the format.
func (d *requestDecoder) shape(key string, m jsonx.Value) bool {
	switch key {
	case "stop":
		d.req.Stop = d.StopOrStops(m, maxStops)
	case "tools":
		d.Array(m, d.tool)
	case "tool_choice":
		d.toolChoice = m
	case "parallel_tool_calls":
		b := d.Bool(m)
		d.req.ParallelToolCalls = &b
	case "functions":
		// Deprecated for tools since November 2023; such a caller can take one call at a time.
		one := false
		d.req.FunctionCalls, d.req.ParallelToolCalls = true, &one
		d.Array(m, func(e jsonx.Value) {
			var t chat.Tool
			d.function(e, &t)
			d.req.Tools = append(d.req.Tools, t)
		})
	case "function_call":
		d.functionCall = m
	case "response_format":
		d.responseFormat(m)
	default:
		return false
	}
	return true
}

// tool reads a tool. One that is no function is kept as it is.
func (d *requestDecoder) tool(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	var t chat.Tool
	kind := v.Get("type")
	switch {
	case kind.Is("function") || !kind.Given():
		if d.require(v, "function") {
			d.function(v.Get("function"), &t)
		}
	case kind.Is("custom"):
		if d.require(v, "custom") && d.require(v.Get("custom"), "name") {
			t.Name = d.ToolName(v.Get("custom").Get("name"))
		}
		t.Raw = v.Clone()
	default:
		d.Str(kind)
		t.Raw = v.Clone()
	}
	if mark := v.Get("cache_control"); mark.Given() {
		t.Cache = d.cache(mark)
	}
	d.req.Tools = append(d.req.Tools, t)
}

func (d *requestDecoder) function(v jsonx.Value, t *chat.Tool) {
	d.object(v, func(_ string, m jsonx.Value) { d.FunctionMember(m, t) })
	d.require(v, "name")
}

// choice reads which tool to call, and sees whether there is one.
func (d *requestDecoder) choice(v jsonx.Value) {
	at := d.toolChoice
	switch {
	case at.Exists():
		d.readChoice(at)
	case d.functionCall.Kind() == jsonx.String:
		at = d.functionCall
		d.req.ToolChoice = &chat.ToolChoice{Mode: chat.ToolMode(d.OneOf(at, "none", "auto"))}
	case d.functionCall.Exists():
		at = d.functionCall
		d.req.ToolChoice = d.named(at)
	}
	c := d.req.ToolChoice
	if c == nil {
		return
	}
	switch {
	case c.Mode == chat.ToolRequired && len(d.req.Tools) == 0:
		d.Add(at, "a tool must be called, but tools has none")
	case c.Mode == chat.ToolNamed && c.Name != "" && !d.has(c.Name):
		d.Add(at, "tools has no %s", body.Quote(c.Name))
	}
}

func (d *requestDecoder) has(tool string) bool {
	return slices.ContainsFunc(d.req.Tools, func(t chat.Tool) bool { return t.Name == tool })
}

func (d *requestDecoder) readChoice(v jsonx.Value) {
	if v.Kind() == jsonx.String {
		mode := d.OneOf(v, "none", "auto", "required", "any")
		if mode == "any" { // Mistral's word
			mode = "required"
		}
		d.req.ToolChoice = &chat.ToolChoice{Mode: chat.ToolMode(mode)}
		return
	}
	if v.Kind() != jsonx.Object {
		d.Expected(v, "a string or an object")
		return
	}
	switch kind := v.Get("type"); {
	case kind.Is("allowed_tools"):
		if d.require(v, "allowed_tools") {
			d.allowed(v.Get("allowed_tools"))
		}
	case kind.Is("custom"):
		if d.require(v, "custom") {
			d.req.ToolChoice = d.named(v.Get("custom"))
		}
	case kind.Is("function") || !kind.Given():
		if d.require(v, "function") {
			d.req.ToolChoice = d.named(v.Get("function"))
		}
	default:
		d.OneOf(kind, "function", "custom", "allowed_tools")
	}
}

func (d *requestDecoder) named(v jsonx.Value) *chat.ToolChoice {
	c := &chat.ToolChoice{Mode: chat.ToolNamed}
	d.object(v, func(key string, m jsonx.Value) {
		if key == "name" {
			c.Name = d.Str(m)
		}
	})
	d.require(v, "name")
	return c
}

// allowed reads {"mode","tools":[{"type":"function","function":{"name"}}]}: the model may call
// these and no others, which is said to other dialects by leaving the others out.
func (d *requestDecoder) allowed(v jsonx.Value) {
	c := &chat.ToolChoice{Mode: chat.ToolAuto}
	var names []string
	d.object(v, func(key string, m jsonx.Value) {
		switch key {
		case "mode":
			c.Mode = chat.ToolMode(d.OneOf(m, "auto", "required"))
		case "tools":
			d.Array(m, func(e jsonx.Value) { names = append(names, d.allowedTool(e)) })
		}
	})
	if v.Kind() == jsonx.Object {
		d.require(v, "mode")
		d.require(v, "tools")
	}
	d.req.Tools = slices.DeleteFunc(d.req.Tools, func(t chat.Tool) bool {
		return !slices.Contains(names, t.Name)
	})
	d.req.ToolChoice = c
}

func (d *requestDecoder) allowedTool(v jsonx.Value) string {
	inner := v.Get("function")
	if v.Get("type").Is("custom") {
		inner = v.Get("custom")
	}
	if inner.Kind() != jsonx.Object || !d.require(inner, "name") {
		d.Add(v, `expected a tool such as {"type":"function","function":{"name":".."}}`)
		return ""
	}
	name := d.Str(inner.Get("name"))
	if name != "" && !d.has(name) {
		d.Add(v, "tools has no %s", body.Quote(name))
	}
	return name
}

// responseFormat reads how the answer is to be shaped. A shape that only one provider knows (Fireworks' grammar) is left to it.
func (d *requestDecoder) responseFormat(v jsonx.Value) {
	if kind := v.Get("type"); kind.Is("grammar") {
		body.NoteForeign(d.req, v, true)
		return
	}
	f := new(chat.ResponseFormat)
	var schema jsonx.Value
	d.object(v, func(key string, m jsonx.Value) {
		switch key {
		case "type":
			f.Kind = chat.FormatKind(d.OneOf(m, string(chat.FormatText), string(chat.FormatJSON), string(chat.FormatSchema)))
		case "json_schema":
			schema = m
		}
	})
	d.req.ResponseFormat = f
	d.require(v, "type")
	if f.Kind == chat.FormatSchema && d.require(v, "json_schema") {
		d.object(schema, func(_ string, m jsonx.Value) { d.SchemaMember(m, f) })
	}
}
