package native

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// shape reads what shapes the answer: stop sequences, tools, the format.
func (d *decoder) shape(m jsonx.Value) bool {
	switch string(m.Key()) {
	case "stop":
		d.req.Stop = d.StopOrStops(m, maxStops)
	case "tools":
		d.tools(m)
	case "toolChoice":
		d.toolChoice(m)
	case "parallelToolCalls":
		b := d.Bool(m)
		d.req.ParallelToolCalls = &b
	case "responseFormat":
		d.responseFormat(m)
	default:
		return false
	}
	return true
}

func (d *decoder) tools(v jsonx.Value) {
	if v.Kind() != jsonx.Array {
		d.Expected(v, "an array")
		return
	}
	seen := make(map[string]bool, v.Len())
	for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
		t, at := d.tool(e)
		if t.Name != "" && seen[t.Name] {
			d.Add(at, "there are two tools of the name %s", body.Quote(t.Name))
		}
		seen[t.Name] = true
		d.req.Tools = append(d.req.Tools, t)
	}
}

// tool reads a tool; at is where its name stands.
func (d *decoder) tool(v jsonx.Value) (t chat.Tool, at jsonx.Value) {
	function := false
	d.Object(v, func(m jsonx.Value) {
		switch string(m.Key()) {
		case "type":
			d.OneOf(m, "function")
		case "function":
			function = true
			t, at = d.function(m, t)
		case "cache":
			t.Cache = d.cache(m)
		default:
			d.Unknown(m, slices.Values([]string{"type", "function", "cache"}))
		}
	})
	if !function && v.Kind() == jsonx.Object {
		d.AddMember(v, "function", "required")
	}
	return t, at
}

func (d *decoder) function(v jsonx.Value, t chat.Tool) (chat.Tool, jsonx.Value) {
	var at jsonx.Value
	d.Object(v, func(m jsonx.Value) {
		if string(m.Key()) == "name" {
			at = m
		}
		if !d.FunctionMember(m, &t) {
			d.Unknown(m, slices.Values([]string{"name", "description", "parameters", "strict"}))
		}
	})
	if !at.Exists() && v.Kind() == jsonx.Object {
		d.AddMember(v, "name", "required")
	}
	return t, at
}

func (d *decoder) toolChoice(v jsonx.Value) {
	c := new(chat.ToolChoice)
	switch v.Kind() {
	case jsonx.String:
		c.Mode = chat.ToolMode(d.OneOf(v, string(chat.ToolAuto), string(chat.ToolNone), string(chat.ToolRequired)))
	case jsonx.Object:
		c.Mode = chat.ToolNamed
		for m := v.First(); m.Exists(); m = m.Next() {
			switch string(m.Key()) {
			case "type":
				d.OneOf(m, "function")
			case "function":
				d.Object(m, func(f jsonx.Value) {
					if string(f.Key()) != "name" {
						d.Unknown(f, slices.Values([]string{"name"}))
					} else {
						c.Name = d.Str(f)
					}
				})
			default:
				d.Unknown(m, slices.Values([]string{"type", "function"}))
			}
		}
	default:
		d.Expected(v, "a string or an object")
	}
	d.req.ToolChoice = c
}

func (d *decoder) responseFormat(v jsonx.Value) {
	f := new(chat.ResponseFormat)
	var schema jsonx.Value
	d.Object(v, func(m jsonx.Value) {
		switch string(m.Key()) {
		case "type":
			f.Kind = chat.FormatKind(d.OneOf(m, string(chat.FormatText), string(chat.FormatJSON), string(chat.FormatSchema)))
		case "jsonSchema", "json_schema":
			schema = m
		default:
			d.Unknown(m, slices.Values([]string{"type", "jsonSchema"}))
		}
	})
	d.req.ResponseFormat = f
	switch {
	case v.Kind() != jsonx.Object:
	case f.Kind == "":
		d.AddMember(v, "type", "required")
	case f.Kind != chat.FormatSchema && schema.Given():
		d.Add(schema, "only goes with the type json_schema")
	case f.Kind == chat.FormatSchema && !schema.Given():
		d.AddMember(v, "jsonSchema", "required")
	case f.Kind == chat.FormatSchema:
		d.schema(schema, f)
	}
}

func (d *decoder) schema(v jsonx.Value, f *chat.ResponseFormat) {
	d.Object(v, func(m jsonx.Value) {
		if !d.SchemaMember(m, f) {
			d.Unknown(m, slices.Values([]string{"name", "description", "schema", "strict"}))
		}
	})
	if v.Kind() == jsonx.Object && !v.Get("schema").Exists() {
		d.AddMember(v, "schema", "required")
	}
}
