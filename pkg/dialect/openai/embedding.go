package openai

import (
	"encoding/json"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Embedder = Client{}

// EncodeEmbedding writes the body of POST /embeddings. Vectors are always asked for as
// numbers: not every provider has base64, which the gateway makes itself.
func (Client) EncodeEmbedding(req *chat.EmbeddingRequest, rules *dialect.Rules) (dialect.Encoded, error) {
	e := encoder{req: &chat.Request{}, rules: rules}
	e.raw("{")
	e.name("model")
	e.str(req.Model)
	e.raw(",")
	e.name("input")
	e.inputs(req.Inputs)
	e.dimensions(req.Dimensions)
	if rules.Embeddings.Dimensions != dialect.DimensionsOutput { // Mistral forbids what it does not know
		if req.User != "" {
			e.raw(`,"user":`)
			e.str(req.User)
		}
	}
	e.raw(`,"encoding_format":"float"}`)
	if e.err != nil {
		return dialect.Encoded{}, e.err
	}
	return dialect.Encoded{Path: "/embeddings", Body: e.out}, nil
}

func (e *encoder) inputs(inputs []chat.EmbeddingInput) {
	e.raw("[")
	for i := range inputs {
		e.comma(i)
		if inputs[i].Tokens == nil {
			e.str(inputs[i].Text)
			continue
		}
		if e.rules.Embeddings.Tokens == dialect.TokensRefused {
			e.refuse("input", "%s takes texts only, not tokens", e.provider())
		}
		e.raw("[")
		for j, token := range inputs[i].Tokens {
			e.comma(j)
			e.out = jsonx.AppendInt(e.out, token)
		}
		e.raw("]")
	}
	e.raw("]")
}

func (e *encoder) dimensions(n *int64) {
	if n == nil {
		return
	}
	switch e.rules.Embeddings.Dimensions {
	case dialect.DimensionsRefused:
		e.refuse("dimensions", "%s does not let the length of its vectors be chosen", e.provider())
	case dialect.DimensionsOutput:
		e.raw(`,"output_dimension":`)
	default:
		e.raw(`,"dimensions":`)
	}
	e.out = jsonx.AppendInt(e.out, *n)
}

// DecodeEmbedding reads the list of vectors.
func (Client) DecodeEmbedding(body []byte, n int) (*chat.EmbeddingResponse, error) {
	root, err := jsonx.Parse(body, jsonx.Lenient)
	if err != nil {
		return nil, &chat.Error{Class: chat.Transport, Message: "the provider's answer is not JSON", Cause: err}
	}
	if failed := errorIn(root); failed != nil {
		return nil, failed
	}
	out := &chat.EmbeddingResponse{Model: root.Get("model").Str(), Vectors: make([]json.RawMessage, n)}
	found := 0
	for item := root.Get("data").First(); item.Exists(); item = item.Next() {
		at, ok := item.Get("index").Int64()
		if !ok {
			at = int64(found)
		}
		vector := item.Get("embedding")
		if at < 0 || at >= int64(n) || out.Vectors[at] != nil || vector.Kind() != jsonx.Array {
			return nil, &chat.Error{Class: chat.Transport, Message: "the provider's answer has a vector that cannot be read"}
		}
		out.Vectors[at] = vector.Clone()
		found++
	}
	if found != n {
		return nil, &chat.Error{Class: chat.Transport, Message: "the provider's answer has " + strconv.Itoa(found) + " vectors for " + strconv.Itoa(n) + " inputs"}
	}
	if tokens, ok := root.Get("usage").Get("prompt_tokens").Int64(); ok {
		out.Usage = &chat.Usage{Input: tokens}
	}
	return out, nil
}
