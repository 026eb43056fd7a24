package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Server is the half towards clients, who post to /v1/chat/completions. Its zero value is
// ready; it must not be copied after its first use.
//
// Beside what OpenAI documents it reads what clients of compatible servers send: reasoning and
// thinking (OpenRouter, DeepSeek), the reasoning of earlier turns as reasoning_content, reasoning
// or reasoning_details, Mistral's parts, top_k, cache_control on parts and tools, and Google's
// extra_content.google.thought_signature on tool calls.
type Server struct{ docs body.Docs }

var _ dialect.Server = (*Server)(nil)

// DecodeRequest reads a client's body and keeps nothing of it. A member that is null counts
// as absent. An unknown member is skipped: it reaches the provider only where the body itself
// does (dialect.Passing). The route has the models beside the model: this dialect has no place for the rest.
//
// Errors are *fault.Error of code Validation, whose details list the issues found, each with
// its path. A wrong type or a value out of range is an issue, as is a tool that must be called
// and is missing.
func (s *Server) DecodeRequest(data []byte) (*chat.Request, dialect.Route, error) {
	d := NewRequestDecoder(&completions, nil)
	err := s.docs.Read(data, func(root jsonx.Value) error {
		d.Decode(root)
		at := "tool_choice"
		if !d.toolChoice.Exists() {
			at = "function_call"
		}
		d.CheckChoice(root, at, "", d.Request)
		return d.Err()
	})
	if err != nil {
		return nil, dialect.Route{}, err
	}
	return d.Request, dialect.Route{Models: d.models}, nil
}
