package provider

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// groqRow returns the row of Groq. It refuses fields that it does not know. Sources: its OpenAPI
// document of August 2026, console.groq.com/docs/errors and /rate-limits, and recorded traffic.
func groqRow() Provider {
	return Provider{
		ID: "groq", Name: "Groq", BaseURL: "https://api.groq.com/openai/v1",
		Auth: Bearer, RequestID: "X-Request-Id",
		modelIDs: modelIDs{prefixes: []string{"groq/compound", "llama-3."}},
		check:    check{path: "/models", proves: listed},
		Client: openai.Client{Rules: &openai.Rules{
			CommonRules: dialect.CommonRules{
				Fields:       onlyFields(groqFields()),
				Clamp:        map[string]dialect.Range{"temperature": {Min: 0, Max: 2}, "top_p": {Min: 0, Max: 1}},
				ToolNames:    dialect.ToolNames64,
				SingleChoice: true, // n other than 1 is a 400
			},
			MaxTokens:        openai.MaxCompletionTokens,
			AsksStreamUsage:  false, // stream_options is not in the document; usage comes without it (recorded)
			MaxStops:         4,     // API reference, create chat completion
			NoDeveloperRole:  true,
			NoNames:          true,
			ReasoningBack:    openai.ReasoningBackField,
			Audio:            openai.AudioRefused,
			Files:            openai.FilesRefused,
			NoAllowedTools:   true,
			DropFromMessages: answerFields(),
			// CreateChatCompletionRequest's messages, additionalProperties false.
			MessageFields: []string{"role", "content", "tool_calls", "tool_call_id", "reasoning"},
			// Who takes reasoning_effort, and which values, is the model's affair.
			Models: []openai.ModelRules{
				// console.groq.com/docs/browser-search and /code-execution: its own tools of these models.
				{Match: idPrefix("openai/gpt-oss"), Efforts: []string{"low", "medium", "high"}, Drop: []string{"reasoning_format"},
					Hosted: openai.HostedTypes{chat.WebSearch: "browser_search", chat.CodeExecution: "code_interpreter"}},
				{Match: idPrefix("qwen/qwen3"), Efforts: []string{"none", "default"}, ThinkTags: openai.ThinkTagsAsked},
				// They do not reason: "`reasoning_format` is not supported with this model".
				{Match: idPrefix("llama-", "meta-llama/"), Drop: []string{"reasoning_effort", "reasoning_format"}},
				{Match: idPrefix(""), Drop: []string{"reasoning_effort"}},
			},
		}},
		limits: []limitHeader{
			{"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"}, // of a day
			{"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},     // of a minute
		},
		errors: formatOpenAI,
		signals: []signal{
			// This request alone is above the model's tokens a minute: the same key takes smaller ones.
			{status: 413, word: "rate_limit_exceeded", class: chat.TooLarge, scope: chat.ScopeAttempt},
			{word: "capacity_exceeded", class: chat.Overloaded}, // 498, flex tier
			{word: "model_decommissioned", class: chat.ModelUnknown},
			{status: 400, text: "decommissioned", class: chat.ModelUnknown},
			{word: "model_terms_required", class: chat.Forbidden}, // until an admin accepts them
			{status: 400, text: "requires terms acceptance", class: chat.Forbidden},
			// A model that is blocked for the organisation or project; its status is 403.
			{word: "model_permission_blocked_org", class: chat.Forbidden},
			{word: "model_permission_blocked_project", class: chat.Forbidden},
			{word: "organization_restricted", class: chat.Forbidden, scope: chat.ScopeKey},
			{word: "blocked_api_access", class: chat.OutOfMoney}, // the organisation's own spend limit
		},
	}
}

// groqFields returns the fields of its document, beside those of all providers of the dialect.
func groqFields() []string {
	return []string{"citation_options", "compound_custom", "disable_tool_validation", "documents", "exclude_domains", "function_call", "functions",
		"include_domains", "include_reasoning", "max_completion_tokens", "max_tokens", "n", "parallel_tool_calls", "reasoning_effort",
		"reasoning_format", "search_settings", "seed", "service_tier", "user"}
}
