package provider

import "github.com/alicetears/llm-gateway/pkg/chat"

// anthropic speaks its own dialect. Sources: platform.claude.com/docs/en/api/errors and
// /rate-limits, and recorded errors.
func anthropic() Provider {
	return Provider{
		ID: "anthropic", Name: "Anthropic", BaseURL: "https://api.anthropic.com",
		Dialect: Anthropic, Auth: XAPIKey, RequestID: "Request-Id",
		Header: map[string]string{"Anthropic-Version": "2023-06-01"},
		Upward: []string{"Anthropic-Version", "Anthropic-Beta"},
		check:  check{path: "/v1/models?limit=1", proves: listed},
		limits: []limitHeader{
			{"anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"},
			{"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"},
			{"anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"},
			{"anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"},
		},
		signals: []signal{
			// Monthly limits that the account's owner set; they end with the month. The 429
			// comes without retry-after.
			{word: "enforced_spend_limit_reached", class: chat.OutOfMoney, reset: resetMonth},
			{status: 400, text: "you have reached your specified", class: chat.OutOfMoney, reset: resetMonth},
			{status: 400, text: "reached your specified workspace api usage limits", class: chat.OutOfMoney, reset: resetMonth},
			{status: 400, text: "credit balance is too low", class: chat.OutOfMoney},
			{status: 400, text: "exceed context limit", class: chat.ContextLength},
		},
	}
}
