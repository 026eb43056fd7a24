package turns

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// noResult is the result of a call that has none.
const noResult = "There is no result: the call was not carried out, or was interrupted."

// arrange puts the results of each run of the assistant's messages behind it.
func (f *fitter) arrange(ps *pairs) {
	taken := map[*chat.ToolResult]bool{} // they stand behind their calls
	byTurn := map[int][]int{}
	for i := range ps.calls {
		c := &ps.calls[i]
		byTurn[c.of] = append(byTurn[c.of], i)
		for _, r := range c.results {
			taken[r.part.ToolResult] = true
		}
	}
	var out []turn
	for i := 0; i < len(f.turns); i++ {
		t := f.turns[i]
		if t.Role != chat.Assistant {
			out = append(out, f.rest(t, taken)...)
			continue
		}
		calls := byTurn[i]
		out = append(out, t)
		for i+1 < len(f.turns) && f.turns[i+1].Role == chat.Assistant {
			i++
			out, calls = append(out, f.turns[i]), append(calls, byTurn[i]...)
		}
		out = append(out, f.results(ps, calls)...)
	}
	f.turns = out
}

// results returns the messages with the results of the calls, in the order in which they came.
func (f *fitter) results(ps *pairs, calls []int) []turn {
	var list []result
	missing := 0
	for _, n := range calls {
		c := &ps.calls[n]
		if len(c.results) == 0 && f.Same && c.made.Type != "" {
			continue
		}
		if len(c.results) == 0 {
			missing++
			r := &chat.ToolResult{CallID: c.id, Name: c.made.Name, IsError: true, Parts: []chat.Part{text(noResult)}}
			list = append(list, result{Made, chat.Part{Kind: chat.Result, ToolResult: r}})
			continue
		}
		joined := c.results[0]
		if len(c.results) > 1 {
			joined.in, joined.part.ToolResult = Made, joinResults(c.results)
		}
		list = append(list, joined)
	}
	if missing > 0 {
		f.Warn("%s wants a result for each call: calls without one got one that says so", f.Provider())
	}
	var out []turn
	whole := map[int]int{} // how many results of a message are in the list
	for _, e := range list {
		whole[e.in]++
	}
	seen := map[int]bool{}
	for _, e := range list {
		switch {
		case e.in != Made && seen[e.in]:
		case e.in != Made && whole[e.in] == len(f.turns[e.in].Parts):
			seen[e.in] = true
			out = append(out, f.turns[e.in])
		default:
			out = append(out, made(chat.ToolRole, e.part))
		}
	}
	return out
}

// joinResults returns one result of several of the same call.
func joinResults(results []result) *chat.ToolResult {
	out := *results[0].part.ToolResult
	out.Parts = slices.Clone(out.Parts)
	for _, more := range results[1:] {
		out.Parts = append(out.Parts, more.part.ToolResult.Parts...)
		out.IsError = out.IsError || more.part.ToolResult.IsError
	}
	return &out
}

// rest returns what is left of a message of the user, the system or a tool without the results that stand behind their
// calls. Results without a call become text of the user.
func (f *fitter) rest(t turn, taken map[*chat.ToolResult]bool) []turn {
	if !hasKind(t.Parts, chat.Result) {
		return []turn{t}
	}
	var parts []chat.Part
	for _, p := range t.Parts {
		switch {
		case p.ToolResult == nil:
			parts = append(parts, p)
		case !taken[p.ToolResult]:
			f.Warn("%s takes no result of a tool without its call: it became text of the user", f.Provider())
			parts = append(parts, orphan(p.ToolResult)...)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []turn{made(chat.User, parts...)}
}

// orphan returns a result without a call as parts of the user.
func orphan(r *chat.ToolResult) []chat.Part {
	title := "The result of a tool"
	if r.Name != "" {
		title += ", " + r.Name
	}
	return append([]chat.Part{text(title + ":")}, body.ResultParts(r)...)
}
