package provider

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// togetherRow returns the row of Together. It follows the dialect loosely. Sources: its OpenAPI
// document of April 2026, docs.together.ai/docs/error-codes, and recorded traffic.
func togetherRow() Provider {
	return Provider{
		ID: "together", Name: "Together AI", BaseURL: "https://api.together.xyz/v1",
		Auth: Bearer, RequestID: "X-Request-Id", HasEmbeddings: true,
		modelIDs: modelIDs{likely: isHuggingFaceID},
		check:    check{path: "/models", proves: listed},
		Client: openai.Client{Rules: &openai.Rules{
			CommonRules: dialect.CommonRules{
				// Outside the document.
				Drop:      foreignFields(togetherFields()),
				Clamp:     map[string]dialect.Range{"temperature": {Min: 0, Max: 2}, "top_p": {Min: 0, Max: 1}},
				ToolNames: dialect.ToolNames64,
			},
			Embeddings:       dialect.EmbeddingRules{Dimensions: dialect.DimensionsRefused},
			RewritesAnswers:  true,
			MaxTokens:        openai.MaxTokens,
			AsksStreamUsage:  false, // on the last chunk, without asking (recorded)
			StopArrayOnly:    true,
			NoDeveloperRole:  true,
			Reasoning:        openai.ReasoningToggle,
			ReasoningBack:    openai.ReasoningBackDropped,
			Files:            openai.FilesRefused,
			LogprobsCount:    true, // a number from 0 to 20
			NoAllowedTools:   true,
			DropFromMessages: answerFields(),
			NoTextParts:      true, // all but a user's messages are strings
			Models:           togetherModels(),
		}},
		limits: []limitHeader{
			{"x-ratelimit-remaining", "x-ratelimit-reset"},
			{"x-tokenlimit-remaining", "x-tokenlimit-reset"},
		},
		errors: formatOpenAI,
		signals: []signal{
			{word: "model_not_available", class: chat.ModelUnknown},
			{word: "dedicated_endpoint_not_running", class: chat.ModelUnknown},
			// Documented: "403: input token count + max_tokens must be less than the
			// context length of the model". Nothing of it is about the key.
			{status: 403, text: "context length", class: chat.ContextLength},
			{status: 403, text: "input token count", class: chat.ContextLength},
			{status: 422, text: "must be <=", class: chat.ContextLength},
		},
	}
}

// togetherModels are told apart by whether they can be turned off and whether they take an effort
// (docs.together.ai/docs/inference/chat/reasoning; the levels of those that do both are the catalogue's). Of a model
// that nobody has heard of both are tried: the document of the API has both fields for all.
func togetherModels() []openai.ModelRules {
	return []openai.ModelRules{
		{Match: idPrefix("deepseek-ai/DeepSeek-V4", "zai-org/GLM-5.2"), Efforts: []string{"none", "high", "max"}},
		// They always reason; R1 does it in the text (recorded).
		{Match: idPrefix("deepseek-ai/DeepSeek-R1"), Efforts: []string{"low", "medium", "high"}, ThinkTags: openai.ThinkTagsSplit},
		{Match: idPrefix("openai/gpt-oss", "MiniMaxAI/MiniMax-M2", "moonshotai/Kimi-K2-Thinking", "Qwen/QwQ"),
			Efforts: []string{"low", "medium", "high"}},
		// They are on or off.
		{Match: idPrefix("deepseek-ai/DeepSeek-V3.1", "deepseek-ai/DeepSeek-V3-1", "zai-org/GLM-", "moonshotai/Kimi-K2.", "Qwen/Qwen3.", "deepcogito/"),
			Drop: []string{"reasoning_effort"}, Efforts: []string{"none", "medium"}},
		{Match: idPrefix(""), Efforts: []string{"none", "low", "medium", "high"}},
	}
}

// isHuggingFaceID fits Org/Model-Name: Together's ids are those of Hugging Face.
func isHuggingFaceID(id string) bool {
	org, name, ok := strings.Cut(id, "/")
	return ok && org != "" && name != "" && id != strings.ToLower(id) && !strings.Contains(name, "/")
}

// togetherFields returns the fields of its document, beside those of all providers of the dialect.
func togetherFields() []string {
	return []string{"chat_template_kwargs", "compliance", "context_length_exceeded_behavior", "echo", "frequency_penalty", "function_call",
		"logit_bias", "logprobs", "max_tokens", "min_p", "n", "presence_penalty", "reasoning", "reasoning_effort", "repetition_penalty",
		"safety_model", "seed", "top_k", "top_logprobs"}
}
