// Package turns gives conversations the order that providers take: each call has its result, ids of calls are distinct,
// roles follow each other as the provider wants, and what only another dialect has becomes text. Where the meaning
// stays, it mends what a provider would refuse; it refuses the rest with the rule.
package turns

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// Form says what a dialect can express.
type Form struct {
	Dialect dialect.Name
	// Same says that the caller speaks the same dialect: only what the provider surely refuses is changed.
	Same bool
	// TextResults: results of tools hold text alone. Their media follow as a message of the user.
	TextResults bool
	// TextFiles: documents of a type text/.. can be sent as files. Others that are text, and these else, become text.
	TextFiles bool
	// DocumentContext: documents have a context. Else it becomes text before them.
	DocumentContext bool
	// JoinsCalls: results must follow a message with calls at once, so that successive messages of the assistant become
	// one if an earlier one has calls.
	JoinsCalls bool
	// OpenEnd: the end of the conversation is not looked at.
	OpenEnd bool
	// ForgetsReasoning: a turn of reasoning alone says nothing.
	ForgetsReasoning bool
}

// Made is the index of a message that the request does not have as it is.
const Made = -1

// Fit changes the writer's request so that its messages are as the provider takes them, and reports whether anything
// differs. If so, from has the index of each message in the caller's request, or Made.
func Fit(w *body.Writer, form Form) (from []int, changed bool) {
	f := newFitter(w, form)
	if f.fine() {
		return nil, false
	}
	return f.mend()
}

func newFitter(w *body.Writer, form Form) *fitter {
	f := &fitter{Writer: w, Form: form, rules: w.TurnRules()}
	if !form.Same {
		f.rules.Pairs, f.rules.DistinctCallIDs = true, true
	}
	return f
}

func (f *fitter) mend() (from []int, changed bool) {
	f.turns = make([]turn, len(f.Req.Messages))
	for i := range f.Req.Messages {
		f.turns[i] = turn{f.Req.Messages[i], i}
	}
	f.express()
	f.fitCalls()
	f.separateMedia()
	f.dropEmpty()
	f.order()
	f.end()
	from = make([]int, len(f.turns))
	changed = len(f.turns) != len(f.Req.Messages)
	for i := range f.turns {
		from[i] = f.turns[i].from
		changed = changed || from[i] != i
	}
	if changed {
		req := *f.Req
		req.Messages = make([]chat.Message, len(f.turns))
		for i := range f.turns {
			req.Messages[i] = f.turns[i].Message
		}
		f.Req = &req
	}
	return from, changed
}

// A turn is a message with its index in the caller's request.
type turn struct {
	chat.Message
	from int
}

type fitter struct {
	*body.Writer
	Form
	rules dialect.TurnRules
	turns []turn
}

// is returns the role that rules name.
func (t *turn) is() chat.Role {
	if t.Role == chat.Developer {
		return chat.System
	}
	return t.Role
}

// change replaces the parts of a turn.
func (t *turn) change(parts []chat.Part) { t.Parts, t.from = parts, Made }

func made(role chat.Role, parts ...chat.Part) turn {
	return turn{chat.Message{Role: role, Parts: parts}, Made}
}

func text(s string) chat.Part { return chat.Part{Kind: chat.Text, Text: s} }

func hasKind(parts []chat.Part, kind chat.PartKind) bool {
	return slices.ContainsFunc(parts, func(p chat.Part) bool { return p.Kind == kind })
}
