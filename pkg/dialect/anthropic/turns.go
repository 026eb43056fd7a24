package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// A turn is what one side says until the other has its say. Results of tools go
// before everything else in it: the API refuses another order.
type turn struct {
	role    chat.Role // System only between two others
	results []chat.Part
	parts   []chat.Part
}

// arrange puts the messages in order: instructions at the start become the system prompt,
// messages of the same side one turn.
func (e *encoder) arrange() {
	messages := e.Req.Messages
	n := 0
	for n < len(messages) && instructs(messages[n].Role) {
		e.system = append(e.system, messages[n].Parts...)
		n++
	}
	if n > 0 && n == len(messages) {
		e.Warn("%s wants a message of the user: the instructions became one", e.Provider())
		e.turns, e.system = []turn{{role: chat.User, parts: e.system}}, nil
		return
	}
	var later []chat.Part // instructions that wait for the end of the user's turn
	for i := n; i < len(messages); i++ {
		m := &messages[i]
		if m.Name != "" {
			e.Warn("names of participants are not supported by %s: dropped", e.Provider())
		}
		switch m.Role {
		case chat.User, chat.ToolRole:
			e.say(chat.User, m.Parts)
		case chat.Assistant:
			e.instruct(later)
			later = nil
			e.say(chat.Assistant, m.Parts)
		case chat.System, chat.Developer:
			if e.Model.Messages.SystemTurns == dialect.SystemFolded {
				e.fold(m.Parts)
			} else {
				later = append(later, m.Parts...)
			}
		default:
			e.Refuse("messages", "the role %q cannot be sent to %s", m.Role, e.Provider())
		}
	}
	e.instruct(later)
}

func instructs(role chat.Role) bool { return role == chat.System || role == chat.Developer }

// say adds parts to the last turn, or begins one.
func (e *encoder) say(role chat.Role, parts []chat.Part) {
	if n := len(e.turns); n == 0 || e.turns[n-1].role != role {
		e.turns = append(e.turns, turn{role: role})
	}
	t := &e.turns[len(e.turns)-1]
	for i := range parts {
		if parts[i].Kind == chat.Result && role == chat.User {
			t.results = append(t.results, parts[i])
		} else {
			t.parts = append(t.parts, parts[i])
		}
	}
}

// instruct puts instructions behind the user's turn, which is the only place for them
// (https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages).
func (e *encoder) instruct(parts []chat.Part) {
	if len(parts) == 0 {
		return
	}
	if n := len(e.turns); n == 0 || e.turns[n-1].role != chat.User {
		e.fold(parts)
		return
	}
	e.turns = append(e.turns, turn{role: chat.System, parts: parts})
}

// fold makes instructions text of the user, marked as what they are.
func (e *encoder) fold(parts []chat.Part) {
	e.Warn("%s does not take instructions at this place: they became text of the user within <system>", e.Provider())
	marked := make([]chat.Part, 0, len(parts))
	for _, p := range parts {
		if p.Kind == chat.Text && !blank(p.Text) {
			p.Text = "<system>\n" + p.Text + "\n</system>"
		}
		marked = append(marked, p)
	}
	e.say(chat.User, marked)
}

// messages writes the turns. One that holds nothing is left out: the API refuses it.
func (e *encoder) messages() {
	e.Raw("[")
	n := 0
	for i := range e.turns {
		start := len(e.Out)
		e.Comma(n)
		e.Raw(`{"role":`)
		e.Str(string(e.turns[i].role))
		e.Raw(`,"content":[`)
		if e.turn(&e.turns[i]) == 0 {
			e.Out = e.Out[:start]
			continue
		}
		e.Raw("]}")
		n++
	}
	e.Raw("]")
	if n == 0 {
		e.Refuse("messages", "the messages hold nothing that can be sent to %s", e.Provider())
	}
}

// turn writes the blocks of a turn, and says how many there are.
func (e *encoder) turn(t *turn) int {
	n := 0
	for _, list := range [2][]chat.Part{t.results, t.parts} {
		for i := range list {
			start := len(e.Out)
			e.Comma(n)
			if e.block(t.role, &list[i]) {
				n++
			} else {
				e.Out = e.Out[:start]
			}
		}
	}
	return n
}
