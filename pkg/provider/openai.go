package provider

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// openAIRow returns the row of OpenAI. The dialect is its own: its rules are about models, not fields.
// Sources: the OpenAPI document and SDK types of August and November 2026, recorded errors.
func openAIRow() Provider {
	rules := &openai.Rules{
		CommonRules: dialect.CommonRules{
			ToolNames:    dialect.ToolNames64,
			StrictClosed: true, // platform.openai.com/docs/guides/structured-outputs
			// "An assistant message with 'tool_calls' must be followed by tool messages"; "Invalid
			// 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40".
			Turns: dialect.TurnRules{Pairs: true, CallIDs: dialect.CallIDs40, DistinctCallIDs: true},
			// "max_tokens is too large: 32000. This model supports at most 16384 completion tokens".
			MaxOutput: maxOutput("openai"),
			// top_k is no field of this API, and unknown names are 400 unknown_parameter (recorded).
			Drop:  foreignFields(openAIFields()),
			Clamp: map[string]dialect.Range{"temperature": {Min: 0, Max: 2}, "top_p": {Min: 0, Max: 1}},
		},
		Embeddings:  dialect.EmbeddingRules{Tokens: true},
		CustomTools: true,
		// ChatCompletionRequestAssistantMessage; the parse helpers of OpenAI's SDKs add parsed, and their tool runners
		// send it back.
		DropFromMessages: answerFields("audio", "refusal", "parsed"),
		// max_tokens is deprecated for max_completion_tokens, which all chat models take
		// (API reference, create chat completion).
		MaxTokens:       openai.MaxCompletionTokens,
		AsksStreamUsage: true,
		MaxStops:        4, // API reference, create chat completion
		Models:          openAIModels(),
	}
	return Provider{
		ID: "openai", Name: "OpenAI", BaseURL: "https://api.openai.com/v1",
		Auth: Bearer, RequestID: "X-Request-Id", HasEmbeddings: true,
		Billing:   Billing{TierOfAccount: true}, // service_tier auto is the setting of the project
		modelIDs:  modelIDs{match: isOpenAIModel},
		check:     check{path: "/models", proves: listed},
		Client:    openai.Client{Rules: rules},
		alternate: alternateResponses(rules),
		limits: []limitHeader{
			{"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
			{"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
		},
		// platform.openai.com/docs/guides/error-codes: a 429 with one of these codes is no
		// rate limit, and waiting does not help.
		errors: formatOpenAI | formatFlat,
		signals: []signal{
			{word: "credit_balance_exhausted", class: chat.OutOfMoney},
			{word: "organization_spend_limit_exceeded", class: chat.OutOfMoney},
			{word: "project_spend_limit_exceeded", class: chat.OutOfMoney, reset: resetMonth},
			{word: "organization_usage_limit_exceeded", class: chat.OutOfMoney},
			{word: "billing_hard_limit_reached", class: chat.OutOfMoney},
			{word: "billing_not_active", class: chat.OutOfMoney},
			{word: "account_deactivated", class: chat.BadKey},
			{word: "unsupported_country_region_territory", class: chat.Forbidden, scope: chat.ScopeKey},
			{word: "ip_not_authorized", class: chat.Forbidden, scope: chat.ScopeKey},
			// A restricted key lacks the scope of this endpoint: "Missing scopes: model.request".
			{text: "insufficient permissions", class: chat.Forbidden},
			{status: 403, text: "not have access to model", class: chat.Forbidden},
			{status: 503, word: "slow_down", class: chat.Overloaded},
			{word: "slow_down", class: chat.RateLimited},
			{word: "server_is_overloaded", class: chat.Overloaded},
			// "Invalid prompt: your prompt was flagged as potentially violating our usage policy".
			{word: "invalid_prompt", text: "usage policy", class: chat.ContentPolicy},
			// "Request too large for gpt-5 ... on tokens per min", without numbers.
			{status: 429, text: "request too large", class: chat.TooLarge, scope: chat.ScopeAttempt},
		},
	}
}

// openAIModels are the reasoning models, the newest first. They refuse max_tokens, the
// sampling fields and logprobs; from 5.1 on they take temperature, top_p and logprobs
// while the effort is none (SDK types; "Unsupported parameter" errors recorded). The
// levels of effort are those of the catalogue and the API reference: a level that a model
// does not know is a 400.
func openAIModels() []openai.ModelRules {
	always := []string{"logit_bias", "presence_penalty", "frequency_penalty"}
	sampling := []string{"temperature", "top_p", "logprobs", "top_logprobs"}
	// stop is refused by o3, o4-mini and the reasoning models after them.
	withStop := append([]string{"stop"}, always...)
	fixed := append(append([]string{}, withStop...), sampling...)
	rule := func(match func(string) bool, drop []string, efforts ...string) openai.ModelRules {
		m := openai.ModelRules{Match: match, Drop: drop, MaxTokens: openai.MaxCompletionTokens, Efforts: efforts}
		if len(efforts) > 0 && efforts[0] == "none" {
			m.DropUnlessEffortNone = sampling
		}
		return m
	}
	// From 5.2 on, chat completions refuse functions while the model thinks, which from 5.6
	// on it does unless told otherwise (openai-openapi issue 541). Those without the level
	// none have no way out here: they want the Responses API.
	toolless := func(m openai.ModelRules) openai.ModelRules {
		m.Tools = openai.ToolsWithoutReasoning
		return m
	}
	elsewhere := func(m openai.ModelRules) openai.ModelRules {
		m.Tools = openai.ToolsElsewhere
		return m
	}
	quiet := func(m openai.ModelRules) openai.ModelRules {
		m.DefaultEffort = "none"
		return m
	}
	plain := func(m openai.ModelRules) openai.ModelRules {
		m.PlainParameters = true
		return m
	}
	return []openai.ModelRules{
		// gpt-5-chat-latest is no reasoning model, its successors are, at one level. Those that do not
		// reason know no effort: "Unrecognized request argument supplied: reasoning_effort".
		// Those before gpt-5 refuse schemas that are combined at the root (BerriAI/litellm issue 38792).
		{Match: idPrefix("gpt-5-chat", "gpt-4", "gpt-3.5", "chatgpt-4", "ft:gpt-4", "ft:gpt-3.5"), Drop: []string{"reasoning_effort"},
			PlainParameters: true},
		rule(chatLatest, fixed, "medium"),
		toolless(rule(idPrefix("gpt-6-sol", "gpt-6-luna"), withStop, "none", "low", "medium", "high", "xhigh", "max")),
		elsewhere(rule(generation(6), fixed, "low", "medium", "high", "xhigh", "max")),
		// Those that Responses alone serves.
		rule(idPrefix("gpt-5.5-pro"), fixed, "low", "medium", "high", "xhigh"),
		rule(idPrefix("gpt-5.2-pro", "gpt-5.4-pro"), fixed, "medium", "high", "xhigh"),
		rule(idPrefix("gpt-5-pro"), fixed, "high"),
		rule(idPrefix("o3-deep-research", "o4-mini-deep-research"), fixed, "medium"),
		rule(idPrefix("gpt-5.3-codex-spark"), withStop, "none", "low", "medium", "high", "xhigh"),
		rule(codex, fixed, "low", "medium", "high"),
		toolless(rule(idPrefix("gpt-5.6"), withStop, "none", "low", "medium", "high", "xhigh", "max")),
		toolless(rule(idPrefix("gpt-5.5"), withStop, "none", "low", "medium", "high", "xhigh")),
		quiet(toolless(rule(idPrefix("gpt-5.4"), withStop, "none", "low", "medium", "high", "xhigh"))),
		quiet(toolless(rule(idPrefix("gpt-5.2", "gpt-5.3"), withStop, "none", "low", "medium", "high"))),
		quiet(rule(idPrefix("gpt-5.1"), withStop, "none", "low", "medium", "high")),
		// The search models refuse what the reasoning models do, and any effort.
		rule(idPrefix("gpt-5-search"), append([]string{"reasoning_effort"}, fixed...)),
		rule(gpt5, fixed, "minimal", "low", "medium", "high"),
		plain(rule(idPrefix("o1", "o2"), append(append([]string{}, always...), sampling...), "low", "medium", "high")),
		plain(rule(oSeries, fixed, "low", "medium", "high")),
	}
}

func idPrefix(list ...string) func(string) bool {
	return func(model string) bool {
		for _, p := range list {
			if strings.HasPrefix(model, p) {
				return true
			}
		}
		return false
	}
}

// gpt5 fits gpt-5, its sizes, and versions of it that have no rule of their own.
func gpt5(model string) bool {
	rest, ok := strings.CutPrefix(model, "gpt-5")
	return ok && (rest == "" || rest[0] == '-' || rest[0] == '.')
}

func chatLatest(model string) bool {
	return strings.HasPrefix(model, "gpt-5.") && strings.Contains(model, "-chat")
}

// codex fits gpt-5-codex and its successors, and codex-mini-latest.
func codex(model string) bool {
	return strings.HasPrefix(model, "codex-mini") || strings.HasPrefix(model, "gpt-5") && strings.Contains(model, "-codex")
}

// generation fits gpt-N and gpt-N.x for all N from the given one.
func generation(from int) func(string) bool {
	return func(model string) bool {
		rest, ok := strings.CutPrefix(model, "gpt-")
		n := 0
		for ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' && n < 1000 {
			n, rest = n*10+int(rest[0]-'0'), rest[1:]
		}
		return n >= from && (rest == "" || rest[0] == '.' || rest[0] == '-')
	}
}

// oSeries fits o1, o3-mini and the like.
func oSeries(model string) bool {
	return len(model) >= 2 && model[0] == 'o' && model[1] >= '1' && model[1] <= '9' && (len(model) == 2 || model[2] == '-')
}

// isOpenAIModel fits OpenAI's ids. It leaves gpt-oss out: open weights, which OpenAI's API does not serve.
func isOpenAIModel(id string) bool {
	if strings.HasPrefix(id, "gpt-oss") {
		return false
	}
	if len(id) >= 2 && id[0] == 'o' && id[1] >= '1' && id[1] <= '9' && (len(id) == 2 || id[2] == '-') {
		return true
	}
	return hasPrefix(id, openAIPrefixes)
}

var openAIPrefixes = []string{"gpt-", "ft:gpt-", "ft:o", "chatgpt-", "text-embedding-", "codex-", "davinci", "babbage", "omni-moderation"}

// openAIFields returns the fields of its document, beside those of all providers of the dialect.
func openAIFields() []string {
	return []string{"audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens",
		"metadata", "modalities", "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key",
		"prompt_cache_options", "prompt_cache_retention", "reasoning_effort", "safety_identifier", "seed", "service_tier", "store",
		"stream_options", "top_logprobs", "user", "verbosity", "web_search_options"}
}
