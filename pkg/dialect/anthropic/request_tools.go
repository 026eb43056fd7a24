package anthropic

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (d *decoder) tools(v jsonx.Value) {
	if v.Kind() != jsonx.Array {
		d.Expected(v, "an array")
		return
	}
	seen := make(map[string]bool, v.Len())
	for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
		if e.Kind() != jsonx.Object {
			d.Expected(e, "an object")
			continue
		}
		t := d.tool(e)
		if t.Name != "" && seen[t.Name] {
			d.Add(e.Get("name"), "there are two tools of the name %s", body.Quote(t.Name))
		}
		seen[t.Name] = true
		d.req.Tools = append(d.req.Tools, t)
	}
}

// tool reads a function, which has no type or the type custom, or keeps one of Anthropic's own.
func (d *decoder) tool(v jsonx.Value) chat.Tool {
	if kind := v.Get("type"); kind.Given() && !kind.Is("custom") {
		d.Str(kind)
		return chat.Tool{Name: v.Get("name").Str(), Raw: v.Clone()}
	}
	t := chat.Tool{Name: d.text(v, "name")}
	if name := v.Get("name"); name.Kind() == jsonx.String && !body.MadeOf(t.Name, 128, "_-") {
		d.Add(name, "expected 1 to 128 letters, digits, underscores or hyphens")
	}
	if schema := d.required(v, "input_schema"); schema.Given() && schema.Kind() != jsonx.Object {
		d.Expected(schema, "a JSON schema of type object")
	} else {
		t.Parameters = schema.Clone()
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		switch key := string(m.Key()); {
		case !m.Given():
		case key == "description":
			t.Description = d.Str(m)
		case key == "strict":
			b := d.Bool(m)
			t.Strict = &b
		case key == "cache_control":
			t.Cache = d.cache(m)
		}
	}
	return t
}

func (d *decoder) toolChoice(v jsonx.Value) {
	c := new(chat.ToolChoice)
	d.Object(v, func(m jsonx.Value) {
		switch key := string(m.Key()); {
		case !m.Given():
		case key == "type":
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
		case key == "name":
			c.Name = d.Str(m)
		case key == "disable_parallel_tool_use":
			if d.Bool(m) {
				parallel := false
				d.req.ParallelToolCalls = &parallel
			}
		}
	})
	if v.Kind() == jsonx.Object {
		d.required(v, "type")
	}
	d.req.ToolChoice = c
}

// checkChoice sees whether the tools are there that the choice wants.
func (d *decoder) checkChoice(v jsonx.Value) {
	c := d.req.ToolChoice
	if c == nil {
		return
	}
	at := v.Get("tool_choice")
	named := func(t chat.Tool) bool { return t.Name == c.Name }
	switch {
	case c.Mode == chat.ToolRequired && len(d.req.Tools) == 0:
		d.Add(at, "a tool must be called, but tools has none")
	case c.Mode == chat.ToolNamed && !at.Get("name").Given():
		d.AddMember(at, "name", "required with the type tool")
	case c.Mode == chat.ToolNamed && !slices.ContainsFunc(d.req.Tools, named):
		d.AddMember(at, "name", "tools has no tool %s", body.Quote(c.Name))
	}
}
