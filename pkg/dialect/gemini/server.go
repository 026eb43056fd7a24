package gemini

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Form is the form of an answer, which the URL says.
type Form uint8

// The forms.
const (
	Whole Form = iota // :generateContent
	SSE               // :streamGenerateContent?alt=sse
	Array             // :streamGenerateContent: a JSON array, element by element; application/json
)

// Server is the half towards callers, for one request: the model and the form come
// from its URL. It must be made by NewServer.
type Server struct {
	model string
	form  Form
}

var _ dialect.Server = Server{}

// NewServer returns the half for a request to /v1beta/models/{model}:method. The model may have the prefix
// "models/".
func NewServer(model string, form Form) Server {
	return Server{strings.TrimPrefix(model, "models/"), form}
}

// DecodeRequest reads the body of GenerateContentRequest, in camel or in snake case. It keeps
// nothing of it. Errors are *fault.Error of code Validation, whose details list the issues.
//
// Members that control Google's own filters and media (safetySettings, mediaResolution, labels, store) are left
// out: no other provider has them. Members that would change the answer (cachedContent, speech, images) and
// unknown ones are noted as foreign: they pass through to Gemini, and make a translation fail.
func (s Server) DecodeRequest(body []byte) (*chat.Request, dialect.Route, error) {
	root, err := jsonx.Parse(body, jsonx.Strict)
	if err != nil {
		return nil, dialect.Route{}, jsonx.Syntax(err)
	}
	return s.decode(root, func(d *decoder) { d.request(root) })
}

// DecodeCount reads the body of :countTokens: contents, or a generateContentRequest. Errors are
// those of DecodeRequest.
func (s Server) DecodeCount(body []byte) (*chat.Request, dialect.Route, error) {
	root, err := jsonx.Parse(body, jsonx.Strict)
	if err != nil {
		return nil, dialect.Route{}, jsonx.Syntax(err)
	}
	return s.decode(root, func(d *decoder) { d.count(root) })
}

func (s Server) decode(root jsonx.Value, read func(*decoder)) (*chat.Request, dialect.Route, error) {
	streams := s.form != Whole
	d := decoder{req: &chat.Request{Model: s.model, Stream: streams, StreamUsage: streams}}
	d.Passes = d.req
	read(&d)
	if err := d.Err(); err != nil {
		return nil, dialect.Route{}, err
	}
	return d.req, dialect.Route{}, nil
}

// EncodeCount writes the answer to :countTokens.
func (Server) EncodeCount(tokens int64) []byte {
	out := jsonx.AppendInt([]byte(`{"totalTokens":`), tokens)
	return append(out, '}')
}
