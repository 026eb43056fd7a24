package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (e *encoder) tools() {
	e.Tools(e.tool)
	if !e.LacksTools() {
		e.toolChoice()
	}
}

func (e *encoder) tool(t *chat.Tool) {
	switch {
	case len(t.Raw) == 0:
	case t.Origin == string(Name):
		e.Out = jsonx.AppendCompact(e.Out, t.Raw)
		return
	default:
		if t.Hosted == nil || !e.hosted(t.Hosted) {
			e.RefuseTool(t, "the tool %q of type %q cannot be sent to %s", t.Name, body.TypeOf(t), e.Provider())
		}
		return
	}
	if !body.MadeOf(t.Name, 128, "_-") {
		e.Refuse("tools", "%s takes names of tools with 1 to 128 letters, digits, underscores and hyphens, not %q", e.Provider(), t.Name)
	}
	e.Member(`{"name":`, t.Name)
	e.Optional(`,"description":`, t.Description)
	e.Raw(`,"input_schema":`)
	strict := t.Strict != nil && *t.Strict
	if strict && !e.Accepts("output_config") {
		e.Warn("strict tools are not supported by %s for this model: dropped", e.Provider())
		strict = false
	}
	e.inputSchema(e.Parameters(t), strict)
	if strict {
		e.Raw(`,"strict":true`)
	}
	e.cache(t.Cache)
	e.Raw("}")
}

// inputSchema writes the schema of a tool's input, which must be of type object.
func (e *encoder) inputSchema(raw []byte, strict bool) {
	v, err := jsonx.Parse(raw, jsonx.Lenient)
	switch {
	case len(raw) == 0 || err == nil && v.Kind() == jsonx.Object && v.Len() == 0:
		e.Raw(`{"type":"object","properties":{}`)
		if strict {
			e.Raw(`,"additionalProperties":false`)
		}
		e.Raw("}")
	case err != nil || v.Kind() != jsonx.Object:
		e.Refuse("tools", "the parameters of a tool are no JSON schema of type object")
	case strict:
		e.narrow(v, "tools")
	case v.Get("type").Exists():
		e.Out = jsonx.AppendCompact(e.Out, raw)
	default:
		e.Raw(`{"type":"object",`)
		e.Out = append(e.Out, jsonx.AppendCompact(nil, raw)[1:]...)
	}
}

func (e *encoder) toolChoice() {
	c := e.Req.ToolChoice
	single := e.Req.ParallelToolCalls != nil && !*e.Req.ParallelToolCalls
	if c == nil {
		if !single {
			return
		}
		c = &chat.ToolChoice{Mode: chat.ToolAuto}
	}
	if !e.Field("tool_choice", body.Refuses) {
		return
	}
	switch c.Mode {
	case chat.ToolNamed:
		name := c.Name
		if t := body.Named(e.Req.Tools, name); t != nil && t.Hosted != nil && t.Origin != string(Name) {
			_, name = hostedType(t.Hosted.Kind)
		}
		e.Raw(`{"type":"tool"`)
		e.Optional(`,"name":`, name)
	case chat.ToolRequired:
		e.Raw(`{"type":"any"`)
	case chat.ToolNone:
		e.Raw(`{"type":"none"`)
		single = false // the API refuses the member here
	default:
		e.Raw(`{"type":"auto"`)
	}
	if single {
		e.Raw(`,"disable_parallel_tool_use":true`)
	}
	e.Raw("}")
}

// formatPrompt returns the prompt that asks for JSON without a schema, for which the API has no field.
func (e *encoder) formatPrompt() string {
	f := e.Req.ResponseFormat
	if f == nil || f.Kind != chat.FormatJSON && (f.Kind != chat.FormatSchema || len(f.Schema) > 0) {
		return ""
	}
	e.Warn("%s does not enforce JSON without a schema: it is asked for in the prompt", e.Provider())
	return "Answer with a single JSON object and nothing else."
}
