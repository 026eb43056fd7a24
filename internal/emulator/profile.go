package emulator

import (
	"net/http"
	"strconv"
	"time"
)

// usagePlace is where a provider puts usage in a stream (recorded, but for Fireworks').
type usagePlace uint8

const (
	usageOwnChunk    usagePlace = iota // a last chunk without choices, if include_usage is set
	usageOnFinish                      // on the chunk with the finish reason, always
	usageIfRequested                   // the same, if include_usage is set
	usageGroq                          // in x_groq and beside it on the finish chunk; its own chunk too if include_usage is set
	usageRepeating                     // a last chunk that repeats the choice with its finish reason, always
)

// reasoningPlace is the field of a message, or delta, that holds reasoning.
type reasoningPlace uint8

const (
	reasoningHidden  reasoningPlace = iota // counted only
	reasoningContent                       // reasoning_content
	reasoningField                         // reasoning
	reasoningDetails                       // reasoning, and reasoning_details
	reasoningParts                         // content becomes an array with a thinking part
	reasoningTags                          // <think>..</think> at the start of the content
)

// profile holds what differs between providers.
type profile struct {
	id, name string
	base     string // of the path, as in the real base URL
	account  string // GET path of the key's account; empty: none

	wire  wire
	admit func(x *exchange) *failure // checks the key
	route func(x *exchange, path string) func()

	hints    []Hint
	tryAgain string // precedes a number of seconds in an error's text
	// reset sets the provider's own headers that state when the limits reset.
	reset func(h http.Header, at time.Time)
	// dress sets headers that depend on the status; may be nil.
	dress func(h http.Header, status int, hint Hint)

	embeddings *embeddings // nil: the provider has none
	indent     bool        // whole answers are indented

	requestID  string // header
	header     map[string]string
	blankLines bool   // before whole answers: OpenRouter, 53 of 72 recorded
	comment    string // in streams
	idPrefix   string
	usage      usagePlace
	reasoning  reasoningPlace
	wholeCalls bool     // a tool call comes in one chunk, with the finish reason
	fields     []string // known top-level fields; nil: unknown ones are ignored
	message    []string // known fields of a message; nil: unknown ones are ignored
	result     []string // more known fields of a tool's message
	maxStop    int
	maxTemp    float64
	ids        []string // some models

	// The following are nil where the provider does as most do.

	errorShape func(message, kind, code, param string) any // writes an error
	words      func(p *profile, f map[Fault]failure)       // replaces the answers to some faults
	unknown    func(x *exchange, at, name string) *failure // the error for an unknown field
	refuse     func(x *exchange) *failure                  // checks the provider's other rules
	thinks     func(r *chatRequest) bool
	extend     func(x *exchange, f object) // adds members to whole answers and chunks
	usageAs    func(u object, a *answer)   // changes the usage object
	accountAs  any                         // the answer of GET account
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
	list := []*profile{openAI(), anthropic(), openRouter(), gemini(), mistral(), groq(), together(), fireworks(),
		deepSeek(),
		xAI(), cerebras()}
	for _, p := range list {
		if p.wire == nil {
			p.wire, p.admit = chatWire{}, bearer
		}
		if p.route == nil {
			p.route = chatRoute
		}
		if p.reset == nil {
			p.reset = resetRequests
		}
		if p.tryAgain == "" {
			p.tryAgain = "Please try again in "
		}
	}
	return list
}

var chatFields = []string{"model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens",
	"max_completion_tokens",
	"stop", "seed", "n", "tools", "tool_choice", "parallel_tool_calls", "response_format", "user", "frequency_penalty",
	"presence_penalty",
	"logprobs", "top_logprobs", "logit_bias", "reasoning_effort", "service_tier"}

func openAI() *profile {
	return &profile{
		id: "openai", name: "OpenAI", base: "/v1", route: openAIRoute, requestID: "X-Request-Id", idPrefix: "chatcmpl-",
		header: map[string]string{"Openai-Organization": "org-emulated", "Openai-Processing-Ms": "12",
			"Openai-Version":             "2020-10-01",
			"X-Ratelimit-Limit-Requests": "10000", "X-Ratelimit-Remaining-Requests": "9999",
			"X-Ratelimit-Reset-Requests": "6ms"},
		hints: []Hint{RetryAfter, RetryAfterMs, ResetHeader, InText},
		embeddings: &embeddings{formats: true, tokens: true, dimensions: "dimensions",
			fields: []string{"encoding_format", "dimensions", "user"}},
		usage: usageOwnChunk, maxStop: 4, maxTemp: 2,
		// OpenAI's document of 2026-08; unknown names are 400 unknown_parameter (recorded).
		fields: append([]string{"audio", "function_call", "functions", "metadata", "modalities", "moderation",
			"prediction", "prompt_cache_key",
			"prompt_cache_options", "prompt_cache_retention", "safety_identifier", "store", "verbosity",
			"web_search_options"}, chatFields...),
		// The parse helpers of OpenAI's SDKs add parsed, and runTools of openai-node sends it back.
		message: []string{"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call",
			"parsed"},
		ids: []string{"gpt-4o-mini", "gpt-4.1", "gpt-5", "gpt-5-nano", "gpt-5.6-sol", "text-embedding-3-small"},
	}
}

func openRouter() *profile {
	return &profile{
		id: "openrouter", name: "OpenRouter", base: "/api/v1", account: "/key", requestID: "X-Generation-Id",
		idPrefix: "gen-",
		hints:    []Hint{RetryAfter, ResetHeader, InBody}, reset: resetMillis,
		embeddings: &embeddings{formats: true, tokens: true, dimensions: "dimensions", open: true},
		blankLines: true, comment: "OPENROUTER PROCESSING", usage: usageRepeating, reasoning: reasoningDetails,
		maxStop: 4, maxTemp: 2,
		ids: []string{"openai/gpt-4o-mini", "anthropic/claude-haiku-4.5", "deepseek/deepseek-v4-pro"},
	}
}

func mistral() *profile {
	return &profile{
		id: "mistral", name: "Mistral", base: "/v1", requestID: "Mistral-Correlation-Id", wholeCalls: true,
		usage:     usageOnFinish,
		reasoning: reasoningParts, maxStop: 100, maxTemp: 1.5,
		hints: []Hint{RetryAfter}, embeddings: &embeddings{formats: true, dimensions: "output_dimension",
			fields: []string{"encoding_format", "output_dimension", "output_dtype", "metadata"}},
		header: map[string]string{"X-Ratelimit-Limit-Req-Minute": "60", "X-Ratelimit-Remaining-Req-Minute": "59"},
		// The document of 2026-08 forbids all other fields, nested ones too: 422 extra_forbidden.
		fields: []string{"model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed",
			"n", "presence_penalty",
			"frequency_penalty", "response_format", "tools", "tool_choice", "parallel_tool_calls", "prediction",
			"prompt_mode",
			"reasoning_effort", "prompt_cache_key", "safe_prompt", "metadata", "guardrails"},
		message: []string{"role", "content", "tool_calls", "tool_call_id", "prefix"}, result: []string{"name"},
		ids: []string{"mistral-small-latest", "mistral-medium-3-5", "codestral-2508"},
	}
}

func groq() *profile {
	return &profile{
		id: "groq", name: "Groq", base: "/openai/v1", requestID: "X-Request-Id", idPrefix: "chatcmpl-",
		wholeCalls: true, usage: usageGroq,
		reasoning: reasoningField, maxStop: 4, maxTemp: 2, hints: []Hint{RetryAfter, ResetHeader, InText},
		header: map[string]string{"X-Ratelimit-Limit-Tokens": "12000", "X-Ratelimit-Remaining-Tokens": "11999",
			"X-Ratelimit-Reset-Tokens": "26ms"},
		// GroqCloud API 2.1: no other field; logprobs and penalties are listed there as not supported.
		fields: []string{"model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens",
			"max_completion_tokens", "stop",
			"seed", "n", "tools", "tool_choice", "parallel_tool_calls", "response_format", "user", "reasoning_effort",
			"reasoning_format",
			"include_reasoning", "service_tier", "citation_options", "compound_custom", "disable_tool_validation",
			"documents",
			"exclude_domains", "include_domains", "function_call", "functions", "search_settings"},
		message: []string{"role", "content", "name", "tool_calls", "tool_call_id", "reasoning", "function_call"},
		ids:     []string{"llama-3.1-8b-instant", "llama-3.3-70b-versatile", "openai/gpt-oss-20b"},
	}
}

func together() *profile {
	return &profile{
		id: "together", name: "Together AI", base: "/v1", requestID: "X-Request-Id", usage: usageOnFinish,
		reasoning: reasoningField,
		maxStop:   100, maxTemp: 2, hints: []Hint{RetryAfter, ResetHeader}, reset: resetBare,
		embeddings: &embeddings{open: true},
		header: map[string]string{"X-Ratelimit-Limit": "60", "X-Ratelimit-Remaining": "59",
			"X-Ratelimit-Reset": "1"},
		ids: []string{"meta-llama/Llama-3.3-70B-Instruct-Turbo", "openai/gpt-oss-120b",
			"deepseek-ai/DeepSeek-V4-Pro"},
	}
}

func fireworks() *profile {
	return &profile{
		id: "fireworks", name: "Fireworks AI", base: "/inference/v1", requestID: "X-Request-Id", usage: usageOwnChunk,
		reasoning: reasoningContent, maxStop: 4, maxTemp: 2, hints: []Hint{RetryAfter},
		embeddings: &embeddings{formats: true, tokens: true, dimensions: "dimensions", open: true},
		header:     map[string]string{"X-Ratelimit-Limit-Tokens-Prompt": "600000"},
		ids:        []string{"accounts/fireworks/models/gpt-oss-120b", "accounts/fireworks/models/glm-5p3"},
	}
}

func deepSeek() *profile {
	return &profile{
		id: "deepseek", name: "DeepSeek", account: "/user/balance", requestID: "X-Ds-Trace-Id", comment: "keep-alive",
		usage: usageIfRequested,
		hints: []Hint{RetryAfter}, reasoning: reasoningContent, maxStop: 16, maxTemp: 2,
		ids: []string{"deepseek-flash", "deepseek-v4-pro"},
	}
}

// resetMillis sets OpenRouter's header: a Unix time in milliseconds.
func resetMillis(h http.Header, at time.Time) {
	h.Set("X-Ratelimit-Limit", "20")
	h.Set("X-Ratelimit-Remaining", "0")
	h.Set("X-Ratelimit-Reset", itoa(at.UnixMilli()))
}

// resetBare sets Together's header: a number of seconds.
func resetBare(h http.Header, _ time.Time) {
	h.Set("X-Ratelimit-Remaining", "0")
	h.Set("X-Ratelimit-Reset", strconv.Itoa(HintSeconds))
}
