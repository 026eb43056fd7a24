package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
)

// addReasoning adds a piece of reasoning to the text that it belongs to, as chat.Assembler does.
func (o *output) addReasoning(ev *chat.Event) {
	if ev.Text == "" && ev.State == nil {
		return
	}
	at := len(o.items) - 1
	if ev.Text == "" {
		at = o.reasoning - 1 // state alone may come late, when other items have begun
	}
	if at >= 0 && o.items[at].hasReasoning() {
		it := &o.items[at]
		last := &it.texts[len(it.texts)-1]
		switch {
		case !last.state.Takes(ev.State):
		case !it.closed:
			last.state = last.state.Merge(ev.State)
			o.extend(at, len(it.texts)-1, ev.Text)
			return
		case ev.Text == "" && ev.State != nil:
			o.addLateState(last, ev.State)
			return
		}
	}
	o.beginReasoning(ev)
}

// beginReasoning begins a text of reasoning, in the open item or in another.
func (o *output) beginReasoning(ev *chat.Event) {
	it := o.open(reasoningItem)
	if it != nil {
		last := len(it.texts) - 1
		if continues(it.texts[last].state, ev.State) {
			o.events.textDone(len(o.items)-1, it, last)
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
		o.reasoning = len(o.items)
	}
	it.texts = append(it.texts, outputText{kind: reasoningKind(ev.State)})
	n := len(it.texts) - 1
	it.texts[n].state = it.texts[n].state.Merge(ev.State)
	o.extend(len(o.items)-1, n, ev.Text)
}

// addLateState puts a state that came after its reasoning's item was closed into an item of its own.
func (o *output) addLateState(t *outputText, s *chat.ReasoningState) {
	t.state = t.state.Merge(s)
	o.envelopes = append(o.envelopes, reasoning.Envelope{State: *t.state, Late: true})
}

// placeEnvelopes appends the envelopes that wait, as reasoning items with nothing but encrypted content.
func (o *output) placeEnvelopes() {
	for _, e := range o.envelopes {
		o.place(outputItem{kind: reasoningItem, encryptedContent: e.Encode()})
		o.close(len(o.items) - 1)
	}
	o.envelopes = nil
}

// encrypted returns the encrypted content of a reasoning item: the provider's own, or an envelope of a state for
// which this dialect has no members.
func (it *outputItem) encrypted() string {
	s := it.texts[len(it.texts)-1].state
	if s == nil {
		return ""
	}
	first := stateOrZero(it.texts[0].state)
	if foreign(s) || s.ID != "" && s.ID != it.id || first.Index != 0 {
		return reasoning.Envelope{State: *s}.Encode()
	}
	return s.Encrypted
}
