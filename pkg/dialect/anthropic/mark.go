package anthropic

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// mark begins the signature of a thinking block that is not Anthropic's. What follows it is
// a packed, in base64 without padding: callers send signatures back as they are, and so
// other providers' state survives with them. Anthropic's signatures are plain base64, which
// has no colon.
const mark = "llm-gateway:"

// packed is what a marked signature holds: the state of its block, or, if Call is not empty, Gemini's
// signature of the call with that id, for which the dialect has no place.
type packed struct {
	Call      string `json:"c,omitempty"`
	ID        string `json:"i,omitempty"`
	Signature string `json:"s,omitempty"`
	Redacted  string `json:"r,omitempty"`
	Encrypted string `json:"e,omitempty"`
	Format    string `json:"f,omitempty"`
	Index     int    `json:"x,omitempty"`
	Summary   bool   `json:"m,omitempty"`
}

func (p packed) String() string {
	if p == (packed{}) {
		return mark // thinking that nobody signed
	}
	text, err := json.Marshal(p)
	if err != nil {
		return mark // strings and numbers can always be written, so that this cannot be
	}
	return mark + base64.RawURLEncoding.EncodeToString(text)
}

// signatureOf is the signature of a thinking block with the state, which may be nil.
func signatureOf(s *chat.ReasoningState) string {
	switch {
	case s == nil:
		return mark
	case *s == chat.ReasoningState{Signature: s.Signature} && s.Signature != "":
		return s.Signature
	}
	return packed{ID: s.ID, Signature: s.Signature, Redacted: s.Redacted, Encrypted: s.Encrypted, Format: s.Format, Index: s.Index, Summary: s.Summary}.String()
}

// stateOf is the opposite; call is the call that the signature belongs to, if it is a call's.
func stateOf(signature string) (state *chat.ReasoningState, call string) {
	text, foreign := strings.CutPrefix(signature, mark)
	if !foreign {
		if signature == "" {
			return nil, ""
		}
		return &chat.ReasoningState{Signature: signature}, ""
	}
	var p packed
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(data, &p) != nil {
		return nil, "" // nobody's, or tampered with: thinking without a signature
	}
	return &chat.ReasoningState{ID: p.ID, Signature: p.Signature, Redacted: p.Redacted, Encrypted: p.Encrypted,
		Format: p.Format, Index: p.Index, Summary: p.Summary}, p.Call
}
