package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (d *decoder) tools(v jsonx.Value) {
	var seen body.Names
	d.Array(v, func(e jsonx.Value) {
		if e.Kind() != jsonx.Object {
			d.Expected(e, "an object")
			return
		}
		d.req.Tools = append(d.req.Tools, d.tool(e))
		d.Distinct(&seen, e.Get("name"))
	})
}

// tool reads a function, which has no type or the type custom, or keeps one of Anthropic's own.
func (d *decoder) tool(v jsonx.Value) chat.Tool {
	if kind := v.Get("type"); kind.Given() && !kind.Is("custom") {
		t := ownTool(d.Str(kind), v)
		t.At = d.PathOf(v)
		return t
	}
	d.Others(v, "type", "name", "description", "input_schema", "strict", "cache_control")
	t := chat.Tool{Name: d.Text(v, "name")}
	if name := v.Get("name"); name.Kind() == jsonx.String && !body.MadeOf(t.Name, 128, "_-") {
		d.Unfit(name, "expected 1 to 128 letters, digits, underscores or hyphens")
	}
	if schema := d.Required(v, "input_schema"); schema.Given() && schema.Kind() != jsonx.Object {
		d.Expected(schema, "a JSON schema of type object")
	} else {
		t.Parameters = schema.Clone()
	}
	t.Description = d.OptionalText(v, "description")
	if strict := v.Get("strict"); strict.Given() {
		b := d.Bool(strict)
		t.Strict = &b
	}
	if mark := v.Get("cache_control"); mark.Given() {
		t.Cache = d.cache(mark)
	}
	return t
}

func (d *decoder) toolChoice(v jsonx.Value) {
	c := new(chat.ToolChoice)
	d.Others(v, "type", "name", "disable_parallel_tool_use")
	d.Members(v, func(name string, m jsonx.Value) {
		switch name {
		case "type":
			switch d.OneOf(m, "auto", "any", "tool", "none") {
			case "any":
				c.Mode = chat.ToolRequired
			case "tool":
				c.Mode = chat.ToolNamed
			case "none":
				c.Mode = chat.ToolNone
			default:
				c.Mode = chat.ToolAuto
			}
		case "name":
			c.Name = d.Str(m)
		case "disable_parallel_tool_use":
			if d.Bool(m) {
				parallel := false
				d.req.ParallelToolCalls = &parallel
			}
		}
	})
	if v.Kind() == jsonx.Object {
		d.Required(v, "type")
	}
	d.req.ToolChoice = c
}

// checkChoice sees whether the tools are there that the choice wants.
func (d *decoder) checkChoice(v jsonx.Value) {
	c := d.req.ToolChoice
	if c == nil {
		return
	}
	switch at := v.Get("tool_choice"); {
	case c.Mode != chat.ToolNamed:
		d.CheckChoice(v, "tool_choice", "tool", d.req)
	case !at.Get("name").Given():
		d.AddMember(at, "name", "required with the type tool")
	default:
		d.CheckChoice(at, "name", "tool", d.req)
	}
}
