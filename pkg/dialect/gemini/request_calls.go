package gemini

import (
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// call is a call of the conversation so far.
type call struct {
	id, name string
	answered bool
}

// callIndex finds calls without a look at all of them.
type callIndex struct {
	ids   map[string]place
	names map[string]*unanswered
	// made is the number in the last id that the gateway made.
	made int
}

// place has the positions of the first call of an id: of all, and of those in the turn that begins at turn.
type place struct{ first, turn, inTurn int }

// unanswered has the positions of the calls of a name that may have no result: those in the turn that begins at turn,
// and those before.
type unanswered struct {
	before, inTurn []int
	turn           int
}

func (u *unanswered) enter(turn int) {
	if u.turn != turn {
		u.before, u.inTurn, u.turn = append(u.before, u.inTurn...), nil, turn
	}
}

// addCall adds a call to the turn, and gives it an id if it has none.
func (d *decoder) addCall(c *chat.ToolCall) {
	x := &d.index
	if x.ids == nil {
		x.ids, x.names = map[string]place{}, map[string]*unanswered{}
	}
	for x.made = max(x.made, len(d.calls)); c.ID == ""; {
		x.made++
		id := "call_" + strconv.Itoa(x.made)
		if _, taken := x.ids[id]; !taken {
			c.ID = id
		}
	}
	at := len(d.calls)
	d.calls = append(d.calls, call{id: c.ID, name: c.Name})
	p, known := x.ids[c.ID]
	switch {
	case !known:
		p = place{at, d.turn, at}
	case p.turn != d.turn:
		p.turn, p.inTurn = d.turn, at
	}
	x.ids[c.ID] = p
	u := x.names[c.Name]
	if u == nil {
		u = &unanswered{turn: d.turn}
		x.names[c.Name] = u
	}
	u.enter(d.turn)
	u.inTurn = append(u.inTurn, at)
}

// answeredBy returns the position of the call that a result belongs to: the call with its id, or else the first call of
// its name without a result, calls of the last turn first.
func (d *decoder) answeredBy(r *chat.ToolResult) (at int, ok bool) {
	if r.CallID != "" {
		p, ok := d.index.ids[r.CallID]
		if p.turn == d.turn {
			return p.inTurn, ok
		}
		return p.first, ok
	}
	u := d.index.names[r.Name]
	if u == nil {
		return 0, false
	}
	u.enter(d.turn)
	for _, list := range []*[]int{&u.inTurn, &u.before} {
		for len(*list) > 0 {
			at, *list = (*list)[0], (*list)[1:]
			if !d.calls[at].answered {
				return at, true
			}
		}
	}
	return 0, false
}
