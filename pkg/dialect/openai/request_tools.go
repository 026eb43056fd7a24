package openai

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// shape reads stop sequences, tools and the format of the answer.
func (d *RequestDecoder) shape(name []byte, m jsonx.Value) bool {
	switch string(name) {
	case "stop":
		d.Request.Stop = d.StopOrStops(m, maxStops)
	case "tools":
		d.Array(m, d.tool)
	case "tool_choice":
		d.toolChoice = m
	case "parallel_tool_calls":
		b := d.Bool(m)
		d.Request.ParallelToolCalls = &b
	case "functions":
		// Deprecated in favour of tools since November 2023; such a client takes one call at a time.
		one := false
		d.Request.FunctionCalls, d.Request.ParallelToolCalls = true, &one
		d.Array(m, func(e jsonx.Value) {
			var t chat.Tool
			d.function(e, &t)
			d.Request.Tools = append(d.Request.Tools, t)
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

// tool reads a tool. A lenient format keeps one that is no function as it is.
func (d *RequestDecoder) tool(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	toolType := "function"
	if kind := v.Get("type"); kind.Given() {
		toolType = d.word(kind, d.format.ToolTypes)
	}
	if toolType == "function" || d.format.Strict {
		d.Only(v, "type", "function", d.format.CacheControl)
	}
	var t chat.Tool
	switch {
	case toolType == "function" || d.format.Strict:
		if d.require(v, "function") {
			d.function(v.Get("function"), &t)
		}
	case toolType == "custom":
		if d.require(v, "custom") && d.require(v.Get("custom"), "name") {
			t.Name = d.ToolName(v.Get("custom").Get("name"))
		}
		t.Raw, t.Origin = v.Clone(), string(Name)
	default:
		t = chat.Tool{Name: toolType, Raw: v.Clone(), Origin: string(Name), At: d.PathOf(v), Hosted: hostedTool(toolType)}
	}
	if mark := v.Get(d.format.CacheControl); mark.Given() {
		t.Cache = d.Cache(mark)
	}
	d.Request.Tools = append(d.Request.Tools, t)
}

func (d *RequestDecoder) function(v jsonx.Value, t *chat.Tool) {
	d.Only(v, "name", "description", "parameters", "strict")
	d.object(v, nil, func(_ []byte, m jsonx.Value) { d.FunctionMember(m, t) })
	d.require(v, "name")
}

// readToolChoice reads which tool to call.
func (d *RequestDecoder) readToolChoice() {
	switch {
	case d.toolChoice.Exists():
		d.readChoice(d.toolChoice)
	case d.functionCall.Kind() == jsonx.String:
		if mode := d.OneOf(d.functionCall, "none", "auto"); mode != "" {
			d.Request.ToolChoice = &chat.ToolChoice{Mode: chat.ToolMode(mode)}
		}
	case d.functionCall.Exists():
		d.Request.ToolChoice = d.named(d.functionCall)
	}
}

func (d *RequestDecoder) readChoice(v jsonx.Value) {
	if v.Kind() == jsonx.String {
		mode := d.OneOf(v, d.format.ToolModes...)
		if mode == "any" && !d.format.Strict {
			mode = "required"
		}
		if mode != "" {
			d.Request.ToolChoice = &chat.ToolChoice{Mode: chat.ToolMode(mode)}
		}
		return
	}
	if v.Kind() != jsonx.Object {
		d.Expected(v, "a string or an object")
		return
	}
	if d.format.Strict {
		d.Only(v, "type", "function")
	} else {
		d.Others(v, "type", "function", "custom", "allowed_tools")
	}
	choiceType := "function"
	if kind := v.Get("type"); kind.Given() {
		choiceType = d.OneOf(kind, d.format.ToolChoices...)
	}
	switch choiceType {
	case "allowed_tools":
		if d.require(v, "allowed_tools") {
			d.allowed(v.Get("allowed_tools"))
		}
	case "function", "custom":
		if d.require(v, choiceType) {
			d.Request.ToolChoice = d.named(v.Get(choiceType))
		}
	}
}

func (d *RequestDecoder) named(v jsonx.Value) *chat.ToolChoice {
	d.Only(v, "name")
	c := &chat.ToolChoice{Mode: chat.ToolNamed}
	d.object(v, nil, func(name []byte, m jsonx.Value) {
		if string(name) == "name" {
			c.Name = d.Str(m)
		}
	})
	d.require(v, "name")
	return c
}

// allowed reads {"mode","tools":[{"type":"function","function":{"name"}}]}: the model may call
// no other tools. The request leaves them out, as other dialects have no such choice.
func (d *RequestDecoder) allowed(v jsonx.Value) {
	c := &chat.ToolChoice{Mode: chat.ToolAuto}
	allowed := make(map[string]bool, len(d.Request.Tools))
	for i := range d.Request.Tools {
		allowed[d.Request.Tools[i].Name] = false
	}
	d.object(v, nil, func(name []byte, m jsonx.Value) {
		switch string(name) {
		case "mode":
			c.Mode = chat.ToolMode(d.OneOf(m, "auto", "required"))
		case "tools":
			d.Array(m, func(e jsonx.Value) { d.allow(e, allowed) })
		}
	})
	if v.Kind() == jsonx.Object {
		d.require(v, "mode")
		d.require(v, "tools")
	}
	d.Request.Tools = slices.DeleteFunc(d.Request.Tools, func(t chat.Tool) bool { return !allowed[t.Name] })
	d.Request.ToolChoice = c
}

// allow reads the name of an allowed tool, which must be one of those known.
func (d *RequestDecoder) allow(v jsonx.Value, known map[string]bool) {
	inner := v.Get("function")
	if v.Get("type").Is("custom") {
		inner = v.Get("custom")
	}
	if inner.Kind() != jsonx.Object || !d.require(inner, "name") {
		d.Unfit(v, `expected a tool such as {"type":"function","function":{"name":".."}}`)
		return
	}
	name := d.Str(inner.Get("name"))
	if _, ok := known[name]; !ok && name != "" {
		d.Unfit(v, "tools has no %s", body.Quote(name))
	}
	known[name] = true
}

// responseFormat reads the format of the answer. One that only a provider knows (Fireworks' grammar) is left to it.
func (d *RequestDecoder) responseFormat(v jsonx.Value) {
	if v.Get("type").Is("grammar") && !d.format.Strict {
		body.NoteForeign(d.Request, v, true)
		return
	}
	f := new(chat.ResponseFormat)
	var schema, bare jsonx.Value
	d.object(v, d.format.ResponseFormat, func(name []byte, m jsonx.Value) {
		switch string(name) {
		case "type":
			f.Kind = chat.FormatKind(d.OneOf(m, string(chat.FormatText), string(chat.FormatJSON), string(chat.FormatSchema)))
		case "json_schema":
			schema = m
		case "schema": // beside json_object: structured output as Together, Anyscale and Fireworks first had it
			bare = m
		}
	})
	d.require(v, "type")
	d.Others(v, "type", "json_schema", "schema")
	if f.Kind == "" && v.Get("type").Kind() == jsonx.String {
		return // one that only a provider knows
	}
	d.Request.ResponseFormat = f
	switch {
	case f.Kind == chat.FormatSchema && schema.Exists():
		d.schema(schema, f)
	case bare.Exists() && (f.Kind == chat.FormatJSON || f.Kind == chat.FormatSchema) && !d.format.Strict:
		f.Kind = chat.FormatSchema
		d.SchemaMember(bare, f)
	case f.Kind == chat.FormatSchema:
		d.AddMember(v, d.format.ResponseFormat.local("json_schema"), "required")
	case schema.Exists() && f.Kind != "" && d.format.Strict:
		d.Add(schema, "only goes with the type json_schema")
	}
}

func (d *RequestDecoder) schema(v jsonx.Value, f *chat.ResponseFormat) {
	d.Only(v, "name", "description", "schema", "strict")
	d.object(v, nil, func(_ []byte, m jsonx.Value) { d.SchemaMember(m, f) })
	if d.format.Strict {
		d.require(v, "schema")
	}
}
