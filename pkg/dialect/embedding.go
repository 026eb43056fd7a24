package dialect

import "github.com/alicetears/llm-gateway/pkg/chat"

// Embedder is a Client whose dialect has embeddings.
type Embedder interface {
	// EncodeEmbedding encodes the request by the provider's rules. It refuses what the provider cannot
	// express with a *chat.Error of class BadRequest.
	EncodeEmbedding(req *chat.EmbeddingRequest) (Encoded, error)
	// DecodeEmbedding decodes an answer of status 2xx to n inputs. It returns an error inside it as a
	// *chat.Error without Class, and a body that it cannot decode, or without n vectors, as one of
	// class Transport.
	DecodeEmbedding(body []byte, n int) (*chat.EmbeddingResponse, error)
	// MaxInputs is how many inputs a request may have.
	MaxInputs() int
}

// EmbeddingRules say how a provider's embeddings differ from OpenAI's.
type EmbeddingRules struct {
	Dimensions DimensionsForm
	Tokens     bool // inputs may be tokens, not texts alone
	MaxInputs  int  // of a request; 0: as many as OpenAI takes
}

// DimensionsForm is the field for the length of the vectors.
type DimensionsForm uint8

// The forms.
const (
	DimensionsKept    DimensionsForm = iota // dimensions
	DimensionsOutput                        // output_dimension: Mistral
	DimensionsRefused                       // none: a request for a length is refused
)

// Counter is a Client whose provider counts the input tokens of a request without answering it.
type Counter interface {
	Client
	// EncodeCount is EncodeRequest for counting.
	EncodeCount(req *chat.Request) (Encoded, error)
	// DecodeCount decodes the number. Errors are those of DecodeResponse.
	DecodeCount(body []byte) (int64, error)
}
