package gemini

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// Format is the ReasoningState.Format of what Gemini signed. It is OpenRouter's word for it.
const Format = "google-gemini-v1"

// Callers send thoughtSignature back with the part on which it came, unchanged but for the base64
// alphabet: Python's SDK turns it into bytes and back. That makes it the vehicle for the reasoning
// state of any provider. What Gemini signed goes as it is; other state is packed: base64 of
// packMark and a JSON object. No signature of Gemini's begins like that: they are
// protocol buffers, whose first byte is a field's tag.
const (
	packMark   = "llmg1"
	packPrefix = "bGxtZzF7" // base64 of packMark and the brace
)

type packed struct {
	ID        string `json:"id,omitempty"`
	Signature string `json:"sig,omitempty"`
	Redacted  string `json:"red,omitempty"`
	Encrypted string `json:"enc,omitempty"`
	Format    string `json:"fmt,omitempty"`
	Index     int    `json:"idx,omitempty"`
	Summary   bool   `json:"sum,omitempty"`
}

// seal is the thoughtSignature that stands for the state on a part that is a thought, or none.
// A nil state is sealed, too, so that it is not taken for Gemini's.
func seal(s *chat.ReasoningState, thought bool) string {
	if s == nil {
		s = new(chat.ReasoningState)
	}
	if gemini := (chat.ReasoningState{Format: Format, Signature: s.Signature, Summary: thought}); *s == gemini {
		return s.Signature
	}
	return pack(s)
}

// pack is the signature that holds any state.
func pack(s *chat.ReasoningState) string {
	text, err := json.Marshal(packed(*s))
	if err != nil {
		return "" // strings and numbers can always be written
	}
	return base64.StdEncoding.EncodeToString(append([]byte(packMark), text...))
}

// unseal is the state for which a thoughtSignature stands.
func unseal(signature string, thought bool) *chat.ReasoningState {
	if signature == "" {
		return nil
	}
	if strings.HasPrefix(signature, packPrefix) {
		var p packed
		text, err := base64.StdEncoding.DecodeString(signature)
		if err == nil && json.Unmarshal(text[len(packMark):], &p) == nil {
			if p == (packed{}) {
				return nil
			}
			s := chat.ReasoningState(p)
			return &s
		}
	}
	return &chat.ReasoningState{Format: Format, Signature: signature, Summary: thought}
}

// A run follows thoughts that go on from part to part: the first says whose they are.
type run struct{ open bool }

// state is the state that a thought of the text and signature brings: of the first in a run, without
// a signature, that of a summary of Gemini's, so that a signature of the answer's text is not
// taken for the thought's. It is false if the part says nothing.
func (r *run) state(text, signature string) (state *chat.ReasoningState, says bool) {
	state = unseal(signature, true)
	switch {
	case text == "" && state == nil:
		return nil, false
	case signature == "" && !r.open:
		state = &chat.ReasoningState{Format: Format, Summary: true}
	}
	r.open = !sealed(state)
	return state, true
}

// seal is the signature that state is the inverse of.
func (r *run) seal(text string, s *chat.ReasoningState) string {
	signature := ""
	if s != nil || !r.open {
		signature = seal(s, true)
		if signature == "" && (r.open || text == "") {
			signature = pack(s)
		}
	}
	r.open = !sealed(s)
	return signature
}

// unsaid says whether there is nothing in the state.
func unsaid(s *chat.ReasoningState) bool { return s == nil || *s == chat.ReasoningState{} }

// sealed says whether nothing can follow that belongs to the same reasoning.
func sealed(s *chat.ReasoningState) bool {
	return s != nil && (s.Signature != "" || s.Redacted != "" || s.Encrypted != "")
}

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
