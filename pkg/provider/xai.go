package provider

import (
	"encoding/json"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// xAIRow is close to the dialect; what its models take differs. Sources, read on 2026-11-30: docs.x.ai/docs/guides/reasoning,
// docs.x.ai/developers/debugging, the schema of the request at developers.cloudflare.com/ai/models/xai, the OpenAPI
// document at github.com/api-evangelist/xai, and recorded traffic of February 2026.
func xAIRow() Provider {
	return Provider{
		ID: "xai", system: "x_ai", Name: "xAI", BaseURL: "https://api.x.ai/v1",
		Auth: Bearer, RequestID: "X-Request-Id",
		modelIDs: modelIDs{prefixes: []string{"grok-"}},
		check:    check{path: "/api-key", list: "/models", read: xAIKey, proves: "the provider knows the key, and neither it nor its team is blocked"},
		Client: openai.Client{Rules: &openai.Rules{
			CommonRules: dialect.CommonRules{
				// Not in the request's schema.
				Drop:      foreignFields(xAIFields()),
				Clamp:     map[string]dialect.Range{"temperature": {Min: 0, Max: 2}, "top_p": {Min: 0, Max: 1}},
				ToolNames: dialect.ToolNames64,
			},
			MaxTokens:        openai.MaxCompletionTokens, // max_tokens is deprecated
			AsksStreamUsage:  true,
			MaxStops:         4,
			NoDeveloperRole:  true,
			NoNames:          true, // refused on most roles: BerriAI/litellm issue 9720
			Audio:            openai.AudioRefused,
			Files:            openai.FilesRefused, // Responses alone takes them
			NoAllowedTools:   true,
			DropFromMessages: answerFields(),
			// completion_tokens leave reasoning out, which OpenAI's clients add nothing to.
			RewritesAnswers: true,
			Models:          xAIModels(),
		}},
		errors: formatXAI | formatOpenAI,
		signals: []signal{
			// "Incorrect API key provided: na***ys. You can obtain an API key from https://console.x.ai." (continuedev/continue
			// issue 10778); the status of a bad key is 400 (docs.x.ai/developers/debugging).
			{status: 400, text: "incorrect api key", class: chat.BadKey},
			// GET /api-key tells the same as flags.
			{status: 403, text: "blocked", class: chat.Forbidden, scope: chat.ScopeKey},
			{status: 403, text: "disabled", class: chat.Forbidden, scope: chat.ScopeKey},
			// "Your team ... has either used all available credits or reached its monthly spending limit" is 429
			// (continuedev/continue issue 10373), "... doesn't have any credits yet" 403 (griptape-nodes-engine issue 1079).
			{text: "used all available credits", class: chat.OutOfMoney},
			{text: "doesn't have any credits", class: chat.OutOfMoney},
			{text: "maximum prompt length", class: chat.ContextLength},
			{text: "violates usage guidelines", class: chat.ContentPolicy},
		},
	}
}

// xAIModels are the generations. Those that reason refuse penalties and stop sequences (docs.x.ai/docs/guides/reasoning),
// and some that always reason refuse to be told how much: grok-3 and grok-4 (ibid.), grok-4.20 (vercel/ai,
// @ai-sdk/xai 4.0.8). The levels of the others are those of the catalogue.
func xAIModels() []openai.ModelRules {
	reasoning := []string{"presence_penalty", "frequency_penalty", "stop"}
	untold := append([]string{"reasoning_effort"}, reasoning...)
	model := func(match func(string) bool, drop []string, efforts ...string) openai.ModelRules {
		return openai.ModelRules{Match: match, Drop: drop, Efforts: efforts}
	}
	return []openai.ModelRules{
		model(func(id string) bool { return strings.Contains(id, "non-reasoning") }, []string{"reasoning_effort"}),
		model(idPrefix("grok-3-mini"), reasoning, "low", "high"),
		model(idPrefix("grok-2", "grok-3"), []string{"reasoning_effort"}),
		model(idPrefix("grok-4.3"), reasoning, "none", "low", "medium", "high"),
		model(idPrefix("grok-4.5", "grok-4.6"), reasoning, "low", "medium", "high"),
		model(idPrefix("grok-4.7"), reasoning, "low", "medium", "high", "xhigh"),
		model(idPrefix("grok-4.20", "grok-4-", "grok-code"), untold),
		model(func(id string) bool { return id == "grok-4" }, untold),
		model(idPrefix("grok-build"), reasoning, "low", "medium", "high"),
		model(idPrefix(""), reasoning),
	}
}

// xAIKey reads GET /api-key, which says whether the key, or the team that it belongs to, is blocked.
func xAIKey(text []byte) *chat.Error {
	var answer struct {
		TeamBlocked bool `json:"team_blocked"`
		KeyBlocked  bool `json:"api_key_blocked"`
		KeyDisabled bool `json:"api_key_disabled"`
	}
	switch err := json.Unmarshal(text, &answer); {
	case err != nil:
		return nil
	case answer.TeamBlocked:
		return &chat.Error{Class: chat.Forbidden, Scope: chat.ScopeKey, Message: "the team of the key is blocked"}
	case answer.KeyBlocked, answer.KeyDisabled:
		return &chat.Error{Class: chat.BadKey, Message: "the key is blocked or disabled"}
	}
	return nil
}

// xAIFields returns the fields of its document, beside those of all providers of the dialect.
func xAIFields() []string {
	return []string{"deferred", "frequency_penalty", "logprobs", "max_completion_tokens", "max_tokens", "n", "parallel_tool_calls",
		"presence_penalty", "reasoning_effort", "search_parameters", "seed", "service_tier", "stream_options", "top_logprobs", "user",
		"web_search_options"}
}
