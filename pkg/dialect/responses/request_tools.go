package responses

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// tool reads a tool. A tool that is no function is kept unchanged; the name of a hosted tool is its type.
func (d *decoder) tool(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	kind := v.Get("type")
	if !d.Has(v, "type") {
		return
	}
	var t chat.Tool
	switch {
	case kind.Is("function"):
		t = d.function(v)
	case kind.Is("custom"):
		t = chat.Tool{Raw: v.Clone()}
		if d.Has(v, "name") {
			t.Name = d.ToolName(v.Get("name"))
		}
	default:
		t = chat.Tool{Name: d.Str(kind), Raw: v.Clone()}
	}
	d.req.Tools = append(d.req.Tools, t)
}

func (d *decoder) function(v jsonx.Value) (t chat.Tool) {
	if d.Has(v, "name") {
		d.Object(v, func(m jsonx.Value) { d.FunctionMember(m, &t) })
	}
	return t
}

// unique notes an issue if two tools of the caller have the same name.
func (d *decoder) unique(v jsonx.Value) {
	var seen body.Names
	for e := v.First(); e.Exists(); e = e.Next() {
		if own := e.Get("type"); own.Is("function") || own.Is("custom") {
			d.Distinct(&seen, e.Get("name"))
		}
	}
}

// toolChoice reads "auto", "none", "required", {"type":"function"|"custom","name"}, a hosted
// tool's {"type"}, or {"type":"allowed_tools","mode","tools"}.
func (d *decoder) toolChoice(v jsonx.Value) {
	c := new(chat.ToolChoice)
	d.req.ToolChoice = c
	if v.Kind() == jsonx.String {
		c.Mode = chat.ToolMode(d.OneOf(v, string(chat.ToolAuto), string(chat.ToolNone), string(chat.ToolRequired)))
		return
	}
	if v.Kind() != jsonx.Object {
		d.Expected(v, "a string or an object")
		return
	}
	if !d.Has(v, "type") {
		return
	}
	switch kind := v.Get("type"); {
	case kind.Is("allowed_tools"):
		d.allowed(v, c)
	case kind.Is("function"), kind.Is("custom"):
		c.Mode = chat.ToolNamed
		c.Name = d.Text(v, "name")
	case kind.Is("mcp") && v.Get("name").Given():
		d.Add(v, "one tool of an MCP server cannot be chosen here: choose the type mcp without a name")
	default:
		c.Mode, c.Name = chat.ToolNamed, d.Str(kind)
	}
}

// allowed removes the tools that a choice does not allow.
func (d *decoder) allowed(v jsonx.Value, c *chat.ToolChoice) {
	c.Mode = chat.ToolAuto
	if mode := v.Get("mode"); mode.Given() {
		c.Mode = chat.ToolMode(d.OneOf(mode, string(chat.ToolAuto), string(chat.ToolRequired)))
	}
	if !d.Has(v, "tools") {
		return
	}
	var names []string
	d.Array(v.Get("tools"), func(e jsonx.Value) {
		name := e.Get("type").Str()
		if name == "function" || name == "custom" {
			name = e.Get("name").Str()
		}
		if body.Named(d.req.Tools, name) == nil {
			d.Add(e, "tools has no %s", body.Quote(name))
		}
		names = append(names, name)
	})
	d.req.Tools = slices.DeleteFunc(d.req.Tools, func(t chat.Tool) bool { return !slices.Contains(names, t.Name) })
}
