package responses

import "github.com/alicetears/llm-gateway/pkg/chat"

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
