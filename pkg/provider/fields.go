package provider

import "slices"

// Fields of chat completions that each provider of the dialect documents, beside those of all of them. Sources: the
// providers' OpenAPI documents of April to August 2026 (OpenAI's CreateChatCompletionRequest, Groq's of the same name,
// Mistral's ChatCompletionRequest, Together's ChatCompletionRequest, OpenRouter's ChatRequest), the types of Fireworks'
// SDK, api-docs.deepseek.com, docs.x.ai and inference-docs.cerebras.ai. Left out is what a document only lists to say
// that it is not supported.
var chatFields = map[string][]string{
	"openai": {"audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens",
		"metadata", "modalities", "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key",
		"prompt_cache_options", "prompt_cache_retention", "reasoning_effort", "safety_identifier", "seed", "service_tier", "store",
		"stream_options", "top_logprobs", "user", "verbosity", "web_search_options"},
	"groq": {"citation_options", "compound_custom", "disable_tool_validation", "documents", "exclude_domains", "function_call", "functions",
		"include_domains", "include_reasoning", "max_completion_tokens", "max_tokens", "n", "parallel_tool_calls", "reasoning_effort",
		"reasoning_format", "search_settings", "seed", "service_tier", "user"},
	"mistral": {"frequency_penalty", "guardrails", "max_tokens", "metadata", "n", "parallel_tool_calls", "prediction", "presence_penalty",
		"prompt_cache_key", "prompt_mode", "random_seed", "reasoning_effort", "safe_prompt"},
	"together": {"chat_template_kwargs", "compliance", "context_length_exceeded_behavior", "echo", "frequency_penalty", "function_call",
		"logit_bias", "logprobs", "max_tokens", "min_p", "n", "presence_penalty", "reasoning", "reasoning_effort", "repetition_penalty",
		"safety_model", "seed", "top_k", "top_logprobs"},
	"openrouter": {"cache_control", "debug", "frequency_penalty", "image_config", "include_reasoning", "logit_bias", "logprobs",
		"max_completion_tokens", "max_tokens", "metadata", "min_p", "modalities", "models", "parallel_tool_calls", "plugins", "prediction",
		"presence_penalty", "prompt_cache_key", "prompt_cache_options", "provider", "reasoning", "reasoning_effort", "repetition_penalty",
		"route", "safety_identifier", "seed", "service_tier", "session_id", "stop_server_tools_when", "stream_options", "structured_outputs",
		"top_a", "top_k", "top_logprobs", "trace", "transforms", "usage", "user", "verbosity", "web_search_options"},
	"deepseek": {"frequency_penalty", "logprobs", "max_tokens", "presence_penalty", "reasoning_effort", "stream_options", "thinking",
		"top_logprobs", "user", "user_id"}, // user is sent as user_id
	"fireworks": {"context_length_exceeded_behavior", "echo", "echo_last", "frequency_penalty", "function_call", "functions", "ignore_eos",
		"logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata", "min_p", "mirostat_lr", "mirostat_target", "n",
		"parallel_tool_calls", "perf_metrics_in_response", "prediction", "presence_penalty", "prompt_cache_isolation_key",
		"prompt_cache_key", "prompt_truncate_len", "raw_output", "reasoning_effort", "reasoning_history", "repetition_penalty",
		"return_token_ids", "safe_tokenization", "seed", "service_tier", "speculation", "stream_options", "thinking", "top_k",
		"top_logprobs", "typical_p", "user"},
	"xai": {"deferred", "frequency_penalty", "logprobs", "max_completion_tokens", "max_tokens", "n", "parallel_tool_calls",
		"presence_penalty", "reasoning_effort", "search_parameters", "seed", "service_tier", "stream_options", "top_logprobs", "user",
		"web_search_options"},
	"cerebras": {"clear_thinking", "frequency_penalty", "logprobs", "max_completion_tokens", "max_tokens", "parallel_tool_calls",
		"prediction", "presence_penalty", "reasoning_effort", "reasoning_format", "seed", "stream_options", "top_logprobs", "user"},
}

// onlyFields returns the fields that the provider takes and no others, for one that refuses what it does not know.
func onlyFields(id string) []string {
	return append([]string{"model", "messages", "stream", "temperature", "top_p", "stop", "tools", "tool_choice", "response_format"},
		chatFields[id]...)
}

// foreignFields returns the fields that other providers of the dialect document, and this one does not. What nobody
// documents yet is left to the provider.
func foreignFields(id string, dropped ...string) []string {
	list := dropped
	for _, fields := range chatFields {
		for _, name := range fields {
			if !slices.Contains(chatFields[id], name) && !slices.Contains(list, name) {
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
