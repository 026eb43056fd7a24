package turns

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// maxOpen bounds the calls of a turn that fine compares one by one.
const maxOpen = 64

// fine reports whether it is plain that nothing has to be changed, as in nearly all conversations. If it is not, mend
// finds out.
func (f *fitter) fine() bool {
	messages := f.Req.Messages
	var before turn // zero at the start
	calls := openCalls{ids: map[string]bool{}}
	for i := range messages {
		t := turn{messages[i], i}
		switch {
		case slices.ContainsFunc(t.Parts, f.inexpressible), f.follows(&before, &t),
			f.empty(t.Role, t.Parts), t.Role == chat.Assistant && f.rules.UserFirst && (i == 0 || before.is() == chat.System),
			!f.callsFine(&t, &before, &calls):
			return false
		}
		before = t
	}
	return len(messages) > 0 && !(f.rules.Pairs && len(calls.open) > 0) && f.ends()
}

// openCalls are the calls that wait for their results, and the ids of all so far.
type openCalls struct {
	open []*chat.ToolCall
	ids  map[string]bool
}

// callsFine reports whether a turn's calls and results need no change.
func (f *fitter) callsFine(t, before *turn, calls *openCalls) bool {
	paired := f.rules.Pairs
	if t.Role == chat.Assistant {
		if paired && before.Role == chat.Assistant && f.JoinsCalls && hasKind(before.Parts, chat.Call) ||
			paired && before.Role != chat.Assistant && len(calls.open) > 0 {
			return false
		}
	} else if paired && t.Role != chat.ToolRole && len(calls.open) > 0 {
		return false
	}
	for i := range t.Parts {
		p := &t.Parts[i]
		switch {
		case p.ToolCall != nil:
			id := p.ToolCall.ID
			if t.Role != chat.Assistant || fitID(id, f.rules.CallIDs) != id ||
				f.rules.DistinctCallIDs && calls.ids[id] || len(calls.open) >= maxOpen {
				return false
			}
			if f.rules.DistinctCallIDs {
				calls.ids[id] = true
			}
			if paired {
				calls.open = append(calls.open, p.ToolCall)
			}
		case p.ToolResult != nil:
			if t.Role != chat.ToolRole || !f.resultFine(p.ToolResult, calls) {
				return false
			}
		case t.Role == chat.ToolRole && paired:
			return false
		}
	}
	return true
}

// resultFine takes the call of a result off those that wait, and reports whether the result needs no change.
func (f *fitter) resultFine(r *chat.ToolResult, calls *openCalls) bool {
	if f.TextResults && slices.ContainsFunc(r.Parts, isMedium) {
		return false
	}
	if !f.rules.Pairs {
		return fitID(r.CallID, f.rules.CallIDs) == r.CallID && !f.rules.DistinctCallIDs
	}
	at := slices.IndexFunc(calls.open, func(c *chat.ToolCall) bool { return c.ID == r.CallID })
	if at < 0 || !f.Same && calls.open[at].Name != r.Name {
		return false
	}
	calls.open = slices.Delete(calls.open, at, at+1)
	return true
}

// ends reports whether the last turn may be that.
func (f *fitter) ends() bool {
	if f.OpenEnd || f.rules.Ends == dialect.EndsAny {
		return true
	}
	last := f.Req.Messages[len(f.Req.Messages)-1].Role
	return last == chat.User || last == chat.ToolRole
}
