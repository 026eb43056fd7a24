package openai

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Embedder = Client{}

// EncodeEmbedding writes the body of POST /embeddings. It always asks for vectors as
// numbers, as not every provider has base64, which the gateway makes itself.
func (c Client) EncodeEmbedding(req *chat.EmbeddingRequest) (dialect.Encoded, error) {
	e := newEncoder(&chat.Request{Model: req.Model}, c.rules())
	e.Begin()
	e.Key("model")
	e.Str(req.Model)
	e.Key("input")
	if req.Unfit != "" {
		e.Refuse("input", "%s", req.Unfit)
	}
	for _, name := range req.Dropped {
		e.Warn("%s is not supported by %s: dropped", name, e.Provider())
	}
	e.inputs(req.Inputs)
	e.dimensions(req.Dimensions)
	if c.rules().Embeddings.Dimensions != dialect.DimensionsOutput { // Mistral refuses unknown members
		e.Optional(`,"user":`, req.User)
	}
	e.Raw(`,"encoding_format":"float"}`)
	return e.Encoded("/embeddings")
}

// MaxInputs is how many inputs a request may have.
func (c Client) MaxInputs() int { return cmp.Or(c.rules().Embeddings.MaxInputs, MaxEmbeddingInputs) }

func (e *encoder) inputs(inputs []chat.EmbeddingInput) {
	e.Raw("[")
	for i := range inputs {
		e.Comma()
		if inputs[i].Tokens == nil {
			e.Str(inputs[i].Text)
			continue
		}
		if !e.Rules.Embeddings.Tokens {
			e.Refuse("input", "%s takes texts only, not tokens", e.Provider())
		}
		e.Raw("[")
		for _, token := range inputs[i].Tokens {
			e.Comma()
			e.Out = jsonx.AppendInt(e.Out, token)
		}
		e.Raw("]")
	}
	e.Raw("]")
}

func (e *encoder) dimensions(n *int64) {
	if n == nil {
		return
	}
	switch e.Rules.Embeddings.Dimensions {
	case dialect.DimensionsRefused:
		e.Refuse("dimensions", "%s does not let the length of its vectors be chosen", e.Provider())
	case dialect.DimensionsOutput:
		e.Raw(`,"output_dimension":`)
	default:
		e.Raw(`,"dimensions":`)
	}
	e.Out = jsonx.AppendInt(e.Out, *n)
}

// DecodeEmbedding reads the list of vectors, each an array of numbers or base64.
func (Client) DecodeEmbedding(data []byte, n int) (*chat.EmbeddingResponse, error) {
	root, err := body.ReadAnswer(data, errorIn)
	if err != nil {
		return nil, err
	}
	out := &chat.EmbeddingResponse{Model: root.Get("model").Str(), Vectors: make([]json.RawMessage, n)}
	found := 0
	for item := root.Get("data").First(); item.Exists(); item = item.Next() {
		at, ok := item.Get("index").Int64()
		if !ok {
			at = int64(found)
		}
		vector := vectorOf(item.Get("embedding"))
		if at < 0 || at >= int64(n) || out.Vectors[at] != nil || vector == nil {
			return nil, &chat.Error{Class: chat.Transport, Message: "the provider's answer has a vector that cannot be read"}
		}
		out.Vectors[at] = vector
		found++
	}
	if found != n {
		message := fmt.Sprintf("the provider's answer has %d vectors for %d inputs", found, n)
		return nil, &chat.Error{Class: chat.Transport, Message: message}
	}
	if tokens, ok := root.Get("usage").Get("prompt_tokens").Int64(); ok {
		out.Usage = &chat.Usage{Input: tokens}
	}
	return out, nil
}
