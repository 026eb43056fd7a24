package responses

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// An item of reasoning holds texts, each of which is a part of its own in package chat: first
// those of its summary, then those of its content, numbered from 0 by their states' Index.

// continues says whether reasoning with the state next belongs to the item of the part before it,
// whose state is prev. Both may be nil.
func continues(prev, next *chat.ReasoningState) bool {
	p, n := stateOr(prev), stateOr(next)
	if foreign(&p) || foreign(&n) || p.Encrypted != "" || p.ID != n.ID {
		return false
	}
	if p.Summary == n.Summary {
		return n.Index > p.Index
	}
	return p.Summary && n.Index == 0
}

func stateOr(s *chat.ReasoningState) chat.ReasoningState {
	if s == nil {
		return chat.ReasoningState{}
	}
	return *s
}

func summarizes(s *chat.ReasoningState) bool { return s != nil && s.Summary }

// foreign says whether the state is another dialect's, for which an item has no members.
func foreign(s *chat.ReasoningState) bool {
	return s != nil && (s.Signature != "" || s.Redacted != "" || s.Format != "")
}

// envelopePrefix begins encrypted content that is ours. OpenAI's begins with "gAAAA".
const envelopePrefix = "llmgw1."

// An envelope carries the state that other providers want back in the encrypted content of an
// item, which callers return unread. It is not secret: what it holds, the provider sealed.
type envelope struct {
	ID        string `json:"id,omitempty"`
	Signature string `json:"signature,omitempty"`
	Redacted  string `json:"redacted,omitempty"`
	Encrypted string `json:"encrypted,omitempty"`
	Format    string `json:"format,omitempty"`
	Index     int    `json:"index,omitempty"`
	Summary   bool   `json:"summary,omitempty"`
	// Late says that the state belongs to the reasoning before: it came when that had been sent.
	Late bool `json:"late,omitempty"`
	// Call is the id of the call that Signature belongs to (Gemini), if it is not reasoning's.
	Call string `json:"call,omitempty"`
}

func envelopeOf(s *chat.ReasoningState) envelope {
	return envelope{ID: s.ID, Signature: s.Signature, Redacted: s.Redacted, Encrypted: s.Encrypted,
		Format: s.Format, Index: s.Index, Summary: s.Summary}
}

func (e *envelope) state() chat.ReasoningState {
	return chat.ReasoningState{ID: e.ID, Signature: e.Signature, Redacted: e.Redacted, Encrypted: e.Encrypted,
		Format: e.Format, Index: e.Index, Summary: e.Summary}
}

// seal is the envelope as encrypted content.
func (e envelope) seal() string {
	data, err := json.Marshal(e)
	if err != nil {
		return "" // strings and numbers: this cannot be
	}
	return envelopePrefix + base64.RawURLEncoding.EncodeToString(data)
}

// opened says what encrypted content is: an envelope, or (nil) a provider's own. It is not ok
// if it was an envelope once.
func opened(content string) (e *envelope, ok bool) {
	text, ours := strings.CutPrefix(content, envelopePrefix)
	if !ours {
		return nil, true
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	e = new(envelope)
	if json.Unmarshal(data, e) != nil {
		return nil, false
	}
	return e, true
}
