package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
)

// An outCall is a tool call on its way out. Blocks come one at a time, but other dialects'
// calls may be interleaved: while the input of one is not complete, the next ones wait, and
// nobody is kept waiting by it, since calls are made when the message has ended.
type outCall struct {
	call  *chat.ToolCall
	waits bool
	held  []byte // input that waits with it
	scan  scan
}

// scan finds the end of an object that comes in pieces.
type scan struct {
	depth                int
	begun, quoted, slash bool
}

func (s *scan) add(text string) {
	for i := range len(text) {
		switch c := text[i]; {
		case s.slash:
			s.slash = false
		case s.quoted && c == '\\':
			s.slash = true
		case c == '"':
			s.quoted = !s.quoted
		case s.quoted:
		case c == '{' || c == '[':
			s.begun = true
			s.depth++
		case c == '}' || c == ']':
			s.depth--
		}
	}
}

func (s *scan) complete() bool { return s.begun && s.depth <= 0 && !s.quoted }

// beginCall takes the start of a call.
func (e *streamEncoder) beginCall(out []byte, ev *chat.Event) []byte {
	for len(e.calls) <= ev.Call {
		e.calls = append(e.calls, outCall{})
	}
	c := &e.calls[ev.Call]
	if c.call != nil {
		return out // it has begun already
	}
	c.call, c.waits, c.held = ev.ToolCall, true, []byte(ev.ToolCall.Arguments)
	return e.nextCalls(out)
}

// addArgs takes a piece of a call's input. What comes after its block has ended is white space.
func (e *streamEncoder) addArgs(out []byte, ev *chat.Event) []byte {
	if ev.Call >= len(e.calls) || ev.Text == "" {
		return out
	}
	switch c := &e.calls[ev.Call]; {
	case c.waits:
		c.held = append(c.held, ev.Text...)
	case e.open == chat.Call && e.call == ev.Call:
		c.scan.add(ev.Text)
		out = e.delta(out, `"input_json_delta","partial_json":`, ev.Text)
		out = e.nextCalls(out)
	}
	return out
}

// nextCalls opens the calls that wait, unless the one that is open is not complete.
func (e *streamEncoder) nextCalls(out []byte) []byte {
	for i := range e.calls {
		if e.open == chat.Call && !e.calls[e.call].scan.complete() {
			return out
		}
		if e.calls[i].waits {
			out = e.closeBlock(out)
			out = e.openCall(out, i)
		}
	}
	return out
}

// openCall begins the call's block with what is there of its input.
func (e *streamEncoder) openCall(out []byte, at int) []byte {
	c := &e.calls[at]
	c.waits = false
	if c.call.Signature != "" {
		e.open = chat.Unrendered
		out = e.startBlock(out, `{"type":"thinking","thinking":"","signature":""}`)
		out = e.delta(out, `"signature_delta","signature":`, signatureOfCall(c.call))
		out = e.closeBlock(out)
	}
	e.open, e.call = chat.Call, at
	block := append(appendCallHead(nil, c.call), "{}}"...)
	out = e.startBlock(out, string(block))
	if len(c.held) > 0 {
		c.scan.add(string(c.held))
		out = e.delta(out, `"input_json_delta","partial_json":`, string(c.held))
		c.held = nil
	}
	return out
}

// signatureOfCall packs the signature of a call for the thinking block before it.
func signatureOfCall(c *chat.ToolCall) string {
	return packed{Call: c.ID, Signature: c.Signature}.String()
}
