package provider

import "slices"

// chatFields returns the fields of chat completions that the providers of the dialect document, beside those of all of
// them. Sources: their OpenAPI documents of April to August 2026 (OpenAI's CreateChatCompletionRequest, Groq's of the same
// name, Mistral's ChatCompletionRequest, Together's ChatCompletionRequest, OpenRouter's ChatRequest), the types of
// Fireworks' SDK, api-docs.deepseek.com, docs.x.ai and inference-docs.cerebras.ai. Left out is what a document only lists
// to say that it is not supported.
func chatFields() [][]string {
	return [][]string{openAIFields(), groqFields(), mistralFields(), togetherFields(), openRouterFields(), deepSeekFields(),
		fireworksFields(), xAIFields(), cerebrasFields()}
}

// onlyFields returns the fields that a provider takes and no others, for one that refuses what it does not know.
func onlyFields(own []string) []string {
	return append([]string{"model", "messages", "stream", "temperature", "top_p", "stop", "tools", "tool_choice", "response_format"}, own...)
}

// foreignFields returns the fields that other providers of the dialect document, and the one with its own does not. What
// nobody documents yet is left to the provider.
func foreignFields(own []string) []string {
	var list []string
	for _, fields := range chatFields() {
		for _, name := range fields {
			if !slices.Contains(own, name) && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	slices.Sort(list)
	return list
}

// answerFields returns the members of the assistant's messages that one provider or another answers with, beside what is
// said, but for the provider's own.
func answerFields(own ...string) []string {
	return slices.DeleteFunc([]string{"annotations", "audio", "channel", "citations", "executed_tools", "index", "logprobs", "model",
		"parsed", "prefix", "provider_specific_fields", "refusal", "weight"}, func(name string) bool { return slices.Contains(own, name) })
}
