package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
)

var (
	_ dialect.Counter     = Client{}
	_ dialect.CountServer = (*Server)(nil)
)

// countPath follows the base URL.
const countPath = path + "/input_tokens"

// EncodeCount writes the body of POST /responses/input_tokens: the fields that the model reads. The path has none
// of the fields that only control the answer (OpenAI's API reference, get input token counts).
func (c Client) EncodeCount(req *chat.Request) (dialect.Encoded, error) {
	e := newEncoder(req, c.rules())
	turns.Fit(&e.Writer, form)
	e.prepare()
	e.Begin()
	e.prompt()
	e.reasoning()
	e.Raw("}")
	return e.Encoded(countPath)
}

// DecodeCount reads {"input_tokens"}.
func (Client) DecodeCount(data []byte) (int64, error) {
	return body.ReadCount(data, failureIn, "input_tokens")
}

// DecodeCount reads a caller's body of POST /v1/responses/input_tokens. It is that of a request for an answer.
func (s *Server) DecodeCount(data []byte) (*chat.Request, dialect.Route, error) {
	return s.DecodeRequest(data)
}

// EncodeCount writes {"object","input_tokens"}.
func (s *Server) EncodeCount(inputTokens int64) []byte {
	out := body.AppendCount([]byte(`{"object":"response.input_tokens"`), `,"input_tokens":`, inputTokens)
	return append(out, '}')
}
