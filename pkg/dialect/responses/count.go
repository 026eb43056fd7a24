package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
)

var _ dialect.Counter = Client{}

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
