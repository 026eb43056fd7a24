package gemini

import (
	"encoding/json"
	"fmt"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Embedder = Client{}

// maxInputs is how many inputs a batch may have ("at most 100 requests can be in one batch").
const maxInputs = 100

// MaxInputs is how many inputs a request may have.
func (Client) MaxInputs() int { return maxInputs }

// EncodeEmbedding writes the body of POST /v1beta/models/{model}:batchEmbedContents
// (https://ai.google.dev/api/embeddings).
func (c Client) EncodeEmbedding(req *chat.EmbeddingRequest) (dialect.Encoded, error) {
	e := newEncoder(&chat.Request{Model: req.Model}, c.rules())
	if req.Dimensions != nil && c.rules().Embeddings.Dimensions == dialect.DimensionsRefused {
		e.Refuse("dimensions", "%s does not let the length of its vectors be chosen", e.Provider())
	}
	e.Begin()
	e.Raw(`"requests":[`)
	for i := range req.Inputs {
		if req.Inputs[i].Tokens != nil {
			e.Refuse("input", "%s takes texts only, not tokens", e.Provider())
		}
		e.Comma()
		if raw := req.Inputs[i].Raw; raw != nil && req.Dialect == string(Name) {
			e.Raw(string(withModel(raw, req.Model)))
			continue
		}
		e.Member(`{"model":`, nameOf(req.Model))
		e.Raw(`,"content":{"parts":[`)
		e.text(req.Inputs[i].Text)
		e.Raw("]}")
		if req.Dimensions != nil {
			e.Count(`,"outputDimensionality":`, *req.Dimensions)
		}
		e.Raw("}")
	}
	e.Raw("]}")
	if req.User != "" {
		e.Warn("user is not supported by %s: dropped", e.Provider())
	}
	return e.Encoded(methodOf(req.Model, "batchEmbedContents"))
}

// DecodeEmbedding reads {"embeddings":[{"values"}]}, and usageMetadata, which only newer models have.
func (Client) DecodeEmbedding(data []byte, n int) (*chat.EmbeddingResponse, error) {
	root, err := body.ReadAnswer(data, errorIn)
	if err != nil {
		return nil, err
	}
	out := &chat.EmbeddingResponse{Model: root.Get("modelVersion").Str(), Vectors: make([]json.RawMessage, 0, n)}
	for e := root.Get("embeddings").First(); e.Exists(); e = e.Next() {
		values := e.Get("values")
		if values.Kind() != jsonx.Array {
			return nil, &chat.Error{Class: chat.Transport, Message: "the provider's answer has a vector that cannot be read"}
		}
		out.Vectors = append(out.Vectors, values.Clone())
	}
	if found := len(out.Vectors); found != n {
		return nil, &chat.Error{Class: chat.Transport, Message: fmt.Sprintf("the provider's answer has %d vectors for %d inputs", found, n)}
	}
	if tokens, ok := root.Get("usageMetadata").Get("promptTokenCount").Int64(); ok {
		out.Usage = &chat.Usage{Input: max(tokens, 0)}
	}
	return out, nil
}
