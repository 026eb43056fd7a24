package gateway

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Some providers want back with the results of tool calls what they thought before the calls: Gemini its thought
// signatures, DeepSeek the reasoning's text, Anthropic signed thinking, OpenAI's Responses encrypted items. Most
// clients' formats have no place for it, or their programs drop it. So the gateway saves it for a while, encrypted,
// and restores it in the next request.
//
// Saved reasoning belongs to one conversation: it is found by the digest of the conversation up to its turn, of one
// gateway token and one end user, and verified by the digest inside of what was encrypted. The ids of calls say
// nothing: some models number them anew in every conversation (functions.get_weather:0). A turn has up to four
// keys. The exact key covers the context too, the similar key the turns alone, and the state keys the first and the last
// of what the provider signed or encrypted itself, for clients that keep it. If conversations of one token and end user claim the same key with
// different reasoning, it stands for none of them: the request then goes out as if nothing had been saved.
//
// What was made by one account may be worth nothing at another, so that the next request goes to the same key if it can.

const (
	// savedFor is how long reasoning is saved, in milliseconds: longer than a person's break.
	savedFor = 24 * 60 * 60 * 1000
	// maxSavedBytes bounds the reasoning that is saved of a turn; a turn with more is not saved.
	maxSavedBytes = 256 << 10
	// maxAnswerBytes bounds an answer whose reasoning is saved: it is kept in memory until its end is known.
	maxAnswerBytes = 1 << 20
)

// savedTurn is what is saved of a turn of the assistant.
type savedTurn struct {
	// Turns is the digest of the conversation up to and including the turn.
	Turns    []byte `json:"turns"`
	Provider string `json:"provider"`
	// Vendor made the model, where the provider has those of many (OpenRouter's "anthropic/…"): others cannot read
	// what it signed or encrypted.
	Vendor string `json:"vendor,omitempty"`
	// Reasoning are the parts that the client's format may have no place for.
	Reasoning []savedReasoning `json:"reasoning,omitempty"`
	// Outline is the order in which the turn was said: a signature may be bound to what goes before it.
	Outline []outlineEntry `json:"outline,omitempty"`
	// Signatures are those of the tool calls, in their order; empty for a call without one.
	Signatures []string `json:"signatures,omitempty"`
	// Continued says that the answer went on with the assistant's last turn. What the provider got there, such as a
	// message that asks to go on, is not in the conversation that the client sends next.
	Continued bool `json:"continued,omitempty"`
	keyID     store.ID
}

type savedReasoning struct {
	Text  string               `json:"text,omitempty"`
	State *chat.ReasoningState `json:"state,omitempty"`
}

// outlineEntry is a part of a turn: one of its Reasoning, a text, or, if it says nothing, a call.
type outlineEntry struct {
	Reasoning int    `json:"r,omitempty"` // counted from 1
	Text      int    `json:"t,omitempty"` // bytes
	Phase     string `json:"p,omitempty"` // of the text
}

// newSavedTurn returns what is worth saving of an answer. It is not ok if nobody asks for it again: there is no
// reasoning, or only reasoning that needs not come back as it goes before no call.
func newSavedTurn(parts []chat.Part) (s savedTurn, ok bool) {
	size, signed, calls := 0, false, 0
	for i := range parts {
		switch p := &parts[i]; p.Kind {
		case chat.Reason:
			s.Reasoning = append(s.Reasoning, savedReasoning{p.Text, p.State})
			s.Outline = append(s.Outline, outlineEntry{Reasoning: len(s.Reasoning)})
			size += len(p.Text)
			if p.State != nil {
				size += len(p.State.Signature) + len(p.State.Redacted) + len(p.State.Encrypted)
			}
		case chat.Text:
			if p.Text != "" {
				s.Outline = append(s.Outline, outlineEntry{Text: len(p.Text), Phase: p.Phase})
			}
		case chat.Call:
			s.Outline = append(s.Outline, outlineEntry{})
			s.Signatures = append(s.Signatures, p.ToolCall.Signature)
			signed = signed || p.ToolCall.Signature != ""
			size += len(p.ToolCall.Signature)
			calls++
		}
	}
	if !signed {
		s.Signatures = nil
	}
	ok = size <= maxSavedBytes && (signed || len(s.Reasoning) > 0 && (calls > 0 || stateOf(parts) != ""))
	return s, ok
}

// The keys of a turn are digests, so that neither the database nor its backups tell who said what.

func (c *Call) turnKey(kind string, parts ...[]byte) store.ID {
	d := digestOf(append([][]byte{[]byte(kind), c.entry.token[:]}, parts...)...)
	return store.ID(d[:len(store.ID{})])
}

func (c *Call) endUser() []byte { return []byte(c.req.Chat.User) }

func (c *Call) exactKey(d *turnDigests) store.ID {
	return c.turnKey("exact", c.endUser(), d.turns[:], d.context[:])
}

func (c *Call) similarKey(d *turnDigests) store.ID {
	return c.turnKey("similar", c.endUser(), d.turns[:])
}

// stateKey finds who made a state that only its provider can have written. Whoever sends it back has it already.
// OpenAI encrypts an item anew in each event, so that the client may have another state than was saved.
func (c *Call) stateKey(state string) store.ID { return c.turnKey("state", []byte(state)) }

func turnBinding(id, user store.ID) auth.Binding {
	return auth.Binding{Table: "turns", ID: id[:], UserID: user[:]}
}

// stateOf is what only the provider can have written of a turn: of its reasoning, or else of a call.
func stateOf(parts []chat.Part) string {
	signature := ""
	for i := range parts {
		p := &parts[i]
		if s := stateText(p.State); p.Kind == chat.Reason && s != "" {
			return s
		}
		if p.Kind == chat.Call && signature == "" {
			signature = p.ToolCall.Signature
		}
	}
	return signature
}

// lastStateOf is the last state of a turn: if an answer went on with an earlier one, it is of that answer.
func lastStateOf(parts []chat.Part) string {
	for i := len(parts) - 1; i >= 0; i-- {
		if s := stateText(parts[i].State); parts[i].Kind == chat.Reason && s != "" {
			return s
		}
	}
	return stateOf(parts)
}

// endsWithAssistant reports whether the assistant spoke last.
func endsWithAssistant(messages []chat.Message) bool {
	for i := len(messages) - 1; i >= 0; i-- {
		m := &messages[i]
		says := slices.ContainsFunc(m.Parts, func(p chat.Part) bool {
			return p.Kind != chat.Text || strings.TrimSpace(p.Text) != ""
		})
		if m.Role == chat.Assistant || says && m.Role != chat.System && m.Role != chat.Developer {
			return m.Role == chat.Assistant
		}
	}
	return false
}

// stateText is what only the provider can have written of a reasoning's state.
func stateText(s *chat.ReasoningState) string {
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

// saveTurn is the statement that saves what the provider may want back of the answer; false if there is nothing.
func (c *Call) saveTurn() (store.Stmt, bool) {
	if !c.current.traits.WantsReasoning {
		return store.Stmt{}, false
	}
	parts := c.answer.parts()
	saved, ok := newSavedTurn(parts)
	if !ok {
		return store.Stmt{}, false
	}
	conv := c.conversation()
	conv.addAssistant(parts)
	conv.end()
	d := &conv.said[len(conv.said)-1]
	k := &c.current.key
	saved.Turns, saved.Provider, saved.Vendor = d.turns[:], k.providerID, vendorOf(k.model)
	saved.Continued = endsWithAssistant(c.req.Chat.Messages)
	text, err := json.Marshal(saved)
	if err != nil {
		return store.Stmt{}, false // it holds nothing that cannot be encoded
	}
	keys := []store.ID{c.exactKey(d), c.similarKey(d)}
	first, last := stateOf(parts), lastStateOf(parts)
	if first != "" {
		keys = append(keys, c.stateKey(first))
	}
	if last != first {
		keys = append(keys, c.stateKey(last))
	}
	user, now := c.entry.table.user, c.nowMs()
	t := store.SavedTurn{ID: c.turnKey("turn", c.endUser(), text), UserID: user, KeyID: k.id, ExpiresAt: now + savedFor}
	t.Encrypted, t.EncryptionKeyID = c.g.Secrets.Encrypt(text, turnBinding(t.ID, user))
	return store.SaveTurn(t, keys, now), true
}

// conversation is that of the request, which the answer goes on with.
func (c *Call) conversation() *conversation {
	if c.digested != nil {
		return c.digested
	}
	conv := newConversation(c.req.Chat.Tools)
	for i := range c.req.Chat.Messages {
		conv.add(&c.req.Chat.Messages[i])
	}
	return conv
}

// vendorOf is who made the model, if its id says so.
func vendorOf(model string) string {
	vendor, _, ok := strings.Cut(model, "/")
	if !ok {
		return ""
	}
	return vendor
}

// answer collects the parts of an answer whose reasoning may have to be saved.
type answer struct {
	assembler chat.Assembler
	size      int
	whole     []chat.Part // of an answer that does not stream
}

// collect adds an event to the answer, if the provider may want its reasoning back, or the answer is the first of a
// conversation that stays with its key.
func (c *Call) collect(ev *chat.Event) {
	if c.current.traits.WantsReasoning || c.opens {
		c.answer.add(ev)
	}
}

func (c *Call) collectWhole(a *attempt) {
	for i := range a.response.Choices {
		if ch := &a.response.Choices[i]; ch.Index == 0 && (a.traits.WantsReasoning || c.opens) {
			c.answer.whole = ch.Message.Parts
		}
	}
}

func (a *answer) add(ev *chat.Event) {
	if ev.Choice != 0 || a.size > maxAnswerBytes {
		return
	}
	switch ev.Kind {
	case chat.EventText, chat.EventReason, chat.EventRefusal, chat.EventCall, chat.EventCallArgs, chat.EventMedia:
		a.size += len(ev.Text)
		if ev.Media != nil {
			a.size += len(ev.Media.Data)
		}
		a.assembler.Add(ev)
	}
}

// parts are those of the answer; none if there was too much of it.
func (a *answer) parts() []chat.Part {
	if a.whole != nil {
		return a.whole
	}
	if choices := a.assembler.Response().Choices; len(choices) > 0 && a.size <= maxAnswerBytes {
		return choices[0].Message.Parts
	}
	return nil
}
