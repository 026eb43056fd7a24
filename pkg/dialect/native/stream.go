package native

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// A streamEncoder writes events. Everything that they all have is written once and copied.
type streamEncoder struct {
	served     dialect.Served
	head, tail []byte
	choices    []choice
	usage      *chat.Usage
	// finish is the last choice to have ended, kept back so that the last event has
	// a choice as well as the usage.
	finish *chat.Event
}

// A choice is what has to be known of one to write its next delta.
type choice struct {
	index     int
	blocks    int                  // of reasoning, so far
	reasoning bool                 // the last part is the last block
	state     *chat.ReasoningState // of that block
}

// NewStreamEncoder returns an encoder for one streamed answer.
func (s *Server) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	e := &streamEncoder{served: served}
	e.head = appendHead(sse.Begin(nil, ""), served)
	e.tail = sse.End(appendTail(nil, served))
	return e
}

// Encode appends the event. EventStart says nothing, EventUsage is kept for the last event, and
// EventError is for Error to tell.
func (e *streamEncoder) Encode(out []byte, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventStart, chat.EventError:
		return out
	case chat.EventUsage:
		e.usage = ev.Usage
		return out
	case chat.EventFinish:
		out = e.flushFinish(out)
		kept := *ev
		e.finish = &kept
		return out
	case chat.EventEnd:
		return e.end(out)
	case chat.EventLogprobs:
		out, _ = e.begin(out, ev.Choice)
		out = append(out, `},"logprobs":`...)
		out = jsonx.AppendCompact(out, ev.Raw)
		return e.close(out, ",\"finishReason\":null}]")
	}
	if ev.Kind == chat.EventMedia && ev.Part != chat.Image {
		return out // answers have no place for it
	}
	out, c := e.begin(out, ev.Choice)
	out = c.delta(out, ev)
	return e.close(out, `},"finishReason":null}]`)
}

// begin writes an event up to the members of the choice's delta. The first of a choice has the role.
func (e *streamEncoder) begin(out []byte, index int) ([]byte, *choice) {
	at := 0
	for at < len(e.choices) && e.choices[at].index != index {
		at++
	}
	first := at == len(e.choices)
	if first {
		e.choices = append(e.choices, choice{index: index})
	}
	out = append(out, e.head...)
	out = append(out, `{"index":`...)
	out = jsonx.AppendInt(out, int64(index))
	out = append(out, `,"delta":{`...)
	if first {
		out = append(out, `"role":"assistant"`...)
	}
	return out, &e.choices[at]
}

func (e *streamEncoder) close(out []byte, end string) []byte {
	out = append(out, end...)
	return append(out, e.tail...)
}

// delta writes the event's member.
func (c *choice) delta(out []byte, ev *chat.Event) []byte {
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	switch ev.Kind {
	case chat.EventText:
		c.reasoning = false
		out = append(out, `"content":`...)
		out = jsonx.AppendString(out, ev.Text)
	case chat.EventRefusal:
		c.reasoning = false
		out = append(out, `"refusal":`...)
		out = jsonx.AppendString(out, ev.Text)
	case chat.EventReason:
		out = c.reason(out, ev)
	case chat.EventCall:
		c.reasoning = false
		out = appendCall(appendIndex(out, `"toolCalls":[`, ev.Call), ev.ToolCall)
		out = append(out, `}]`...)
	case chat.EventCallArgs:
		out = appendIndex(out, `"toolCalls":[`, ev.Call)
		out = append(out, `"function":{"arguments":`...)
		out = jsonx.AppendString(out, ev.Text)
		out = append(out, `}}]`...)
	case chat.EventMedia:
		c.reasoning = false
		out = append(out, `"images":[`...)
		out = append(appendImage(out, ev.Media), ']')
	case chat.EventCitation:
		out = append(out, `"citations":[`...)
		out = appendCitation(out, ev.Citation)
		out = append(out, ']')
	}
	return out
}

func appendIndex(out []byte, before string, index int) []byte {
	out = append(out, before...)
	out = append(out, `{"index":`...)
	out = jsonx.AppendInt(out, int64(index))
	return append(out, ',')
}

// reason writes a piece of a block of reasoning. Which block it belongs to is decided as
// chat.Assembler does it, so that what a caller puts together is what a whole answer has.
func (c *choice) reason(out []byte, ev *chat.Event) []byte {
	if c.blocks == 0 || ev.Text != "" && !c.reasoning || !c.state.Takes(ev.State) {
		c.blocks++
		c.reasoning, c.state = true, nil
	}
	out = appendIndex(out, `"reasoning":[`, c.blocks-1)
	out = appendReason(out, ev.Text, c.news(ev.State))
	return append(out, `}]`...)
}

// news is what the state says that was not said before: each member is sent once.
func (c *choice) news(next *chat.ReasoningState) *chat.ReasoningState {
	if next == nil {
		return nil
	}
	if c.state == nil {
		kept := *next
		c.state = &kept
		return next
	}
	before, news := *c.state, *next
	c.state.Merge(next)
	for _, m := range [...]struct{ now, then *string }{
		{&news.ID, &before.ID}, {&news.Signature, &before.Signature}, {&news.Redacted, &before.Redacted},
		{&news.Encrypted, &before.Encrypted}, {&news.Format, &before.Format},
	} {
		if *m.now == *m.then {
			*m.now = ""
		}
	}
	if news.Index == before.Index {
		news.Index = 0
	}
	news.Summary = news.Summary && !before.Summary
	return &news
}

// flushFinish writes the choice that ended before another event showed that it was not the last.
func (e *streamEncoder) flushFinish(out []byte) []byte {
	if e.finish == nil {
		return out
	}
	out = e.finished(out)
	return append(out, e.tail...)
}

// finished writes the end of the kept choice, without the tail.
func (e *streamEncoder) finished(out []byte) []byte {
	out, _ = e.begin(out, e.finish.Choice)
	out = append(out, `},"finishReason":`...)
	out = jsonx.AppendString(out, string(e.finish.Finish))
	e.finish = nil
	return append(out, `}]`...)
}

// end writes the last event and the terminator.
func (e *streamEncoder) end(out []byte) []byte {
	if e.finish != nil {
		out = e.finished(out)
	} else {
		out = append(append(out, e.head...), ']')
	}
	out = append(out, `,"usage":`...)
	out = appendUsage(out, e.usage)
	out = append(out, e.tail...)
	return sse.AppendDone(out)
}

// Error appends the failure. Nothing follows it.
func (e *streamEncoder) Error(out []byte, err *fault.Error) []byte {
	out = sse.Begin(out, "")
	out = appendError(out, err, e.served.RequestID)
	return sse.End(out)
}

// Heartbeat appends a comment.
func (e *streamEncoder) Heartbeat(out []byte) []byte { return sse.AppendComment(out) }
