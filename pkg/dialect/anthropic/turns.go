package anthropic

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
)

// A turn holds the consecutive messages of one side. Tool results come first in it: the API refuses
// another order.
type turn struct {
	role    chat.Role // System only between two others
	results []chat.Part
	parts   []chat.Part
}

// arrange groups the messages: instructions at the start become the system prompt, consecutive messages of one side a
// turn.
func (e *encoder) arrange() {
	messages := e.Req.Messages
	n := 0
	for n < len(messages) && instructs(messages[n].Role) {
		e.system = append(e.system, messages[n].Parts...)
		n++
	}
	if n > 0 && n == len(messages) {
		e.Warn("%s wants a message of the user: the instructions became one", e.Provider())
		e.addToTurn(chat.User, e.system)
		e.system = nil
		e.fixEnds()
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
			e.addToTurn(chat.User, m.Parts)
		case chat.Assistant:
			e.addInstructions(later)
			later = nil
			e.addToTurn(chat.Assistant, m.Parts)
		case chat.System, chat.Developer:
			if e.Model.FoldsSystemTurns {
				e.foldInstructions(m.Parts)
			} else {
				later = append(later, m.Parts...)
			}
		default:
			e.Refuse("messages", "the role %q cannot be sent to %s", m.Role, e.Provider())
		}
	}
	e.addInstructions(later)
	e.fixEnds()
}

// fixEnds makes the conversation begin with the user, and removes white space behind text that the assistant is to
// continue, as the API requires.
func (e *encoder) fixEnds() {
	e.dropLastThoughts()
	if len(e.turns) == 0 {
		return
	}
	if e.turns[0].role == chat.Assistant {
		e.Warn("%s wants the user to speak first: a message of the user was put before", e.Provider())
		e.turns = append([]turn{{role: chat.User, parts: []chat.Part{{Kind: chat.Text, Text: "(begin)"}}}}, e.turns...)
	}
	last := &e.turns[len(e.turns)-1]
	if n := len(last.parts); last.role == chat.Assistant && n > 0 && last.parts[n-1].Kind == chat.Text {
		last.parts[n-1].Text = strings.TrimRight(last.parts[n-1].Text, " \t\r\n")
	}
	e.countMarks()
}

// dropLastThoughts drops thinking that nothing follows in its turn ("The final block in an assistant message cannot be
// `thinking`"), as of an answer that was cut off. A turn of nothing else goes, and its neighbours become one.
func (e *encoder) dropLastThoughts() {
	var kept []turn
	for _, t := range e.turns {
		if t.role == chat.Assistant {
			n := len(t.parts)
			for n > 0 && t.parts[n-1].Kind == chat.Reason {
				n--
			}
			if n < len(t.parts) {
				e.Warn("%s takes no thinking that nothing follows: dropped", e.Provider())
			}
			t.parts = t.parts[:n]
			if n == 0 {
				continue
			}
		}
		if n := len(kept); n > 0 && kept[n-1].role == t.role {
			kept[n-1].results = append(kept[n-1].results, t.results...)
			kept[n-1].parts = append(kept[n-1].parts, t.parts...)
			continue
		}
		kept = append(kept, t)
	}
	e.turns = kept
}

// endsWithAssistant reports whether the model would have to continue a turn of the assistant, and does not. While they
// think, older models do not either (https://platform.claude.com/docs/en/build-with-claude/extended-thinking). Every
// model continues a turn that paused in its own tools, which is sent back as it came
// (https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons, pause_turn).
func (e *encoder) endsWithAssistant() bool {
	n := len(e.turns)
	return n > 0 && e.turns[n-1].role == chat.Assistant && !slices.ContainsFunc(e.turns[n-1].parts, isOwnPart) &&
		(e.TurnRules().Ends != dialect.EndsAny || e.thinking.form == thinkAdaptive || e.thinking.form == thinkEnabled)
}

// askToContinue adds a turn of the user that asks the model to go on.
func (e *encoder) askToContinue() {
	e.WarnContinued()
	e.turns = append(e.turns, turn{role: chat.User, parts: []chat.Part{{Kind: chat.Text, Text: turns.Continue}}})
}

// maxMarks limits the cache marks of a request ("A maximum of 4 blocks with cache_control may be provided").
const maxMarks = 4

// countMarks counts the cache marks that are too many. The first ones are dropped: the last ones save the most.
func (e *encoder) countMarks() {
	n := marks(e.system)
	for i := range e.Req.Tools {
		if e.Req.Tools[i].Cache != nil {
			n++
		}
	}
	for i := range e.turns {
		n += marks(e.turns[i].results) + marks(e.turns[i].parts)
	}
	e.surplusMarks = max(n-maxMarks, 0)
}

func marks(parts []chat.Part) int {
	n := 0
	for i := range parts {
		p := &parts[i]
		if p.Cache != nil && (p.Kind != chat.Text || !body.Blank(p.Text)) {
			n++
		}
		if p.ToolResult != nil {
			n += marks(p.ToolResult.Parts)
		}
	}
	return n
}

func instructs(role chat.Role) bool { return role == chat.System || role == chat.Developer }

// addToTurn adds the parts that can be sent to the last turn, or to a new one of the role.
func (e *encoder) addToTurn(role chat.Role, parts []chat.Part) {
	parts = e.sendable(role, parts)
	if len(parts) == 0 {
		return
	}
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

// sendable returns the parts that the API takes. It leaves out blank text, reasoning of other providers, and
// what the API has no block for.
func (e *encoder) sendable(role chat.Role, parts []chat.Part) []chat.Part {
	kept := make([]chat.Part, 0, len(parts))
	for i := range parts {
		p := &parts[i]
		keep := true
		switch {
		case p.Kind == chat.Text || p.Kind == chat.Refusal:
			keep = !body.Blank(p.Text)
		case role != chat.Assistant:
		case p.Kind == chat.Reason:
			signature, redacted := ownState(p.State)
			keep = signature != "" || redacted != ""
		case p.Kind != chat.Call && !isOwn(p):
			e.Warn("%s takes back text, thinking and calls alone from the assistant: other parts dropped", e.Provider())
			keep = false
		}
		if keep {
			kept = append(kept, *p)
		}
	}
	return kept
}

// addInstructions adds instructions behind a turn of the user, the only place for them
// (https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages).
func (e *encoder) addInstructions(parts []chat.Part) {
	if parts = e.sendable(chat.System, parts); len(parts) == 0 {
		return
	}
	if n := len(e.turns); n == 0 || e.turns[n-1].role != chat.User {
		e.foldInstructions(parts)
		return
	}
	e.turns = append(e.turns, turn{role: chat.System, parts: parts})
}

// foldInstructions adds instructions to the user's text, within tags.
func (e *encoder) foldInstructions(parts []chat.Part) {
	if parts = e.sendable(chat.System, parts); len(parts) == 0 {
		return
	}
	e.Warn("%s does not take instructions at this place: they became text of the user within <system>", e.Provider())
	marked := make([]chat.Part, 0, len(parts))
	for _, p := range parts {
		if p.Kind == chat.Text {
			p.Text = "<system>\n" + p.Text + "\n</system>"
		}
		marked = append(marked, p)
	}
	e.addToTurn(chat.User, marked)
}

// fieldMessages writes the turns.
func (e *encoder) fieldMessages() {
	if !e.Field("messages", body.Refuses) {
		return
	}
	e.inMessages = true
	defer func() { e.inMessages = false }()
	if len(e.turns) == 0 {
		e.Refuse("messages", "the messages hold nothing that can be sent to %s", e.Provider())
	}
	e.Raw("[")
	for i := range e.turns {
		t := &e.turns[i]
		e.Comma()
		e.Member(`{"role":`, string(t.role))
		e.Raw(`,"content":[`)
		e.blocks(t.role, t.results)
		e.blocks(t.role, t.parts)
		e.Raw("]}")
	}
	e.Raw("]")
}

// blocks writes the blocks of parts.
func (e *encoder) blocks(role chat.Role, parts []chat.Part) {
	for i := range parts {
		e.Comma()
		e.block(role, &parts[i])
	}
}
