package provider

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// fireworksRow returns the row of Fireworks. It is close to the dialect. Sources: its Python SDK of
// July 2026 and docs.fireworks.ai (inference error codes, querying text models).
func fireworksRow() Provider {
	return Provider{
		ID: "fireworks", Name: "Fireworks AI", BaseURL: "https://api.fireworks.ai/inference/v1",
		Auth: Bearer, RequestID: "X-Request-Id", HasEmbeddings: true,
		modelIDs: modelIDs{match: isFireworksModel},
		check:    check{path: "/models", proves: listed},
		Client: openai.Client{Rules: &openai.Rules{
			CommonRules: dialect.CommonRules{
				Drop:      foreignFields(fireworksFields()),
				Clamp:     map[string]dialect.Range{"temperature": {Min: 0, Max: 2}, "top_p": {Min: 0, Max: 1}},
				ToolNames: dialect.ToolNames64,
			},
			MaxTokens:        openai.MaxTokens, // both are accepted
			AsksStreamUsage:  true,             // newer models send none otherwise
			MaxStops:         4,                // API reference, create chat completion
			NoDeveloperRole:  true,
			Reasoning:        openai.ReasoningBudget,
			ReasoningBack:    openai.ReasoningBackContent,
			Audio:            openai.AudioRefused,
			Files:            openai.FilesRefused,
			NoAllowedTools:   true,
			DropFromMessages: answerFields(),
			Models: []openai.ModelRules{
				{Match: idPrefix(""), Efforts: []string{"none", "low", "medium", "high"}},
			},
		}},
		limits: []limitHeader{{"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"}},
		errors: formatOpenAI | formatFlat,
		signals: []signal{
			// 412: "Account x is suspended, possibly due to reaching the monthly spending
			// limit or failure to pay past invoices". Other failures with it are those of a model's weights.
			{status: 412, text: "spending limit", class: chat.OutOfMoney},
			{status: 412, text: "invoice", class: chat.OutOfMoney},
			{status: 412, text: "suspended", class: chat.Forbidden, scope: chat.ScopeKey},
			{status: 412, class: chat.ModelUnknown},
			// Requests a minute are the account's until it has a payment method; tokens are the model's.
			{status: 429, text: "payment method", class: chat.RateLimited, scope: chat.ScopeKey},
			{status: 403, text: "model", class: chat.Forbidden},
			{status: 403, class: chat.Forbidden, scope: chat.ScopeKey},
		},
	}
}

// isFireworksModel fits accounts/ACCOUNT/models/NAME and its like.
func isFireworksModel(id string) bool {
	rest, ok := strings.CutPrefix(id, "accounts/")
	if !ok {
		return false
	}
	account, rest, _ := strings.Cut(rest, "/")
	kind, name, _ := strings.Cut(rest, "/")
	switch kind {
	case "models", "deployedModels", "deployments", "routers":
		return account != "" && name != ""
	}
	return false
}

// fireworksFields returns the fields of its document, beside those of all providers of the dialect.
func fireworksFields() []string {
	return []string{"context_length_exceeded_behavior", "echo", "echo_last", "frequency_penalty", "function_call", "functions", "ignore_eos",
		"logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata", "min_p", "mirostat_lr", "mirostat_target", "n",
		"parallel_tool_calls", "perf_metrics_in_response", "prediction", "presence_penalty", "prompt_cache_isolation_key",
		"prompt_cache_key", "prompt_truncate_len", "raw_output", "reasoning_effort", "reasoning_history", "repetition_penalty",
		"return_token_ids", "safe_tokenization", "seed", "service_tier", "speculation", "stream_options", "thinking", "top_k",
		"top_logprobs", "typical_p", "user"}
}
