package gemini

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
)

// Format is the ReasoningState.Format of what Gemini signed. It is OpenRouter's word for it.
const Format = "google-gemini-v1"

// Callers send thoughtSignature back with the part on which it came, unchanged but for the base64 alphabet: Python's SDK
// turns it into bytes and back. What Gemini signed goes as it is, the state of other providers as an envelope.

// signatureOf returns the thoughtSignature that stands for the state on a part that is a thought, or none. A nil state
// has one, too, so that it is not taken for Gemini's.
func signatureOf(s *chat.ReasoningState, thought bool) string {
	if s == nil {
		s = new(chat.ReasoningState)
	}
	if gemini := (chat.ReasoningState{Format: Format, Signature: s.Signature, Summary: thought}); *s == gemini {
		return s.Signature
	}
	return reasoning.Envelope{State: *s}.Encode()
}

// stateOf returns the state for which a thoughtSignature stands; nil for none, and for an envelope that is damaged.
func stateOf(signature string, thought bool) *chat.ReasoningState {
	if signature == "" {
		return nil
	}
	if !reasoning.IsEnvelope(signature) {
		return &chat.ReasoningState{Format: Format, Signature: signature, Summary: thought}
	}
	e, err := reasoning.Decode(signature)
	if err != nil || e == (reasoning.Envelope{}) {
		return nil
	}
	return &e.State
}

// A run follows thoughts that go on from part to part: the first says whose they are.
type run struct{ open bool }

// state is the state that a thought of the text and signature brings: of the first in a run, without
// a signature, that of a summary of Gemini's, so that a signature of the answer's text is not
// taken for the thought's. It is false if the part says nothing.
func (r *run) state(text, signature string) (state *chat.ReasoningState, says bool) {
	state = stateOf(signature, true)
	switch {
	case text == "" && state == nil:
		return nil, false
	case signature == "" && !r.open:
		state = &chat.ReasoningState{Format: Format, Summary: true}
	}
	r.open = !state.Complete()
	return state, true
}

// signature is the inverse of state.
func (r *run) signature(text string, s *chat.ReasoningState) string {
	signature := ""
	if s != nil || !r.open {
		signature = signatureOf(s, true)
		if signature == "" && (r.open || text == "") {
			signature = reasoning.Envelope{State: *s}.Encode()
		}
	}
	r.open = !s.Complete()
	return signature
}

// unsaid says whether there is nothing in the state.
func unsaid(s *chat.ReasoningState) bool { return s == nil || *s == chat.ReasoningState{} }

// standard is base64 in the standard alphabet with padding. What is no base64, and the value
// that stands for a missing signature, stays as it is.
func standard(s string) string {
	if s == skipSignature {
		return s
	}
	t := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	if n := len(t) % 4; n > 1 {
		t += "=="[n-2:]
	}
	if !body.IsBase64(t) {
		return s
	}
	return t
}
