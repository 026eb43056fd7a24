package gemini

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// tools reads functions, and keeps Google's own tools as they are.
func (d *decoder) tools(v jsonx.Value) {
	if !v.Exists() {
		return
	}
	seen := make(map[string]bool)
	d.each(v, func(tool jsonx.Value) {
		d.object(tool, func(m jsonx.Value) {
			switch name := camel(m); {
			case name == "functionDeclarations":
				d.each(m, func(f jsonx.Value) { d.function(f, seen) })
			case serverTool(name):
				raw := jsonx.AppendString([]byte("{"), name)
				raw = append(jsonx.AppendCompact(append(raw, ':'), m.Raw()), '}')
				d.req.Tools = append(d.req.Tools, chat.Tool{Name: name, Raw: raw, Origin: string(Name), At: d.PathOf(m), Hosted: hostedTool(name)})
			default:
				d.unknown(m, "functionDeclarations", "googleSearch", "codeExecution", "urlContext")
			}
		})
	})
}

func (d *decoder) function(v jsonx.Value, seen map[string]bool) {
	var t chat.Tool
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "name":
			t.Name = d.Str(m)
		case "description":
			t.Description = d.Str(m)
		case "parameters", "parametersJsonSchema":
			switch {
			case m.Kind() != jsonx.Object:
				d.Expected(m, "a schema of type object")
			case len(t.Parameters) > 0:
				d.Unfit(m, "parameters and parametersJsonSchema exclude each other")
			case camel(m) == "parameters":
				t.Parameters = appendJSONSchema(nil, m)
			default:
				t.Parameters = m.Clone()
			}
		case "response", "responseJsonSchema", "behavior":
		default:
			d.unknown(m, "name", "description", "parameters", "parametersJsonSchema")
		}
	})
	switch {
	case v.Kind() != jsonx.Object:
		return
	case t.Name == "":
		d.AddMember(v, "name", "required")
	case seen[t.Name]:
		d.Unfit(v, "there is a function of this name already")
	}
	seen[t.Name] = true
	if len(d.allowedFunctions) == 0 || d.allowed[t.Name] {
		d.req.Tools = append(d.req.Tools, t)
	}
}

// choice reads toolConfig. "Call one of these functions" becomes "call any function", with the other functions
// left out.
func (d *decoder) choice(v jsonx.Value) {
	if !v.Exists() {
		return
	}
	var mode string
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "functionCallingConfig":
			d.object(m, func(f jsonx.Value) {
				switch camel(f) {
				case "mode":
					mode = d.enum(f, "AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED")
				case "allowedFunctionNames":
					d.each(f, d.allow)
				case "streamFunctionCallArguments":
					if d.Bool(f) {
						d.foreign(f, "only Gemini sends calls in pieces")
					}
				default:
					d.unknown(f, "mode", "allowedFunctionNames")
				}
			})
		case "retrievalConfig", "includeServerSideToolInvocations":
		default:
			d.unknown(m, "functionCallingConfig")
		}
	})
	switch mode {
	case "AUTO", "VALIDATED":
		d.req.ToolChoice = &chat.ToolChoice{Mode: chat.ToolAuto}
	case "NONE":
		d.req.ToolChoice = &chat.ToolChoice{Mode: chat.ToolNone}
	case "ANY":
		d.req.ToolChoice = &chat.ToolChoice{Mode: chat.ToolRequired}
		if len(d.allowedFunctions) == 1 {
			d.req.ToolChoice = &chat.ToolChoice{Mode: chat.ToolNamed, Name: d.allowedFunctions[0]}
		}
	}
	if mode != "VALIDATED" && (mode != "ANY" || len(d.allowedFunctions) == 1) {
		d.allowedFunctions = nil // the model sees all of them
	}
}

// checkChoice notes an issue if the functions that the choice asks for are missing.
func (d *decoder) checkChoice(v jsonx.Value) {
	c := d.req.ToolChoice
	if c == nil {
		return
	}
	named := func(t chat.Tool) bool { return t.Name == c.Name && len(t.Raw) == 0 }
	function := func(t chat.Tool) bool { return len(t.Raw) == 0 }
	switch {
	case c.Mode == chat.ToolRequired && !slices.ContainsFunc(d.req.Tools, function):
		d.Unfit(find(v, "toolConfig"), "a function must be called, but tools has none of those allowed")
	case c.Mode == chat.ToolNamed && !slices.ContainsFunc(d.req.Tools, named):
		d.Unfit(find(v, "toolConfig"), "tools has no function of the allowed name")
	}
}

// allow adds a function to those that the model may see.
func (d *decoder) allow(v jsonx.Value) {
	if d.allowed == nil {
		d.allowed = map[string]bool{}
	}
	name := d.Str(v)
	d.allowedFunctions, d.allowed[name] = append(d.allowedFunctions, name), true
}
