package anthropic

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// An openCall is the tool call whose block is open.
type openCall struct {
	call *chat.ToolCall
	// held is input that cannot be written yet: only that of an object may be sent in pieces. Other input is made an object
	// when it is complete.
	held   []byte
	object bool // the input is an object's, and some of it is written
}

// beginCall begins the call's block with the input so far.
func (e *streamEncoder) beginCall(out []byte, call *chat.ToolCall) []byte {
	out = e.closeBlock(out)
	if call.Signature != "" {
		e.open = chat.Unrendered
		out = e.startBlock(out, `{"type":"thinking","thinking":"","signature":""}`)
		out = e.delta(out, `"signature_delta","signature":`, signatureOfCall(call))
		out = e.closeBlock(out)
	}
	e.open, e.call = chat.Call, openCall{call: call}
	block := append(appendCallHead(nil, call), "{}}"...)
	return e.addInput(e.startBlock(out, string(block)), call.Arguments)
}

// addInput adds to the input of the open call. It leaves complete input to wholeInput.
func (e *streamEncoder) addInput(out []byte, text string) []byte {
	c := &e.call
	if c.object {
		return e.delta(out, `"input_json_delta","partial_json":`, text)
	}
	c.held = append(c.held, text...)
	held := bytes.TrimLeft(c.held, " \t\r\n")
	if e.sequence.Ended() || c.call.Custom || len(held) == 0 || held[0] != '{' {
		return out
	}
	c.object, c.held = true, nil
	return e.delta(out, `"input_json_delta","partial_json":`, string(held))
}

// wholeInput writes input if none of it is written yet.
func (e *streamEncoder) wholeInput(out []byte) []byte {
	text := string(e.call.held)
	if e.call.object || body.Blank(text) {
		return out
	}
	return e.delta(out, `"input_json_delta","partial_json":`, string(appendInput(nil, text)))
}
