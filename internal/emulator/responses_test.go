package emulator

import (
	"strings"
	"testing"
)

func responsesBodyOf(more object) object {
	return merge(object{"model": "gpt-5", "input": "hi", "store": false}, more)
}

func TestResponsesStrictness(t *testing.T) {
	tool := object{"type": "function", "name": "now",
		"parameters": object{"type": "object", "properties": object{"a": object{"type": "string"}}}}
	call := object{"type": "function_call", "call_id": "c", "name": "now", "arguments": "{}"}
	output := object{"type": "function_call_output", "call_id": "c", "output": "noon"}
	said := func(role, kind string) []any {
		return []any{object{"role": role, "content": []any{object{"type": kind, "text": "hi"}}}}
	}
	tests := map[string]struct {
		more object
		part string // of the error; empty: it is taken
	}{
		"unknown field": {object{"nonsense": 1}, `"unknown_parameter"`},
		"unknown in item": {object{"input": []any{object{"role": "user", "content": "hi", "name": "ann"}}},
			"Unknown parameter: 'input[0].name'."},
		"unknown in part": {object{"input": []any{object{"role": "user",
			"content": []any{object{"type": "input_text", "text": "hi", "x": 1}}}}}, "'input[0].content[0].x'"},
		"messages":          {object{"messages": []any{}}, "moved to 'input'"},
		"max_tokens":        {object{"max_tokens": 50}, "moved to 'max_output_tokens'"},
		"response_format":   {object{"response_format": object{}}, "moved to 'text.format'"},
		"no input":          {object{"input": nil}, "Missing required parameter: 'input'"},
		"no model":          {object{"model": nil}, "Missing required parameter: 'model'"},
		"wrong type":        {object{"input": 5}, `"invalid_type"`},
		"too few tokens":    {object{"max_output_tokens": 15}, "Expected a value >= 16"},
		"previous":          {object{"previous_response_id": "resp_1"}, `"previous_response_not_found"`},
		"unknown item":      {object{"input": []any{object{"type": "dance"}}}, `"invalid_value"`},
		"input of the user": {object{"input": said("user", "output_text")}, "Supported values are: 'input_text'"},
		"output of ours":    {object{"input": said("assistant", "input_text")}, "'output_text' and 'refusal'"},
		"said before":       {object{"input": append(said("assistant", "output_text"), said("user", "input_text")...)}, ""},
		"options, whole":    {object{"stream_options": object{"include_obfuscation": false}}, "only allowed when 'stream'"},
		"json":              {object{"text": object{"format": object{"type": "json_object"}}}, "must contain the word 'json'"},

		"nested tool":      {object{"tools": functions()}, "Missing required parameter: 'tools[0].name'"},
		"tool":             {object{"tools": []any{tool}}, ""},
		"strict tool":      {object{"tools": []any{merge(tool, object{"strict": true})}}, `"invalid_function_parameters"`},
		"choice of nobody": {object{"tools": []any{tool}, "tool_choice": object{"type": "function", "name": "x"}}, "not found in 'tools'"},
		"pair":             {object{"input": []any{call, output}}, ""},
		"no output":        {object{"input": []any{call}}, "No tool output found for function call c."},
		"no call":          {object{"input": []any{output}}, "No tool call found"},

		"temperature":         {object{"temperature": 1}, "'temperature' is not supported"},
		"temperature at rest": {object{"model": "gpt-5.6-sol", "reasoning": object{"effort": "none"}, "temperature": 1}, ""},
		"effort":              {object{"reasoning": object{"effort": "xhigh"}}, `"unsupported_value"`},
		"effort of no mind":   {object{"model": "gpt-4.1", "reasoning": object{"effort": "low"}}, "'reasoning.effort' is not supported"},
		"secret of no mind": {object{"model": "gpt-4.1", "include": []string{"reasoning.encrypted_content"}},
			"Encrypted content is not supported"},
		"include": {object{"include": []string{"everything"}}, "include[0]"},
		"forged": {object{"input": []any{object{"type": "reasoning", "id": "rs_1", "summary": []any{},
			"encrypted_content": "gAAAAAx"}, object{"role": "assistant", "content": "a"}}}, `"invalid_encrypted_content"`},
		"model": {object{"model": "no-such"}, `"model_not_found"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, text := newClient(t).post("openai", "/responses", responsesBodyOf(tt.more))
			if tt.part == "" && status != 200 || tt.part != "" && (status != 400 || !strings.Contains(text, tt.part)) {
				t.Errorf("%d %s", status, text)
			}
		})
	}
}

// Reasoning is valid only unchanged: encrypted, before the item that it led to, and for the same account.
func TestReasoningItemsAreReplayed(t *testing.T) {
	cl := newClient(t)
	tools := []any{object{"type": "function", "name": "now", "parameters": object{"type": "object", "properties": object{}}}}
	first := responsesBodyOf(object{"input": "call", "tools": tools, "include": []string{"reasoning.encrypted_content"},
		"reasoning": object{"summary": "auto"}})
	output := items(parse(t, cl.good("openai", "/responses", first))["output"])
	if len(output) != 2 || str(dig(output, 0, "encrypted_content")) == "" || str(dig(output, 0, "summary", 0, "text")) == "" {
		t.Fatalf("%v", output)
	}
	result := object{"type": "function_call_output", "call_id": dig(output, 1, "call_id"), "output": "noon"}
	replay := func(more ...any) object { return merge(first, object{"input": more}) }
	if text := cl.good("openai", "/responses", replay(output[0], output[1], result)); !strings.Contains(text, "The tool said: noon") {
		t.Errorf("%s", text)
	}
	reasoning := output[0].(map[string]any)
	for name, tt := range map[string]struct {
		body   object
		status int
		part   string
	}{
		"of another item": {replay(merge(reasoning, object{"id": "rs_2"}), output[1], result), 400, "invalid_encrypted_content"},
		"without state":   {replay(merge(reasoning, object{"encrypted_content": nil}), output[1], result), 404, "not persisted"},
		"at the end":      {replay(output[1], result, reasoning), 400, "without its required following item"},
	} {
		if status, text := cl.post("openai", "/responses", tt.body); status != tt.status || !strings.Contains(text, tt.part) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	resp, text, err := cl.send("POST", "openai", "/responses", "sk-another-account-1", replay(output[0], output[1], result))
	if err != nil || resp.StatusCode != 400 {
		t.Errorf("another account: %d %s", resp.StatusCode, text)
	}
	// A stored item needs no state.
	output = items(parse(t, cl.good("openai", "/responses", merge(first, object{"store": true, "include": nil})))["output"])
	cl.good("openai", "/responses", replay(output[0], output[1], merge(result, object{"call_id": dig(output, 1, "call_id")})))
}

func TestEventsOfAResponse(t *testing.T) {
	cl := newClient(t)
	tests := map[string]struct {
		more object
		want string
	}{
		"text": {object{"model": "gpt-4.1", "input": "words: 2"},
			"created in_progress output_item.added content_part.added output_text.delta output_text.delta output_text.done content_part.done output_item.done completed"},
		"refusal": {object{"model": "gpt-4.1", "input": "refuse"},
			"created in_progress output_item.added content_part.added refusal.delta refusal.delta refusal.delta refusal.delta refusal.delta refusal.done content_part.done output_item.done completed"},
		"thought": {object{"input": "think: one", "reasoning": object{"summary": "auto"}, "max_output_tokens": 16},
			"created in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done output_item.done " +
				"output_item.added content_part.added output_text.delta output_text.delta output_text.delta output_text.delta output_text.delta output_text.done content_part.done output_item.done completed"},
		"call": {object{"model": "gpt-4.1", "input": "call", "tools": []any{object{"type": "function", "name": "now"}}},
			"created in_progress output_item.added function_call_arguments.delta function_call_arguments.done output_item.done completed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data, names := sse(t, cl.good("openai", "/responses", responsesBodyOf(merge(tt.more, object{"stream": true}))))
			for i, d := range data {
				if int(num(d["sequence_number"])) != i || d["type"] != names[i] {
					t.Errorf("event %d is %v", i, d)
				}
			}
			if got := strings.ReplaceAll(strings.Join(names, " "), "response.", ""); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	_, text := cl.post("openai", "/responses",
		responsesBodyOf(object{"model": "gpt-4.1", "input": "words: 40", "max_output_tokens": 16, "stream": true}))
	if !strings.Contains(text, `"type":"response.incomplete"`) || !strings.Contains(text, `"reason":"max_output_tokens"`) {
		t.Errorf("%s", text)
	}
	cl.e.Set(Match{}, Behaviour{ErrorEvent: true, After: 2})
	_, text = cl.post("openai", "/responses", responsesBodyOf(object{"stream": true}))
	data, names := sse(t, text)
	if len(names) != 4 || names[2] != "error" || names[3] != "response.failed" ||
		num(data[2]["sequence_number"]) != 2 || num(data[3]["sequence_number"]) != 3 {
		t.Errorf("%s", text)
	}
}

func TestInputTokens(t *testing.T) {
	if text := newClient(t).good("openai", "/responses/input_tokens",
		object{"model": "gpt-4.1", "input": "one two"}); text != `{"object":"response.input_tokens","input_tokens":5}` {
		t.Errorf("%s", text)
	}
}
