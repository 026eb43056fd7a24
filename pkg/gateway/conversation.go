package gateway

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"strings"
	"unsafe"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// A conversation is digested turn by turn, so that a turn of the assistant is recognised when the client sends it
// back, whatever became of its form on the way. There are two digests.
//
// The digest of the turns covers what the user, the assistant and the tools said. It is the same whether texts are
// joined or split, whether an empty content is null or "", however arguments are written as JSON, whatever the ids of
// calls are, and without reasoning, cache marks, system text and the reminders that clients put into the latest turn.
//
// The digest of the context covers what it leaves out and the client sends back unchanged as a rule: system text,
// tools, reminders and the ids of calls. It tells apart conversations that say the same in different surroundings.
type conversation struct {
	turns, context digest
	open           openTurn
	calls          int // of the open turn
	// waiting has the positions of the calls without a result, by their ids, which may come twice.
	waiting map[string][]int
	said    []turnDigests // of the turns of the assistant that have ended
}

// turnDigests are the digests of a conversation up to and including a turn of the assistant.
type turnDigests struct{ turns, context digest }

type digest [sha256.Size]byte

// digestOf digests the parts such that no other parts have the same digest.
func digestOf(parts ...[]byte) (d digest) {
	h := sha256.New()
	for _, p := range parts {
		writePart(h, p)
	}
	h.Sum(d[:0])
	return d
}

func writePart(h hash.Hash, p []byte) {
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(p)))
	h.Write(size[:])
	h.Write(p)
}

func writeString(h hash.Hash, s string) { writePart(h, bytesOf(s)) }

func writeText(h hash.Hash, s string) { h.Write(bytesOf(s)) }

// bytesOf is the text as bytes that must not be changed, without a copy: conversations are long.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// openTurn is a turn to which the next message may still belong.
type openTurn struct {
	role    chat.Role // empty: no turn is open
	text    textHash
	rest    hash.Hash
	results []toolResult
}

type toolResult struct {
	call   int // the position of the call that it answers
	digest digest
}

// newConversation begins with the tools that the model may call.
func newConversation(tools []chat.Tool) *conversation {
	c := new(conversation)
	for i := range tools {
		t := &tools[i]
		schema, raw := canonicalJSON(string(t.Parameters)), canonicalJSON(string(t.Raw))
		c.surround("tool", t.Name, t.Description, string(schema), string(raw))
	}
	return c
}

// surround adds to the context.
func (c *conversation) surround(parts ...string) {
	h := sha256.New()
	h.Write(c.context[:])
	for _, p := range parts {
		writeString(h, p)
	}
	h.Sum(c.context[:0])
}

// add adds a message.
func (c *conversation) add(m *chat.Message) {
	if m.Role != chat.Assistant && c.open.role == chat.Assistant {
		c.end() // what comes after the turn must not change its context
	}
	switch m.Role {
	case chat.User:
		c.addUser(m)
	case chat.Assistant:
		c.addAssistant(m.Parts)
	case chat.ToolRole:
		for i := range m.Parts {
			if r := m.Parts[i].ToolResult; r != nil {
				c.addResult(r)
			}
		}
	default:
		for i := range m.Parts {
			c.surround(string(m.Role), m.Parts[i].Text)
		}
	}
}

// begin opens a turn of the role, unless one is open.
func (c *conversation) begin(role chat.Role) *openTurn {
	if c.open.role == role {
		return &c.open
	}
	c.end()
	if role == chat.Assistant {
		c.calls, c.waiting = 0, nil
	}
	c.open = openTurn{role: role, rest: sha256.New()}
	return &c.open
}

// end closes the open turn.
func (c *conversation) end() {
	t := &c.open
	if t.role == "" {
		return
	}
	slices.SortStableFunc(t.results, func(a, b toolResult) int { return cmp.Compare(a.call, b.call) })
	for _, r := range t.results {
		t.rest.Write(r.digest[:])
	}
	c.turns = digestOf(c.turns[:], []byte(t.role), t.text.sum(), t.rest.Sum(nil))
	if t.role == chat.Assistant {
		c.said = append(c.said, turnDigests{c.turns, c.context})
	}
	c.open = openTurn{}
}

func (c *conversation) addUser(m *chat.Message) {
	if m.Name != "" {
		t := c.begin(chat.User)
		writeString(t.rest, "name")
		writeString(t.rest, m.Name)
	}
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Kind != chat.Text {
			t := c.begin(chat.User)
			writePart(t.rest, t.text.sum()) // where the texts before it end
			t.text = textHash{}
			t.part(p)
		} else if text := c.withoutReminders(p.Text); strings.TrimSpace(text) != "" {
			c.begin(chat.User).text.add(text) // a message of reminders alone is none
		}
	}
}

// addAssistant adds what a model said. Its texts come together, because most dialects have one for all of them.
// What one dialect alone has is left out: not all that a client sends back was in the answer's events.
func (c *conversation) addAssistant(parts []chat.Part) {
	t := c.begin(chat.Assistant)
	for i := range parts {
		switch p := &parts[i]; p.Kind {
		case chat.Text, chat.Refusal:
			t.text.add(p.Text)
		case chat.Call:
			call := p.ToolCall
			c.await(call.ID)
			c.surround("call", call.ID)
			writeString(t.rest, "call")
			writeString(t.rest, call.Name)
			writePart(t.rest, arguments(call.Arguments))
		case chat.Image, chat.Audio, chat.File:
			t.part(p)
		}
	}
}

// arguments are those of a call in canonical form.
func arguments(text string) []byte {
	if strings.TrimSpace(text) == "" {
		return []byte("{}")
	}
	return canonicalJSON(text)
}

// await notes a call that waits for its result.
func (c *conversation) await(id string) {
	if c.waiting == nil {
		c.waiting = map[string][]int{}
	}
	c.waiting[id] = append(c.waiting[id], c.calls)
	c.calls++
}

// addResult adds the result of a tool. It belongs to a call by its place, as ids may be rewritten and come twice.
func (c *conversation) addResult(r *chat.ToolResult) {
	t := c.begin(chat.ToolRole)
	at := c.calls + len(t.results)
	if list := c.waiting[r.CallID]; len(list) > 0 {
		at, c.waiting[r.CallID] = list[0], list[1:]
	}
	var texts []string
	other := openTurn{rest: sha256.New()}
	for i := range r.Parts {
		if p := &r.Parts[i]; p.Kind == chat.Text {
			texts = append(texts, c.withoutReminders(p.Text))
		} else {
			other.part(p)
		}
	}
	text := resultText(strings.TrimSpace(strings.Join(texts, "")))
	outcome := []byte("returned")
	if r.IsError {
		outcome = []byte("failed")
	}
	var place [8]byte
	binary.BigEndian.PutUint64(place[:], uint64(at))
	t.results = append(t.results, toolResult{at, digestOf(place[:], outcome, text[:], other.rest.Sum(nil))})
}

// resultText digests what a tool said. Gemini's results are objects, which clients write anew.
func resultText(s string) digest {
	if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
		return sha256.Sum256(canonicalJSON(s))
	}
	h := sha256.New()
	writeText(h, s)
	return digest(h.Sum(nil))
}

// part adds what is no text.
func (t *openTurn) part(p *chat.Part) {
	switch {
	case p.Media != nil:
		writeString(t.rest, "media")
		writeString(t.rest, cmp.Or(p.Media.Data, p.Media.URL, p.Media.FileID))
	case p.Raw != nil:
		writeString(t.rest, "raw")
		writePart(t.rest, canonicalJSON(string(p.Raw)))
	}
}

// A textHash digests texts as if they were one, without the white space around it. The zero value is ready.
type textHash struct {
	h       hash.Hash // nil: nothing has come yet
	pending string    // white space that counts if more text follows
}

const whiteSpace = " \t\r\n"

func (t *textHash) add(s string) {
	if t.h == nil {
		if s = strings.TrimLeft(s, whiteSpace); s == "" {
			return
		}
		t.h = sha256.New()
	}
	text := strings.TrimRight(s, whiteSpace)
	if text == "" {
		t.pending += s
		return
	}
	writeText(t.h, t.pending)
	writeText(t.h, text)
	t.pending = s[len(text):]
}

// sum is the digest so far, empty if there is no text.
func (t *textHash) sum() []byte {
	if t.h == nil {
		return nil
	}
	return t.h.Sum(nil)
}

// reminderTags enclose what agents insert into the latest turn and leave out of it later: Claude Code's and
// opencode's system-reminder.
var reminderTags = [][2]string{{"<system-reminder>", "</system-reminder>"}, {"<system_reminder>", "</system_reminder>"}}

// withoutReminders returns the text without its reminders, which are added to the context.
func (c *conversation) withoutReminders(s string) string {
	for _, tag := range reminderTags {
		if strings.Contains(s, tag[0]) {
			s = c.without(s, tag[0], tag[1])
		}
	}
	return s
}

func (c *conversation) without(s, open, end string) string {
	var kept strings.Builder
	for {
		before, rest, ok := strings.Cut(s, open)
		reminder, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			kept.WriteString(s)
			return kept.String()
		}
		c.surround("reminder", reminder)
		kept.WriteString(strings.TrimRight(before, whiteSpace))
		s = strings.TrimLeft(after, whiteSpace)
	}
}
