package gateway

import (
	"encoding/json"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// turn gathers what is to be held of the answer that passes by.
type turn struct {
	held  heldTurn
	text  [][]byte // of each of held.Reasoning
	mark  string   // the first tool call
	bytes int
}

// note gathers an event, if the provider may want it back.
func (c *Call) note(ev *chat.Event) {
	if c.current.key.provider.WantsReasoning() {
		c.turn.add(ev)
	}
}

func (t *turn) add(ev *chat.Event) {
	if ev.Choice != 0 || t.bytes > maxTurnBytes {
		return
	}
	switch ev.Kind {
	case chat.EventText:
		t.said(ev)
	case chat.EventReason:
		t.reason(ev)
	case chat.EventCall:
		t.outline(outlined{})
		if t.mark == "" {
			t.mark = ev.ToolCall.ID
		}
		if s := ev.ToolCall.Signature; s != "" {
			if t.held.Signatures == nil {
				t.held.Signatures = map[string]string{}
			}
			t.held.Signatures[ev.ToolCall.ID] = s
			t.bytes += len(s)
		}
	}
}

func (t *turn) said(ev *chat.Event) {
	if ev.Text == "" {
		return
	}
	if n := len(t.held.Outline); n > 0 && t.held.Outline[n-1].Text > 0 && t.held.Outline[n-1].Phase == ev.Phase {
		t.held.Outline[n-1].Text += len(ev.Text)
		return
	}
	t.outline(outlined{Text: len(ev.Text), Phase: ev.Phase})
}

func (t *turn) outline(o outlined) {
	t.held.Outline = append(t.held.Outline, o)
	t.bytes += outlineBytes
}

// outlineBytes is about what an entry of the outline costs.
const outlineBytes = 16

// reason puts pieces together as chat.Assembler does: a text that follows something else is another part, a state alone may come late.
func (t *turn) reason(ev *chat.Event) {
	t.bytes += len(ev.Text)
	if s := ev.State; s != nil {
		t.bytes += len(s.Signature) + len(s.Redacted) + len(s.Encrypted)
	}
	n := len(t.held.Reasoning)
	if n == 0 || ev.Text != "" && t.held.Outline[len(t.held.Outline)-1].Reasoning != n || !t.held.Reasoning[n-1].State.Takes(ev.State) {
		t.held.Reasoning, t.text = append(t.held.Reasoning, heldReasoning{}), append(t.text, nil)
		n++
		t.outline(outlined{Reasoning: n})
	}
	t.text[n-1] = append(t.text[n-1], ev.Text...)
	r := &t.held.Reasoning[n-1]
	if ev.State != nil {
		if r.State == nil {
			r.State = new(chat.ReasoningState)
		}
		r.State.Merge(ev.State)
	}
}

// hold is the statement that keeps the turn; false if there is nothing to keep.
func (c *Call) hold() (store.Stmt, bool) {
	t, a := &c.turn, c.current
	if a == nil || !a.key.provider.WantsReasoning() || t.bytes > maxTurnBytes || len(t.held.Reasoning) == 0 && len(t.held.Signatures) == 0 {
		return store.Stmt{}, false
	}
	mark := t.mark
	for i := 0; mark == "" && i < len(t.held.Reasoning); i++ {
		mark = sealOf(t.held.Reasoning[i].State)
	}
	if mark == "" {
		return store.Stmt{}, false // plain reasoning without a call: nobody asks for it again
	}
	t.held.Provider, t.held.Vendor = a.key.providerID, vendorOf(a.key.model)
	for i := range t.text {
		t.held.Reasoning[i].Text = string(t.text[i])
	}
	text, err := json.Marshal(t.held)
	if err != nil {
		return store.Stmt{}, false // it holds nothing that cannot be encoded
	}
	user := c.entry.table.user
	id := turnID(c.entry.token, mark)
	sealed, sealingKey := c.g.Secrets.Encrypt(text, turnBinding(id, user))
	return store.HoldTurn(store.Turn{ID: id, UserID: user, KeyID: a.key.id, Sealed: sealed, SealingKey: sealingKey, ExpiresAt: c.nowMs() + turnLife}), true
}
