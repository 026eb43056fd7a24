package provider

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// deepSeekRow returns the row of DeepSeek. Its models think by default. Sources: api-docs.deepseek.com
// (create chat completion, thinking mode, error codes, rate limit) of October and November 2026, and
// recorded traffic.
func deepSeekRow() Provider {
	return Provider{
		ID: "deepseek", Name: "DeepSeek", BaseURL: "https://api.deepseek.com",
		Auth: Bearer, RequestID: "X-Ds-Trace-Id",
		modelIDs: modelIDs{match: isDeepSeekModel},
		check:    check{path: "/user/balance", list: "/models", read: deepSeekBalance, proves: "the provider knows the key, and its balance suffices for calls"},
		Client: openai.Client{Rules: &openai.Rules{
			CommonRules: dialect.CommonRules{
				Drop:         foreignFields(deepSeekFields()),
				Rename:       map[string]string{"user": "user_id"},
				Clamp:        map[string]dialect.Range{"temperature": {Min: 0, Max: 2}, "top_p": {Min: 0, Max: 1}},
				ToolNames:    dialect.ToolNames64,
				SingleChoice: true,
				// "An assistant message with 'tool_calls' must be followed by tool messages".
				Turns: dialect.TurnRules{Pairs: true, DistinctCallIDs: true},
			},
			MaxTokens:        openai.MaxTokens,
			AsksStreamUsage:  true,
			MaxStops:         16, // API reference, create chat completion
			NoDeveloperRole:  true,
			Reasoning:        openai.ReasoningThinking,
			ReasoningBack:    openai.ReasoningBackContent,
			NoSchema:         true,
			Audio:            openai.AudioRefused,
			Files:            openai.FilesRefused,
			NoAllowedTools:   true,
			NoTextParts:      true,
			DropFromMessages: answerFields("prefix"), // chat prefix completion
		}},
		errors: formatOpenAI | formatFlat,
		signals: []signal{
			{text: "insufficient balance", class: chat.OutOfMoney},
			{word: "insufficient_system_resource", class: chat.Overloaded},
			{status: 400, text: "model not exist", class: chat.ModelUnknown},
		},
	}
}

func isDeepSeekModel(id string) bool {
	rest, ok := strings.CutPrefix(id, "deepseek-")
	if !ok || strings.Contains(id, "/") {
		return false
	}
	if hasPrefix(rest, []string{"chat", "reasoner", "flash"}) {
		return true
	}
	return len(rest) >= 2 && rest[0] == 'v' && rest[1] >= '0' && rest[1] <= '9'
}

// deepSeekFields returns the fields of its document, beside those of all providers of the dialect.
func deepSeekFields() []string {
	return []string{"frequency_penalty", "logprobs", "max_tokens", "presence_penalty", "reasoning_effort", "stream_options", "thinking",
		"top_logprobs", "user", "user_id"} // user is sent as user_id
}
