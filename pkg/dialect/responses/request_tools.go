package responses

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// tool reads a tool. One that is no function is kept unchanged; the name of a tool of the dialect's own is its type.
func (d *decoder) tool(v jsonx.Value) (t chat.Tool, ok bool) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return t, false
	}
	kind := v.Get("type")
	if !d.Has(v, "type") {
		return t, false
	}
	if kind.Is("function") {
		return d.function(v), true
	}
	t = chat.Tool{Name: d.Str(kind), Raw: v.Clone(), Origin: string(Name), At: d.PathOf(v)}
	switch {
	case kind.Is("custom"):
		t.Name = ""
		if d.Has(v, "name") {
			t.Name = d.ToolName(v.Get("name"))
		}
	case kind.Is("namespace"):
		t.Name, t.Description, t.Tools = v.Get("name").Str(), v.Get("description").Str(), d.toolsOf(v.Get("tools"))
	default:
		if own := ownToolBy(ofTool, t.Name); own != nil {
			own.describe(&t, v)
		}
		if t.CallType == "" {
			t.Hosted = hostedTool(v)
		}
	}
	return t, true
}

func (d *decoder) function(v jsonx.Value) (t chat.Tool) {
	if d.Has(v, "name") {
		d.Others(v, "type", "name", "description", "parameters", "strict")
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
		if c.Mode = chat.ToolMode(d.OneOf(v, string(chat.ToolAuto), string(chat.ToolNone), string(chat.ToolRequired))); c.Mode == "" {
			d.req.ToolChoice = nil // one that only OpenAI knows
		}
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
	case kind.Is("function"), kind.Is("custom"), kind.Is("namespace"):
		d.Others(v, "type", "name")
		c.Mode = chat.ToolNamed
		c.Name = d.Text(v, "name")
	case kind.Is("mcp") && v.Get("name").Given():
		d.Unfit(v, "one tool of an MCP server cannot be chosen here: choose the type mcp without a name")
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
	names, known := map[string]bool{}, d.toolNames()
	d.Array(v.Get("tools"), func(e jsonx.Value) {
		name := e.Get("type").Str()
		if name == "function" || name == "custom" || name == "namespace" {
			name = e.Get("name").Str()
		}
		if !known[name] {
			d.Unfit(e, "tools has no %s", body.Quote(name))
		}
		names[name] = true
	})
	allows := func(t *chat.Tool) bool { return names[t.Name] }
	d.req.Tools = onlyTools(d.req.Tools, allows)
	for i := range d.req.Messages {
		for j := range d.req.Messages[i].Parts {
			p := &d.req.Messages[i].Parts[j]
			p.Tools = onlyTools(p.Tools, allows)
		}
	}
}

// onlyTools returns the tools that are allowed, and of other groups the tools in them that are.
func onlyTools(tools []chat.Tool, allows func(*chat.Tool) bool) []chat.Tool {
	var out []chat.Tool
	for _, t := range tools {
		if !allows(&t) {
			if t.Tools = onlyTools(t.Tools, allows); len(t.Tools) == 0 {
				continue
			}
		}
		out = append(out, t)
	}
	return out
}

// hasTool reports whether there is a tool of the name, in a group or in the conversation as well.
func (d *decoder) hasTool(name string) bool {
	if hasTool(d.req.Tools, name) {
		return true
	}
	for i := range d.req.Messages {
		for j := range d.req.Messages[i].Parts {
			if hasTool(d.req.Messages[i].Parts[j].Tools, name) {
				return true
			}
		}
	}
	return false
}

// toolNames returns the names of all tools, those in groups and in the conversation too.
func (d *decoder) toolNames() map[string]bool {
	names := map[string]bool{}
	var add func(tools []chat.Tool)
	add = func(tools []chat.Tool) {
		for i := range tools {
			names[tools[i].Name] = true
			add(tools[i].Tools)
		}
	}
	add(d.req.Tools)
	for i := range d.req.Messages {
		for j := range d.req.Messages[i].Parts {
			add(d.req.Messages[i].Parts[j].Tools)
		}
	}
	if len(names) > 0 {
		names[""] = true // of a hosted tool that has none
	}
	return names
}

func hasTool(tools []chat.Tool, name string) bool {
	return slices.ContainsFunc(tools, func(t chat.Tool) bool {
		return t.Name == name || name == "" && len(t.Tools) == 0 || hasTool(t.Tools, name)
	})
}

// checkChoice adds an issue if the choice wants a tool that is not there.
func (d *decoder) checkChoice(v jsonx.Value) {
	c := d.req.ToolChoice
	switch {
	case c == nil:
	case c.Mode == chat.ToolRequired && !d.hasTool(""):
		d.Unfit(v.Get("tool_choice"), "a tool must be called, but tools has none")
	case c.Mode == chat.ToolNamed && c.Name != "" && !d.hasTool(c.Name):
		d.Unfit(v.Get("tool_choice"), "tools has no function %s", body.Quote(c.Name))
	}
}
