package gateway

import (
	"context"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// embed asks for vectors, in as many calls as the provider needs for the inputs, one after the other. It counts as one
// request, and its usage is that of all calls.
func (g *Gateway) embed(ctx context.Context, a *attempt, request Request) {
	embedder := a.key.provider.Embedder()
	all, at := &chat.EmbeddingResponse{Usage: new(chat.Usage)}, request.Embedding.Inputs
	whole := len(at) <= embedder.MaxInputs()
	for len(at) > 0 {
		part := *request.Embedding
		part.Model, part.Inputs = a.key.model, at[:min(len(at), embedder.MaxInputs())]
		at = at[len(part.Inputs):]
		enc, err := embedder.EncodeEmbedding(&part)
		if err != nil {
			a.inexpressible = !a.answerBegun
			a.fail(err)
			return
		}
		a.warnings = enc.Warnings // what the endpoint does not know is added when it is sent
		data, ok := g.askWhole(ctx, a, enc, request)
		if !ok {
			return
		}
		vectors, err := embedder.DecodeEmbedding(data, len(part.Inputs))
		if err != nil {
			g.finishAttempt(a, err)
			return
		}
		if whole {
			if request.Dialect == a.key.provider.Client.Dialect() {
				vectors.Raw = data
			}
			all = vectors
			break
		}
		a.answerBegun = true
		all.Model, all.Vectors = vectors.Model, append(all.Vectors, vectors.Vectors...)
		if vectors.Usage == nil {
			all.Usage = nil // an estimate of the whole is better than half a sum
		} else if all.Usage != nil {
			all.Usage.Input += vectors.Usage.Input
		}
	}
	a.vectors = all
	g.finishAttempt(a, nil)
}
