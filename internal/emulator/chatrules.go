package emulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// refuse checks what this provider refuses, and answers in its own words.
func (x *exchange) refuse() *failure {
	for _, check := range []func() *failure{x.unknownFields, x.ranges, x.toolNames, x.toolTurns, x.roleOrder, x.parts, x.reasoningRules,
		x.formats} {
		if f := check(); f != nil {
			return f
		}
	}
	return nil
}

func (x *exchange) unknownFields() *failure {
	if x.p.fields != nil {
		for _, name := range keys(x.req.raw) {
			if !slices.Contains(x.p.fields, name) {
				return x.unknownField("", name)
			}
		}
	}
	if x.p.message == nil {
		return nil
	}
	var messages []map[string]json.RawMessage
	json.Unmarshal(x.req.raw["messages"], &messages)
	for i, m := range messages {
		for _, name := range keys(m) {
			if !slices.Contains(x.p.message, name) &&
				!(slices.Contains(x.p.result, name) && string(m["role"]) == `"tool"`) {
				return x.unknownField(fmt.Sprintf("messages[%d].", i), name)
			}
		}
	}
	return nil
}

func (x *exchange) unknownField(at, name string) *failure {
	if x.p.unknown != nil {
		return x.p.unknown(x, at, name)
	}
	switch x.p.id {
	case "mistral":
		return &failure{422, object{"object": "error", "type": "invalid_request_error", "param": nil, "code": nil,
			"message": object{"detail": []any{object{"type": "extra_forbidden", "loc": []string{"body", at + name},
				"msg": "Extra inputs are not permitted"}}}}}
	case "groq":
		return x.bad("property '"+at+name+"' is unsupported", "")
	}
	return &failure{400, x.p.errorBody("Unknown parameter: '"+at+name+"'.", "invalid_request_error",
		"unknown_parameter", at+name)}
}

func (x *exchange) ranges() *failure {
	r := x.req
	switch {
	case r.Temperature != nil && (*r.Temperature < 0 || *r.Temperature > x.p.maxTemp):
		return x.bad(fmt.Sprintf("Invalid 'temperature': expected a value between 0 and %v.", x.p.maxTemp),
			"temperature")
	case r.TopP != nil && (*r.TopP < 0 || *r.TopP > 1):
		return x.bad("Invalid 'top_p': expected a value between 0 and 1.", "top_p")
	case r.MaxTokens != nil && *r.MaxTokens < 1:
		return x.bad("Invalid 'max_tokens': integer below minimum value.", "max_tokens")
	case len(r.stop) > x.p.maxStop:
		return x.bad(fmt.Sprintf("Invalid 'stop': expected at most %d sequences.", x.p.maxStop), "stop")
	case r.N != nil && *r.N != 1 && (x.p.id == "groq" || x.p.id == "deepseek"):
		return x.bad("'n' : number must be at most 1", "n")
	case len(x.body) > 16<<20:
		f := x.wire.fault(x, TooLong)
		return &f
	}
	return nil
}

// toolNames checks the names of functions, in definitions and in earlier calls: at most 64 letters, digits,
// underscores and hyphens (documents of OpenAI, OpenRouter, Groq and DeepSeek; errors of Mistral). For the other
// providers the rule is unknown.
func (x *exchange) toolNames() *failure {
	if x.p.id == "together" || x.p.id == "fireworks" {
		return nil
	}
	for i, t := range x.req.Tools {
		if f := x.toolName(t.Function.Name, fmt.Sprintf("tools[%d].function.name", i)); f != nil &&
			t.Type == "function" {
			return f
		}
	}
	for i, m := range x.req.Messages {
		for j, c := range m.ToolCalls {
			if f := x.toolName(c.Function.Name,
				fmt.Sprintf("messages[%d].tool_calls[%d].function.name", i, j)); f != nil && c.Function.Name != "" {
				return f
			}
		}
	}
	return nil
}

func (x *exchange) toolName(name, at string) *failure {
	switch {
	case functionName(name):
		return nil
	case x.p.id == "mistral":
		return x.bad("Function name was "+name+
			" but must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64.", "")
	case len(name) > 64:
		return &failure{400,
			x.p.errorBody(fmt.Sprintf("Invalid '%s': string too long. Expected a string with maximum length 64, but got a string with length %d instead.", at, len(name)), "invalid_request_error", "string_above_max_length", at)}
	}
	return &failure{400, x.p.errorBody("Invalid '"+at+
		"': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
		"invalid_request_error", "invalid_value", at)}
}

func (x *exchange) thinking() bool {
	r := x.req
	if x.p.thinks != nil {
		return x.p.thinks(r)
	}
	switch x.p.id {
	case "openai":
		return openAIModelOf(r.Model).thinks(r.ReasoningEffort)
	case "deepseek":
		// Enabled by default, but for the name of the model before them.
		return r.Model != "deepseek-chat" && (r.Thinking == nil || r.Thinking.Type != "disabled")
	case "together":
		return r.togetherThinks()
	case "groq":
		if strings.HasPrefix(r.Model, "qwen/qwen3") {
			return r.ReasoningEffort != "none"
		}
	case "openrouter":
		// reasoning_effort is an alias of reasoning.effort (openrouter.ai/docs, reasoning tokens).
		if r.Reasoning != nil {
			return r.Reasoning.Effort != "none" && (r.Reasoning.Enabled == nil || *r.Reasoning.Enabled)
		}
	}
	return r.ReasoningEffort != "" && r.ReasoningEffort != "none"
}

// openAIRules checks what an OpenAI model refuses.
func (x *exchange) openAIRules() *failure {
	r, m := x.req, openAIModelOf(x.req.Model)
	refused := func(code, param, message string) *failure {
		return &failure{400, x.p.errorBody(message, "invalid_request_error", code, param)}
	}
	if m.responsesOnly {
		return &failure{404,
			x.p.errorBody("This model is only supported in v1/responses and not in v1/chat/completions.",
				"invalid_request_error", "", "model")}
	}
	for name, n := range map[string]*int{"max_tokens": r.MaxTokens, "max_completion_tokens": r.MaxCompletionTokens} {
		if n != nil && m.maxOutput > 0 && *n > m.maxOutput {
			return refused("invalid_value", name,
				fmt.Sprintf("%s is too large: %d. This model supports at most %d completion tokens, whereas you provided %d.", name, *n, m.maxOutput, *n))
		}
	}
	if m.reasons && r.MaxTokens != nil {
		return refused("unsupported_parameter", "max_tokens",
			"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
	}
	if name := m.unsupported(r.ReasoningEffort, func(name string) bool { return r.raw[name] != nil }); name != "" {
		return refused("unsupported_parameter", name,
			"Unsupported parameter: '"+name+"' is not supported with this model.")
	}
	if r.ReasoningEffort != "" && !m.reasons {
		return refused("", "reasoning_effort", "Unrecognized request argument supplied: reasoning_effort")
	}
	if r.ReasoningEffort != "" && !slices.Contains(m.efforts, r.ReasoningEffort) {
		return refused("unsupported_value", "reasoning_effort",
			unsupportedEffort(r.ReasoningEffort, r.Model, m.efforts))
	}
	// From 5.2 on, functions and reasoning exclude each other (openai-openapi issue 541).
	if m.version >= 52 && m.thinks(r.ReasoningEffort) && len(r.Tools) > 0 {
		return refused("", "reasoning_effort",
			"Function tools with reasoning_effort are not supported for "+r.Model+
				" in /v1/chat/completions. Please use /v1/responses or set reasoning_effort to 'none'.")
	}
	return nil
}

func unsupportedEffort(effort, model string, have []string) string {
	return fmt.Sprintf("Unsupported value: '%s' is not supported with the '%s' model. Supported values are: '%s'.",
		effort, model, strings.Join(have, "', '"))
}

func (x *exchange) reasoningRules() *failure {
	r, thinking := x.req, x.thinking()
	switch {
	case x.p.refuse != nil:
		return x.p.refuse(x)
	case x.p.id == "openai":
		return x.openAIRules()
	case x.p.id == "together":
		return x.togetherRules()
	case x.p.id == "groq" && r.ReasoningFormat != "" && !strings.HasPrefix(r.Model, "qwen/qwen3"):
		return x.bad("`reasoning_format` is not supported with this model", "reasoning_format")
	case x.p.id == "groq" && r.ReasoningFormat == "raw" && x.strictOutput():
		return x.bad("reasoning_format raw is not supported with JSON mode or tool use", "reasoning_format")
	case x.p.id == "mistral" && r.ReasoningEffort != "" && r.ReasoningEffort != "high" && r.ReasoningEffort != "none":
		return &failure{422, x.p.errorBody("reasoning_effort: Input should be 'high' or 'none'",
			"invalid_request_error", "", "")}
	case x.p.id == "deepseek" && thinking && x.mustCall():
		return &failure{400, x.p.errorBody("Thinking mode does not support this tool_choice", "invalid_request_error",
			"invalid_request_error", "")}
	case x.p.id == "fireworks" && r.Thinking != nil && r.ReasoningEffort != "":
		return x.bad("Only one of 'thinking' and 'reasoning_effort' may be set.", "")
	}
	return nil
}

// mustCall reports whether tool_choice requires a call.
func (x *exchange) mustCall() bool {
	var word string
	if json.Unmarshal(x.req.ToolChoice, &word) == nil {
		return word == "required" || word == "any"
	}
	return len(x.req.ToolChoice) > 0 && string(x.req.ToolChoice) != "null"
}

func (x *exchange) formats() *failure {
	f := x.req.ResponseFormat
	if f == nil {
		return nil
	}
	if x.p.id == "deepseek" && f.Type == "json_schema" {
		return &failure{400, x.p.errorBody("This response_format type is unavailable now", "invalid_request_error",
			"invalid_request_error", "")}
	}
	if f.Type == "json_object" && (x.p.id == "deepseek" || x.p.id == "openai") &&
		!strings.Contains(strings.ToLower(string(x.req.raw["messages"])), "json") {
		return x.bad("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", "messages")
	}
	return nil
}
