package openai

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A call is a tool call as far as it has come.
type call struct {
	index  int64 // the provider's
	id     string
	name   string
	custom bool
	// number is the position among the choice's calls, -1 as long as the call has no name and is held back.
	number    int
	held      string // the arguments of a call that is held back
	signature string
	repeats   bool // its pieces repeat its name
	arguments extent
}

// A piece is what one delta says of a call; a whole call is one piece.
type piece struct {
	index         int64
	indexed       bool
	id, name      string
	args          string
	custom, whole bool
	signature     string
}

// call reads a tool call or a piece of one.
func (c *choice) call(out []chat.Event, v jsonx.Value, whole bool) []chat.Event {
	function, member := v.Get("function"), "arguments"
	custom := v.Get("type").Is("custom") || !function.Exists() && v.Get("custom").Exists()
	if custom {
		function, member = v.Get("custom"), "input"
	}
	p := piece{name: function.Get("name").Str(), args: arguments(function.Get(member)), custom: custom, whole: whole,
		signature: v.Get("extra_content").Get("google").Get("thought_signature").Str()}
	if id := v.Get("id"); !id.Is("null") { // written by servers that make a string of everything
		p.id = id.Str()
	}
	p.index, p.indexed = v.Get("index").Int64()
	return c.take(out, &p)
}

// legacyCall reads function_call, from before tools: there is one.
func (c *choice) legacyCall(out []chat.Event, v jsonx.Value) []chat.Event {
	p := piece{indexed: true, name: v.Get("name").Str(), args: arguments(v.Get("arguments"))}
	if len(c.calls) > 0 {
		p.index = c.calls[0].index
		if c.calls[0].name != "" {
			p.name = ""
		}
	}
	return c.take(out, &p)
}

// take adds a piece to its call. The event that begins a call has its name, which some servers send
// after the id: until then the call is held back.
func (c *choice) take(out []chat.Event, p *piece) []chat.Event {
	at := c.find(p)
	if at < 0 {
		at = len(c.calls)
		if !p.indexed {
			p.index = int64(at)
		}
		c.calls = append(c.calls, call{index: p.index, custom: p.custom, number: -1})
	}
	k := &c.calls[at]
	k.arguments.add(p.args)
	if k.number >= 0 {
		k.repeats = k.repeats || p.name != ""
		if p.args == "" {
			return out
		}
		return append(out, chat.Event{Kind: chat.EventCallArgs, Choice: c.index, Call: k.number, Text: p.args})
	}
	k.held += p.args
	k.id, k.signature = cmp.Or(k.id, p.id), cmp.Or(k.signature, p.signature)
	if k.name = p.name; k.name == "" && !p.whole {
		return out
	}
	return c.begin(out, k)
}

// begin tells of a call.
func (c *choice) begin(out []chat.Event, k *call) []chat.Event {
	k.number = c.begun
	c.begun++
	made := &chat.ToolCall{ID: k.id, Name: k.name, Arguments: k.held, Custom: k.custom, Signature: k.signature}
	if made.ID == "" {
		made.ID = c.makeID(k.number, k.name)
	}
	return append(out, chat.Event{Kind: chat.EventCall, Choice: c.index, Call: k.number, ToolCall: made})
}

// endCalls tells of calls whose name never came, and gives "{}" to those without arguments.
func (c *choice) endCalls(out []chat.Event) []chat.Event {
	for i := range c.calls {
		k := &c.calls[i]
		if k.number < 0 {
			out = c.begin(out, k)
		}
		if !k.arguments.begun && !k.custom {
			out = append(out, chat.Event{Kind: chat.EventCallArgs, Choice: c.index, Call: k.number, Text: "{}"})
		}
	}
	return out
}

// find is the call that a piece belongs to, -1 if it begins another. Pieces belong together by index and id,
// where providers send both; else by the one that they send; else they belong to the last call. Whether that call
// takes the piece is another question: some servers send the index 0 with every call.
func (c *choice) find(p *piece) int {
	if p.whole {
		return -1
	}
	at, exact := -1, false
	for i := range c.calls {
		k := &c.calls[i]
		sameID := p.id != "" && k.id == p.id
		if p.indexed && k.index != p.index || !p.indexed && !sameID || exact && !sameID {
			continue
		}
		at, exact = i, sameID
	}
	if at < 0 && !p.indexed && (p.id == "" || len(c.calls) > 0 && c.calls[len(c.calls)-1].id == "") {
		at = len(c.calls) - 1
	}
	if at < 0 || !c.calls[at].takes(p) {
		return -1
	}
	return at
}

// takes says whether the piece, which came where the call's pieces come, is one of it. Another id alone does not
// mean another call: there are servers that make one up for each piece. A name without another id is that of
// another call if this one has all of its arguments, and else the call's own, repeated.
func (k *call) takes(p *piece) bool {
	foreign := p.id != "" && k.id != "" && k.id != p.id
	switch {
	case !foreign && (p.name == "" || k.name == ""):
		return true
	case !k.custom && k.arguments.complete():
		return blank(p.args) && (p.name == "" || p.name == k.name && k.repeats && !foreign)
	case foreign:
		return p.name == ""
	}
	return p.name == k.name || k.arguments.begun
}

// An extent is how far a JSON object or array has come that arrives in pieces.
type extent struct {
	begun          bool // there is more than white space
	depth          int  // of nesting
	quoted, escape bool // within a string, behind its backslash
	closed         bool
}

// complete says whether all of it is there. A text that is neither object nor array never is.
func (e *extent) complete() bool { return e.closed && e.depth == 0 }

func (e *extent) add(s string) {
	e.begun = e.begun || !blank(s)
	for i := range len(s) {
		switch c := s[i]; {
		case e.escape:
			e.escape = false
		case e.quoted:
			e.escape, e.quoted = c == '\\', c != '"'
		case c == '"':
			e.quoted = true
		case c == '{', c == '[':
			e.depth++
		case c == '}', c == ']':
			e.depth--
			e.closed = true
		}
	}
}

// makeID names a call that the provider left without an id. The same call gets the
// same name in a stream and in a whole answer, and calls of other answers get others.
func (c *choice) makeID(at int, name string) string {
	sum := sha256.Sum256([]byte(c.answer + "/" + strconv.Itoa(c.index) + "/" + strconv.Itoa(at) + "/" + name))
	return "call_" + hex.EncodeToString(sum[:12])
}

// arguments are a string of JSON or, from servers that got it wrong, JSON itself.
func arguments(v jsonx.Value) string {
	switch v.Kind() {
	case jsonx.String:
		return v.Str()
	case jsonx.Object, jsonx.Array:
		return string(v.Clone())
	}
	return ""
}

func blank(s string) bool { return s == "" || strings.TrimSpace(s) == "" }
