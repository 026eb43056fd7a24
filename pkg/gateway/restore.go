package gateway

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// earlierTurn is a turn of the assistant in the request, and what is saved of it.
type earlierTurn struct {
	first, last int // the messages that make it up
	digests     turnDigests
	state       string // what the provider signed or encrypted, if the client kept it
	calls       bool

	owner          *savedTurn // says who made the state
	exact, similar *savedTurn // nil: nothing is saved for a conversation in this context, of these turns
}

// maxEarlierTurns is how many turns are looked up at most, the latest ones.
const maxEarlierTurns = store.MaxTurnKeys / 3

// restoreSaved looks up what is saved of the request's turns. It takes a round trip only if there are turns of which
// something may be saved, and a candidate whose provider wants it.
func (c *Call) restoreSaved() error {
	if !slices.ContainsFunc(c.candidates, func(k candidate) bool { return k.provider.WantsReasoning() }) {
		return nil
	}
	c.earlier = c.earlierTurns()
	if len(c.earlier) == 0 {
		return nil
	}
	var keys []store.ID
	for i := len(c.earlier) - 1; i >= max(0, len(c.earlier)-maxEarlierTurns); i-- {
		t := &c.earlier[i]
		keys = append(keys, c.exactKey(&t.digests), c.similarKey(&t.digests))
		if t.state != "" {
			keys = append(keys, c.stateKey(t.state))
		}
	}
	rows, err := store.FindTurns(c.ctx, c.g.DB, c.entry.table.user, keys, c.nowMs())
	if err != nil {
		return c.unavailable(err)
	}
	decrypted := map[store.ID]*savedTurn{}
	find := func(key store.ID) *savedTurn {
		row := rows[key]
		if row == nil {
			return nil
		}
		saved, done := decrypted[row.ID]
		if !done {
			saved = c.g.decryptTurn(row)
			decrypted[row.ID] = saved
		}
		return saved
	}
	for i := range c.earlier {
		t := &c.earlier[i]
		if t.state != "" { // it is found even if the client has edited what comes before it
			t.owner = find(c.stateKey(t.state))
		}
		t.exact = find(c.exactKey(&t.digests)).of(&t.digests)
		t.similar = find(c.similarKey(&t.digests)).of(&t.digests)
	}
	c.preferMaker()
	return nil
}

// earlierTurns are the turns of the assistant of which something may be saved: a call was made, or the client kept a
// state.
func (c *Call) earlierTurns() (out []earlierTurn) {
	messages := c.req.Chat.Messages
	if !slices.ContainsFunc(messages, mayBeSaved) {
		return nil
	}
	conv := newConversation(c.req.Chat.Tools)
	var open *earlierTurn
	for i := range messages {
		m := &messages[i]
		if m.Role == chat.Assistant && open == nil {
			out = append(out, earlierTurn{first: i})
			open = &out[len(out)-1]
		}
		conv.add(m)
		if m.Role != chat.Assistant {
			open = nil
			continue
		}
		open.last = i
		open.calls = open.calls || slices.ContainsFunc(m.Parts, func(p chat.Part) bool { return p.Kind == chat.Call })
		if state := lastStateOf(m.Parts); state != "" {
			open.state = state
		}
	}
	conv.end()
	for i := range out {
		out[i].digests = conv.said[i]
	}
	if messages[len(messages)-1].Role != chat.Assistant {
		c.digested = conv // else the answer goes on with the last turn
	}
	return slices.DeleteFunc(out, func(t earlierTurn) bool { return !t.calls && t.state == "" })
}

func mayBeSaved(m chat.Message) bool {
	return m.Role == chat.Assistant && slices.ContainsFunc(m.Parts, func(p chat.Part) bool {
		return p.Kind == chat.Call || p.Kind == chat.Reason && stateText(p.State) != ""
	})
}

// decryptTurn returns nil for a turn that cannot be decrypted: the secret that encrypted it is gone, and it is of no
// use.
func (g *Gateway) decryptTurn(row *store.SavedTurn) *savedTurn {
	text, _, err := g.Secrets.Decrypt(row.Encrypted, row.EncryptionKeyID, turnBinding(row.ID, row.UserID))
	saved := &savedTurn{keyID: row.KeyID}
	if err != nil || json.Unmarshal(text, saved) != nil {
		return nil
	}
	return saved
}

// of returns the saved turn if it is of that conversation, else nil.
func (s *savedTurn) of(d *turnDigests) *savedTurn {
	if s == nil || !bytes.Equal(s.Turns, d.turns[:]) {
		return nil
	}
	return s
}

// preferMaker sets the key affinity to the key that made the latest saved turn.
func (c *Call) preferMaker() {
	for i := len(c.earlier) - 1; i >= 0; i-- {
		made := c.earlier[i].maker()
		if made == nil {
			continue
		}
		if slices.ContainsFunc(c.candidates, func(k candidate) bool { return k.id == made.keyID }) {
			c.affinity = made.keyID
		}
		return
	}
}

// maker returns the saved turn that names the key which made the turn; nil if none is known.
func (t *earlierTurn) maker() *savedTurn {
	switch {
	case t.owner != nil:
		return t.owner
	case t.exact != nil:
		return t.exact
	}
	return t.similar
}

// requestFor returns the request as the key's provider wants it: with the reasoning that it made in earlier turns, and
// without what another account made. changed are the indexes of the messages that differ from the client's.
func (c *Call) requestFor(k candidate) (req *chat.Request, changed []int) {
	req = c.req.Chat
	for i := range c.earlier {
		t := &c.earlier[i]
		messages, differ := t.restored(req.Messages[t.first:t.last+1], k)
		if !differ {
			continue
		}
		if changed == nil {
			clone := *req
			clone.Messages = slices.Clone(req.Messages)
			req = &clone
		}
		for n, parts := range messages {
			req.Messages[t.first+n].Parts = parts
			changed = append(changed, t.first+n)
		}
	}
	return k.withParameters(req), changed
}

// restored returns the parts of each of the turn's messages as the key's provider wants them back.
func (t *earlierTurn) restored(messages []chat.Message, k candidate) (out [][]chat.Part, changed bool) {
	maker := t.maker()
	if maker == nil {
		return nil, false
	}
	kept := slices.ContainsFunc(messages, func(m chat.Message) bool { return keepsState(m.Parts) })
	foreign := maker.Provider != k.providerID || maker.Vendor != vendorOf(k.model) ||
		maker.Continued && k.provider.ReasoningBoundToContext(k.model) ||
		maker.keyID != k.id && k.provider.ReasoningBoundToAccount()
	if kept && foreign {
		for i := range messages {
			out = append(out, withoutState(messages[i].Parts))
		}
		return out, true
	}
	saved := t.exact
	if saved == nil && !k.provider.ReasoningBoundToContext(k.model) {
		saved = t.similar
	}
	if kept || foreign || saved == nil {
		return nil, false
	}
	return saved.restore(messages), true
}

// keepsState reports whether the parts carry what the provider wants back, so that nothing has to be restored.
func keepsState(parts []chat.Part) bool {
	return slices.ContainsFunc(parts, func(p chat.Part) bool {
		return p.Kind == chat.Reason && stateText(p.State) != "" || p.Kind == chat.Call && p.ToolCall.Signature != ""
	})
}

// restore puts the saved reasoning into the messages of a turn: where it stood, or before all if the client arranges
// the turn in another way.
func (s *savedTurn) restore(messages []chat.Message) [][]chat.Part {
	var all []chat.Part
	ends := make([]int, len(messages)) // in all
	calls := 0
	for i := range messages {
		for _, p := range messages[i].Parts {
			if p.Kind == chat.Reason && len(s.Reasoning) > 0 {
				continue // the client kept the text alone
			}
			if p.Kind == chat.Call {
				p.ToolCall = s.signed(p.ToolCall, calls)
				calls++
			}
			all = append(all, p)
		}
		ends[i] = len(all)
	}
	if len(messages) == 1 {
		if arranged, ok := s.arrange(all); ok {
			return [][]chat.Part{arranged}
		}
	}
	out := make([][]chat.Part, len(messages))
	for i := range s.Reasoning {
		out[0] = append(out[0], s.part(i))
	}
	start := 0
	for i, end := range ends {
		out[i] = append(out[i], all[start:end]...)
		start = end
	}
	return out
}

// signed returns the n-th call of the turn with its signature.
func (s *savedTurn) signed(call *chat.ToolCall, n int) *chat.ToolCall {
	if n >= len(s.Signatures) || s.Signatures[n] == "" {
		return call
	}
	out := *call
	out.Signature = s.Signatures[n]
	return &out
}

func (s *savedTurn) part(i int) chat.Part {
	return chat.Part{Kind: chat.Reason, Text: s.Reasoning[i].Text, State: s.Reasoning[i].State}
}

// arrange puts the parts back into the order of the answer, with the reasoning in its place: clients whose format has one
// text before the calls have joined the texts. It is not ok if the parts are not those of the answer.
func (s *savedTurn) arrange(said []chat.Part) (out []chat.Part, ok bool) {
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
	for _, o := range s.Outline {
		switch {
		case o.Reasoning > len(s.Reasoning):
			return nil, false
		case o.Reasoning > 0:
			out = append(out, s.part(o.Reasoning-1))
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
	return out, len(s.Outline) > 0 && len(texts) == 0 && len(calls) == 0
}

// appendText takes a text of the outline off the front of the remaining texts. It may be a piece of the first one, or
// several of them.
func appendText(out, left []chat.Part, cut int, o outlineEntry) (_, _ []chat.Part, _ int, ok bool) {
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
			p.Citations = nil // they point into the whole text
		}
		if cut += n; cut == len(left[0].Text) {
			left, cut = left[1:], 0
		} else {
			p.Cache = nil // the cached prefix ends with the last piece
		}
		if want -= n; !utf8.ValidString(p.Text) {
			return nil, nil, 0, false
		}
		out = append(out, p)
	}
	return out, left, cut, true
}

// withoutState drops reasoning that only its maker can read, and signatures.
func withoutState(parts []chat.Part) []chat.Part {
	var out []chat.Part
	for _, p := range parts {
		if p.Kind == chat.Reason && stateText(p.State) != "" {
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
