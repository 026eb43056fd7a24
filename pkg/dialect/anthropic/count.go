package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Counter = Client{}

// EncodeCount writes the body of POST /v1/messages/count_tokens: a request without what
// steers the answer.
func (c Client) EncodeCount(req *chat.Request) (dialect.Encoded, error) {
	return c.encodeFor(counts, req)
}

// DecodeCount reads the number of input tokens.
func (Client) DecodeCount(data []byte) (int64, error) {
	return body.ReadCount(data, errorIn, "input_tokens")
}

// EncodeCount writes the answer of POST /v1/messages/count_tokens.
func (s *Server) EncodeCount(inputTokens int64) []byte {
	return append(jsonx.AppendInt([]byte(`{"input_tokens":`), inputTokens), '}')
}
