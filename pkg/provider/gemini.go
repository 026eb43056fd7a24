package provider

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
)

// geminiTurns: "Please ensure that function call turn comes immediately after a user turn or after a function response
// turn", and "that the number of function response parts is equal to the number of function call parts".
var geminiTurns = dialect.TurnRules{Pairs: true, DistinctCallIDs: true, UserFirst: true}

// geminiRow returns the row of Google Gemini. It has its own dialect, and reports most failures
// with status 400 and 429. Sources: ai.google.dev/gemini-api/docs/troubleshooting and /rate-limits,
// and recorded errors.
func geminiRow() Provider {
	return Provider{
		ID: "gemini", system: "gcp.gemini", Name: "Google Gemini", BaseURL: "https://generativelanguage.googleapis.com",
		Auth: XGoogAPIKey, HasEmbeddings: true,
		modelIDs: modelIDs{prefixes: []string{"gemini-", "gemma-", "learnlm-", "imagen-", "veo-"}, collection: "models/"},
		check:    check{path: "/v1beta/models?pageSize=1", list: "/v1beta/models?pageSize=1000", proves: listed},
		Client: gemini.Client{Rules: &gemini.Rules{
			CommonRules: dialect.CommonRules{
				// The documents of GenerationConfig.
				Clamp: map[string]dialect.Range{
					"temperature": {Min: 0, Max: 2}, "topP": {Min: 0, Max: 1},
					"presencePenalty": {Min: -2, Max: 2}, "frequencyPenalty": {Min: -2, Max: 2},
				},
				ToolNames: dialect.ToolNamesDotted, // FunctionDeclaration.name; the letter is known from its errors
				Turns:     geminiTurns,
				MaxOutput: maxOutput("gemini"), // "the supported range is from 1 (inclusive) to 65537 (exclusive)"
			},
			Models: geminiModels(),
		}},
		// Quotas of a day begin anew at midnight Pacific time; this is its winter, an hour
		// late in summer.
		dayReset: 8,
		errors:   formatGoogle,
		signals: []signal{
			{word: "API_KEY_INVALID", class: chat.BadKey},
			{status: 400, text: "api key not valid", class: chat.BadKey},
			{status: 400, text: "api key expired", class: chat.BadKey},
			{status: 403, text: "reported as leaked", class: chat.BadKey},
			{text: "prepayment credits are depleted", class: chat.OutOfMoney},
			{word: "BILLING_DISABLED", class: chat.OutOfMoney},
			// The free tier has none of this model. The RetryInfo beside it is of no use, as is that of a day's
			// quota: it says 34 s whatever is spent.
			{status: 429, text: "limit: 0", class: chat.Forbidden},
			{parts: "PerDay " + perModel, class: chat.DailyQuota, reset: resetDay},
			{parts: "PerDay", class: chat.DailyQuota, scope: chat.ScopeKey, reset: resetDay},
			{parts: perModel, class: chat.RateLimited},
			{parts: "PerMinutePerProject", class: chat.RateLimited, scope: chat.ScopeKey},
			// FAILED_PRECONDITION: "Gemini API free tier is not available in your country. Please enable billing".
			{status: 400, text: "free tier is not available", class: chat.OutOfMoney},
			{status: 400, text: "user location is not supported", class: chat.Forbidden, scope: chat.ScopeKey},
			{status: 400, text: "exceeds the maximum number of tokens", class: chat.ContextLength},
			{status: 403, text: "model", class: chat.Forbidden},
			{status: 403, class: chat.Forbidden, scope: chat.ScopeKey}, // the project's
			// In a stream the status' name stands for the status.
			{status: inAnswer, word: "INVALID_ARGUMENT", class: chat.BadRequest},
			{status: inAnswer, word: "PERMISSION_DENIED", class: chat.Forbidden},
			{status: inAnswer, word: "NOT_FOUND", class: chat.ModelUnknown},
			{status: inAnswer, word: "RESOURCE_EXHAUSTED", class: chat.RateLimited},
			{status: inAnswer, word: "UNAVAILABLE", class: chat.Overloaded},
		},
	}
}

// geminiModels are the generations, of which each is told in another way how much to think
// (ai.google.dev/gemini-api/docs/thinking), the exceptions first. The levels are those of the
// catalogue: from 3.7 on there is no minimal. JSON schemas are known to work from 2.5 on.
func geminiModels() []gemini.ModelRules {
	budget := func(form gemini.ThinkingForm, low, high float64, prefixes ...string) gemini.ModelRules {
		return gemini.ModelRules{Match: geminiPrefix(prefixes...), Thinking: form, Budget: dialect.Range{Min: low, Max: high},
			HostedAlone: true}
	}
	level := func(match func(string) bool, efforts ...string) gemini.ModelRules {
		return gemini.ModelRules{Match: match, Thinking: gemini.ThinkingLevel, Efforts: efforts,
			DemandsSignatures: true, ResultMediaInside: true}
	}
	return []gemini.ModelRules{
		{Match: geminiPrefix("gemma-1", "gemma-2", "gemma-3", "gemini-gemma-"), Thinking: gemini.ThinkingDropped,
			SchemaSubset: true, InstructionsInTurn: true, HostedAlone: true},
		{Match: geminiPrefix("gemini-1", "gemini-2.0-", "gemini-exp-", "gemini-pro-1", "gemini-flash-1", "gemma-", "learnlm-"),
			Thinking: gemini.ThinkingDropped, SchemaSubset: true, HostedAlone: true},
		{Match: func(id string) bool {
			return geminiPrefix("gemini-2.5-")(id) && (strings.Contains(id, "-image") || strings.Contains(id, "-tts"))
		}, Thinking: gemini.ThinkingDropped, HostedAlone: true},
		budget(gemini.ThinkingBudgetAlways, 128, 32768, "gemini-2.5-pro"),
		budget(gemini.ThinkingBudget, 512, 24576, "gemini-2.5-flash-lite"),
		budget(gemini.ThinkingBudget, 0, 24576, "gemini-2.5-", "gemini-robotics-er-1"),
		level(geminiPrefix("gemini-3-pro"), "low", "high"),
		level(geminiPrefix("gemini-3-flash", "gemini-3.1-flash", "gemini-3.5-flash", "gemini-3.6-flash"), "minimal", "low", "medium", "high"),
		level(geminiPrefix("gemini-4-hydrogen"), "low", "medium", "high", "xhigh"), // BerriAI/litellm discussion 46238
		level(idPrefix(""), "low", "medium", "high"),
	}
}

// geminiPrefix matches ids as the lists of models show them, too: models/gemini-x.
func geminiPrefix(prefixes ...string) func(string) bool {
	match := idPrefix(prefixes...)
	return func(id string) bool { return match(strings.TrimPrefix(id, "models/")) }
}
