package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
)

var _ dialect.Counter = Client{}

// EncodeCount writes the body of POST /v1beta/models/{model}:countTokens: the whole request, so that
// instructions and tools count, too (https://ai.google.dev/api/tokens).
func (c Client) EncodeCount(req *chat.Request) (dialect.Encoded, error) {
	e := newEncoder(req, c.rules())
	turns.Fit(&e.Writer, form)
	e.request()
	out := make([]byte, 0, len(e.Out)+len(req.Model)+64)
	out = body.AppendMember(out, `{"generateContentRequest":{"model":`, nameOf(req.Model))
	out = append(out, ',')
	out = append(out, e.Out[1:]...)
	e.Out = append(out, '}')
	return e.Encoded(methodOf(req.Model, "countTokens"))
}

// DecodeCount reads {"totalTokens"}.
func (Client) DecodeCount(data []byte) (int64, error) {
	return body.ReadCount(data, errorIn, "totalTokens")
}
