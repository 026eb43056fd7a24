package chat

import "encoding/json"

// EmbeddingRequest asks a model for vectors, one for each input.
type EmbeddingRequest struct {
	Model      string
	Inputs     []EmbeddingInput // 1 to 2048
	Dimensions *int64           // of the vectors; nil: the model's own
	User       string           // an end user's id for the provider's abuse checks
	// Base64 asks for vectors as base64 of little-endian float32.
	Base64 bool
	// Dialect is that of the inputs' Raw.
	Dialect string
	// Dropped are members that only that dialect has, and that may be left out. Unfit, unless empty, says why no other
	// dialect can express the request.
	Dropped []string
	Unfit   string
}

// EmbeddingInput is a text, or the tokens of one as the model counts them.
type EmbeddingInput struct {
	Text   string
	Tokens []int64 // not nil: Text does not count
	// Raw is the input as the caller wrote it, with all its members; nil if there is no more to it than the text.
	Raw json.RawMessage
}

// EmbeddingResponse has the vectors in the order of the inputs.
type EmbeddingResponse struct {
	Model   string            // as the provider names what answered
	Vectors []json.RawMessage // each an array of numbers, as the provider wrote them
	Usage   *Usage            // nil if the provider reported none
	// Raw is the provider's whole answer, if it came in one, and in the dialect of the caller.
	Raw json.RawMessage
}
