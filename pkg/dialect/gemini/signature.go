package gemini

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
)

// Format is the ReasoningState.Format of reasoning that Gemini signed, as OpenRouter names it.
const Format = "google-gemini-v1"

// Callers send thoughtSignature back with the part on which it came, unchanged but for the base64 alphabet:
// Python's SDK turns it into bytes and back. What Gemini signed goes as it is, the state of other providers as an
// envelope.

// signatureOf returns the thoughtSignature that stands for the state on a part that is a thought, or none. A nil
// state has one, too, so that it is not taken for Gemini's.
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

// A thoughtRun follows a thought that is spread over several parts: only the first part says whose thought it is.
type thoughtRun struct{ open bool }

// state returns the state of a part that is a thought. The first of a run without a signature is a summary of
// Gemini's, so that a later signature of the answer's text is not taken for the thought's. It is false for a part
// without content.
func (r *thoughtRun) state(text, signature string) (state *chat.ReasoningState, ok bool) {
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
func (r *thoughtRun) signature(text string, s *chat.ReasoningState) string {
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

// emptyState says whether the state, which may be nil, holds nothing.
func emptyState(s *chat.ReasoningState) bool { return s == nil || *s == chat.ReasoningState{} }

// standardBase64 returns base64 in the standard alphabet with padding. A text that is not base64 and the value
// that stands for a missing signature are returned unchanged.
func standardBase64(s string) string {
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
