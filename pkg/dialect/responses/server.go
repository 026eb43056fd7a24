package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Server is the half towards callers, who post to /v1/responses. Its zero value is ready; it
// must not be copied after its first use.
//
// # Requests
//
// The conversation is all in input; instructions become a system message before it.
// What would need something to be kept is an issue: previous_response_id, conversation, prompt,
// background, items that refer to others. Store is answered with false whatever was asked.
// Fields without a meaning elsewhere are passed over, such as truncation (an input that is too
// long is an error) and stream_options; so are fields that are not known.
//
// Hosted tools and the items of their calls are kept as they are, for providers that speak this
// dialect. A choice of allowed_tools leaves the others out of the tools.
//
// # Answers
//
// A picture that the model made is an item image_generation_call, whoever made it.
// Reasoning is an item: its text is a summary where the provider calls it one, else content.
// What the provider wants back with it is its encrypted content, which an answer always has; of
// providers other than OpenAI it is an envelope that DecodeRequest opens again, and so is
// the signature of a call, before the call. All ids are made of the request's, so that the same
// request has the same ids, and can be told from a provider's.
type Server struct{ docs body.Docs }

var _ dialect.Server = (*Server)(nil)

// DecodeRequest reads a caller's body. It keeps nothing of it. A member that is null counts as
// absent. The route is empty: this dialect has no place for it. Errors are *fault.Error of code
// Validation, whose details list the issues found, each with its path.
func (s *Server) DecodeRequest(data []byte) (*chat.Request, dialect.Route, error) {
	d := decoder{req: new(chat.Request)}
	err := s.docs.Read(data, func(root jsonx.Value) error {
		d.request(root)
		return d.Err()
	})
	if err != nil {
		return nil, dialect.Route{}, err
	}
	return d.req, dialect.Route{}, nil
}

// EncodeResponse writes a whole answer. Of several choices it is the first.
func (s *Server) EncodeResponse(resp *chat.Response, served dialect.Served) []byte {
	o := newOutput(served, nil)
	events := chat.Events(resp)
	for i := range events {
		o.add(&events[i])
	}
	return o.appendResponse(make([]byte, 0, o.size()), o.status())
}

// NewStreamEncoder returns an encoder for one streamed answer.
func (s *Server) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	return newStreamEncoder(served)
}

// EncodeError writes the body of an answer that failed before its first byte, as Chat Completions has it.
func (s *Server) EncodeError(err *fault.Error, _ string) []byte {
	return openai.AppendFault(nil, err)
}
