package openai

import (
	"cmp"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A call is a tool call as far as it has come.
type call struct {
	body.Call
	index     int64 // the provider's
	id        string
	name      string
	custom    bool
	held      []byte // the arguments of a call that has not begun, as it has no name yet
	signature string
	repeats   bool // its pieces repeat its name
	arguments body.PartialJSON
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
	return c.add(out, &p)
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
	return c.add(out, &p)
}

// add adds a piece to its call. The event that begins a call has its name, which some servers send
// after the id: until then the call is held back.
func (c *choice) add(out []chat.Event, p *piece) []chat.Event {
	at := c.find(p)
	if at < 0 {
		at = len(c.calls)
		if at == chat.MaxCalls {
			return body.Fail(out, chat.TooMuch(chat.MaxCalls, "tool calls"))
		}
		if !p.indexed {
			p.index = int64(at)
		}
		c.calls = append(c.calls, call{index: p.index, custom: p.custom})
	}
	k := &c.calls[at]
	k.arguments.Add(p.args)
	if k.Begun() {
		k.repeats = k.repeats || p.name != ""
		return k.Add(out, p.args)
	}
	if k.held = append(k.held, p.args...); len(k.held) > chat.MaxArguments {
		return body.Fail(out, chat.TooMuch(chat.MaxArguments, "bytes of arguments"))
	}
	k.id, k.signature = cmp.Or(k.id, p.id), cmp.Or(k.signature, p.signature)
	if k.name = p.name; k.name == "" && !p.whole {
		return out
	}
	return c.begin(out, k)
}

// begin begins a call. It is named by its position and name, should it have no id.
func (c *choice) begin(out []chat.Event, k *call) []chat.Event {
	id := k.id
	if id == "" {
		id = body.MakeID("call_", c.answer, strconv.Itoa(c.index), strconv.Itoa(c.begun.Next()), k.name)
	}
	made := &chat.ToolCall{ID: id, Name: k.name, Arguments: string(k.held), Custom: k.custom, Signature: k.signature}
	k.held = nil
	return c.begun.Begin(out, &k.Call, made)
}

// endCalls begins the calls whose name never came, and ends all.
func (c *choice) endCalls(out []chat.Event) []chat.Event {
	for i := range c.calls {
		k := &c.calls[i]
		if !k.Begun() {
			out = c.begin(out, k)
		}
		out = k.End(out)
	}
	return out
}

// find returns the call that a piece belongs to, -1 if it begins another. Pieces belong together by index and id,
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
	case !k.custom && k.arguments.Complete():
		return body.Blank(p.args) && (p.name == "" || p.name == k.name && k.repeats && !foreign)
	case foreign:
		return p.name == ""
	}
	return p.name == k.name || k.arguments.Begun()
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
