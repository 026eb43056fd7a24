package provider

import "github.com/alicetears/llm-gateway/pkg/chat"

// gemini speaks its own dialect, and says most with status 400 and 429. Sources:
// ai.google.dev/gemini-api/docs/troubleshooting and /rate-limits, and recorded errors.
func gemini() Provider {
	return Provider{
		ID: "gemini", Name: "Google Gemini", BaseURL: "https://generativelanguage.googleapis.com",
		Dialect: Gemini, Auth: XGoogAPIKey, HasEmbeddings: true,
		check: check{path: "/v1beta/models?pageSize=1", proves: listed},
		// Quotas of a day begin anew at midnight Pacific time; this is its winter, an hour
		// late in summer.
		dayReset: 8,
		signals: []signal{
			{word: "API_KEY_INVALID", class: chat.BadKey},
			{status: 400, text: "api key not valid", class: chat.BadKey},
			{status: 400, text: "api key expired", class: chat.BadKey},
			{status: 403, text: "reported as leaked", class: chat.BadKey},
			{text: "prepayment credits are depleted", class: chat.OutOfMoney},
			{part: "PerDay", class: chat.DailyQuota},
			{status: 400, text: "user location is not supported", class: chat.Forbidden},
			{status: 400, text: "exceeds the maximum number of tokens", class: chat.ContextLength},
			// In a stream the status' name stands for the status.
			{status: inAnswer, word: "INVALID_ARGUMENT", class: chat.BadRequest},
			{status: inAnswer, word: "PERMISSION_DENIED", class: chat.Forbidden},
			{status: inAnswer, word: "NOT_FOUND", class: chat.ModelUnknown},
			{status: inAnswer, word: "RESOURCE_EXHAUSTED", class: chat.RateLimited},
			{status: inAnswer, word: "UNAVAILABLE", class: chat.Overloaded},
		},
	}
}
