package emulator

import "strings"

// xAI follows docs.x.ai (guides/reasoning, developers/debugging), read on 2026-11-30; the shape of usage is recorded
// (February 2026), and the texts about keys and credit are quoted from public issues.
func xAI() *profile {
	return &profile{
		id: "xai", name: "xAI", base: "/v1", account: "/api-key", requestID: "X-Request-Id", usage: usageOwnChunk,
		hints:   []Hint{RetryAfter},
		maxStop: 4, maxTemp: 2,
		ids: []string{"grok-4.20-0309-non-reasoning", "grok-4.3", "grok-4.7"},
		accountAs: object{"redacted_api_key": "xai-...emul", "name": "emulated",
			"acls":         []string{"api-key:endpoint:*", "api-key:model:*"},
			"team_blocked": false, "api_key_blocked": false, "api_key_disabled": false},
		errorShape: func(message, _, code, _ string) any { return object{"code": xAICode(code), "error": message} },
		words: func(p *profile, f map[Fault]failure) {
			f[BadKey] = failure{400,
				p.errorBody("Incorrect API key provided: xa***em. You can obtain an API key from https://console.x.ai.",
					"", "", "")}
			f[NoCredit] = failure{429,
				p.errorBody("Your team has either used all available credits or reached its monthly spending limit. "+
					"To continue making API requests, please purchase more credits or raise your spending limit.", "",
					"rate_limit_exceeded", "")}
			f[SpendLimit] = f[NoCredit]
			f[TooLong] = failure{400,
				p.errorBody("This model's maximum prompt length is 500000 but the request contains 600000 tokens.", "",
					"", "")}
			f[Policy] = failure{403, p.errorBody("Content violates usage guidelines.", "", "forbidden", "")}
		},
		thinks: func(r *chatRequest) bool {
			return !strings.Contains(r.Model, "non-reasoning") &&
				!(r.Model == "grok-4.3" && r.ReasoningEffort == "none")
		},
		refuse:  refuseXAI,
		usageAs: usageXAI,
	}
}

// xAICode is the status in words, which xAI sends as code.
func xAICode(code string) string {
	switch code {
	case "rate_limit_exceeded":
		return "Some resource has been exhausted"
	case "model_not_found", "not_found":
		return "Some requested entity was not found"
	case "forbidden":
		return "The caller does not have permission to execute the specified operation"
	case "server_error", "timeout", "overloaded":
		return "The service is currently unavailable"
	}
	return "Client specified an invalid argument"
}

// refuseXAI checks efforts, and what reasoning models refuse.
func refuseXAI(x *exchange) *failure {
	r := x.req
	reasons := !strings.Contains(r.Model, "non-reasoning")
	for _, name := range []string{"presence_penalty", "frequency_penalty", "stop"} {
		if reasons && r.raw[name] != nil {
			return x.bad("Argument not supported on this model: "+name, name)
		}
	}
	if r.ReasoningEffort == "" {
		return nil
	}
	efforts := " low medium high "
	switch {
	case !reasons, strings.HasPrefix(r.Model, "grok-4.20"):
		return x.bad("Model "+r.Model+" does not support parameter reasoningEffort.", "reasoning_effort")
	case strings.HasPrefix(r.Model, "grok-4.3"):
		efforts += "none "
	case strings.HasPrefix(r.Model, "grok-4.7"):
		efforts += "xhigh "
	}
	if !strings.Contains(efforts, " "+r.ReasoningEffort+" ") {
		return x.bad("Invalid reasoning effort: "+r.ReasoningEffort, "reasoning_effort")
	}
	return nil
}

// usageXAI counts reasoning separately from completion_tokens, and adds the cost.
func usageXAI(u object, a *answer) {
	u["completion_tokens"] = a.completion - a.reasoned
	u["prompt_tokens_details"] = object{"text_tokens": a.prompt, "audio_tokens": 0, "image_tokens": 0,
		"cached_tokens": 0}
	u["completion_tokens_details"] = object{"reasoning_tokens": a.reasoned, "audio_tokens": 0,
		"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
	u["num_sources_used"], u["cost_in_usd_ticks"] = 0, 142500
}
