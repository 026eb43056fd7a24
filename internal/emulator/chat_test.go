package emulator

import (
	"strings"
	"testing"
)

func chatBody(provider, text string, more object) object {
	return merge(object{"model": profileOf(provider).ids[0], "messages": []any{object{"role": "user", "content": text}}}, more)
}

func named(name string) []any {
	return []any{object{"type": "function", "function": object{"name": name, "parameters": object{"type": "object"}}}}
}

func TestStrictness(t *testing.T) {
	tests := []struct {
		provider, name string
		more           object
		status         int
		part           string
	}{
		{"openai", "unknown field", object{"nonsense": 1}, 400, "unknown_parameter"},
		{"openai", "max_tokens of a reasoner", object{"model": "gpt-5", "max_tokens": 5}, 400, "max_completion_tokens"},
		{"openai", "temperature of a reasoner", object{"model": "gpt-5", "temperature": 1}, 400, "unsupported_parameter"},
		{"openai", "tools while reasoning", object{"model": "gpt-5.6-sol", "tools": functions()}, 400, "/v1/responses"},
		{"openai", "tools at rest", object{"model": "gpt-5.4", "tools": functions()}, 200, "Hello"},
		{"openai", "tools with an effort", object{"model": "gpt-5.4", "tools": functions(), "reasoning_effort": "low"},
			400, "/v1/responses"},
		{"openai", "tools without an effort to choose", object{"model": "gpt-6.1-sol", "tools": functions()}, 400, "/v1/responses"},
		{"openai", "temperature at rest", object{"model": "gpt-5.1", "reasoning_effort": "none", "temperature": 1}, 200, "Hello"},
		{"openai", "stop of a reasoner", object{"model": "gpt-5.1", "stop": "x"}, 400, "unsupported_parameter"},
		{"openai", "effort of no reasoner", object{"reasoning_effort": "low"}, 400, "reasoning_effort"},
		{"openai", "unknown effort", object{"model": "gpt-5.6-sol", "reasoning_effort": "minimal"}, 400, "unsupported_value"},
		{"openai", "responses only", object{"model": "gpt-5-pro"}, 404, "v1/responses"},
		{"openai", "json without the word", object{"response_format": object{"type": "json_object"}}, 400, "must contain the word"},
		{"openai", "model", object{"model": "no-such"}, 404, "model_not_found"},
		{"mistral", "unknown field", object{"stream_options": object{}}, 422, "extra_forbidden"},
		{"mistral", "temperature", object{"temperature": 1.7}, 400, "temperature"},
		{"mistral", "effort", object{"reasoning_effort": "low"}, 422, "high"},
		{"groq", "n", object{"n": 2}, 400, "'n'"},
		{"groq", "logprobs", object{"logprobs": true}, 400, "unsupported"},
		{"together", "stop as a string", object{"stop": "x"}, 422, "list"},
		{"together", "logprobs as a boolean", object{"logprobs": true}, 422, "integer"},
		{"together", "logprobs", object{"logprobs": 2}, 200, `"token_logprobs":[-0.25,`},
		{"together", "logprobs in chunks", object{"logprobs": 2, "stream": true}, 200, `"logprobs":-0.25`},
		{"together", "no effort", object{"reasoning_effort": "none"}, 422, "reasoning_effort"},
		{"together", "a hybrid model", object{"model": "deepseek-ai/DeepSeek-V4-Pro"}, 200, `"reasoning":"The user`},
		{"together", "a hybrid model at rest",
			object{"model": "deepseek-ai/DeepSeek-V4-Pro", "reasoning": object{"enabled": false}}, 200,
			`{"content":"Hello! Together AI is emulated here; nothing left this machine.","role":"assistant"}`},
		{"together", "R1", object{"model": "deepseek-ai/DeepSeek-R1"}, 200,
			`{"content":"<think>\nThe user wants an answer: hi\n</think>\n\nHello!`},
		{"groq", "qwen", object{"model": "qwen/qwen3-32b"}, 200, `{"content":"<think>\nThe user`},
		{"groq", "qwen at rest", object{"model": "qwen/qwen3-32b", "reasoning_effort": "none"}, 200, `{"content":"Hello!`},
		{"groq", "qwen, parsed", object{"model": "qwen/qwen3-32b", "reasoning_format": "parsed"}, 200, `"reasoning":"The user`},
		{"groq", "qwen, hidden", object{"model": "qwen/qwen3-32b", "reasoning_format": "hidden"}, 200,
			`{"content":"Hello! Groq is emulated here; nothing left this machine.","role":"assistant"}`},
		{"groq", "qwen, raw, with tools", object{"model": "qwen/qwen3-32b", "reasoning_format": "raw", "tools": functions()}, 400, "raw"},
		{"groq", "format of another model", object{"reasoning_format": "parsed"}, 400, "not supported with this model"},
		{"deepseek", "schema", object{"response_format": object{"type": "json_schema"}}, 400, "unavailable"},
		{"deepseek", "forced tool while thinking", object{"tools": functions(), "tool_choice": "required"}, 400, "Thinking mode"},
		{"fireworks", "both ways to think", object{"thinking": object{"type": "enabled"}, "reasoning_effort": "low"}, 400, "Only one"},
		{"openai", "a long name", object{"tools": named(strings.Repeat("n", 65))}, 400, "string_above_max_length"},
		{"groq", "a name with dots", object{"tools": named("my.tool:x")}, 400, "does not match pattern"},
		{"mistral", "a long name", object{"tools": named(strings.Repeat("n", 65))}, 400, "maximum length of 64"},
		{"openrouter", "a name of 64", object{"tools": named(strings.Repeat("n", 64))}, 200, "Hello"},
		{"together", "a long name", object{"tools": named(strings.Repeat("n", 65))}, 200, "Hello"},
		{"openrouter", "no messages", object{"messages": []any{}}, 400, "messages"},
	}
	for _, tt := range tests {
		t.Run(tt.provider+"/"+tt.name, func(t *testing.T) {
			status, text := newClient(t).post(tt.provider, "/chat/completions", chatBody(tt.provider, "hi", tt.more))
			if status != tt.status || !strings.Contains(text, tt.part) {
				t.Errorf("%d %s", status, text)
			}
		})
	}
}

func TestToolTurns(t *testing.T) {
	turn := func(id string, more object) []any {
		assistant := object{"role": "assistant", "content": "",
			"tool_calls": []any{object{"id": id, "type": "function", "function": object{"name": "now", "arguments": "{}"}}}}
		for k, v := range more {
			assistant[k] = v
		}
		return []any{object{"role": "user", "content": "hi"}, assistant, object{"role": "tool", "tool_call_id": id, "content": "noon"}}
	}
	c := newClient(t)
	for _, tt := range []struct {
		provider string
		messages []any
		status   int
	}{
		{"mistral", turn("call_too_long", nil), 400},
		{"mistral", turn("abc123XYZ", nil), 200},
		{"mistral", append(turn("abc123XYZ", nil)[:2],
			object{"role": "tool", "tool_call_id": "abc123XYZ", "name": "now", "content": "noon"}), 200},
		{"mistral", []any{object{"role": "user", "name": "ann", "content": "hi"}}, 422},
		{"deepseek", turn("call_1", nil), 400},
		{"deepseek", turn("call_1", object{"reasoning_content": "hm"}), 200},
		{"openai", turn("call_1", nil)[2:], 400},
		{"openai", turn("call_1", nil)[:2], 400},
		{"mistral", turn("abc123XYZ", nil)[:2], 400},
		{"openai", turn("call_1", nil), 200},
	} {
		status, text := c.post(tt.provider, "/chat/completions", chatBody(tt.provider, "", object{"messages": tt.messages}))
		if status != tt.status {
			t.Errorf("%s: %d %s", tt.provider, status, text)
		}
	}
}
