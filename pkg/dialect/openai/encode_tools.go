package openai

import (
	"encoding/json"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
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
	e.fieldBool("parallel_tool_calls", r.ParallelToolCalls)
}

func (e *encoder) tool(t *chat.Tool) {
	if len(t.Raw) > 0 {
		var head struct{ Type string }
		if json.Unmarshal(t.Raw, &head) != nil || head.Type != "custom" {
			e.refuse("tools", "the tool %q of type %q cannot be sent to %s", t.Name, head.Type, e.provider())
			return
		}
		e.out = jsonx.AppendCompact(e.out, t.Raw)
		return
	}
	e.raw(`{"type":"function","function":{"name":`)
	e.str(t.Name)
	if t.Description != "" {
		e.raw(`,"description":`)
		e.str(t.Description)
	}
	e.raw(`,"parameters":`)
	if len(t.Parameters) > 0 {
		e.out = jsonx.AppendCompact(e.out, t.Parameters)
	} else {
		// Mistral requires the member; the others take it.
		e.raw(`{"type":"object","properties":{}}`)
	}
	if t.Strict != nil {
		e.raw(`,"strict":`)
		e.out = jsonx.AppendBool(e.out, *t.Strict)
	}
	e.raw("}}")
}

func (e *encoder) toolChoice() {
	c := e.req.ToolChoice
	if c == nil {
		return
	}
	loss := lossRefuses
	if c.Mode == chat.ToolAuto {
		loss = lossSilent // it is the default
	}
	if !e.field("tool_choice", loss) {
		return
	}
	switch c.Mode {
	case chat.ToolNamed:
		if slices.ContainsFunc(e.req.Tools, func(t chat.Tool) bool { return t.Name == c.Name && len(t.Raw) > 0 }) {
			e.raw(`{"type":"custom","custom":{"name":`)
		} else {
			e.raw(`{"type":"function","function":{"name":`)
		}
		e.str(c.Name)
		e.raw("}}")
	case chat.ToolRequired:
		if e.rules.ToolChoice == dialect.ChoiceAny {
			e.raw(`"any"`)
		} else {
			e.raw(`"required"`)
		}
	case chat.ToolNone:
		e.raw(`"none"`)
	default:
		e.raw(`"auto"`)
	}
}

func (e *encoder) responseFormat() {
	f := e.req.ResponseFormat
	if f == nil || f.Kind == chat.FormatText || f.Kind == "" || !e.field("response_format", lossRefuses) {
		return
	}
	if f.Kind == chat.FormatJSON || e.rules.Schema == dialect.SchemaAsJSON {
		e.raw(`{"type":"json_object"}`)
		return
	}
	e.raw(`{"type":"json_schema","json_schema":{"name":`)
	if f.Name != "" {
		e.str(f.Name)
	} else {
		e.raw(`"response"`) // the dialect wants one
	}
	if f.Description != "" {
		e.raw(`,"description":`)
		e.str(f.Description)
	}
	if len(f.Schema) > 0 {
		e.raw(`,"schema":`)
		e.out = jsonx.AppendCompact(e.out, f.Schema)
	}
	if f.Strict != nil {
		e.raw(`,"strict":`)
		e.out = jsonx.AppendBool(e.out, *f.Strict)
	}
	e.raw("}}")
}

// schemaPrompt is what a provider without schemas is told instead. DeepSeek also
// demands that a prompt for json_object speaks of JSON
// (https://api-docs.deepseek.com/guides/json_mode).
func (e *encoder) schemaPrompt() string {
	f := e.req.ResponseFormat
	if f == nil || e.rules.Schema != dialect.SchemaAsJSON {
		return ""
	}
	switch {
	case f.Kind == chat.FormatSchema && len(f.Schema) > 0:
		e.warn("%s does not enforce a JSON schema: it is asked for in the prompt", e.provider())
		text := "Answer with a single JSON value and nothing else. It must be valid under this JSON schema"
		if f.Description != "" {
			text += " (" + f.Description + ")"
		}
		return text + ":\n" + string(jsonx.AppendCompact(nil, f.Schema))
	case f.Kind == chat.FormatSchema || f.Kind == chat.FormatJSON && !mentionsJSON(e.req.Messages):
		return "Answer with a single JSON object and nothing else."
	}
	return ""
}
