package anthropic

import (
	"sync"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Server is the half towards callers. It must be made by New.
//
// It reads what Claude Code and Anthropic's SDKs send. Members and blocks that it does not
// know are no fault: clients send betas. Blocks and tools that only Anthropic has are kept as
// they are (chat.Part.Raw, chat.Tool.Raw).
type Server struct {
	docs sync.Pool // of *jsonx.Doc
}

var _ dialect.Server = (*Server)(nil)

// New makes the dialect.
func New() *Server { return new(Server) }

// keptNodes is how large an index may be to be kept for the next request: 2 MB.
const keptNodes = 64 << 10

// DecodeRequest reads the body of POST /v1/messages. It keeps nothing of it. Errors are
// *fault.Error of code Validation, whose details list the issues found, each with its path. The
// dialect says nothing about the route.
func (s *Server) DecodeRequest(body []byte) (*chat.Request, dialect.Route, error) {
	return s.decode(body, answers)
}

// DecodeCountRequest reads the body of POST /v1/messages/count_tokens, which is that of a
// request whose answer nobody waits for: max_tokens may be missing.
func (s *Server) DecodeCountRequest(body []byte) (*chat.Request, dialect.Route, error) {
	return s.decode(body, counts)
}

func (s *Server) decode(body []byte, purpose purpose) (*chat.Request, dialect.Route, error) {
	doc, ok := s.docs.Get().(*jsonx.Doc)
	if !ok {
		doc = new(jsonx.Doc)
	}
	defer func() {
		doc.Release(keptNodes)
		s.docs.Put(doc)
	}()
	if err := doc.Parse(body, jsonx.Strict); err != nil {
		return nil, dialect.Route{}, jsonx.Syntax(err)
	}
	d := decoder{purpose: purpose, req: new(chat.Request)}
	d.request(doc.Root())
	if err := d.Err(); err != nil {
		return nil, dialect.Route{}, err
	}
	return d.req, dialect.Route{}, nil
}
