package dialect

import "github.com/alicetears/llm-gateway/pkg/chat"

// Embedder is a Client whose dialect has embeddings.
type Embedder interface {
	// EncodeEmbedding writes the request for the model as the provider's rules want it, or refuses
	// what it cannot express with a *chat.Error of class BadRequest.
	EncodeEmbedding(req *chat.EmbeddingRequest) (Encoded, error)
	// DecodeEmbedding reads an answer of status 2xx to n inputs. An error inside it comes back as
	// *chat.Error without Class, a body that cannot be read, or has not n vectors, as one of class Transport.
	DecodeEmbedding(body []byte, n int) (*chat.EmbeddingResponse, error)
}

// EmbeddingRules say how a provider's embeddings differ from OpenAI's.
type EmbeddingRules struct {
	Dimensions DimensionsForm
	Tokens     TokensForm
}

// DimensionsForm is how a provider is told the length of the vectors.
type DimensionsForm uint8

// The forms.
const (
	DimensionsKept    DimensionsForm = iota // dimensions
	DimensionsOutput                        // output_dimension: Mistral
	DimensionsRefused                       // not at all; a request that asks is refused
)

// TokensForm says whether inputs may be tokens.
type TokensForm uint8

// The forms.
const (
	TokensRefused TokensForm = iota // texts only
	TokensKept
)

// Counter is a Client whose provider counts the input tokens of a request without answering it.
type Counter interface {
	Client
	// EncodeCount is EncodeRequest for counting.
	EncodeCount(req *chat.Request) (Encoded, error)
	// DecodeCount reads the number. Errors are as those of DecodeResponse.
	DecodeCount(body []byte) (int64, error)
}
