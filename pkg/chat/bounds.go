package chat

import "fmt"

// What one streamed answer may accumulate, on the way in and on the way out: far more than any model gives, so
// that a provider that does not end its answer cannot fill the memory.
const (
	MaxChoices   = 128       // the most that OpenAI's n asks for
	MaxCalls     = 1024      // tool calls of all choices
	MaxParts     = 8192      // parts of all choices, citations included
	MaxArguments = 32 << 20  // bytes of all calls' arguments
	MaxContent   = 128 << 20 // bytes of all texts, arguments, media, states and probabilities
)

// TooMuch returns the failure of an answer that goes beyond a bound.
func TooMuch(most int, what string) *Error {
	return &Error{Class: Transport, Message: fmt.Sprintf("the provider's answer has more than %d %s", most, what)}
}

// Bounds counts what a streamed answer accumulates. The zero value is ready, for one answer.
type Bounds struct {
	choices                          []boundedChoice
	calls, parts, arguments, content int
}

// A boundedChoice is one of the choices, with what its next part is told from.
type boundedChoice struct {
	index int
	last  EventKind
	phase string
}

// Check counts the events from the index on. It replaces the first that goes beyond a bound, and all behind it, by
// the failure. What follows a failure is left out.
func (b *Bounds) Check(events []Event, from int) []Event {
	for i := from; i < len(events); i++ {
		if events[i].Kind == EventError {
			return events[:i+1]
		}
		if err := b.add(&events[i]); err != nil {
			return append(events[:i], Event{Kind: EventError, Err: err})
		}
	}
	return events
}

func (b *Bounds) add(ev *Event) *Error {
	switch ev.Kind {
	case EventStart, EventUsage, EventEnd:
		return nil
	}
	c := b.choice(ev.Choice)
	if c == nil {
		return TooMuch(MaxChoices, "choices")
	}
	b.content += len(ev.Text) + len(ev.Raw)
	switch ev.Kind {
	case EventFinish, EventLogprobs:
	case EventCallArgs:
		b.arguments += len(ev.Text)
	case EventText, EventRefusal, EventReason:
		if ev.Kind != c.last || ev.State != nil || ev.Phase != c.phase {
			b.parts++
			c.last, c.phase = ev.Kind, ev.Phase
		}
		if s := ev.State; s != nil {
			b.content += len(s.Signature) + len(s.Redacted) + len(s.Encrypted)
		}
	default:
		b.parts++
		c.last = ev.Kind
		b.addWhole(ev)
	}
	switch {
	case b.content > MaxContent:
		return TooMuch(MaxContent, "bytes")
	case b.arguments > MaxArguments:
		return TooMuch(MaxArguments, "bytes of arguments")
	case b.calls > MaxCalls:
		return TooMuch(MaxCalls, "tool calls")
	case b.parts > MaxParts:
		return TooMuch(MaxParts, "parts")
	}
	return nil
}

// addWhole counts what comes as a whole, or begins as one.
func (b *Bounds) addWhole(ev *Event) {
	switch {
	case ev.ToolCall != nil:
		b.calls++
		b.arguments += len(ev.ToolCall.Arguments)
		b.content += len(ev.ToolCall.Arguments) + len(ev.ToolCall.Signature)
	case ev.Media != nil:
		b.content += len(ev.Media.Data) + len(ev.Media.URL)
	case ev.Citation != nil:
		b.content += len(ev.Citation.Text) + len(ev.Citation.Raw)
	}
}

// choice returns the choice with the index, nil if it is one too many.
func (b *Bounds) choice(index int) *boundedChoice {
	for i := range b.choices {
		if b.choices[i].index == index {
			return &b.choices[i]
		}
	}
	if len(b.choices) == MaxChoices {
		return nil
	}
	b.choices = append(b.choices, boundedChoice{index: index})
	return &b.choices[len(b.choices)-1]
}
