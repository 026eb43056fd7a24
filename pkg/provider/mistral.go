package provider

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// mistralTurns are the rules of mistral-common (protocol/instruct/validator.py of 2026-07-23): others are 400
// invalid_request_message_order, code 3230, and ids of another form invalid_function_call, code 3280. The library lets
// a user follow a tool, which the hosted API refuses.
var mistralTurns = dialect.TurnRules{
	Pairs:           true,
	CallIDs:         dialect.CallIDsNine,
	DistinctCallIDs: true, // within a turn; a result must name its call
	NotAfter: map[chat.Role][]chat.Role{
		chat.Assistant: {chat.System},
		chat.ToolRole:  {chat.User, chat.System},
	},
	Ends:          dialect.EndsUser,
	SaysSomething: true,
}

// mistralRow returns the row of Mistral. It refuses every field that it does not know (422
// extra_forbidden). Sources: its OpenAPI document of August 2026 and recorded traffic.
func mistralRow() Provider {
	return Provider{
		ID: "mistral", Name: "Mistral", system: "mistral_ai", BaseURL: "https://api.mistral.ai/v1",
		Auth: Bearer, RequestID: "Mistral-Correlation-Id", HasEmbeddings: true,
		modelIDs: modelIDs{prefixes: []string{"mistral-", "ministral-", "open-mistral", "open-mixtral", "magistral-",
			"codestral", "devstral", "pixtral", "voxtral", "labs-"}},
		check: check{path: "/models", proves: listed},
		Client: openai.Client{Rules: &openai.Rules{
			CommonRules: dialect.CommonRules{
				// ChatCompletionRequest, additionalProperties false.
				Fields:    onlyFields(mistralFields()),
				Rename:    map[string]string{"seed": "random_seed"},
				Clamp:     map[string]dialect.Range{"temperature": {Min: 0, Max: 1.5}, "top_p": {Min: 0, Max: 1}},
				ToolNames: dialect.ToolNames64,
				Turns:     mistralTurns,
			},
			Embeddings:       dialect.EmbeddingRules{Dimensions: dialect.DimensionsOutput},
			RewritesAnswers:  true,
			MaxTokens:        openai.MaxTokens,
			AsksStreamUsage:  false, // stream_options is a 422
			ToolChoiceAny:    true,
			NoDeveloperRole:  true,
			NoNames:          true, // 422 on a user's message
			Reasoning:        openai.ReasoningTwoLevel,
			ReasoningBack:    openai.ReasoningBackParts, // reasoning_content is a 422
			Audio:            openai.AudioString,        // input_audio is a string
			Files:            openai.FileDocumentURL,
			NoAllowedTools:   true,
			DropFromMessages: answerFields("prefix"),
			// name is a tool message's; prefix begins the answer.
			MessageFields: []string{"role", "content", "tool_calls", "tool_call_id", "name", "prefix"},
			Models: []openai.ModelRules{
				// The only models whose description has reasoning_effort.
				{Match: idPrefix("mistral-small-2603", "mistral-small-latest", "mistral-medium-3-5", "mistral-medium-latest", "mistral-medium-2604"), Efforts: []string{"none", "high"}},
				{Match: idPrefix(""), Drop: []string{"reasoning_effort"}},
			},
		}},
		errors: formatFlat | formatMistral,
		signals: []signal{
			{word: "invalid_model", class: chat.ModelUnknown},
			{word: "1500", class: chat.ModelUnknown},
			{word: "3051", class: chat.ContextLength},
			{status: 400, text: "too large for model with", class: chat.ContextLength},
			// Tokens a month are one of its limits (help.mistral.ai, rate limits).
			{status: 429, text: "month", class: chat.DailyQuota, reset: resetMonth},
		},
	}
}

// mistralFields returns the fields of its document, beside those of all providers of the dialect.
func mistralFields() []string {
	return []string{"frequency_penalty", "guardrails", "max_tokens", "metadata", "n", "parallel_tool_calls", "prediction", "presence_penalty",
		"prompt_cache_key", "prompt_mode", "random_seed", "reasoning_effort", "safe_prompt"}
}
