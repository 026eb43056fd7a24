// Package anthropic speaks Anthropic's Messages API (POST /v1/messages): towards providers
// as Client, towards callers as Server.
//
// Usage is counted differently there: input_tokens are those that the prompt cache had no
// part in, while chat.Usage.Input is all of them.
//
// Reasoning of other providers travels to our callers in thinking blocks, with what
// has to come back with it packed into the block's signature: see mark.
package anthropic

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// Client is the half towards providers. Its zero value is ready; it is stateless.
type Client struct{}

var _ dialect.Client = Client{}

// NewStreamDecoder returns a decoder for one streamed answer.
func (Client) NewStreamDecoder() dialect.StreamDecoder { return new(streamDecoder) }

// filesBeta is the beta without which a file_id is refused
// (https://platform.claude.com/docs/en/build-with-claude/files).
const filesBeta = "files-api-2025-04-14"

// EncodeRequest writes the body of POST /v1/messages. The same request always gives the
// same bytes: prompt caches and signed thinking depend on it.
//
// The dialect wants max_tokens. If the caller gave none, it is the model's limit
// (Rules.MaxOutput) for a stream, and for a whole answer, which has to come before some
// proxy's patience ends, 8192, and as many again as may be thought.
//
// What changes the meaning of a request when it is missing (a tool that must be called, a
// schema, an image, audio, a second answer) is refused with a *chat.Error of class BadRequest
// whose Param is the field; other things are dropped with a warning.
func (Client) EncodeRequest(req *chat.Request, rules *dialect.Rules) (dialect.Encoded, error) {
	return encodeFor(answers, req, rules)
}

// The paths of requests, by what they are for.
const (
	answerPath = "/v1/messages"
	countPath  = "/v1/messages/count_tokens"
)

func encodeFor(purpose purpose, req *chat.Request, rules *dialect.Rules) (dialect.Encoded, error) {
	e := encoder{req: req, purpose: purpose, rules: rules, out: make([]byte, 0, sizeOf(req))}
	e.prepare()
	e.request()
	if e.err != nil {
		return dialect.Encoded{}, e.err
	}
	enc := dialect.Encoded{Path: answerPath, Body: e.out, Warnings: e.warnings}
	if purpose == counts {
		enc.Path = countPath
	}
	if e.files {
		enc.Header = http.Header{"Anthropic-Beta": {filesBeta}}
	}
	return enc, nil
}

// sizeOf guesses the size of the body, so that its buffer seldom grows.
func sizeOf(req *chat.Request) int {
	n := 1024
	for i := range req.Messages {
		n += 64 + sizeOfParts(req.Messages[i].Parts)
	}
	for i := range req.Tools {
		n += 128 + len(req.Tools[i].Description) + len(req.Tools[i].Parameters) + len(req.Tools[i].Raw)
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
		n += 64 + len(p.Text) + len(p.Text)/8 + len(p.Raw)
		switch {
		case p.Media != nil:
			n += len(p.Media.Data) + len(p.Media.URL) + 64
		case p.ToolCall != nil:
			n += len(p.ToolCall.Arguments) + 128
		case p.ToolResult != nil:
			n += sizeOfParts(p.ToolResult.Parts) + 64
		case p.State != nil:
			n += len(p.State.Signature) + len(p.State.Redacted) + len(p.State.Encrypted)
		}
	}
	return n
}
