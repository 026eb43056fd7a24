// Package native is the gateway's own wire format, POST /api/chat: Chat Completions with names
// in camel case, and with members for routing. It keeps the bytes of the original gateway of that
// name; everything else is an addition that an old program never sees.
//
// # Request
//
//	{
//	  "messages": [...],                     required, not empty: see below
//	  "model": "gpt-5",                      else the key's default model
//	  "provider": "auto",                    or one provider's id
//	  "allowedProviders": ["openai"],        the only ones; not empty
//	  "allowedPriorities": [1, 2],           of keys; not empty
//	  "models": ["claude-opus-4-5"],        serve in this order if the model cannot; at most 32, not empty
//	  "temperature": 0.7,                    0 to 2
//	  "maxTokens": 100,                      at least 1; reasoning included
//	  "topP": 0.9,                           0 to 1
//	  "topK": 40,                            at least 1
//	  "stop": "END",                         or up to 16 of them in an array
//	  "seed": 7,
//	  "n": 1,                                1 to 128 answers
//	  "frequencyPenalty": 0, "presencePenalty": 0,         -2 to 2
//	  "logitBias": {"50256": -100},          -100 to 100
//	  "logprobs": false, "topLogprobs": 0,   0 to 20
//	  "stream": false,
//	  "async": false,                        answered later: see package jobs
//	  "requestId": "my-42",                  1 to 128 printable ASCII characters; echoed
//	  "tools": [{"type": "function", "function": {"name", "description", "parameters", "strict"}, "cache"}],
//	  "toolChoice": "auto",                  "none", "required" or {"type": "function", "function": {"name"}}
//	  "parallelToolCalls": true,
//	  "responseFormat": {"type": "json_schema", "jsonSchema": {"name", "description", "schema", "strict"}},
//	                                         or {"type": "text"}, {"type": "json_object"}
//	  "reasoning": {"effort", "budget", "summary", "hide"},
//	                                         effort: none, minimal, low, medium, high, xhigh, max; budget: tokens
//	  "verbosity": "low",                    medium, high
//	  "serviceTier": "auto",
//	  "user": "u-1",                         an end user's id
//	  "metadata": {"k": "v"},
//	  "cacheKey": "k"                        steers the provider's prompt cache
//	}
//
// A member that is null counts as absent. A member that is not listed is an issue: otherwise a
// client that sends max_tokens would get answers of any length.
//
// # Messages
//
//	{"role": "system", "content": ".."}      or "developer"
//	{"role": "user", "content": "..", "name": "ann"}
//	{"role": "assistant", "content": "..",
//	 "toolCalls": [{"id", "type": "function", "function": {"name", "arguments"}, "signature"}],
//	 "reasoning": [...], "refusal": ".."}    arguments is a string of JSON
//	{"role": "tool", "toolCallId": "call_1", "content": "..", "isError": false}
//
// The message of an answer may be sent back as it came. Its reasoning is an array of
// {"text", "id", "signature", "redacted", "encrypted", "format", "group", "summary"}, of which
// everything but the text is a provider's and must come back unchanged. Reasoning without a
// signature may be a string.
//
// Content is a string, or an array of parts (text alone, except in messages of the user and of tools):
//
//	{"type": "text", "text": "..", "cache": {"ttl": "5m"}}      cache ends a prefix to be cached
//	{"type": "image", "url": "https://..", "detail": "auto"}    low, high
//	{"type": "image", "data": "<base64>", "mimeType": "image/png"}
//	{"type": "audio", "data": "<base64>", "format": "wav"}
//	{"type": "file", "data": "<base64>", "mimeType": "application/pdf", "filename": "a.pdf"}   or "url", or "fileId"
//
// A url may be a data URL. OpenAI's image_url, input_audio and file parts are read, too.
//
// # Response
//
//	{"id", "provider", "model",
//	 "choices": [{"index", "message": {"role", "content"}, "finishReason"}],
//	 "usage": {"promptTokens", "completionTokens", "totalTokens"},
//	 "created"}
//
// The id is the request's: requestId, or the gateway's own. Content is a string, empty
// if there is no text. finishReason is stop, length, tool_calls or content_filter. Members that
// are left out if they are empty: message.toolCalls, message.reasoning, message.refusal,
// message.images (images of the model: url, or data and mimeType), message.citations, choice.logprobs,
// usage.cachedTokens, usage.cacheWriteTokens, usage.reasoningTokens, usage.inputAudioTokens,
// usage.outputAudioTokens, and usage.estimated, which is true if the provider reported no usage, or if what
// it costs does not follow from it.
//
// # Stream
//
// Server-sent events without names. Each is a response whose choices have a delta instead of
// the message, and a finishReason that is null until the last of the choice. Content, refusal, and the
// text and arguments within items are appended to what came before; toolCalls and reasoning
// have an index that says which item a piece belongs to, and every other member of an item comes once;
// images, citations and logprobs are appended. The first delta of a choice has the role. The last event has
// the usage; then comes "[DONE]". A failure is an event {"error", "requestId"} as in an error's body, with
// nothing after it. Comments are heartbeats.
package native

import (
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// Server is the half towards clients. It must be made by New.
type Server struct {
	providers []string
	format    *openai.RequestFormat
	docs      body.Docs
}

var _ dialect.Server = (*Server)(nil)

// New returns the dialect; providers are the ids that a client may name.
func New(providers []string) *Server {
	return &Server{providers: providers, format: format()}
}
