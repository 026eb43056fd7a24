package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func (e *encoder) tool(t *chat.Tool) {
	switch kind := body.TypeOf(t); {
	case kind == "function":
	case kind == "custom":
		e.Out = body.AppendCustom(e.Out, t.Raw, body.CustomNested)
		return
	case t.Origin == string(Name):
		e.Out = jsonx.AppendCompact(e.Out, t.Raw)
		return
	case t.Hosted != nil && e.hosted(t):
		return
	default:
		e.refuseTool(t)
		return
	}
	e.Raw(`{"type":"function","function":{`)
	e.Out = body.AppendFunction(e.Out, e.Function(t))
	e.Raw("}}")
}

func (e *encoder) toolChoice(c *chat.ToolChoice) {
	switch c.Mode {
	case chat.ToolNamed:
		kind := "function"
		if t := body.Named(e.Req.Tools, c.Name); t != nil {
			kind = body.TypeOf(t)
		}
		e.Member(`{"type":`, kind)
		e.Key(kind)
		e.Member(`{"name":`, c.Name)
		e.Raw("}}")
	case chat.ToolRequired:
		if e.Rules.ToolChoiceAny {
			e.Raw(`"any"`)
		} else {
			e.Raw(`"required"`)
		}
	case chat.ToolNone:
		e.Raw(`"none"`)
	default:
		e.Raw(`"auto"`)
	}
}

func (e *encoder) responseFormat() {
	f := e.Req.ResponseFormat
	if f == nil || f.Kind == chat.FormatText || f.Kind == "" || !e.Field("response_format", body.Refuses) {
		return
	}
	if f.Kind == chat.FormatJSON || e.Rules.NoSchema {
		e.Raw(`{"type":"json_object"}`)
		return
	}
	e.Raw(`{"type":"json_schema","json_schema":{`)
	e.Out = body.AppendSchema(e.Out, e.AnswerSchema(f))
	e.Raw("}}")
}

// schemaPrompt returns a prompt that asks for the format of a provider without schemas. DeepSeek also
// refuses json_object if no prompt contains the word JSON
// (https://api-docs.deepseek.com/guides/json_mode).
func (e *encoder) schemaPrompt() string {
	f := e.Req.ResponseFormat
	if f == nil || !e.Rules.NoSchema {
		return ""
	}
	switch {
	case f.Kind == chat.FormatSchema && len(f.Schema) > 0:
		e.Warn("%s does not enforce a JSON schema: it is asked for in the prompt", e.Provider())
		text := "Answer with a single JSON value and nothing else. It must be valid under this JSON schema"
		if f.Description != "" {
			text += " (" + f.Description + ")"
		}
		return text + ":\n" + string(jsonx.AppendCompact(nil, f.Schema))
	case f.Kind == chat.FormatSchema || f.Kind == chat.FormatJSON && !mentionsJSON(e.Req.Messages):
		return "Answer with a single JSON object and nothing else."
	}
	return ""
}
