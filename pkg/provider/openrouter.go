package provider

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// openRouterRow returns the row of OpenRouter. It takes a superset of the dialect. Sources: its
// OpenAPI document of August 2026, openrouter.ai/docs (errors, limits, reasoning), and recorded
// traffic.
func openRouterRow() Provider {
	return Provider{
		ID: "openrouter", Name: "OpenRouter", BaseURL: "https://openrouter.ai/api/v1",
		Auth: Bearer, RequestID: "X-Generation-Id", HasEmbeddings: true, OwnFallbacks: true,
		Billing: Billing{PricesVary: true}, // it serves a model from hosts with prices of their own
		// An application's own name in OpenRouter's rankings, and sticky routing.
		ForwardedRequestHeaders: []string{"Http-Referer", "X-Openrouter-Title", "X-Title", "X-Openrouter-Categories", "X-Session-Id"},
		// GET /models needs no key at all, GET /key tells what is left of its credit.
		modelIDs: modelIDs{likely: isOpenRouterSlug, authors: []string{"openai/", "anthropic/", "deepseek/"}},
		check:    check{path: "/key", list: "/models", read: openRouterKey, proves: "the provider knows the key, and its credit is not used up"},
		Client: openai.Client{Rules: &openai.Rules{
			CommonRules: dialect.CommonRules{
				Drop:         foreignFields(openRouterFields()),
				ToolNames:    dialect.ToolNames64,
				SingleChoice: true,
				Clamp:        map[string]dialect.Range{"temperature": {Min: 0, Max: 2}, "top_p": {Min: 0, Max: 1}},
			},
			Embeddings: dialect.EmbeddingRules{Tokens: true},
			// OpenRouterWebSearchServerTool of the OpenAPI document.
			Hosted:           openai.HostedTypes{chat.WebSearch: "openrouter:web_search"},
			HostedParameters: true,
			// ChatAssistantMessage; annotations spare the parsing of files (openrouter.ai/docs, PDF inputs).
			DropFromMessages: answerFields("annotations", "audio", "model", "refusal"),
			MaxTokens:        openai.MaxTokens, // both are accepted
			AsksStreamUsage:  false,            // always sent; include_usage does nothing
			MaxStops:         4,                // OpenAPI document
			Reasoning:        openai.ReasoningObject,
			ReasoningBack:    openai.ReasoningBackDetails,
			Files:            openai.FileObjectOrURL,
			CacheMarks:       true,
			NoAllowedTools:   true, // ChatToolChoice has no such form
			Models:           openRouterModels(),
		}},
		limits: []limitHeader{{"X-Ratelimit-Remaining", "X-Ratelimit-Reset"}},
		errors: formatOpenRouter | formatOpenAI,
		signals: []signal{
			// A budget shared by requests under way: it clears by itself.
			{word: "in_flight_budget_exhausted", class: chat.RateLimited, scope: chat.ScopeKey},
			{word: "openrouter_in_flight_budget", class: chat.RateLimited, scope: chat.ScopeKey},
			// 403 with reasons is moderation: about the content, not the key.
			{status: 403, word: "metadata.reasons", class: chat.ContentPolicy},
			// What a provider behind OpenRouter says of OpenRouter's own account there
			// ("insufficient_quota") is not about the key.
			{status: 401, word: "metadata.provider_name", class: chat.Forbidden},
			{status: 402, word: "metadata.provider_name", class: chat.Forbidden},
			{status: 403, word: "metadata.provider_name", class: chat.Forbidden},
			{status: 429, word: "metadata.provider_name", class: chat.RateLimited},
			// The balance covers no answer at all, or not one of this length: "... fewer max_tokens. You requested up
			// to 64000 tokens, but can only afford 1480".
			{status: 402, text: "only afford 0", class: chat.OutOfMoney},
			{status: 402, text: "only afford -", class: chat.OutOfMoney},
			{status: 402, text: "only afford", class: chat.TooLarge, scope: chat.ScopeAttempt},
			{status: 402, text: "prompt tokens limit exceeded", class: chat.TooLarge, scope: chat.ScopeAttempt},
			// Spending limits of a key, a guardrail or a workspace, until metadata.resets_at.
			{word: "openrouter_key_limit", class: chat.OutOfMoney},
			{word: "openrouter_guardrail_budget", class: chat.OutOfMoney},
			{word: "openrouter_workspace_budget", class: chat.OutOfMoney},
			{word: "openrouter_credits", class: chat.OutOfMoney},
			{status: 403, text: "budget limit exceeded", class: chat.OutOfMoney},
			{status: 403, text: "key limit exceeded", class: chat.OutOfMoney},
			{word: "payment_required", class: chat.OutOfMoney},
			{word: "authentication", class: chat.BadKey},
			{word: "refusal", class: chat.ContentPolicy},
			{word: "max_tokens_exceeded", class: chat.ContextLength},
			{word: "token_limit_exceeded", class: chat.ContextLength},
			{word: "string_too_long", class: chat.ContextLength},
			{word: "payload_too_large", class: chat.TooLarge},
			// Requests a day of the ":free" models: 50, or 1000 once credit was bought. Other models are served.
			{status: 429, text: "per-day", class: chat.DailyQuota},
			{status: 400, word: "availability.code", class: chat.ModelUnknown},
			{status: 404, word: "availability.code", class: chat.ModelUnknown},
			{status: 400, text: "not a valid model id", class: chat.ModelUnknown},
			{status: inAnswer, word: "provider_overloaded", class: chat.Overloaded},
			{status: inAnswer, word: "permission_denied", class: chat.Forbidden},
			{status: inAnswer, word: "not_found", class: chat.ModelUnknown},
			{status: inAnswer, word: "invalid_request", class: chat.BadRequest},
			{status: inAnswer, word: "invalid_prompt", class: chat.BadRequest},
		},
	}
}

// openRouterModels are those whose makers have rules that OpenRouter hands on.
func openRouterModels() []openai.ModelRules {
	claudes := openai.ModelRules{ReasoningBoundToContext: true} // Anthropic's preserved thinking
	noPrefill := claudes
	noPrefill.Turns = &dialect.TurnRules{Ends: dialect.EndsAnyButOwn}
	noPrefill.Match = fromMaker("anthropic/", claude(406))
	claudes.Match = fromMaker("anthropic/", idPrefix(""))
	return []openai.ModelRules{noPrefill, claudes, {Match: fromMaker("mistralai/", idPrefix("")), Turns: &mistralTurns}}
}

// fromMaker fits slugs of a maker's models: anthropic/claude-opus-4.6, and ~anthropic/claude-opus-latest.
func fromMaker(maker string, match func(model string) bool) func(string) bool {
	return func(slug string) bool {
		name, ok := strings.CutPrefix(strings.TrimPrefix(slug, "~"), maker)
		return ok && match(name)
	}
}

// isOpenRouterSlug fits author/model[:variant].
func isOpenRouterSlug(id string) bool {
	author, name, ok := strings.Cut(id, "/")
	return ok && author != "" && name != "" && author != "accounts" && author != "models" && id == strings.ToLower(id) && !strings.Contains(name, "/")
}

// openRouterFields returns the fields of its document, beside those of all providers of the dialect.
func openRouterFields() []string {
	return []string{"cache_control", "debug", "frequency_penalty", "image_config", "include_reasoning", "logit_bias", "logprobs",
		"max_completion_tokens", "max_tokens", "metadata", "min_p", "modalities", "models", "parallel_tool_calls", "plugins", "prediction",
		"presence_penalty", "prompt_cache_key", "prompt_cache_options", "provider", "reasoning", "reasoning_effort", "repetition_penalty",
		"route", "safety_identifier", "seed", "service_tier", "session_id", "stop_server_tools_when", "stream_options", "structured_outputs",
		"top_a", "top_k", "top_logprobs", "trace", "transforms", "usage", "user", "verbosity", "web_search_options"}
}
