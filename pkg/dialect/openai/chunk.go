package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// A chunkEncoder writes events as chunks. The members that all chunks share are written once
// and copied.
type chunkEncoder struct {
	format    *AnswerFormat
	served    dialect.Served
	functions bool
	head      []byte // up to the choices
	tail      []byte // from the choices' end
	lastTail  []byte // of a chunk with usage
	choices   []delta
	usage     *chat.Usage
	atFinish  bool        // the last chunk has the usage and the finish reason of a choice
	finish    *chat.Event // held back for the last chunk, with atFinish
}

// A delta is the state of a choice's stream.
type delta struct {
	index  int
	calls  []bool // whether each call so far is a custom one
	block  Block
	images int
}

// A Block is the block of reasoning that a choice's stream has come to.
type Block struct {
	Count  int                 // of blocks so far
	Index  int                 // of this block, in reasoning_details
	Before chat.ReasoningState // of this block, up to the last event
	State  chat.ReasoningState // of this block, with the last event

	open   bool // no other part has begun since
	stated bool // an event had a state
}

// add takes the next event of reasoning. It decides which block the event belongs to as chat.Assembler
// does, so that a client assembles what a whole answer has.
func (b *Block) add(ev *chat.Event) {
	var state *chat.ReasoningState
	if b.stated {
		state = &b.State
	}
	if b.Count == 0 || ev.Text != "" && !b.open || !state.Takes(ev.State) {
		next := 0
		if b.Count > 0 {
			next = b.Index + 1
		}
		*b = Block{Count: b.Count + 1, Index: blockIndex(ev.State, next), open: true}
	}
	b.Before = b.State
	if ev.State != nil {
		b.State.Merge(ev.State)
		b.stated = true
	}
}

// NewStreamEncoder returns an encoder for one streamed answer.
func (f *AnswerFormat) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	e := &chunkEncoder{format: f, served: served, functions: wantsFunctions(&served)}
	asked := served.Request != nil && served.Request.StreamUsage
	e.atFinish = f.UsageAtFinish || served.UnaskedUsage && !asked
	e.tail = append(e.tail, ']')
	if e.wantsUsage() {
		e.tail = append(e.tail, `,"usage":null`...)
	}
	usage := len(e.tail)
	e.tail = sse.End(f.Tail(e.tail, &e.served))
	e.lastTail = e.tail[usage:]
	e.begin(&chat.Event{})
	return e
}

// wantsUsage says whether usage has a chunk of its own.
func (e *chunkEncoder) wantsUsage() bool {
	return !e.atFinish && e.served.Request != nil && e.served.Request.StreamUsage
}

func (e *chunkEncoder) begin(start *chat.Event) {
	e.head = e.format.Head(sse.Begin(e.head[:0], ""), start, &e.served)
}

// Encode appends the event. Every chunk repeats EventStart, the last has EventUsage, and Error tells EventError.
func (e *chunkEncoder) Encode(out []byte, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventStart:
		e.begin(ev)
		return out
	case chat.EventError:
		return out
	case chat.EventUsage:
		e.usage = ev.Usage
		return out
	case chat.EventEnd:
		return e.end(out)
	case chat.EventFinish:
		if e.atFinish {
			return e.holdFinish(out, *ev)
		}
	}
	return e.chunk(out, ev)
}

// holdFinish keeps the end of a choice until it is known whether another choice ends after it.
func (e *chunkEncoder) holdFinish(out []byte, ev chat.Event) []byte {
	if e.finish != nil {
		out = e.chunk(out, e.finish)
	}
	e.finish = &ev
	return out
}

// chunk appends the chunk of an event, unless the event has no place in the format.
func (e *chunkEncoder) chunk(out []byte, ev *chat.Event) []byte {
	before := len(out)
	if out = e.choice(out, ev); len(out) > before {
		out = append(out, e.tail...)
	}
	return out
}

// choice appends a chunk up to the end of its choice. The first of a choice has the role.
func (e *chunkEncoder) choice(out []byte, ev *chat.Event) []byte {
	before := len(out)
	out, c, first := e.open(out, ev.Choice)
	start := len(out)
	if first {
		out = append(out, `"role":"assistant"`...)
		switch {
		case ev.Kind == chat.EventText || !e.format.Nulls:
		case ev.Kind == chat.EventFinish, ev.Kind == chat.EventLogprobs:
			out = append(out, `,"content":""`...)
		default:
			out = append(out, `,"content":null`...)
		}
	}
	out = e.delta(out, c, ev)
	if len(out) == start && ev.Kind != chat.EventFinish && ev.Kind != chat.EventLogprobs {
		return out[:before]
	}
	out = e.format.closeMessage(out, ev.Raw)
	if ev.Kind == chat.EventFinish {
		out = appendFinish(out, ev.Finish, e.functions)
	} else {
		out = append(out, "null"...)
	}
	return append(out, '}')
}

// open appends a chunk up to the members of the choice's delta.
func (e *chunkEncoder) open(out []byte, index int) (_ []byte, c *delta, first bool) {
	at := 0
	for at < len(e.choices) && e.choices[at].index != index {
		at++
	}
	if first = at == len(e.choices); first {
		e.choices = append(e.choices, delta{index: index})
	}
	out = append(out, e.head...)
	out = body.AppendCount(out, `{"index":`, int64(index))
	return append(out, `,"delta":{`...), &e.choices[at], first
}

// delta appends the event's members of the delta.
func (e *chunkEncoder) delta(out []byte, c *delta, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventText, chat.EventRefusal, chat.EventCall, chat.EventMedia:
		c.block.open = false
	}
	switch ev.Kind {
	case chat.EventText:
		out = append(jsonx.AppendComma(out), `"content":`...)
		out = jsonx.AppendString(out, ev.Text)
	case chat.EventRefusal:
		out = append(jsonx.AppendComma(out), `"refusal":`...)
		out = jsonx.AppendString(out, ev.Text)
	case chat.EventReason:
		c.block.add(ev)
		out = e.format.ReasoningDelta(out, &c.block, ev)
	case chat.EventCall, chat.EventCallArgs:
		out = e.call(out, c, ev)
	case chat.EventMedia:
		if ev.Part == chat.Image {
			out = append(jsonx.AppendComma(out), `"images":[`...)
			out = append(e.format.Image(out, ev.Media, c.images), ']')
			c.images++
		}
	case chat.EventCitation:
		out = append(jsonx.AppendComma(out), e.format.Citations...)
		out = append(e.format.Citation(out, ev.Citation), ']')
	case chat.EventFinish:
		if e.format.Nulls && c.block.open && len(c.calls) == 0 {
			out = append(jsonx.AppendComma(out), `"content":""`...) // as in whole answers: SDKs make null of it otherwise
		}
	}
	return out
}

// call appends a tool call, or a piece of its arguments.
func (e *chunkEncoder) call(out []byte, c *delta, ev *chat.Event) []byte {
	if e.functions {
		return appendFunctionDelta(out, ev)
	}
	out = append(jsonx.AppendComma(out), e.format.ToolCalls...)
	out = body.AppendCount(out, `{"index":`, int64(ev.Call))
	if ev.Kind == chat.EventCall {
		for len(c.calls) <= ev.Call {
			c.calls = append(c.calls, false)
		}
		c.calls[ev.Call] = ev.ToolCall.Custom
		out = e.format.appendCall(append(out, ','), ev.ToolCall)
		return append(out, `}]`...)
	}
	if e.format.CustomCalls && ev.Call < len(c.calls) && c.calls[ev.Call] {
		out = append(out, `,"custom":{"input":`...)
	} else {
		out = append(out, `,"function":{"arguments":`...)
	}
	out = jsonx.AppendString(out, ev.Text)
	return append(out, `}}]`...)
}

// appendFunctionDelta appends the first call as function_call, of which there can be one.
func appendFunctionDelta(out []byte, ev *chat.Event) []byte {
	if ev.Call > 0 {
		return out
	}
	out = append(jsonx.AppendComma(out), `"function_call":`...)
	if ev.Kind == chat.EventCall {
		return appendFunction(out, ev.ToolCall)
	}
	out = body.AppendMember(out, `{"arguments":`, ev.Text)
	return append(out, '}')
}

// end appends the usage and the terminator.
func (e *chunkEncoder) end(out []byte) []byte {
	switch {
	case e.finish != nil:
		out = e.choice(out, e.finish)
		if !e.format.UsageAtFinish && e.usage == nil {
			return sse.AppendDone(append(out, e.tail...))
		}
	case e.format.UsageAtFinish, e.atFinish && e.usage != nil, e.usage != nil && e.wantsUsage():
		out = append(out, e.head...)
	default:
		return sse.AppendDone(out)
	}
	out = append(out, `],"usage":`...)
	out = e.format.Usage(out, e.usage)
	out = append(out, e.lastTail...)
	return sse.AppendDone(out)
}

// Error appends the failure as SDKs look for it: an event with an error. No [DONE] follows, as the
// answer is not complete.
func (e *chunkEncoder) Error(out []byte, err *fault.Error) []byte {
	return sse.End(e.format.Fault(sse.Begin(out, ""), err, e.served.RequestID))
}

// Heartbeat appends a comment.
func (e *chunkEncoder) Heartbeat(out []byte) []byte { return sse.AppendComment(out) }
