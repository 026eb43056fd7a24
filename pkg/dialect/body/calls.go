package body

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// MakeID returns an id for a call that the provider left without one. The same facts, such as the answer's id, the
// call's position and its name, make the same id, so that a call has one id in a stream and in a whole answer, and
// another than the calls of other answers.
func MakeID(prefix string, facts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(facts, "/")))
	return prefix + hex.EncodeToString(sum[:12])
}

// Calls numbers the tool calls of a choice of a provider's answer. The zero value is ready, for choice 0.
type Calls struct {
	Choice int
	begun  int
}

// Any says whether a call has begun.
func (c *Calls) Any() bool { return c.begun > 0 }

// Finish returns the reason for which the choice ended: stop if the provider gave none, and the calls if it gave stop
// and there are some.
func (c *Calls) Finish(reason chat.FinishReason) chat.FinishReason {
	if reason = cmp.Or(reason, chat.FinishStop); reason == chat.FinishStop && c.Any() {
		return chat.FinishToolCalls
	}
	return reason
}

// Next is the number of the call that begins next.
func (c *Calls) Next() int { return c.begun }

// A Call is a tool call that has begun, or (the zero value) one that has not.
type Call struct {
	choice, number int // the number is one more than the position among the calls
	custom         bool
	begun          bool // there are arguments other than white space
}

// Begun says whether the call has begun.
func (k *Call) Begun() bool { return k.number > 0 }

// HasArguments says whether arguments have come, white space aside.
func (k *Call) HasArguments() bool { return k.begun }

// Begin begins the call.
func (c *Calls) Begin(out []chat.Event, k *Call, made *chat.ToolCall) []chat.Event {
	c.begun++
	*k = Call{choice: c.Choice, number: c.begun, custom: made.Custom, begun: !Blank(made.Arguments)}
	return append(out, chat.Event{Kind: chat.EventCall, Choice: c.Choice, Call: k.number - 1, ToolCall: made})
}

// Add adds a piece to the arguments of a call that has begun.
func (k *Call) Add(out []chat.Event, piece string) []chat.Event {
	if piece == "" {
		return out
	}
	k.begun = k.begun || !Blank(piece)
	return append(out, chat.Event{Kind: chat.EventCallArgs, Choice: k.choice, Call: k.number - 1, Text: piece})
}

// End ends the arguments of a call that has begun: a function's are an object, though it be empty.
func (k *Call) End(out []chat.Event) []chat.Event {
	if k.begun || k.custom {
		return out
	}
	return k.Add(out, "{}")
}
