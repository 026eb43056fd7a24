package gateway

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Some providers want back with the results of tool calls what they thought before they called: Gemini its
// thought signatures, DeepSeek the reasoning's text, Anthropic signed thinking, OpenAI's Responses encrypted
// items. Most callers' formats have no place for it, or their programs drop it. So the gateway holds it for a while, sealed,
// and puts it into the next turn. What was made by one account may be worth nothing at another, so that
// the next turn goes to the same key if it can.

const (
	// turnLife is how long a turn is held, in milliseconds: longer than a person's break.
	turnLife = 24 * 60 * 60 * 1000
	// maxTurnBytes bounds what is held of a turn; one that is larger is not held.
	maxTurnBytes = 256 << 10
)

// heldTurn is what is held of a turn of the assistant.
type heldTurn struct {
	Provider string `json:"provider"`
	// Vendor made the model, where the provider has those of many (OpenRouter's "anthropic/…"): others cannot read its seals.
	Vendor string `json:"vendor,omitempty"`
	// Reasoning are the parts that the caller's format may have no place for.
	Reasoning []heldReasoning `json:"reasoning,omitempty"`
	// Outline is the order in which the turn was said: a seal may be bound to what goes before it.
	Outline []outlined `json:"outline,omitempty"`
	// Signatures are those of tool calls, by the calls' ids.
	Signatures map[string]string `json:"signatures,omitempty"`
	key        store.ID
}

type heldReasoning struct {
	Text  string               `json:"text,omitempty"`
	State *chat.ReasoningState `json:"state,omitempty"`
}

// outlined is a part of a turn: one of its Reasoning, a text, or, if it says nothing, a call.
type outlined struct {
	Reasoning int    `json:"r,omitempty"` // counted from 1
	Text      int    `json:"t,omitempty"` // bytes
	Phase     string `json:"p,omitempty"` // of the text
}

// turnID tells a turn apart from all others of the user: by the token and what the provider made up for it.
func turnID(token store.ID, mark string) store.ID {
	h := sha256.New()
	h.Write(token[:])
	h.Write([]byte(mark))
	var id store.ID
	copy(id[:], h.Sum(nil))
	return id
}

func turnBinding(id, user store.ID) auth.Binding {
	return auth.Binding{Table: "turns", ID: id[:], UserID: user[:]}
}

// markOf is what tells a message of the assistant apart: its first tool call, else the seal of its reasoning; empty if
// there is neither.
func markOf(parts []chat.Part) string {
	mark := ""
	for i := range parts {
		p := &parts[i]
		if p.Kind == chat.Call && p.ToolCall.ID != "" {
			return p.ToolCall.ID
		}
		if p.Kind == chat.Reason && mark == "" {
			mark = sealOf(p.State)
		}
	}
	return mark
}

// sealOf is what only the provider can have written of a reasoning's state.
func sealOf(s *chat.ReasoningState) string {
	switch {
	case s == nil:
		return ""
	case s.Signature != "":
		return s.Signature
	case s.Encrypted != "":
		return s.Encrypted
	}
	return s.Redacted
}

// keepsState says whether the parts carry what the provider wants back, so that nothing has to be added.
func keepsState(parts []chat.Part) bool {
	return slices.ContainsFunc(parts, func(p chat.Part) bool {
		return p.Kind == chat.Reason && sealOf(p.State) != "" || p.Kind == chat.Call && p.ToolCall.Signature != ""
	})
}

// recall looks up what is held of the request's turns. It costs a trip, and only if there are turns that
// may be held and a candidate to whom that matters.
func (c *Call) recall() error {
	if !slices.ContainsFunc(c.fit, func(k candidate) bool { return k.provider.WantsReasoning() }) {
		return nil
	}
	var ids []store.ID
	for i := len(c.ask.Request.Messages) - 1; i >= 0 && len(ids) < store.MaxTurns; i-- {
		m := &c.ask.Request.Messages[i]
		if mark := markOf(m.Parts); m.Role == chat.Assistant && mark != "" {
			ids = append(ids, turnID(c.entry.token, mark))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	turns, err := store.Turns(c.ctx, c.g.DB, c.entry.table.user, ids, c.nowMs())
	if err != nil {
		return c.unavailable(err)
	}
	c.held = map[store.ID]*heldTurn{}
	for _, t := range turns {
		if held := c.g.openTurn(t); held != nil {
			c.held[t.ID] = held
		}
	}
	c.stay(ids)
	return nil
}

// openTurn is nil for a turn that cannot be opened: it was sealed under a secret that is gone, and is of no use.
func (g *Gateway) openTurn(t store.Turn) *heldTurn {
	text, _, err := g.Secrets.Decrypt(t.Sealed, t.SealingKey, turnBinding(t.ID, t.UserID))
	held := &heldTurn{key: t.KeyID}
	if err != nil || json.Unmarshal(text, held) != nil {
		return nil
	}
	return held
}

// stay moves the key that made the latest held turn to the front of the candidates.
func (c *Call) stay(latestFirst []store.ID) {
	for _, id := range latestFirst {
		held := c.held[id]
		if held == nil {
			continue
		}
		at := slices.IndexFunc(c.fit, func(k candidate) bool { return k.id == held.key })
		if at >= 0 {
			c.stays = held.key
		}
		return
	}
}

// withState is the request as the key's provider wants it: with what it made in earlier turns, and without what another account
// made. changed are the indexes of the messages that differ from the caller's.
func (c *Call) withState(k candidate) (req *chat.Request, changed []int) {
	req = c.ask.Request
	for i := range req.Messages {
		m := &req.Messages[i]
		if m.Role != chat.Assistant {
			continue
		}
		mark := markOf(m.Parts)
		if mark == "" {
			continue
		}
		parts, differ := restored(m.Parts, c.held[turnID(c.entry.token, mark)], k)
		if !differ {
			continue
		}
		if changed == nil {
			clone := *req
			clone.Messages = slices.Clone(req.Messages)
			req = &clone
		}
		req.Messages[i].Parts, changed = parts, append(changed, i)
	}
	return req, changed
}

// restored are a turn's parts as the key's provider wants them back.
func restored(parts []chat.Part, held *heldTurn, k candidate) (out []chat.Part, changed bool) {
	if held == nil {
		return parts, false
	}
	foreign := held.Provider != k.providerID || held.Vendor != vendorOf(k.model) || held.key != k.id && k.provider.ReasoningBoundToAccount()
	switch {
	case foreign && keepsState(parts):
		return withoutState(parts), true
	case foreign || keepsState(parts):
		return parts, false
	}
	said := make([]chat.Part, 0, len(parts))
	for _, p := range parts {
		switch {
		case p.Kind == chat.Reason && len(held.Reasoning) > 0:
			continue // the caller kept the text alone
		case p.Kind == chat.Call && held.Signatures[p.ToolCall.ID] != "":
			call := *p.ToolCall
			call.Signature = held.Signatures[call.ID]
			p.ToolCall = &call
		}
		said = append(said, p)
	}
	if out, ok := held.arrange(said); ok {
		return out, true
	}
	for i := range held.Reasoning {
		out = append(out, held.part(i))
	}
	return append(out, said...), true
}

func (h *heldTurn) part(i int) chat.Part {
	return chat.Part{Kind: chat.Reason, Text: h.Reasoning[i].Text, State: h.Reasoning[i].State}
}

// arrange puts what was said back into the order in which it was, with the reasoning where it stood: callers whose format has one
// text before the calls have joined the texts. It is not ok if they say something else than was said.
func (h *heldTurn) arrange(said []chat.Part) (out []chat.Part, ok bool) {
	var texts, calls []chat.Part
	for _, p := range said {
		switch p.Kind {
		case chat.Text:
			if p.Text != "" {
				texts = append(texts, p)
			}
		case chat.Call:
			calls = append(calls, p)
		default:
			return nil, false
		}
	}
	cut := 0 // bytes of the first text that are out already
	for _, o := range h.Outline {
		switch {
		case o.Reasoning > len(h.Reasoning):
			return nil, false
		case o.Reasoning > 0:
			out = append(out, h.part(o.Reasoning-1))
		case o.Text > 0:
			if out, texts, cut, ok = appendText(out, texts, cut, o); !ok {
				return nil, false
			}
		case len(calls) == 0:
			return nil, false
		default:
			out, calls = append(out, calls[0]), calls[1:]
		}
	}
	return out, len(h.Outline) > 0 && len(texts) == 0 && len(calls) == 0
}

// appendText takes a text of the outline off the front of those that are left. It may be a piece of the first one, or several.
func appendText(out, left []chat.Part, cut int, o outlined) (_, _ []chat.Part, _ int, ok bool) {
	for want := o.Text; want > 0; {
		if len(left) == 0 {
			return nil, nil, 0, false
		}
		p := left[0]
		n := min(want, len(p.Text)-cut)
		whole := cut == 0 && n == len(p.Text)
		p.Text = p.Text[cut : cut+n]
		if p.Phase == "" {
			p.Phase = o.Phase
		}
		if !whole {
			p.Citations = nil // they are of places in the whole text
		}
		if cut += n; cut == len(left[0].Text) {
			left, cut = left[1:], 0
		} else {
			p.Cache = nil // it ends with the last piece
		}
		if want -= n; !utf8.ValidString(p.Text) {
			return nil, nil, 0, false
		}
		out = append(out, p)
	}
	return out, left, cut, true
}

// vendorOf is who made the model, if its id says so.
func vendorOf(model string) string {
	vendor, _, ok := strings.Cut(model, "/")
	if !ok {
		return ""
	}
	return vendor
}

// withoutState drops reasoning that only its maker can read, and signatures.
func withoutState(parts []chat.Part) []chat.Part {
	var out []chat.Part
	for _, p := range parts {
		if p.Kind == chat.Reason && sealOf(p.State) != "" {
			continue
		}
		if p.Kind == chat.Call && p.ToolCall.Signature != "" {
			call := *p.ToolCall
			call.Signature = ""
			p.ToolCall = &call
		}
		out = append(out, p)
	}
	return out
}
