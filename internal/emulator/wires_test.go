package emulator

import (
	"encoding/json"
	"strings"
	"testing"
)

// request is a request that belongs to no wire format.
type request struct {
	prompt string
	stream bool
	tools  bool
	think  bool
	limit  int
	stop   string
	model  string
}

// result is an answer, read by a decoder of these tests.
type result struct {
	text, reasoning, finish, refusal string
	calls                            [4]string // names and arguments
	prompt, completion, reasoned     float64
}

// carrier writes requests and reads answers of one wire format.
type carrier struct {
	name, provider string
	request        func(a request) (path string, body object)
	whole          func(t *testing.T, text string) result
	streamed       func(t *testing.T, text string) result
	// end is in every complete stream, and in no other.
	end string
}

func carriers() []carrier {
	list := []carrier{
		{"responses", "openai", encodeResponses, hearResponses, hearResponsesEvents, "response.completed"},
		{"messages", "anthropic", encodeMessages, hearMessage, hearMessageEvents, "message_stop"},
		{"generate", "gemini", encodeGenerate("?alt=sse"), hearGenerated, hearGeneratedEvents, `"finishReason"`},
		{"array", "gemini", encodeGenerate(""), hearGenerated, hearGeneratedArray, `"finishReason"`},
	}
	for _, p := range profiles() {
		if _, ok := p.wire.(chatWire); ok {
			list = append(list, carrier{p.id, p.id, encodeChat(p), hearChat, hearChatEvents, "[DONE]"})
		}
	}
	return list
}

var weather = object{"type": "object",
	"properties": object{"city": object{"type": "string"}, "days": object{"type": "integer"}}, "required": []any{"city"}}

func functions() []any {
	return []any{
		object{"type": "function", "function": object{"name": "weather", "parameters": weather}},
		object{"type": "function", "function": object{"name": "now"}},
	}
}

func encodeChat(p *profile) func(request) (string, object) {
	return func(a request) (string, object) {
		body := object{"model": p.ids[0], "messages": []any{object{"role": "user", "content": a.prompt}}}
		if a.think && p.id == "openai" {
			body["model"] = "gpt-5"
		}
		if a.think && p.thinks != nil {
			body["model"] = p.ids[len(p.ids)-1]
		}
		if a.model != "" {
			body["model"] = a.model
		}
		switch {
		case a.think && p.id == "openrouter":
			body["reasoning"] = object{"effort": "high"}
		case a.think:
			body["reasoning_effort"] = "high"
		case p.thinks != nil && p.thinks(&chatRequest{Model: p.ids[0]}):
			body["reasoning_effort"] = "none"
		case p.id == "deepseek":
			body["thinking"] = object{"type": "disabled"}
		}
		if a.tools {
			body["tools"] = functions()
		}
		if a.limit > 0 {
			body["max_tokens"] = a.limit
		}
		if a.stop != "" {
			body["stop"] = []string{a.stop}
		}
		if a.stream {
			body["stream"] = true
			if p.usage == usageOwnChunk || p.usage == usageIfRequested {
				body["stream_options"] = object{"include_usage": true}
			}
		}
		return "/chat/completions", body
	}
}

func hearChat(t *testing.T, text string) result {
	h := result{}
	h.chat(parse(t, text), "message")
	return h
}

func hearChatEvents(t *testing.T, text string) result {
	h := result{}
	data, _ := sse(t, text)
	for _, d := range data {
		h.chat(d, "delta")
	}
	return h
}

func (h *result) chat(v map[string]any, member string) {
	if u := dig(v, "usage"); u != nil {
		h.prompt, h.completion = num(dig(u, "prompt_tokens")), num(dig(u, "completion_tokens"))
		h.reasoned = num(dig(u, "completion_tokens_details", "reasoning_tokens"))
	}
	for _, c := range items(v["choices"]) {
		if f := str(dig(c, "finish_reason")); f != "" {
			h.finish = map[string]string{"eos": "stop", "model_length": "length"}[f]
			if h.finish == "" {
				h.finish = f
			}
		}
		m := dig(c, member)
		h.text += str(dig(m, "content"))
		for _, part := range items(dig(m, "content")) {
			h.text += str(dig(part, "text"))
			h.reasoning += str(dig(part, "thinking", 0, "text"))
		}
		h.refusal += str(dig(m, "refusal"))
		h.reasoning += str(dig(m, "reasoning_content")) + str(dig(m, "reasoning"))
		for _, call := range items(dig(m, "tool_calls")) {
			i := int(num(dig(call, "index")))
			h.calls[i] += str(dig(call, "function", "name")) + str(dig(call, "function", "arguments"))
		}
	}
}

func encodeResponses(a request) (string, object) {
	body := object{"model": "gpt-4.1", "input": a.prompt, "store": false}
	if a.think {
		body["model"], body["reasoning"], body["include"] = "gpt-5", object{"effort": "high",
			"summary": "auto"}, []string{"reasoning.encrypted_content"}
	}
	if a.model != "" {
		body["model"] = a.model
	}
	if a.tools {
		body["tools"] = []any{object{"type": "function", "name": "weather", "parameters": weather, "strict": false},
			object{"type": "function", "name": "now", "parameters": object{"type": "object", "properties": object{}}, "strict": false}}
	}
	if a.limit > 0 {
		body["max_output_tokens"] = max(a.limit, 16)
	}
	if a.stream {
		body["stream"] = true
	}
	return "/responses", body
}

func hearResponses(t *testing.T, text string) result {
	h := result{}
	h.response(parse(t, text))
	return h
}

func (h *result) response(v any) {
	h.prompt, h.completion = num(dig(v, "usage", "input_tokens")), num(dig(v, "usage", "output_tokens"))
	h.reasoned = num(dig(v, "usage", "output_tokens_details", "reasoning_tokens"))
	h.finish = map[string]string{"completed": "stop", "incomplete": "length"}[str(dig(v, "status"))]
	if str(dig(v, "incomplete_details", "reason")) == "content_filter" {
		h.finish = "content_filter"
	}
	n := 0
	for _, item := range items(dig(v, "output")) {
		switch str(dig(item, "type")) {
		case "message":
			for _, c := range items(dig(item, "content")) {
				h.text += str(dig(c, "text"))
				h.refusal += str(dig(c, "refusal"))
			}
		case "reasoning":
			h.reasoning += str(dig(item, "summary", 0, "text"))
		case "function_call":
			h.finish = "tool_calls"
			h.calls[n] = str(dig(item, "name")) + str(dig(item, "arguments"))
			n++
		}
	}
}

// hearResponsesEvents listens to the deltas, and takes from the last event only how it ended.
func hearResponsesEvents(t *testing.T, text string) result {
	h, last := result{}, result{}
	data, _ := sse(t, text)
	n := -1
	for _, d := range data {
		switch str(d["type"]) {
		case "response.output_text.delta":
			h.text += str(d["delta"])
		case "response.refusal.delta":
			h.refusal += str(d["delta"])
		case "response.reasoning_summary_text.delta":
			h.reasoning += str(d["delta"])
		case "response.output_item.added":
			if str(dig(d, "item", "type")) == "function_call" {
				n++
				h.calls[n] = str(dig(d, "item", "name"))
			}
		case "response.function_call_arguments.delta":
			h.calls[n] += str(d["delta"])
		case "response.completed", "response.incomplete":
			last.response(d["response"])
		}
	}
	h.finish, h.prompt, h.completion, h.reasoned = last.finish, last.prompt, last.completion, last.reasoned
	return h
}

func encodeMessages(a request) (string, object) {
	body := object{"model": "claude-haiku-4-5", "max_tokens": 8000, "messages": []any{object{"role": "user", "content": a.prompt}}}
	if a.think {
		body["thinking"] = object{"type": "enabled", "budget_tokens": 1024}
	}
	if a.model != "" {
		body["model"] = a.model
	}
	if a.tools {
		body["tools"] = []any{object{"name": "weather", "input_schema": weather},
			object{"name": "now", "input_schema": object{"type": "object", "properties": object{}}}}
	}
	if a.limit > 0 {
		body["max_tokens"] = a.limit
	}
	if a.stop != "" {
		body["stop_sequences"] = []string{a.stop}
	}
	if a.stream {
		body["stream"] = true
	}
	return "/v1/messages", body
}

func (h *result) stopReason(s string) {
	h.finish = map[string]string{"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length",
		"tool_use": "tool_calls", "refusal": "content_filter"}[s]
}

func hearMessage(t *testing.T, text string) result {
	v, h := parse(t, text), result{}
	h.prompt, h.completion = num(dig(v, "usage", "input_tokens")), num(dig(v, "usage", "output_tokens"))
	h.stopReason(str(v["stop_reason"]))
	n := 0
	for _, b := range items(v["content"]) {
		h.text += str(dig(b, "text"))
		h.reasoning += str(dig(b, "thinking"))
		if str(dig(b, "type")) == "tool_use" {
			h.calls[n] = str(dig(b, "name")) + string(encode(dig(b, "input")))
			n++
		}
	}
	h.refusal = str(dig(v, "stop_details", "explanation"))
	return h
}

func hearMessageEvents(t *testing.T, text string) result {
	h := result{}
	data, names := sse(t, text)
	calls, arguments := -1, ""
	for i, d := range data {
		if names[i] != str(d["type"]) {
			t.Errorf("event %s of type %v", names[i], d["type"])
		}
		switch names[i] {
		case "message_start":
			h.prompt = num(dig(d, "message", "usage", "input_tokens"))
		case "content_block_start":
			if str(dig(d, "content_block", "type")) == "tool_use" {
				calls, arguments = calls+1, ""
				h.calls[calls] = str(dig(d, "content_block", "name"))
			}
		case "content_block_delta":
			h.text += str(dig(d, "delta", "text"))
			h.reasoning += str(dig(d, "delta", "thinking"))
			arguments += str(dig(d, "delta", "partial_json"))
		case "content_block_stop":
			if calls >= 0 && h.calls[calls] != "" && !strings.Contains(h.calls[calls], "{") {
				if arguments == "" {
					arguments = "{}"
				}
				h.calls[calls] += canonical(json.RawMessage(arguments))
			}
		case "message_delta":
			h.stopReason(str(dig(d, "delta", "stop_reason")))
			h.completion = num(dig(d, "usage", "output_tokens"))
			h.refusal = str(dig(d, "delta", "stop_details", "explanation"))
		}
	}
	return h
}

func encodeGenerate(query string) func(request) (string, object) {
	return func(a request) (string, object) {
		model := "gemini-3.1-pro-preview"
		if a.model != "" {
			model = a.model
		}
		config := object{}
		if a.think {
			config["thinkingConfig"] = object{"includeThoughts": true}
		}
		if a.limit > 0 {
			config["maxOutputTokens"] = a.limit
		}
		if a.stop != "" {
			config["stopSequences"] = []string{a.stop}
		}
		body := object{"contents": []any{object{"role": "user", "parts": []any{object{"text": a.prompt}}}}, "generationConfig": config}
		if a.tools {
			body["tools"] = []any{object{"functionDeclarations": []any{object{"name": "weather",
				"parametersJsonSchema": weather}, object{"name": "now"}}}}
		}
		method := ":generateContent"
		if a.stream {
			method = ":streamGenerateContent" + query
		}
		return "/v1beta/models/" + model + method, body
	}
}

func hearGenerated(t *testing.T, text string) result {
	h := result{}
	h.generated(parse(t, text))
	return h
}

func hearGeneratedEvents(t *testing.T, text string) result {
	h := result{}
	data, _ := sse(t, text)
	for _, d := range data {
		h.generated(d)
	}
	return h
}

func hearGeneratedArray(t *testing.T, text string) result {
	var list []map[string]any
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	h := result{}
	for _, d := range list {
		h.generated(d)
	}
	return h
}

func (h *result) generated(v map[string]any) {
	if u := v["usageMetadata"]; u != nil {
		h.prompt, h.reasoned = num(dig(u, "promptTokenCount")), num(dig(u, "thoughtsTokenCount"))
		h.completion = num(dig(u, "candidatesTokenCount")) + h.reasoned
	}
	if reason := str(dig(v, "promptFeedback", "blockReason")); reason != "" {
		h.refusal, h.finish = reason, "content_filter"
	}
	c := dig(v, "candidates", 0)
	if f := str(dig(c, "finishReason")); f != "" {
		h.finish = map[string]string{"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter"}[f]
	}
	for _, p := range items(dig(c, "content", "parts")) {
		if dig(p, "thought") == true {
			h.reasoning += str(dig(p, "text"))
		} else {
			h.text += str(dig(p, "text"))
		}
		if f := dig(p, "functionCall"); f != nil {
			n := 0
			for h.calls[n] != "" {
				n++
			}
			h.calls[n] = str(dig(f, "name")) + string(encode(dig(f, "args")))
		}
	}
	if h.calls[0] != "" && h.finish == "stop" {
		h.finish = "tool_calls"
	}
}
