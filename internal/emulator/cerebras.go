package emulator

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// cerebras follows inference-docs.cerebras.ai (API reference of chat completions, /capabilities/reasoning,
// /support/error, /support/rate-limits), read on 2026-11-30; its errors are quoted from public issues.
func cerebras() *profile {
	return &profile{
		id: "cerebras", name: "Cerebras", base: "/v1", idPrefix: "chatcmpl-", usage: usageOwnChunk,
		reasoning: reasoningField,
		maxStop:   4, maxTemp: 1.5, hints: []Hint{RetryAfter, ResetHeader}, reset: resetCerebras,
		header: map[string]string{"X-Ratelimit-Limit-Requests-Day": "14400",
			"X-Ratelimit-Remaining-Requests-Day": "14399",
			"X-Ratelimit-Reset-Requests-Day":     "33011.38", "X-Ratelimit-Limit-Tokens-Minute": "60000",
			"X-Ratelimit-Remaining-Tokens-Minute": "59999", "X-Ratelimit-Reset-Tokens-Minute": "11.38"},
		// Unknown fields are 400 wrong_api_format, in messages too (Kilo-Org/kilocode issue 10375).
		fields: []string{"model", "messages", "stream", "stream_options", "temperature", "top_p",
			"max_completion_tokens", "max_tokens", "stop",
			"seed", "tools", "tool_choice", "parallel_tool_calls", "response_format", "user", "frequency_penalty",
			"presence_penalty",
			"logprobs", "top_logprobs", "logit_bias", "reasoning_effort", "reasoning_format", "clear_thinking",
			"prediction", "service_tier"},
		message: []string{"role", "content", "name", "tool_calls", "tool_call_id", "reasoning"},
		ids:     []string{"qwen-3.8-27b", "gpt-oss-120b"},
		errorShape: func(message, kind, code, param string) any {
			return object{"message": message, "type": kind, "param": param, "code": code}
		},
		words: func(p *profile, f map[Fault]failure) {
			f[BadKey] = failure{401, p.errorBody("Wrong API Key", "invalid_request_error", "wrong_api_key", "api_key")}
			f[TooLong] = failure{400,
				p.errorBody("Please reduce the length of the messages or completion. Current length is 140000 while limit is 131072",
					"invalid_request_error", "context_length_exceeded", "messages")}
			f[DailyQuota] = failure{429,
				p.errorBody("Requests per day limit exceeded - too many requests sent.", "too_many_requests_error",
					"request_quota_exceeded", "quota")}
		},
		unknown: func(x *exchange, at, name string) *failure {
			where := "body." + name
			if rest, ok := strings.CutPrefix(at, "messages["); ok {
				index, _, _ := strings.Cut(rest, "]")
				i, _ := strconv.Atoi(index)
				where = "messages." + index + "." + x.req.Messages[i].Role + "." + name
			}
			return &failure{400, x.p.errorBody(where+": property '"+where+"' is unsupported", "invalid_request_error",
				"wrong_api_format", "validation_error")}
		},
		// gpt-oss always reasons; qwen-3.8 does by default.
		thinks: func(r *chatRequest) bool {
			return strings.HasPrefix(r.Model, "gpt-oss") ||
				r.ReasoningEffort != "none"
		},
		refuse: func(x *exchange) *failure {
			r := x.req
			switch effort := r.ReasoningEffort; {
			case effort == "" || effort == "low" || effort == "medium" || effort == "high":
				return nil
			case effort == "none" && strings.HasPrefix(r.Model, "qwen-3.8"):
				return nil
			}
			return x.bad("reasoning_effort: unsupported value", "validation_error")
		},
		extend: func(x *exchange, f object) {
			f["system_fingerprint"] = "fp_emulated"
			f["time_info"] = object{"queue_time": 0.0001, "prompt_time": 0.001, "completion_time": 0.005,
				"total_time": 0.02, "created": x.began.Unix()}
		},
	}
}

// resetCerebras states in seconds when the minute's limit resets.
func resetCerebras(h http.Header, _ time.Time) {
	h.Set("X-Ratelimit-Remaining-Tokens-Minute", "0")
	h.Set("X-Ratelimit-Reset-Tokens-Minute", strconv.Itoa(HintSeconds))
}
