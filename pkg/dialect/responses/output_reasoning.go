package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
)

// reason adds to reasoning. Which text a piece belongs to is decided as chat.Assembler does it.
func (o *output) reason(ev *chat.Event) {
	if ev.Text == "" && ev.State == nil {
		return
	}
	at := len(o.items) - 1
	if ev.Text == "" {
		at = o.thoughts - 1 // state alone may come late, when other items have begun
	}
	if at >= 0 && o.items[at].thinks() {
		it := &o.items[at]
		last := &it.texts[len(it.texts)-1]
		switch {
		case !last.state.Takes(ev.State):
		case !it.closed:
			o.merge(last, ev.State)
			o.append(at, len(it.texts)-1, ev.Text)
			return
		case ev.Text == "" && ev.State != nil:
			o.late(last, ev.State)
			return
		}
	}
	o.reasonAnew(ev)
}

// reasonAnew begins a text of reasoning, in the item that is open or in its own.
func (o *output) reasonAnew(ev *chat.Event) {
	it := o.open(reasoningItem)
	if it != nil {
		last := len(it.texts) - 1
		if continues(it.texts[last].state, ev.State) {
			o.told.textDone(len(o.items)-1, it, last)
		} else {
			it = nil
		}
	}
	if it == nil {
		begun := outputItem{kind: reasoningItem}
		if s := ev.State; s != nil && !foreign(s) {
			begun.id = s.ID
		}
		it = o.begin(begun)
		o.thoughts = len(o.items)
	}
	it.texts = append(it.texts, outputText{kind: thoughtKind(ev.State)})
	n := len(it.texts) - 1
	o.merge(&it.texts[n], ev.State)
	o.append(len(o.items)-1, n, ev.Text)
}

func (o *output) merge(t *outputText, s *chat.ReasoningState) {
	if s == nil {
		return
	}
	if t.state == nil {
		t.state = new(chat.ReasoningState)
	}
	t.state.Merge(s)
}

// late keeps for an item of its own what came when the reasoning's item was closed.
func (o *output) late(t *outputText, s *chat.ReasoningState) {
	o.merge(t, s)
	o.later = append(o.later, reasoning.Envelope{State: *t.state, Late: true})
}

// flush adds what was kept for later, as items of reasoning that are nothing but their
// encrypted content.
func (o *output) flush() {
	for _, e := range o.later {
		o.place(outputItem{kind: reasoningItem, encryptedContent: e.Encode()})
		o.close(len(o.items) - 1)
	}
	o.later = nil
}

// encrypted is what the provider wants back with the reasoning: its own encrypted content, or
// an envelope of what this dialect has no members for.
func (it *outputItem) encrypted() string {
	s := it.texts[len(it.texts)-1].state
	if s == nil {
		return ""
	}
	first := stateOr(it.texts[0].state)
	if foreign(s) || s.ID != "" && s.ID != it.id || first.Index != 0 {
		return reasoning.Envelope{State: *s}.Encode()
	}
	return s.Encrypted
}
