package dialect

import "github.com/alicetears/llm-gateway/pkg/fault"

// State is what a request says of answers that are stored.
type State struct {
	// Previous is the id of the answer that the request goes on with; empty: it begins a conversation.
	Previous string
	// Items are the ids of stored items that stand in the input as references, without repetitions.
	Items []string
}

// None reports whether the request needs nothing that is stored.
func (s *State) None() bool { return s.Previous == "" && len(s.Items) == 0 }

// StateServer is the half towards callers of a dialect whose answers can be stored, so that a later request refers to
// them. An answer is stored in two parts: the items that it added to the conversation, and the rest.
type StateServer interface {
	// ReadState reads what a caller's body refers to. A body without references is not parsed. The error is Validation.
	ReadState(body []byte) (State, error)
	// Recall returns the body with what it refers to in the place of the references. Earlier are the items of the answers
	// before, the oldest first; items are by their ids.
	Recall(body []byte, earlier []Remembered, items map[string][]byte) []byte
	// Resolve puts items into the place of the references to them.
	Resolve(r *Remembered, items map[string][]byte)
	// Remember returns the items that the request with the body and its answer add to the conversation.
	Remember(body, answer []byte) (Remembered, error)
	// ReadRemembered reads what Remembered.Append wrote. The texts are parts of data.
	ReadRemembered(data []byte) (Remembered, error)

	// AnswerID returns the id of the answer to the request with the id, and RequestID is its inverse.
	AnswerID(requestID string) string
	RequestID(answerID string) (id string, ok bool)
	// Mark returns the whole answer as the gateway stores it: with its id.
	Mark(answer []byte, m Mark) []byte
	// MarkEvents does the same with events of a stream.
	MarkEvents(events []byte, m Mark) []byte
	// Final returns the whole answer that the last of a stream's events holds; nil if it holds none.
	Final(events []byte) []byte

	// Rest returns the marked answer without its items, and Whole puts the items back.
	Rest(answer []byte) []byte
	Whole(rest []byte, items Remembered) []byte
	// Inputs writes the page of the conversation's items that the query asks for. The error is the query's.
	Inputs(answerID string, conversation []Remembered, query Query) ([]byte, error)
	// Deleted writes that the answer was deleted.
	Deleted(answerID string) []byte
	// Unknown is the error for an answer that is not stored.
	Unknown(answerID string) *fault.Error
	// UnknownReference is the error for a request that refers to what is not stored any more, or never was.
	UnknownReference(s *State, why string) *fault.Error
	// Off is the error for a request that needs what this gateway does not store.
	Off(s *State) *fault.Error
}

// Mark is what the gateway writes into an answer.
type Mark struct {
	ID       string // empty: the answer keeps its own
	Previous string
	Stored   bool
}

// Remembered are the items, JSON texts, that one request and its answer added to a conversation.
type Remembered struct {
	Input, Output [][]byte
	// OutputIDs are the ids of the items of Output, in their order; empty for one without.
	OutputIDs []string
	// References are the ids of the items that Input only refers to.
	References []string
}

// Size is the number of bytes of all items, with what Append writes between them.
func (r *Remembered) Size() int {
	n := 32
	for _, list := range [][][]byte{r.Input, r.Output} {
		for _, item := range list {
			n += len(item) + 1
		}
	}
	return n
}

// Append appends the items as one JSON text: {"input":[..],"output":[..]}.
func (r *Remembered) Append(out []byte) []byte {
	out = appendItems(append(out, `{"input":[`...), r.Input)
	return append(appendItems(append(out, `],"output":[`...), r.Output), "]}"...)
}

func appendItems(out []byte, items [][]byte) []byte {
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, item...)
	}
	return out
}
