package turns

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// What is said to keep the order of roles.
const (
	begin        = "(begin)"
	acknowledged = "OK."
	// Continue asks the model to go on with what the assistant said last.
	Continue = "Continue from where you left off."
)

// separateMedia moves what is no text out of results that can hold text alone: it follows the last result as a message
// of the user.
func (f *fitter) separateMedia() {
	if !f.TextResults || !slices.ContainsFunc(f.turns, resultHasMedia) {
		return
	}
	var out []turn
	var media []chat.Part
	flush := func() {
		if len(media) > 0 {
			out = append(out, made(chat.User, append([]chat.Part{text("What the tools above returned beside text:")}, media...)...))
			media = nil
		}
	}
	for _, t := range f.turns {
		if t.Role != chat.ToolRole {
			flush()
		}
		if resultHasMedia(t) {
			f.Warn("%s takes text alone as the result of a tool: images and files follow as a message of the user", f.Provider())
			parts := slices.Clone(t.Parts)
			for i := range parts {
				if parts[i].ToolResult != nil {
					parts[i].ToolResult, media = textResult(parts[i].ToolResult, media)
				}
			}
			t.change(parts)
		}
		out = append(out, t)
	}
	flush()
	f.turns = out
}

func isMedium(p chat.Part) bool { return p.Media != nil }

func resultHasMedia(t turn) bool {
	return slices.ContainsFunc(t.Parts, func(p chat.Part) bool {
		return p.ToolResult != nil && slices.ContainsFunc(p.ToolResult.Parts, isMedium)
	})
}

// textResult returns the result without its media, which it appends to media.
func textResult(r *chat.ToolResult, media []chat.Part) (*chat.ToolResult, []chat.Part) {
	out := *r
	out.Parts = nil
	for _, p := range r.Parts {
		if isMedium(p) {
			media = append(media, p)
		} else {
			out.Parts = append(out.Parts, p)
		}
	}
	return &out, media
}

// dropEmpty drops turns of the assistant and the user that say nothing, if others say something.
func (f *fitter) dropEmpty() {
	if f.Same && !f.rules.SaysSomething {
		return
	}
	empty := func(t turn) bool { return f.empty(t.Role, t.Parts) }
	if f.rules.SaysSomething || slices.ContainsFunc(f.turns, func(t turn) bool { return t.is() != chat.System && !empty(t) }) {
		f.turns = slices.DeleteFunc(f.turns, empty)
	}
	if len(f.turns) == 0 && len(f.Req.Messages) > 0 {
		f.Refuse("messages", "the messages hold nothing that can be sent to %s", f.Provider())
	}
}

func (f *fitter) empty(role chat.Role, parts []chat.Part) bool {
	return (role == chat.Assistant || role == chat.User) && f.saysNothing(parts)
}

func (f *fitter) saysNothing(parts []chat.Part) bool {
	return !slices.ContainsFunc(parts, func(p chat.Part) bool {
		switch p.Kind {
		case chat.Text, chat.Refusal:
			return !body.Blank(p.Text)
		case chat.Reason:
			return !f.ForgetsReasoning
		}
		return true
	})
}

// order mends roles that may not follow each other.
func (f *fitter) order() {
	if f.rules.UserFirst && len(f.turns) > 0 {
		i := slices.IndexFunc(f.turns, func(t turn) bool { return t.is() != chat.System })
		if i >= 0 && f.turns[i].Role == chat.Assistant {
			f.Warn("%s wants the user to speak first: a message of the user was put before", f.Provider())
			f.turns = slices.Insert(f.turns, i, made(chat.User, text(begin)))
		}
	}
	if len(f.rules.NotAfter) == 0 {
		return
	}
	var out []turn
	for i, t := range f.turns {
		if i > 0 && f.follows(&out[len(out)-1], &t) && t.is() == chat.System {
			t = f.folded(t)
		}
		if i > 0 && f.follows(&out[len(out)-1], &t) {
			f.Warn("%s wants the assistant to speak between a tool's result and the user: a short message was put there",
				f.Provider())
			out = append(out, made(chat.Assistant, text(acknowledged)))
		}
		out = append(out, t)
	}
	f.turns = out
}

// follows reports whether the rules forbid that b follows a.
func (f *fitter) follows(a, b *turn) bool { return slices.Contains(f.rules.NotAfter[a.is()], b.is()) }

// folded makes instructions text of the user.
func (f *fitter) folded(t turn) turn {
	f.Warn("%s does not take instructions at this place: they became text of the user within <system>", f.Provider())
	parts := slices.Clone(t.Parts)
	for i := range parts {
		if parts[i].Kind == chat.Text {
			parts[i].Text = body.Tagged("system", parts[i].Text)
		}
	}
	return made(chat.User, parts...)
}

// end makes the conversation end with whom the provider lets speak last.
func (f *fitter) end() {
	n := len(f.turns)
	if n == 0 || f.OpenEnd || f.rules.Ends == dialect.EndsAny {
		return
	}
	last := n - 1
	for last > 0 && f.turns[last].is() == chat.System {
		last--
	}
	switch {
	case f.rules.Ends == dialect.EndsUser && f.turns[n-1].is() == chat.System:
		f.turns[n-1] = f.folded(f.turns[n-1])
	case f.turns[last].Role == chat.Assistant:
		f.WarnContinued()
		f.turns = append(f.turns, made(chat.User, text(Continue)))
	}
}
