package turns

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// A call is a call of the conversation with its results.
type call struct {
	of      int // the index of the call's turn
	made    *chat.ToolCall
	id      string // as it is sent
	results []result
}

// A result is the result of a tool in a turn.
type result struct {
	in   int // the index of the turn
	part chat.Part
}

// pairs are the calls and results of a conversation.
type pairs struct {
	calls   []call
	byID    map[string]*sameID
	orphans bool // there are results without a call
}

// sameID are the calls with one id that have no result yet, by their index: those of the latest turn that has the id,
// and those before it.
type sameID struct {
	turn, last    int
	latest, older []int
}

// pair finds the call of each result.
func (f *fitter) pair() *pairs {
	ps := &pairs{byID: map[string]*sameID{}}
	var early []result // they come before their calls, or have none
	ids := IDs{form: f.rules.CallIDs}
	for i := range f.turns {
		for j := range f.turns[i].Parts {
			p := &f.turns[i].Parts[j]
			switch {
			case p.ToolCall != nil:
				c := call{of: i, made: p.ToolCall}
				if f.rules.DistinctCallIDs {
					c.id = ids.Next(p.ToolCall.ID)
				} else {
					c.id = fitID(p.ToolCall.ID, f.rules.CallIDs)
				}
				ps.add(c)
			case p.ToolResult != nil:
				if c := ps.callOf(p.ToolResult.CallID); c != nil {
					c.results = append(c.results, result{i, *p})
				} else {
					early = append(early, result{i, *p})
				}
			}
		}
	}
	for _, r := range early {
		if c := ps.callOf(r.part.ToolResult.CallID); c != nil && len(c.results) == 0 {
			c.results = append(c.results, r)
		} else {
			ps.orphans = true
		}
	}
	return ps
}

func (ps *pairs) add(c call) {
	same := ps.byID[c.made.ID]
	if same == nil {
		same = &sameID{turn: c.of}
		ps.byID[c.made.ID] = same
	}
	if same.turn != c.of {
		same.older, same.latest, same.turn = append(same.older, same.latest...), nil, c.of
	}
	same.last = len(ps.calls)
	same.latest = append(same.latest, same.last)
	ps.calls = append(ps.calls, c)
}

// callOf returns the call that a result with the id belongs to: the first one without a result of the latest turn, or
// else the latest one before it; if all have one, the last call with the id.
func (ps *pairs) callOf(id string) *call {
	same := ps.byID[id]
	if same == nil {
		return nil
	}
	n := same.last
	if len(same.latest) > 0 {
		n, same.latest = same.latest[0], same.latest[1:]
	} else if last := len(same.older) - 1; last >= 0 {
		n, same.older = same.older[last], same.older[:last]
	}
	return &ps.calls[n]
}

// fitCalls gives the calls their ids, puts the results behind them, and mends calls and results that have no other half.
func (f *fitter) fitCalls() {
	if !slices.ContainsFunc(f.turns, func(t turn) bool { return t.Role == chat.ToolRole || hasKind(t.Parts, chat.Call) }) {
		return
	}
	ps := f.pair()
	f.setIDs(ps)
	if f.JoinsCalls && f.rules.Pairs && f.joinCalls() {
		ps = f.pair() // the turns have other indexes now
	}
	if f.rules.Pairs && !f.paired(ps) {
		f.arrange(ps)
	}
}

// joinCalls makes one message of successive messages of the assistant if an earlier one has calls. It reports whether
// there are such.
func (f *fitter) joinCalls() bool {
	var out []turn
	calls, joined := false, false // what holds for the last message
	for _, t := range f.turns {
		n := len(out)
		if n == 0 || t.Role != chat.Assistant || out[n-1].Role != chat.Assistant || !calls {
			out, calls, joined = append(out, t), hasKind(t.Parts, chat.Call), false
			continue
		}
		if !joined {
			out[n-1].change(slices.Clone(out[n-1].Parts))
		}
		apart := hasKind(out[n-1].Parts, chat.Text)
		for _, p := range t.Parts {
			if apart && p.Kind == chat.Text {
				p.Text, apart = "\n\n"+p.Text, false
			}
			out[n-1].Parts = append(out[n-1].Parts, p)
		}
		joined = true
	}
	fewer := len(out) < len(f.turns)
	f.turns = out
	return fewer
}

// setIDs writes the ids, and the names of the called functions, where they differ from the caller's.
func (f *fitter) setIDs(ps *pairs) {
	calls, results := map[*chat.ToolCall]*chat.ToolCall{}, map[*chat.ToolResult]*chat.ToolResult{}
	for i := range ps.calls {
		c := &ps.calls[i]
		if c.id != c.made.ID {
			out := *c.made
			out.ID = c.id
			calls[c.made] = &out
		}
		for j := range c.results {
			r := c.results[j].part.ToolResult
			if r.CallID == c.id && (r.Name == c.made.Name || f.Same) {
				continue
			}
			out := *r
			out.CallID, out.Name = c.id, c.made.Name
			results[r] = &out
			c.results[j].part.ToolResult = &out
		}
	}
	if len(calls)+len(results) == 0 {
		return
	}
	differs := func(p chat.Part) bool { return calls[p.ToolCall] != nil || results[p.ToolResult] != nil }
	for i := range f.turns {
		t := &f.turns[i]
		if !slices.ContainsFunc(t.Parts, differs) {
			continue
		}
		parts := slices.Clone(t.Parts)
		for j := range parts {
			if c := calls[parts[j].ToolCall]; c != nil {
				parts[j].ToolCall, parts[j].Raw = c, nil
			}
			if r := results[parts[j].ToolResult]; r != nil {
				parts[j].ToolResult, parts[j].Raw = r, nil
			}
		}
		t.change(parts)
	}
}

// paired reports whether each call has one result before anything else is said, and each result has its call.
func (f *fitter) paired(ps *pairs) bool {
	if ps.orphans {
		return false
	}
	reach := make([]int, len(f.turns)) // the last message that may hold results of a message's calls
	for i := len(f.turns) - 1; i >= 0; i-- {
		reach[i] = i
		if i+1 == len(f.turns) {
			continue
		}
		next := &f.turns[i+1]
		results := next.Role == chat.ToolRole && !slices.ContainsFunc(next.Parts, isNoResult)
		if results || f.turns[i].Role == chat.Assistant && next.Role == chat.Assistant {
			reach[i] = reach[i+1]
		}
	}
	for i := range ps.calls {
		c := &ps.calls[i]
		if f.Same && c.made.Type != "" {
			continue // the dialect's own kind of call, whose rules are unknown
		}
		if len(c.results) != 1 || c.results[0].in <= c.of || c.results[0].in > reach[c.of] {
			return false
		}
	}
	return true
}

func isNoResult(p chat.Part) bool { return p.ToolResult == nil }
