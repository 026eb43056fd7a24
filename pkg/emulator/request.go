package emulator

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// request is what the emulator understands of a chat completion request.
type request struct {
	Model         string    `json:"model"`
	Messages      []message `json:"messages"`
	Stream        bool      `json:"stream"`
	StreamOptions *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Temperature         *float64        `json:"temperature"`
	TopP                *float64        `json:"top_p"`
	N                   *int            `json:"n"`
	Stop                json.RawMessage `json:"stop"`
	Tools               []tool          `json:"tools"`
	ToolChoice          json.RawMessage `json:"tool_choice"`
	ResponseFormat      *struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	ReasoningEffort string `json:"reasoning_effort"`
	Reasoning       *struct {
		Effort string `json:"effort"`
	} `json:"reasoning"`
	Thinking *struct {
		Type string `json:"type"`
	} `json:"thinking"`

	stop []string
	raw  map[string]json.RawMessage
}

type message struct {
	Role             string          `json:"role"`
	Content          json.RawMessage `json:"content"`
	ToolCalls        []toolCall      `json:"tool_calls"`
	ToolCallID       string          `json:"tool_call_id"`
	ReasoningContent *string         `json:"reasoning_content"`
}

type toolCall struct {
	ID string `json:"id"`
}

type tool struct {
	Type     string `json:"type"`
	Function struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// text is the text of a message's content, whichever form it has.
func (m *message) text() string {
	var s string
	if json.Unmarshal(m.Content, &s) == nil {
		return s
	}
	var parts []struct{ Text string }
	json.Unmarshal(m.Content, &parts)
	var out []string
	for _, p := range parts {
		out = append(out, p.Text)
	}
	return strings.Join(out, " ")
}

func (x *exchange) bad(message, param string) *failure {
	return &failure{400, x.p.errorBody(message, "invalid_request_error", "", param)}
}

// parse reads the body and refuses what no provider takes.
func (x *exchange) parse() (*request, *failure) {
	req := &request{}
	if err := json.Unmarshal(x.body, &req.raw); err != nil {
		return nil, x.bad("We could not parse the JSON body of your request.", "")
	}
	if err := json.Unmarshal(x.body, req); err != nil {
		return nil, x.bad("Invalid type: "+err.Error(), "")
	}
	if req.Model == "" {
		return nil, x.bad("you must provide a model parameter", "model")
	}
	if strings.Contains(req.Model, "no-such") {
		f := x.p.noModel(req.Model)
		return nil, &f
	}
	if len(req.Messages) == 0 {
		return nil, x.bad("Invalid 'messages': empty array.", "messages")
	}
	if len(req.Stop) > 0 && json.Unmarshal(req.Stop, &req.stop) != nil {
		var one string
		if json.Unmarshal(req.Stop, &one) != nil {
			return nil, x.bad("Invalid 'stop'.", "stop")
		}
		if x.p.id == "together" { // its document has an array only
			return nil, &failure{422, x.p.errorBody("stop: Input should be a valid list", "invalid_request_error", "", "stop")}
		}
		req.stop = []string{one}
	}
	return req, nil
}

// refuse checks what this provider does not take, in its own words.
func (x *exchange) refuse() *failure {
	for _, check := range []func() *failure{x.unknownFields, x.ranges, x.toolTurns, x.reasoningRules, x.formats} {
		if f := check(); f != nil {
			return f
		}
	}
	return nil
}

func (x *exchange) unknownFields() *failure {
	if x.p.fields != nil {
		for _, name := range sortedKeys(x.req.raw) {
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
		for _, name := range sortedKeys(m) {
			if !slices.Contains(x.p.message, name) {
				return x.unknownField(fmt.Sprintf("messages[%d].", i), name)
			}
		}
	}
	return nil
}

func sortedKeys(m map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (x *exchange) unknownField(at, name string) *failure {
	switch x.p.id {
	case "mistral":
		return &failure{422, object{"object": "error", "type": "invalid_request_error", "param": nil, "code": nil,
			"message": object{"detail": []any{object{"type": "extra_forbidden", "loc": []string{"body", at + name}, "msg": "Extra inputs are not permitted"}}}}}
	case "groq":
		return x.bad("property '"+at+name+"' is unsupported", "")
	}
	return &failure{400, x.p.errorBody("Unknown parameter: '"+at+name+"'.", "invalid_request_error", "unknown_parameter", at+name)}
}

func (x *exchange) ranges() *failure {
	r := x.req
	switch {
	case r.Temperature != nil && (*r.Temperature < 0 || *r.Temperature > x.p.maxTemp):
		return x.bad(fmt.Sprintf("Invalid 'temperature': expected a value between 0 and %v.", x.p.maxTemp), "temperature")
	case r.TopP != nil && (*r.TopP < 0 || *r.TopP > 1):
		return x.bad("Invalid 'top_p': expected a value between 0 and 1.", "top_p")
	case r.MaxTokens != nil && *r.MaxTokens < 1:
		return x.bad("Invalid 'max_tokens': integer below minimum value.", "max_tokens")
	case len(r.stop) > x.p.maxStop:
		return x.bad(fmt.Sprintf("Invalid 'stop': expected at most %d sequences.", x.p.maxStop), "stop")
	case r.N != nil && *r.N != 1 && (x.p.id == "groq" || x.p.id == "deepseek"):
		return x.bad("'n' : number must be at most 1", "n")
	case len(x.body) > 16<<20:
		f := x.p.faults(x)[TooLong]
		return &f
	}
	return nil
}

var nineLetters = regexp.MustCompile(`^[a-zA-Z0-9]{9}$`)

func (x *exchange) toolTurns() *failure {
	open := map[string]bool{}
	for i, m := range x.req.Messages {
		for _, c := range m.ToolCalls {
			if x.p.id == "mistral" && !nineLetters.MatchString(c.ID) {
				return &failure{400, object{"object": "error", "type": "invalid_function_call", "param": nil, "code": "3280",
					"message": "Tool call id was " + c.ID + " but must be a-z, A-Z, 0-9, with a length of 9."}}
			}
			open[c.ID] = true
		}
		if m.Role == "tool" && !open[m.ToolCallID] {
			return x.bad("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.", fmt.Sprintf("messages.[%d].role", i))
		}
		if x.p.id == "deepseek" && x.thinking() && len(m.ToolCalls) > 0 && m.ReasoningContent == nil {
			return &failure{400, x.p.errorBody("The `reasoning_content` in the thinking mode must be passed back to the API.", "invalid_request_error", "invalid_request_error", "")}
		}
	}
	return nil
}

// openAIReasons matches OpenAI's reasoning family.
var openAIReasons = regexp.MustCompile(`^(o\d|gpt-([5-9]|\d\d))`)

// openAIToolless matches the models that refuse functions while they reason (openai-openapi#541).
var openAIToolless = regexp.MustCompile(`^gpt-5\.[456]`)

func (x *exchange) thinking() bool {
	r := x.req
	switch x.p.id {
	case "openai":
		return openAIReasons.MatchString(r.Model) && r.ReasoningEffort != "none"
	case "deepseek":
		return r.Thinking == nil || r.Thinking.Type != "disabled" // enabled by default
	case "openrouter":
		return r.Reasoning != nil && r.Reasoning.Effort != "none"
	}
	return r.ReasoningEffort != "" && r.ReasoningEffort != "none"
}

func (x *exchange) reasoningRules() *failure {
	r, thinking := x.req, x.thinking()
	switch {
	case x.p.id == "openai" && openAIReasons.MatchString(r.Model):
		if r.MaxTokens != nil {
			return &failure{400, x.p.errorBody("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "invalid_request_error", "unsupported_parameter", "max_tokens")}
		}
		if thinking {
			for _, name := range []string{"temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias"} {
				if r.raw[name] != nil {
					return &failure{400, x.p.errorBody("Unsupported parameter: '"+name+"' is not supported with this model.", "invalid_request_error", "unsupported_parameter", name)}
				}
			}
		}
		if thinking && len(r.Tools) > 0 && openAIToolless.MatchString(r.Model) {
			return &failure{400, x.p.errorBody("Function tools with reasoning_effort are not supported for "+r.Model+" in /v1/chat/completions. Please use /v1/responses or set reasoning_effort to 'none'.", "invalid_request_error", "", "reasoning_effort")}
		}
	case x.p.id == "mistral" && r.ReasoningEffort != "" && r.ReasoningEffort != "high" && r.ReasoningEffort != "none":
		return &failure{422, x.p.errorBody("reasoning_effort: Input should be 'high' or 'none'", "invalid_request_error", "", "")}
	case x.p.id == "deepseek" && thinking && x.mustCall():
		return &failure{400, x.p.errorBody("Thinking mode does not support this tool_choice", "invalid_request_error", "invalid_request_error", "")}
	case x.p.id == "fireworks" && r.Thinking != nil && r.ReasoningEffort != "":
		return x.bad("Only one of 'thinking' and 'reasoning_effort' may be set.", "")
	}
	return nil
}

// mustCall says whether tool_choice demands a call.
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
		return &failure{400, x.p.errorBody("This response_format type is unavailable now", "invalid_request_error", "invalid_request_error", "")}
	}
	if f.Type == "json_object" && (x.p.id == "deepseek" || x.p.id == "openai") && !strings.Contains(strings.ToLower(string(x.req.raw["messages"])), "json") {
		return x.bad("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", "messages")
	}
	return nil
}
