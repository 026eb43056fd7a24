package anthropic

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (e *encoder) tools() {
	r := e.req
	if len(r.Tools) == 0 {
		if c := r.ToolChoice; c != nil && (c.Mode == chat.ToolRequired || c.Mode == chat.ToolNamed) {
			e.refuse("tool_choice", "a tool must be called, but there is none")
		}
		return
	}
	if !e.field("tools", lossRefuses) {
		return
	}
	e.raw("[")
	for i := range r.Tools {
		e.comma(i)
		e.tool(&r.Tools[i])
	}
	e.raw("]")
	e.toolChoice()
}

func (e *encoder) tool(t *chat.Tool) {
	if len(t.Raw) > 0 {
		if kind := rawType(t.Raw); !isServerTool(kind) {
			e.refuse("tools", "the tool %q of type %q cannot be sent to %s", t.Name, kind, e.provider())
		}
		e.out = jsonx.AppendCompact(e.out, t.Raw)
		return
	}
	if !madeOf(t.Name, 128, "_-") {
		e.refuse("tools", "%s takes names of tools with 1 to 128 letters, digits, underscores and hyphens, not %q", e.provider(), t.Name)
	}
	e.raw(`{"name":`)
	e.str(t.Name)
	e.member("description", t.Description)
	e.raw(`,"input_schema":`)
	strict := t.Strict != nil && *t.Strict
	if strict && !e.accepts("output_config") {
		e.warn("strict tools are not supported by %s for this model: dropped", e.provider())
		strict = false
	}
	e.inputSchema(t.Parameters, strict)
	if strict {
		e.raw(`,"strict":true`)
	}
	e.cache(t.Cache)
	e.raw("}")
}

// inputSchema writes the schema of a tool's input, which must be of type object.
func (e *encoder) inputSchema(raw []byte, strict bool) {
	v, err := jsonx.Parse(raw, jsonx.Lenient)
	switch {
	case len(raw) == 0 || err == nil && v.Kind() == jsonx.Object && v.Len() == 0:
		e.raw(`{"type":"object","properties":{}`)
		if strict {
			e.raw(`,"additionalProperties":false`)
		}
		e.raw("}")
	case err != nil || v.Kind() != jsonx.Object:
		e.refuse("tools", "the parameters of a tool are no JSON schema of type object")
	case strict:
		e.narrow(v, "tools")
	case v.Get("type").Exists():
		e.out = jsonx.AppendCompact(e.out, raw)
	default:
		e.raw(`{"type":"object",`)
		e.out = append(e.out, jsonx.AppendCompact(nil, raw)[1:]...)
	}
}

func rawType(raw []byte) string {
	v, err := jsonx.Parse(raw, jsonx.Lenient)
	if err != nil {
		return ""
	}
	return v.Get("type").Str()
}

// isServerTool says whether a tool's type is one of this dialect's: their versions are
// dates, web_search_20250305.
func isServerTool(kind string) bool {
	i := strings.LastIndexByte(kind, '_')
	if i < 0 || kind == "mcp_toolset" {
		return kind == "mcp_toolset"
	}
	date := kind[i+1:]
	return len(date) == 8 && strings.Trim(date, "0123456789") == ""
}

func (e *encoder) toolChoice() {
	c := e.req.ToolChoice
	single := e.req.ParallelToolCalls != nil && !*e.req.ParallelToolCalls
	if c == nil {
		if !single {
			return
		}
		c = &chat.ToolChoice{Mode: chat.ToolAuto}
	}
	if !e.field("tool_choice", lossRefuses) {
		return
	}
	switch c.Mode {
	case chat.ToolNamed:
		e.raw(`{"type":"tool"`)
		e.member("name", c.Name)
	case chat.ToolRequired:
		e.raw(`{"type":"any"`)
	case chat.ToolNone:
		e.raw(`{"type":"none"`)
		single = false // the API refuses the member here
	default:
		e.raw(`{"type":"auto"`)
	}
	if single {
		e.raw(`,"disable_parallel_tool_use":true`)
	}
	e.raw("}")
}

// formatPrompt is what the model is told where the API has nothing for it: it knows schemas, but
// not mere JSON.
func (e *encoder) formatPrompt() string {
	f := e.req.ResponseFormat
	if f == nil || f.Kind != chat.FormatJSON && (f.Kind != chat.FormatSchema || len(f.Schema) > 0) {
		return ""
	}
	e.warn("%s does not enforce JSON without a schema: it is asked for in the prompt", e.provider())
	return "Answer with a single JSON object and nothing else."
}
