package responses

import (
	"encoding/json"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// An ownTool is a tool of the dialect's own that the caller runs. For other dialects it is a function, whose arguments
// are the member of the call that says what to do.
type ownTool struct {
	tool, call, result string // types of the tool, of its calls and of their results
	member             string // of the call
	description        string
	parameters         string
	complete           func(arguments jsonx.Value) []byte // the member, of a function's arguments; nil: they are it
}

// ownTools returns the tools of the dialect's own that callers run (API reference, create a response; schemas
// FunctionShellAction, LocalShellExecAction, ApplyPatchOperationParam of its OpenAPI document of August 2026).
func ownTools() []ownTool {
	return []ownTool{
		{tool: "shell", call: "shell_call", result: "shell_call_output", member: "action", complete: shellAction,
			description: "Runs shell commands on the user's machine, each in a shell of its own, and returns their output.",
			parameters: `{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"},"description":"The commands to run."},` +
				`"timeout_ms":{"type":"integer","description":"How long the commands may run, in milliseconds."},` +
				`"max_output_length":{"type":"integer","description":"The most characters to return of each command's output."}},"required":["commands"]}`},
		{tool: "local_shell", call: "local_shell_call", result: "local_shell_call_output", member: "action", complete: localShellAction,
			description: "Runs a command on the user's machine and returns its output.",
			parameters: `{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"},"description":"The program and its arguments."},` +
				`"env":{"type":"object","properties":{},"additionalProperties":{"type":"string"},"description":"Environment variables to set."},` +
				`"working_directory":{"type":"string"},"user":{"type":"string","description":"The user to run the command as."},` +
				`"timeout_ms":{"type":"integer","description":"How long the command may run, in milliseconds."}},"required":["command"]}`},
		{tool: "apply_patch", call: "apply_patch_call", result: "apply_patch_call_output", member: "operation",
			description: "Creates, updates or deletes one file in the user's workspace.",
			parameters: `{"type":"object","properties":{"type":{"type":"string","enum":["create_file","update_file","delete_file"]},` +
				`"path":{"type":"string","description":"The file, relative to the root of the workspace."},` +
				`"diff":{"type":"string","description":"What to change, as a unified diff without the lines that name files: each line begins with a space, + or -. ` +
				`A new file has lines with + alone. Left out to delete a file."}},"required":["type","path"]}`},
		{tool: "tool_search", call: "tool_search_call", result: "tool_search_output", member: "arguments",
			description: "Finds more tools for the task. They can be called once they are found.",
			parameters:  `{"type":"object","properties":{"query":{"type":"string","description":"What the tools have to do."}},"required":["query"]}`},
	}
}

// ownToolBy returns the tool for which the type, read by of, is the one given; nil if there is none.
func ownToolBy(of func(*ownTool) string, kind string) *ownTool {
	list := ownTools()
	for i := range list {
		if of(&list[i]) == kind {
			return &list[i]
		}
	}
	return nil
}

func ofTool(t *ownTool) string   { return t.tool }
func ofCall(t *ownTool) string   { return t.call }
func ofResult(t *ownTool) string { return t.result }

// describe describes the tool as a function, if the caller runs it.
func (t *ownTool) describe(out *chat.Tool, v jsonx.Value) {
	if !callerRuns(v) {
		return
	}
	out.CallType, out.Description, out.Parameters = t.call, t.description, json.RawMessage(t.parameters)
	if own := v.Get("description"); !own.Empty() {
		out.Description = own.Str()
	}
	if own := v.Get("parameters"); own.Kind() == jsonx.Object && own.Len() > 0 {
		out.Parameters = own.Clone()
	}
}

// callerRuns reports whether the caller runs the tool: a shell may be one in OpenAI's container, and OpenAI may search
// for tools.
func callerRuns(v jsonx.Value) bool {
	switch v.Get("type").Str() {
	case "tool_search":
		return v.Get("execution").Is("client")
	case "shell":
		environment := v.Get("environment").Get("type")
		return !environment.Given() || environment.Is("local")
	}
	return true
}

// shellAction returns the action of a shell_call, which must have all members.
func shellAction(v jsonx.Value) []byte {
	out := []byte(`{"commands":`)
	switch commands := v.Get("commands"); {
	case commands.Kind() == jsonx.Array:
		out = jsonx.AppendCompact(out, commands.Raw())
	case commands.Kind() == jsonx.String: // a model's slip
		out = jsonx.AppendStrings(out, []string{commands.Str()})
	case v.Get("command").Kind() == jsonx.String:
		out = jsonx.AppendStrings(out, []string{v.Get("command").Str()})
	default:
		out = append(out, "[]"...)
	}
	for _, name := range [...]string{"timeout_ms", "max_output_length"} {
		out = jsonx.AppendKey(out, name)
		if n, ok := v.Get(name).Int64(); ok {
			out = jsonx.AppendInt(out, n)
		} else {
			out = append(out, "null"...)
		}
	}
	return append(out, '}')
}

// localShellAction returns the action of a local_shell_call, which must have a type and the environment.
func localShellAction(v jsonx.Value) []byte {
	out := []byte(`{"type":"exec","command":`)
	if command := v.Get("command"); command.Kind() == jsonx.Array {
		out = jsonx.AppendCompact(out, command.Raw())
	} else {
		out = jsonx.AppendStrings(out, []string{"sh", "-c", command.Str()})
	}
	out = append(out, `,"env":`...)
	if env := v.Get("env"); env.Kind() == jsonx.Object {
		out = jsonx.AppendCompact(out, env.Raw())
	} else {
		out = append(out, "{}"...)
	}
	for _, name := range [...]string{"working_directory", "user", "timeout_ms"} {
		if m := v.Get(name); m.Given() {
			out = jsonx.AppendCompact(jsonx.AppendKey(out, name), m.Raw())
		}
	}
	return append(out, '}')
}

// appendOwnCall appends a call of a tool of the dialect's own, after the members id and status.
func appendOwnCall(out []byte, t *ownTool, c *chat.ToolCall, arguments []byte) []byte {
	out = body.AppendMember(out, `,"call_id":`, c.ID)
	v, err := jsonx.Parse(arguments, jsonx.Lenient)
	if err != nil || v.Kind() != jsonx.Object {
		v, _ = jsonx.Parse([]byte("{}"), jsonx.Lenient) // cut off, or not begun
	}
	out = jsonx.AppendKey(out, t.member)
	if t.complete != nil {
		out = append(out, t.complete(v)...)
	} else {
		out = jsonx.AppendCompact(out, v.Raw())
	}
	switch t.tool {
	case "shell":
		out = append(out, `,"environment":{"type":"local"}`...)
	case "tool_search":
		out = append(out, `,"execution":"client"`...)
	}
	return out
}

// ownCall reads an item that is a call of a tool of the dialect's own.
func (d *decoder) ownCall(v jsonx.Value, t *ownTool) {
	c := &chat.ToolCall{ID: ownCallID(v), Name: t.tool, Type: t.call, Arguments: string(v.Get(t.member).Clone())}
	if c.Arguments == "" {
		c.Arguments = "{}"
	}
	d.Call(c.ID, c.Name)
	d.message(chat.Assistant, []chat.Part{{Kind: chat.Call, ToolCall: c, Raw: v.Clone()}})
}

// ownCallID returns the id by which a call and its result belong together: a local shell's may have no other than the
// item's.
func ownCallID(v jsonx.Value) string {
	if id := v.Get("call_id"); !id.Empty() {
		return id.Str()
	}
	return v.Get("id").Str()
}

// ownResult reads an item that is the result of such a call.
func (d *decoder) ownResult(v jsonx.Value, t *ownTool) {
	r := &chat.ToolResult{CallID: ownCallID(v), Name: t.tool}
	part := chat.Part{Kind: chat.Result, ToolResult: r, Raw: v.Clone()}
	text := ""
	switch output := v.Get("output"); {
	case t.tool == "tool_search":
		part.Tools = d.toolsOf(v.Get("tools"))
		text = foundTools(part.Tools)
	case output.Kind() == jsonx.String:
		text = output.Str()
	case output.Given():
		text = string(output.Clone())
	}
	if t.tool == "apply_patch" {
		r.IsError = v.Get("status").Is("failed")
		if text == "" {
			text = v.Get("status").Str()
		}
	}
	r.Parts = []chat.Part{{Kind: chat.Text, Text: text}}
	d.message(chat.ToolRole, []chat.Part{part})
}

// foundTools tells the model which tools a search has found.
func foundTools(tools []chat.Tool) string {
	var names []string
	for i := range tools {
		if len(tools[i].Tools) == 0 {
			names = append(names, tools[i].Name)
		}
		for j := range tools[i].Tools {
			names = append(names, tools[i].Name+"."+tools[i].Tools[j].Name)
		}
	}
	out := jsonx.AppendStrings([]byte(`{"tools":`), names)
	return string(append(out, '}'))
}

// moreTools reads an item that adds tools in the middle of a conversation.
func (d *decoder) moreTools(v jsonx.Value) {
	d.message(chat.Developer, []chat.Part{{Kind: chat.Unrendered, Dialect: string(Name), Raw: v.Clone(), Tools: d.toolsOf(v.Get("tools"))}})
}

// toolsOf reads tools that are not the request's member.
func (d *decoder) toolsOf(v jsonx.Value) []chat.Tool {
	if v.Kind() != jsonx.Array {
		return nil
	}
	var tools []chat.Tool
	d.Array(v, func(e jsonx.Value) {
		if t, ok := d.tool(e); ok {
			tools = append(tools, t)
		}
	})
	return tools
}
