package provider

import (
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
		check: check{path: "/models", proves: listed},
		Client: openai.Client{Rules: &openai.Rules{
			CommonRules: dialect.CommonRules{
				Drop:      []string{"store", "verbosity", "prompt_cache_retention", "web_search_options"},
				Clamp:     map[string]dialect.Range{"temperature": {Min: 0, Max: 2}, "top_p": {Min: 0, Max: 1}},
				ToolNames: dialect.ToolNames64,
			},
			MaxTokens:     openai.MaxTokens,  // both are accepted
			StreamUsage:   openai.UsageAsked, // newer models send none otherwise
			MaxStops:      4,                 // API reference, create chat completion
			DeveloperRole: openai.DeveloperAsSystem,
			Reasoning:     openai.ReasoningBudget,
			ReasoningBack: openai.ReasoningBackContent,
			Audio:         openai.AudioRefused,
			Files:         openai.FilesRefused,
			AllowedTools:  openai.AllowedToolsFiltered,
			Models: []openai.ModelRules{
				{Match: idPrefix(""), Efforts: []string{"none", "low", "medium", "high"}},
			},
		}},
		limits: []limitHeader{{"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"}},
		signals: []signal{
			// 412: "Account x is suspended, possibly due to reaching the monthly spending
			// limit or failure to pay past invoices".
			{status: 412, text: "spending limit", class: chat.OutOfMoney},
			{status: 412, text: "invoice", class: chat.OutOfMoney},
			{status: 412, class: chat.Forbidden},
		},
	}
}
