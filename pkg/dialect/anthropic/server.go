package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Server decodes callers' requests and encodes the answers to them. It must be made by New.
//
// It reads what Claude Code and Anthropic's SDKs send. Unknown members and blocks are no error, as
// clients send betas. Blocks and tools that only Anthropic has are kept as they are (chat.Part.Raw, chat.Tool.Raw).
type Server struct {
	docs body.Docs
}

var _ dialect.Server = (*Server)(nil)

// New returns a Server.
func New() *Server { return new(Server) }

// DecodeRequest decodes the body of POST /v1/messages, and keeps no part of it. Errors are *fault.Error of code
// Validation whose details list the issues, each with its path. The dialect has no route.
func (s *Server) DecodeRequest(data []byte) (*chat.Request, dialect.Route, error) {
	return s.decode(data, answers)
}

// DecodeCount decodes the body of POST /v1/messages/count_tokens, which needs no max_tokens.
func (s *Server) DecodeCount(data []byte) (*chat.Request, dialect.Route, error) {
	return s.decode(data, counts)
}

func (s *Server) decode(data []byte, purpose purpose) (*chat.Request, dialect.Route, error) {
	d := decoder{purpose: purpose, req: new(chat.Request)}
	d.Passes = d.req
	err := s.docs.Read(data, func(root jsonx.Value) error {
		if root.Get("thread").Given() {
			return threadRefused()
		}
		d.request(root)
		return d.Err()
	})
	if err != nil {
		return nil, dialect.Route{}, err
	}
	return d.req, dialect.Route{Models: d.models}, nil
}

// threadRefused returns the error for a conversation that Anthropic stores: it would be bound to one account, and no
// other provider could continue it. Anthropic's SDKs know the code (ThreadUnsupportedRequestError of @anthropic-ai/sdk
// 1.13): their tool runners begin with a thread and then send the whole conversation.
func threadRefused() error {
	return &fault.Error{
		Code:    fault.Validation,
		Message: "thread: the gateway keeps no conversations; send the whole conversation, and no thread",
		Details: map[string]any{"error_code": "thread_unsupported_request", "unsupported": []string{"thread"}},
	}
}
