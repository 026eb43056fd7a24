// Package gemini speaks Google's generateContent (generativelanguage v1beta,
// https://ai.google.dev/api/generate-content), in both halves.
package gemini

import (
	"net/url"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// Client is the half towards Google. Its zero value is ready; it is stateless.
type Client struct{}

var _ dialect.Client = Client{}

// NewStreamDecoder returns a decoder for one streamed answer.
func (Client) NewStreamDecoder() dialect.StreamDecoder { return new(streamDecoder) }

// EncodeRequest writes the body of POST /v1beta/models/{model}:generateContent, or of
// :streamGenerateContent?alt=sse if the request streams. The same request always gives the same
// bytes, so that Google finds prompts in its cache again.
//
// Of the rules, Drop, Clamp, SingleChoice, Schema and Models count; they go by the names
// of the fields of generationConfig, and serviceTier. What changes the meaning of a request when it is missing (a
// tool that must be called, an image) is refused with a *chat.Error of class BadRequest whose
// Param is the canonical field; other things that Gemini does not know are dropped with a warning.
func (Client) EncodeRequest(req *chat.Request, rules *dialect.Rules) (dialect.Encoded, error) {
	e := encoder{req: req, rules: rules, out: make([]byte, 0, sizeOf(req))}
	for _, m := range rules.Models {
		if m.Match != nil && m.Match(req.Model) {
			e.model = m
			break
		}
	}
	e.request()
	if e.err != nil {
		return dialect.Encoded{}, e.err
	}
	return dialect.Encoded{Path: pathOf(req), Body: e.out, Warnings: e.warnings}, nil
}

// pathOf names the method. A model's id may carry the collection that Google's lists
// put before it (models/gemini-x, tunedModels/x).
func pathOf(req *chat.Request) string {
	collection, id := "models", req.Model
	for _, c := range [...]string{"models", "tunedModels"} {
		if rest, ok := strings.CutPrefix(req.Model, c+"/"); ok {
			collection, id = c, rest
		}
	}
	path := "/v1beta/" + collection + "/" + url.PathEscape(id)
	if req.Stream {
		return path + ":streamGenerateContent?alt=sse"
	}
	return path + ":generateContent"
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
		n += len(f.Schema)
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
			n += len(p.ToolCall.Arguments) + len(p.ToolCall.Signature) + 128
		case p.ToolResult != nil:
			n += sizeOfParts(p.ToolResult.Parts) + 64
		case p.State != nil:
			n += len(p.State.Signature) + 64
		}
	}
	return n
}
