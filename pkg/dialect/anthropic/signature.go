package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
)

// signatureOf returns the signature of a thinking block with the state, which may be nil: Anthropic's own as it is, any
// other as an envelope.
func signatureOf(s *chat.ReasoningState) string {
	switch {
	case s == nil:
		return reasoning.Envelope{}.Encode()
	case *s == chat.ReasoningState{Signature: s.Signature} && s.Signature != "":
		return s.Signature
	}
	return reasoning.Envelope{State: *s}.Encode()
}

// signatureOfCall returns the signature of an empty thinking block that carries Gemini's signature of the call behind
// it: the dialect has no place for that in the call.
func signatureOfCall(c *chat.ToolCall) string {
	return reasoning.Envelope{Call: c.ID, State: chat.ReasoningState{Signature: c.Signature}}.Encode()
}

// stateOf is the inverse of both. Call is the call that the signature belongs to, if it is a call's. The state is nil
// if the block was not signed, or its envelope is damaged.
func stateOf(signature string) (state *chat.ReasoningState, call string) {
	if signature == "" {
		return nil, ""
	}
	if !reasoning.IsEnvelope(signature) {
		return &chat.ReasoningState{Signature: signature}, ""
	}
	e, err := reasoning.Decode(signature)
	if err != nil || e == (reasoning.Envelope{}) {
		return nil, ""
	}
	return &e.State, e.Call
}
