package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Server is the half towards callers. It must be made by New.
//
// It reads what Claude Code and Anthropic's SDKs send. Members and blocks that it does not
// know are no fault: clients send betas. Blocks and tools that only Anthropic has are kept as
// they are (chat.Part.Raw, chat.Tool.Raw).
type Server struct {
	docs body.Docs
}

var _ dialect.Server = (*Server)(nil)

// New makes the dialect.
func New() *Server { return new(Server) }

// DecodeRequest reads the body of POST /v1/messages. It keeps nothing of it. Errors are
// *fault.Error of code Validation, whose details list the issues found, each with its path. The
// dialect says nothing about the route.
func (s *Server) DecodeRequest(data []byte) (*chat.Request, dialect.Route, error) {
	return s.decode(data, answers)
}

// DecodeCount reads the body of POST /v1/messages/count_tokens, which is that of a
// request whose answer nobody waits for: max_tokens may be missing.
func (s *Server) DecodeCount(data []byte) (*chat.Request, dialect.Route, error) {
	return s.decode(data, counts)
}

func (s *Server) decode(data []byte, purpose purpose) (*chat.Request, dialect.Route, error) {
	d := decoder{purpose: purpose, req: new(chat.Request)}
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
	return d.req, dialect.Route{}, nil
}

// threadRefused refuses a conversation that Anthropic is to hold: it would be bound to one account, and no other
// provider could go on with it. Anthropic's SDKs know the code (ThreadUnsupportedRequestError of @anthropic-ai/sdk 1.13),
// and their tool runners, which begin with a thread, then send the whole conversation.
func threadRefused() error {
	return &fault.Error{
		Code:    fault.Validation,
		Message: "thread: the gateway keeps no conversations; send the whole conversation, and no thread",
		Details: map[string]any{"error_code": "thread_unsupported_request", "unsupported": []string{"thread"}},
	}
}
