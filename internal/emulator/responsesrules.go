package emulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

func (x *exchange) badResponse(code, param, format string, args ...any) *failure {
	return &failure{400, x.p.errorBody(fmt.Sprintf(format, args...), "invalid_request_error", code, param)}
}

// read reads the body, and refuses a body that has not the shape of a request.
func (r *responsesRequest) read(x *exchange, form *shape) *failure {
	v, err := decode(x.body)
	raw, ok := v.(map[string]any)
	if err != nil || !ok {
		return x.badResponse("", "",
			"We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)")
	}
	r.raw = raw
	if f := r.moved(x); f != nil {
		return f
	}
	rd := &reader{}
	rd.read(form, raw, nil)
	if len(rd.found) > 0 {
		return x.misshapenResponse(rd.found[0])
	}
	if err := json.Unmarshal(x.body, r); err != nil {
		return x.badResponse("invalid_type", "", "Invalid type: %v", err)
	}
	r.model = openAIModelOf(r.Model)
	var text string
	if json.Unmarshal(r.Input, &text) == nil && len(r.Input) > 0 {
		r.items = []item{{Type: "message", Role: "user", Content: r.Input}}
	} else {
		json.Unmarshal(r.Input, &r.items)
	}
	for i := range r.items {
		if r.items[i].Type == "" {
			r.items[i].Type = "message"
		}
	}
	if x.model = r.Model; strings.Contains(r.Model, "no-such") {
		f := x.wire.fault(x, NoModel)
		return &f
	}
	return nil
}

// moved refuses the fields of chat completions that have another name here.
func (r *responsesRequest) moved(x *exchange) *failure {
	for _, m := range [][2]string{{"messages", "input"}, {"max_tokens", "max_output_tokens"},
		{"max_completion_tokens", "max_output_tokens"},
		{"response_format", "text.format"}, {"reasoning_effort", "reasoning.effort"}, {"verbosity", "text.verbosity"}} {
		if _, have := r.raw[m[0]]; have {
			return x.badResponse("unsupported_parameter", m[0],
				"Unsupported parameter: '%s'. In the Responses API, this parameter has moved to '%s'. Try again with the new parameter. See the API documentation for more information: https://platform.openai.com/docs/api-reference/responses/create.", m[0], m[1])
		}
	}
	return nil
}

func (x *exchange) misshapenResponse(v violation) *failure {
	at := v.path.brackets(func(s string) string { return s })
	switch v.wrong {
	case wrongUnknown:
		return x.badResponse("unknown_parameter", at, "Unknown parameter: '%s'.", at)
	case wrongMissing:
		return x.badResponse("missing_required_parameter", at, "Missing required parameter: '%s'.", at)
	case wrongWord:
		return x.badResponse("invalid_value", at, "Invalid value: '%v'. Supported values are: '%s'.", v.got,
			strings.ReplaceAll(v.want, ", ", "', '"))
	}
	return x.badResponse("invalid_type", at,
		"Invalid type for '%s': expected one of %s, but got something else instead.", at, v.want)
}

// refuse checks what the API refuses, and answers in its own words.
func (r *responsesRequest) refuse(x *exchange) *failure {
	for _, check := range []func(*exchange) *failure{r.refuseFields, r.refuseModel, r.refuseTools, r.refuseItems,
		r.refuseState} {
		if f := check(x); f != nil {
			return f
		}
	}
	return nil
}

func (r *responsesRequest) refuseFields(x *exchange) *failure {
	switch {
	case r.PreviousResponse != "":
		return x.badResponse("previous_response_not_found", "previous_response_id",
			"Previous response with id '%s' not found.", r.PreviousResponse)
	case r.Conversation != nil:
		return &failure{404, x.p.errorBody("Conversation not found.", "invalid_request_error", "", "")}
	case len(r.items) == 0:
		return x.badResponse("missing_required_parameter", "input", "Missing required parameter: 'input'.")
	case r.MaxOutputTokens != nil && *r.MaxOutputTokens < 16:
		return x.badResponse("integer_below_min_value", "max_output_tokens",
			"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got %d instead.",
			*r.MaxOutputTokens)
	case r.Temperature != nil && (*r.Temperature < 0 || *r.Temperature > 2):
		return x.badResponse("decimal_above_max_value", "temperature",
			"Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got %v instead.",
			*r.Temperature)
	case r.TopP != nil && (*r.TopP < 0 || *r.TopP > 1):
		return x.badResponse("decimal_above_max_value", "top_p",
			"Invalid 'top_p': decimal above maximum value. Expected a value <= 1, but got %v instead.", *r.TopP)
	case r.raw["stream_options"] != nil && !r.Stream:
		return x.badResponse("", "stream_options",
			"The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	case r.Background && r.Store != nil && !*r.Store:
		return x.badResponse("", "background", "Background mode requires 'store' to be true.")
	}
	f := r.Text.Format
	if f.Type == "json_object" && !strings.Contains(strings.ToLower(string(r.Input)+r.Instructions), "json") {
		return x.badResponse("", "input",
			"Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.")
	}
	if wrong := openSchema(f.Schema); f.Strict && wrong != "" {
		return x.badResponse("invalid_json_schema", "text.format.schema", "Invalid schema for response_format '%s': %s",
			f.Name, wrong)
	}
	return nil
}

func (r *responsesRequest) refuseModel(x *exchange) *failure {
	m, effort := r.model, r.Reasoning.Effort
	if name := m.unsupported(effort, func(name string) bool { return r.raw[name] != nil }); name != "" {
		return x.badResponse("", name, "Unsupported parameter: '%s' is not supported with this model.", name)
	}
	if !m.reasons {
		switch {
		case effort != "":
			return x.badResponse("unsupported_parameter", "reasoning.effort",
				"Unsupported parameter: 'reasoning.effort' is not supported with this model.")
		case r.Reasoning.Summary != "":
			return x.badResponse("unsupported_parameter", "reasoning.summary",
				"Unsupported parameter: 'reasoning.summary' is not supported with this model.")
		case slices.Contains(r.Include, "reasoning.encrypted_content"):
			return x.badResponse("", "include", "Encrypted content is not supported with this model.")
		}
	}
	if effort != "" && m.reasons && !slices.Contains(m.efforts, effort) {
		return x.badResponse("unsupported_value", "reasoning.effort", "%s",
			unsupportedEffort(effort, r.Model, m.efforts))
	}
	return nil
}

func (r *responsesRequest) refuseTools(x *exchange) *failure {
	names := map[string]bool{}
	for i, t := range r.Tools {
		if t.Type != "function" {
			continue
		}
		at := fmt.Sprintf("tools[%d]", i)
		switch {
		case !functionName(t.Name):
			return x.badResponse("invalid_value", at+".name",
				"Invalid '%s.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", at)
		case t.Strict && openSchema(t.Parameters) != "":
			return x.badResponse("invalid_function_parameters", at+".parameters",
				"Invalid schema for function '%s': %s", t.Name, openSchema(t.Parameters))
		}
		names[t.Name] = true
	}
	var named struct{ Type, Name string }
	json.Unmarshal(r.ToolChoice, &named)
	var word string
	json.Unmarshal(r.ToolChoice, &word)
	switch {
	case named.Type == "function" && !names[named.Name]:
		return x.badResponse("", "tool_choice", "Tool choice 'function' not found in 'tools' parameter.")
	case named.Type == "" && named.Name != "":
		return x.badResponse("missing_required_parameter", "tool_choice.type",
			"Missing required parameter: 'tool_choice.type'.")
	case word == "required" && len(r.Tools) == 0:
		return x.badResponse("", "tool_choice", "Tool choice 'required' must be specified with 'tools' parameter.")
	}
	return nil
}

func functionName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// openSchema returns why strict functions cannot have a schema: objects must be closed, and all their members
// required.
func openSchema(raw json.RawMessage) string {
	v, _ := decode(raw)
	return openAt(v)
}

func openAt(v any) string {
	s, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	inner, _ := s["properties"].(map[string]any)
	if s["type"] == "object" {
		if s["additionalProperties"] != false {
			return "In context=(), 'additionalProperties' is required to be supplied and to be false."
		}
		required, _ := s["required"].([]any)
		for _, name := range keys(inner) {
			if !slices.Contains(required, any(name)) {
				return "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing '" + name + "'."
			}
		}
	}
	for _, name := range keys(inner) {
		if wrong := openAt(inner[name]); wrong != "" {
			return wrong
		}
	}
	return openAt(s["items"])
}

// refuseItems checks that calls and outputs match, and what each role may send.
func (r *responsesRequest) refuseItems(x *exchange) *failure {
	called, answered := map[string]bool{}, map[string]bool{}
	for i, it := range r.items {
		switch it.Type {
		case "message":
			if f := it.refuse(x, i); f != nil {
				return f
			}
		case "function_call":
			if called[it.CallID] {
				return x.badResponse("", "input", "Duplicate function call found with call_id %s.", it.CallID)
			}
			if len(it.CallID) > 64 {
				at := fmt.Sprintf("input[%d].call_id", i)
				return x.badResponse("string_above_max_length", at, "Invalid '%s': string too long. Expected a string with maximum length 64, but got a string with length %d instead.", at, len(it.CallID))
			}
			called[it.CallID] = true
		case "function_call_output":
			if !called[it.CallID] {
				return x.badResponse("", "input", "No tool call found for function call output with call_id %s.",
					it.CallID)
			}
			if answered[it.CallID] {
				return x.badResponse("", "input", "Duplicate tool output found for function call %s.", it.CallID)
			}
			answered[it.CallID] = true
		}
	}
	for _, it := range r.items {
		if it.Type == "function_call" && !answered[it.CallID] {
			return x.badResponse("", "input", "No tool output found for function call %s.", it.CallID)
		}
	}
	return nil
}

// refuse checks the parts of a message: the assistant's are output, all others input.
func (it *item) refuse(x *exchange, i int) *failure {
	var parts []struct {
		Type     string  `json:"type"`
		ImageURL string  `json:"image_url"`
		FileID   *string `json:"file_id"`
	}
	json.Unmarshal(it.Content, &parts)
	for j, p := range parts {
		at := fmt.Sprintf("input[%d].content[%d]", i, j)
		output := p.Type == "output_text" || p.Type == "refusal"
		switch {
		case it.Role == "assistant" && !output:
			return x.badResponse("invalid_value", at,
				"Invalid value: '%s'. Supported values are: 'output_text' and 'refusal'.", p.Type)
		case it.Role != "assistant" && output:
			return x.badResponse("invalid_value", at,
				"Invalid value: '%s'. Supported values are: 'input_text', 'input_image', and 'input_file'.", p.Type)
		case p.Type == "input_image" && p.ImageURL == "" && p.FileID == nil:
			return x.badResponse("missing_required_parameter", at+".image_url",
				"Missing required parameter: '%s.image_url'.", at)
		}
		if _, data, ok := dataURL(p.ImageURL); ok {
			if _, ok := unbase64(data); !ok {
				return x.badResponse("invalid_base64", at+".image_url",
					"Invalid '%s.image_url'. Expected a base64-encoded data URL with an image MIME type.", at)
			}
		}
	}
	return nil
}

// refuseState checks the reasoning of the history: it must be unchanged, and precede the item that it led to
// (recorded).
func (r *responsesRequest) refuseState(x *exchange) *failure {
	for i, it := range r.items {
		switch it.Type {
		case "item_reference":
			return &failure{404, x.p.errorBody("Item with id '"+it.ID+"' not found.", "invalid_request_error", "",
				"input")}
		case "reasoning":
		default:
			continue
		}
		if it.EncryptedContent == "" && !x.keeps(it.ID) {
			return &failure{404, x.p.errorBody("Item with id '"+it.ID+
				"' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.", "invalid_request_error", "", "input")}
		}
		raw, _ := base64.URLEncoding.DecodeString(strings.TrimPrefix(it.EncryptedContent, encryptedPrefix))
		if _, fits := verifyState("encrypted", raw, x.account()+it.ID); !fits && it.EncryptedContent != "" {
			return x.badResponse("invalid_encrypted_content", "",
				"The encrypted content for item %s could not be verified. Reason: Encrypted content item_id did not match the target item id.", it.ID)
		}
		if i+1 == len(r.items) || r.items[i+1].Type == "function_call_output" || r.items[i+1].Type == "message" &&
			r.items[i+1].Role != "assistant" {
			return x.badResponse("", "input",
				"Item '%s' of type 'reasoning' was provided without its required following item.", it.ID)
		}
	}
	return nil
}

// keep stores an item; keeps reports whether it is stored.
func (x *exchange) keep(id string) {
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	if len(x.e.stored) >= maxCached {
		clear(x.e.stored)
	}
	x.e.stored[x.account()+id] = true
}

func (x *exchange) keeps(id string) bool {
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	return x.e.stored[x.account()+id]
}
