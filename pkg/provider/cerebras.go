package provider

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// cerebrasRow refuses every field that it does not know, within messages too: 400 wrong_api_format (Kilo-Org/kilocode issue
// 10375). Sources, read on 2026-11-30: inference-docs.cerebras.ai (API reference of chat completions, /capabilities/reasoning,
// /resources/openai, /support/error, /support/rate-limits), and what others measured: pydantic/pydantic-ai issue 7444 and
// pull request 7653 of August 2026, proxysoul/Empryo pull request 209 of September 2026.
func cerebrasRow() Provider {
	return Provider{
		ID: "cerebras", Name: "Cerebras", BaseURL: "https://api.cerebras.ai/v1",
		Auth: Bearer, // its answers name no request
		// Its ids are those of open weights, without a pattern of their own: the catalogue has them.
		check: check{path: "/models", proves: listed},
		Client: openai.Client{Rules: &openai.Rules{
			CommonRules: dialect.CommonRules{
				// logit_bias is taken, but does nothing (pydantic-ai pull request 7653); service_tier is a private preview.
				Fields: onlyFields(cerebrasFields()),
				// The reference's range of temperature.
				Clamp:        map[string]dialect.Range{"temperature": {Min: 0, Max: 1.5}, "top_p": {Min: 0, Max: 1}},
				ToolNames:    dialect.ToolNames64,
				SingleChoice: true, // n is not in the reference
			},
			MaxTokens:        openai.MaxCompletionTokens,
			AsksStreamUsage:  true,
			MaxStops:         4,
			NoDeveloperRole:  true, // taken for gpt-oss alone
			NoNames:          true,
			ReasoningBack:    openai.ReasoningBackField, // reasoning_content is refused
			Audio:            openai.AudioRefused,
			Files:            openai.FilesRefused,
			NoAllowedTools:   true,
			DropFromMessages: answerFields(),
			MessageFields:    []string{"role", "content", "tool_calls", "tool_call_id", "reasoning"},
			Models: []openai.ModelRules{
				{Match: idPrefix("gpt-oss"), Efforts: []string{"low", "medium", "high"}},
				{Match: idPrefix("qwen-3.8"), Efforts: []string{"none", "low", "medium", "high"}},
				{Match: idPrefix(""), Drop: []string{"reasoning_effort"}},
			},
		}},
		limits: []limitHeader{ // of a day and of a minute: /support/rate-limits
			{"x-ratelimit-remaining-requests-day", "x-ratelimit-reset-requests-day"},
			{"x-ratelimit-remaining-tokens-minute", "x-ratelimit-reset-tokens-minute"},
		},
		errors: formatBare | formatOpenAI,
		signals: []signal{
			{word: "wrong_api_key", class: chat.BadKey},
			// "We're experiencing high traffic right now! Please try again soon." (sandialabs/atlas-ui-3 issue 111)
			{word: "queue_exceeded", class: chat.Overloaded},
			{status: 429, text: "high traffic", class: chat.Overloaded},
		},
	}
}

// cerebrasFields returns the fields of its document, beside those of all providers of the dialect.
func cerebrasFields() []string {
	return []string{"clear_thinking", "frequency_penalty", "logprobs", "max_completion_tokens", "max_tokens", "parallel_tool_calls",
		"prediction", "presence_penalty", "reasoning_effort", "reasoning_format", "seed", "stream_options", "top_logprobs", "user"}
}
