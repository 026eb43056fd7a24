package emulator

// usagePlace is where a provider puts usage in a stream (recorded, but for Fireworks').
type usagePlace uint8

const (
	usageOwnChunk  usagePlace = iota // a last chunk without choices, if include_usage asks for it
	usageOnFinish                    // on the chunk with the finish reason, always
	usageIfAsked                     // the same, if include_usage asks for it
	usageGroq                        // in x_groq and beside it on the finish chunk, and a chunk of its own if asked
	usageRepeating                   // a last chunk that repeats the choice with its finish reason, always
)

// reasoningPlace is the field of a message, or delta, that holds reasoning.
type reasoningPlace uint8

const (
	reasoningHidden  reasoningPlace = iota // counted only
	reasoningContent                       // reasoning_content
	reasoningField                         // reasoning
	reasoningDetails                       // reasoning, and reasoning_details
	reasoningParts                         // content becomes an array with a thinking part
)

// profile is what makes one provider different from another.
type profile struct {
	id, name   string
	base       string // of the path, as in the real base URL
	account    string // GET path that tells about the key; empty: none
	requestID  string // header
	header     map[string]string
	blankLines bool   // before whole answers: OpenRouter, 53 of 72 recorded
	comment    string // in streams
	idPrefix   string
	usage      usagePlace
	reasoning  reasoningPlace
	wholeCalls bool     // a tool call comes in one chunk, with the finish reason
	fields     []string // top-level fields taken; nil: unknown ones are ignored
	message    []string // fields of a message taken; nil: unknown ones are ignored
	maxStop    int
	maxTemp    float64
	ids        []string // some models
}

func profileOf(id string) *profile {
	for _, p := range profiles() {
		if p.id == id {
			return p
		}
	}
	return nil
}

func profiles() []*profile {
	return []*profile{openAI(), openRouter(), mistral(), groq(), together(), fireworks(), deepSeek()}
}

var chatFields = []string{"model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens", "max_completion_tokens",
	"stop", "seed", "n", "tools", "tool_choice", "parallel_tool_calls", "response_format", "user", "frequency_penalty", "presence_penalty",
	"logprobs", "top_logprobs", "logit_bias", "reasoning_effort", "service_tier"}

func openAI() *profile {
	return &profile{
		id: "openai", name: "OpenAI", base: "/v1", requestID: "X-Request-Id", idPrefix: "chatcmpl-",
		header: map[string]string{"Openai-Organization": "org-emulated", "Openai-Processing-Ms": "12", "Openai-Version": "2020-10-01",
			"X-Ratelimit-Limit-Requests": "10000", "X-Ratelimit-Remaining-Requests": "9999", "X-Ratelimit-Reset-Requests": "6ms"},
		usage: usageOwnChunk, maxStop: 4, maxTemp: 2,
		// OpenAI's document of 2026-08; unknown names are 400 unknown_parameter (recorded).
		fields: append([]string{"audio", "function_call", "functions", "metadata", "modalities", "moderation", "prediction", "prompt_cache_key",
			"prompt_cache_options", "prompt_cache_retention", "safety_identifier", "store", "verbosity", "web_search_options"}, chatFields...),
		message: []string{"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call"},
		ids:     []string{"gpt-4o-mini", "gpt-4.1", "gpt-5", "gpt-5-nano", "gpt-5.6-sol", "text-embedding-3-small"},
	}
}

func openRouter() *profile {
	return &profile{
		id: "openrouter", name: "OpenRouter", base: "/api/v1", account: "/key", requestID: "X-Generation-Id", idPrefix: "gen-",
		blankLines: true, comment: "OPENROUTER PROCESSING", usage: usageRepeating, reasoning: reasoningDetails, maxStop: 4, maxTemp: 2,
		ids: []string{"openai/gpt-4o-mini", "anthropic/claude-haiku-4.5", "deepseek/deepseek-v4-pro"},
	}
}

func mistral() *profile {
	return &profile{
		id: "mistral", name: "Mistral", base: "/v1", requestID: "Mistral-Correlation-Id", wholeCalls: true, usage: usageOnFinish,
		reasoning: reasoningParts, maxStop: 100, maxTemp: 1.5,
		header: map[string]string{"X-Ratelimit-Limit-Req-Minute": "60", "X-Ratelimit-Remaining-Req-Minute": "59"},
		// The document of 2026-08 forbids all others, nested ones too: 422 extra_forbidden.
		fields: []string{"model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "n", "presence_penalty",
			"frequency_penalty", "response_format", "tools", "tool_choice", "parallel_tool_calls", "prediction", "prompt_mode",
			"reasoning_effort", "prompt_cache_key", "safe_prompt", "metadata", "guardrails"},
		message: []string{"role", "content", "tool_calls", "tool_call_id", "prefix"},
		ids:     []string{"mistral-small-latest", "mistral-medium-3-5", "codestral-2508"},
	}
}

func groq() *profile {
	return &profile{
		id: "groq", name: "Groq", base: "/openai/v1", requestID: "X-Request-Id", idPrefix: "chatcmpl-", wholeCalls: true, usage: usageGroq,
		reasoning: reasoningField, maxStop: 4, maxTemp: 2,
		header: map[string]string{"X-Ratelimit-Limit-Tokens": "12000", "X-Ratelimit-Remaining-Tokens": "11999", "X-Ratelimit-Reset-Tokens": "26ms"},
		// GroqCloud API 2.1: no other field; logprobs and penalties are listed there as not supported.
		fields: []string{"model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop",
			"seed", "n", "tools", "tool_choice", "parallel_tool_calls", "response_format", "user", "reasoning_effort", "reasoning_format",
			"include_reasoning", "service_tier", "citation_options", "compound_custom", "disable_tool_validation", "documents",
			"exclude_domains", "include_domains", "function_call", "functions", "search_settings"},
		message: []string{"role", "content", "name", "tool_calls", "tool_call_id", "reasoning", "function_call"},
		ids:     []string{"llama-3.1-8b-instant", "llama-3.3-70b-versatile", "openai/gpt-oss-20b"},
	}
}

func together() *profile {
	return &profile{
		id: "together", name: "Together AI", base: "/v1", requestID: "X-Request-Id", usage: usageOnFinish, reasoning: reasoningField,
		maxStop: 100, maxTemp: 2,
		header: map[string]string{"X-Ratelimit-Limit": "60", "X-Ratelimit-Remaining": "59", "X-Ratelimit-Reset": "1"},
		ids:    []string{"meta-llama/Llama-3.3-70B-Instruct-Turbo", "openai/gpt-oss-120b", "deepseek-ai/DeepSeek-V4-Pro"},
	}
}

func fireworks() *profile {
	return &profile{
		id: "fireworks", name: "Fireworks AI", base: "/inference/v1", requestID: "X-Request-Id", usage: usageOwnChunk,
		reasoning: reasoningContent, maxStop: 4, maxTemp: 2,
		header: map[string]string{"X-Ratelimit-Limit-Tokens-Prompt": "600000"},
		ids:    []string{"accounts/fireworks/models/gpt-oss-120b", "accounts/fireworks/models/glm-5p3"},
	}
}

func deepSeek() *profile {
	return &profile{
		id: "deepseek", name: "DeepSeek", account: "/user/balance", requestID: "X-Ds-Trace-Id", comment: "keep-alive", usage: usageIfAsked,
		reasoning: reasoningContent, maxStop: 16, maxTemp: 2, ids: []string{"deepseek-flash", "deepseek-v4-pro"},
	}
}

// models is the list of models in the provider's own shape.
func (p *profile) models() any {
	var list []any
	for _, id := range p.ids {
		m := object{"id": id, "object": "model", "created": 1700000000, "owned_by": p.id}
		switch p.id {
		case "together":
			m = object{"id": id, "object": "model", "created": 1700000000, "type": "chat", "display_name": id, "context_length": 131072,
				"pricing": object{"hourly": 0, "input": 0.88, "output": 0.88, "base": 0, "finetune": 0}}
		case "mistral":
			m["capabilities"], m["aliases"], m["max_context_length"] = object{"completion_chat": true, "function_calling": true}, []string{}, 262144
		case "openrouter":
			m = object{"id": id, "canonical_slug": id, "name": id, "created": 1700000000, "context_length": 200000,
				"pricing": object{"prompt": "0.00000015", "completion": "0.0000006"}, "supported_parameters": []string{"tools", "temperature"}}
		}
		list = append(list, m)
	}
	if p.id == "together" {
		return list // a bare array
	}
	return object{"object": "list", "data": list}
}

// accountBody is what GET account answers for a good key.
func (p *profile) accountBody() any {
	if p.id == "openrouter" {
		return object{"data": object{"label": "sk-or-...emu", "limit": 10, "limit_remaining": 9.5, "usage": 0.5, "is_free_tier": false}}
	}
	return object{"is_available": true, "balance_infos": []any{object{"currency": "USD", "total_balance": "9.50"}}}
}

// object is a JSON object.
type object = map[string]any
