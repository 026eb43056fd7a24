package anthropic

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// An outCall is a tool call on its way out. While its input is not complete, what follows it waits, and nobody is
// kept waiting by that, since calls are made when the message has ended.
type outCall struct {
	call *chat.ToolCall
	// held is input that cannot go out yet: the block has not begun, or it is not known to be an object's, which
	// may go in pieces. Of anything else only the whole can be made an object.
	held   []byte
	object bool // the input is one, and some of it is out
	scan   scan // of what is out
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

// growing says whether a call's block is open whose input may go on.
func (e *streamEncoder) growing() bool {
	return e.open == chat.Call && !e.finished && !e.calls[e.call].scan.complete()
}

// noteCall keeps a call that begins; it is false if it has begun already.
func (e *streamEncoder) noteCall(ev *chat.Event) bool {
	for len(e.calls) <= ev.Call {
		e.calls = append(e.calls, outCall{})
	}
	c := &e.calls[ev.Call]
	if c.call != nil {
		return false
	}
	c.call, c.held = ev.ToolCall, []byte(ev.ToolCall.Arguments)
	return true
}

// addArgs takes a piece of a call's input. What comes after its block has ended is white space.
func (e *streamEncoder) addArgs(out []byte, ev *chat.Event) []byte {
	if ev.Call >= len(e.calls) || ev.Text == "" {
		return out
	}
	c := &e.calls[ev.Call]
	open := e.open == chat.Call && e.call == ev.Call
	if !open || !c.object {
		c.held = append(c.held, ev.Text...)
		if open {
			out = e.beginInput(out, c)
		}
	} else {
		out = e.input(out, c, ev.Text)
	}
	return e.catchUp(out)
}

// openCall begins the call's block with what is there of its input.
func (e *streamEncoder) openCall(out []byte, at int) []byte {
	out = e.closeBlock(out)
	c := &e.calls[at]
	if c.call.Signature != "" {
		e.open = chat.Unrendered
		out = e.startBlock(out, `{"type":"thinking","thinking":"","signature":""}`)
		out = e.delta(out, `"signature_delta","signature":`, signatureOfCall(c.call))
		out = e.closeBlock(out)
	}
	e.open, e.call = chat.Call, at
	block := append(appendCallHead(nil, c.call), "{}}"...)
	return e.beginInput(e.startBlock(out, string(block)), c)
}

// beginInput writes what is held of the input, if it is known to be an object's. If all of it is there
// it is left to wholeInput.
func (e *streamEncoder) beginInput(out []byte, c *outCall) []byte {
	text := bytes.TrimLeft(c.held, " \t\r\n")
	if e.finished || c.call.Custom || len(text) == 0 || text[0] != '{' {
		return out
	}
	c.object, c.held = true, nil
	return e.input(out, c, string(text))
}

func (e *streamEncoder) input(out []byte, c *outCall, text string) []byte {
	c.scan.add(text)
	return e.delta(out, `"input_json_delta","partial_json":`, text)
}

// wholeInput writes input of which nothing is out yet.
func (e *streamEncoder) wholeInput(out []byte, c *outCall) []byte {
	text := string(c.held)
	c.held = nil
	if c.object || blank(text) {
		return out
	}
	return e.delta(out, `"input_json_delta","partial_json":`, string(appendInput(nil, text)))
}
