package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Server is the half towards callers, who post to /v1/chat/completions. Its zero value is
// ready; it must not be copied after its first use.
//
// Beside what OpenAI documents it reads what clients of compatible servers send: reasoning and
// thinking (OpenRouter, DeepSeek), the reasoning of earlier turns as reasoning_content, reasoning
// or reasoning_details, Mistral's parts, top_k, cache_control on parts and tools, and Google's
// extra_content.google.thought_signature on tool calls.
type Server struct{ docs body.Docs }

var _ dialect.Server = (*Server)(nil)

// DecodeRequest reads a caller's body. It keeps nothing of it. A member that is null counts
// as absent, and one that nobody knows is passed over: it goes on only where the body itself
// does (dialect.Passing). The route is empty: this dialect has no place for it.
//
// Errors are *fault.Error of code Validation, whose details list the issues found, each with
// its path. What has the wrong type or is out of range is one, as is a tool that must be called
// and is not there.
func (s *Server) DecodeRequest(data []byte) (*chat.Request, dialect.Route, error) {
	d := requestDecoder{req: new(chat.Request)}
	err := s.docs.Read(data, func(root jsonx.Value) error {
		d.request(root)
		return d.Err()
	})
	if err != nil {
		return nil, dialect.Route{}, err
	}
	return d.req, dialect.Route{}, nil
}
