package native

import (
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// format describes the requests: Chat Completions in camel case, with the exceptions listed here.
func format() *openai.RequestFormat {
	return &openai.RequestFormat{
		Strict: true,
		Request: openai.NewMembers(`messages model temperature maxTokens=max_completion_tokens topP topK stop seed n
			frequencyPenalty presencePenalty logitBias logprobs topLogprobs stream tools toolChoice parallelToolCalls
			responseFormat reasoning verbosity serviceTier user metadata cacheKey=prompt_cache_key
			provider allowedProviders allowedPriorities models async requestId
			max_completion_tokens?maxTokens maxCompletionTokens?maxTokens maxOutputTokens?maxTokens
			reasoning_effort?reasoning.effort reasoningEffort?reasoning.effort
			prompt_cache_key?cacheKey promptCacheKey?cacheKey`),
		Message: openai.NewMembers(`role content name toolCalls toolCallId isError reasoning refusal images
			citations`), // citations are part of an answer; no provider takes them back
		Reasoning:      openai.NewMembers("effort budget=max_tokens summary hide=exclude"),
		ResponseFormat: openai.NewMembers("type jsonSchema json_schema"),

		CacheControl:  "cache",
		CallSignature: "signature",
		ResultError:   "isError",

		Roles:       []string{"system", "developer", "user", "assistant", "tool"},
		PartTypes:   []string{"text", "image", "audio", "file", "image_url", "input_audio"},
		Details:     []string{"auto", "low", "high"},
		Efforts:     []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"},
		ToolTypes:   []string{"function"},
		ToolModes:   []string{"auto", "none", "required"},
		ToolChoices: []string{"function"},

		Part:             part,
		EarlierReasoning: earlierReasoning,
		Image:            image,
	}
}
