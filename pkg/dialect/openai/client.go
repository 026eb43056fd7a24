// Package openai speaks OpenAI's Chat Completions, which most providers have taken
// over with differences that dialect.Rules describes.
package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// chatPath follows the base URL of every provider of the dialect.
const chatPath = "/chat/completions"

// Client is the half towards providers. Its zero value is ready; it is stateless.
type Client struct{}

var _ dialect.Passing = Client{}

// NewStreamDecoder returns a decoder for one streamed answer.
func (Client) NewStreamDecoder() dialect.StreamDecoder { return body.Bounded(new(streamDecoder)) }

// EncodeRequest writes the body of POST /chat/completions. The same request always
// gives the same bytes, so that providers find prompts in their caches again.
//
// What changes the meaning of a request when it is missing (a tool that must be called, a
// schema, an image, a second answer) is refused with a *chat.Error of class BadRequest whose
// Param is the field; other things that the rules forbid are dropped with a warning.
func (Client) EncodeRequest(req *chat.Request, rules *dialect.Rules) (dialect.Encoded, error) {
	e := encoder{Writer: body.NewWriter(req, rules)}
	e.Foreign()
	e.prepareReasoning()
	e.request()
	return e.Encoded(chatPath)
}
