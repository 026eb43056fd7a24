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
// The whole conversation is in input; instructions become a system message before it. What refers to stored
// answers (previous_response_id, references to items) is replaced before, see Recall. Members that refer to
// something else that is stored are issues: conversation, prompt, background.
// Fields that only this dialect has are ignored, such as truncation (an input that is too
// long is an error) and stream_options; so are unknown fields. The answer says store false; Mark changes that.
//
// Hosted tools and the items of their calls are kept unchanged, for providers of this
// dialect. A choice of allowed_tools removes the others from the tools.
//
// # Answers
//
// An image that the model made is an item image_generation_call, whichever provider made it.
// Reasoning is an item: its text is a summary if the provider calls it one, otherwise content. Its
// encrypted content is always included: OpenAI's own, or an envelope (package reasoning) with the state
// of another provider. An item with such an envelope also carries the signature of the call after it.
// All ids derive from the request's id, so that the same request has the same ids. They differ from
// those of providers.
type Server struct{ docs body.Docs }

var _ dialect.Server = (*Server)(nil)

// DecodeRequest reads a caller's body. It keeps nothing of it. A member that is null counts as
// absent. The route has the models beside the model: this dialect has no place for the rest. Errors are *fault.Error of code
// Validation, whose details list the issues found, each with its path.
func (s *Server) DecodeRequest(data []byte) (*chat.Request, dialect.Route, error) {
	d := decoder{req: new(chat.Request)}
	d.Passes = d.req
	err := s.docs.Read(data, func(root jsonx.Value) error {
		d.request(root)
		return d.Err()
	})
	if err != nil {
		return nil, dialect.Route{}, err
	}
	return d.req, dialect.Route{Models: d.models}, nil
}

// EncodeResponse writes a whole answer: the first of several choices.
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

// EncodeError writes the body of an answer that failed before its first byte, in the shape of Chat Completions.
func (s *Server) EncodeError(err *fault.Error, _ string) []byte {
	return openai.AppendFault(nil, err)
}
