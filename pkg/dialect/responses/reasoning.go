package responses

import "github.com/alicetears/llm-gateway/pkg/chat"

// A reasoning item holds several texts: those of its summary, then those of its content, each numbered from 0.
// Each is a part of its own in package chat, and its number is the Index of the part's state.

// continues says whether a part of reasoning belongs to the same item as the part before it, by their states next
// and prev, which may be nil.
func continues(prev, next *chat.ReasoningState) bool {
	p, n := stateOrZero(prev), stateOrZero(next)
	if foreign(&p) || foreign(&n) || p.Encrypted != "" || p.ID != n.ID {
		return false
	}
	if p.Summary == n.Summary {
		return n.Index > p.Index
	}
	return p.Summary && n.Index == 0
}

func stateOrZero(s *chat.ReasoningState) chat.ReasoningState {
	if s == nil {
		return chat.ReasoningState{}
	}
	return *s
}

func isSummary(s *chat.ReasoningState) bool { return s != nil && s.Summary }

// foreign says whether the state is that of another dialect, for which an item has no members.
func foreign(s *chat.ReasoningState) bool {
	return s != nil && (s.Signature != "" || s.Redacted != "" || s.Format != "")
}
