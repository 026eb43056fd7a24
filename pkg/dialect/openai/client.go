// Package openai speaks OpenAI's Chat Completions, which most providers have taken
// over with differences that dialect.Rules describes.
package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// chatPath follows the base URL of every provider of the dialect.
const chatPath = "/chat/completions"

// Client is the half towards providers. Its zero value is ready; it is stateless.
type Client struct{}

var _ dialect.Passing = Client{}

// NewStreamDecoder returns a decoder for one streamed answer.
func (Client) NewStreamDecoder() dialect.StreamDecoder { return new(streamDecoder) }

// EncodeRequest writes the body of POST /chat/completions. The same request always
// gives the same bytes, so that providers find prompts in their caches again.
//
// What changes the meaning of a request when it is missing (a tool that must be called, a
// schema, an image, a second answer) is refused with a *chat.Error of class BadRequest whose
// Param is the field; other things that the rules forbid are dropped with a warning.
func (Client) EncodeRequest(req *chat.Request, rules *dialect.Rules) (dialect.Encoded, error) {
	e := encoder{req: req, rules: rules, out: make([]byte, 0, sizeOf(req))}
	e.prepare()
	e.request()
	if e.err != nil {
		return dialect.Encoded{}, e.err
	}
	return dialect.Encoded{Path: chatPath, Body: e.out, Warnings: e.warnings}, nil
}

// sizeOf guesses the size of the body, so that its buffer seldom grows.
func sizeOf(req *chat.Request) int {
	n := 1024
	for i := range req.Messages {
		n += 64 + sizeOfParts(req.Messages[i].Parts)
	}
	for i := range req.Tools {
		n += 128 + len(req.Tools[i].Description) + len(req.Tools[i].Parameters)
	}
	if f := req.ResponseFormat; f != nil {
		n += len(f.Schema) * 2
	}
	return n
}

func sizeOfParts(parts []chat.Part) int {
	n := 0
	for i := range parts {
		p := &parts[i]
		n += 64 + len(p.Text) + len(p.Text)/8
		switch {
		case p.Media != nil:
			n += len(p.Media.Data) + len(p.Media.URL) + 64
		case p.ToolCall != nil:
			n += len(p.ToolCall.Arguments)*5/4 + 128
		case p.ToolResult != nil:
			n += sizeOfParts(p.ToolResult.Parts) + 64
		}
	}
	return n
}
