package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// A chunkEncoder writes events as chat.completion.chunk. What they all have is written once
// and copied.
type chunkEncoder struct {
	served     dialect.Served
	functions  bool
	head, tail []byte
	choices    []delta
	usage      *chat.Usage
}

// A delta is what has to be known of a choice to write its next chunk.
type delta struct {
	index    int
	calls    []bool // whether each call so far is a custom one
	thinking bool   // the last part is reasoning
	block    chat.ReasoningState
	at       int // the index of that block
	next     int // that of the block after it
	images   int
}

// NewStreamEncoder returns an encoder for one streamed answer. Chunks follow OpenAI's: the first
// of a choice has the role, each piece of a tool call has its index, the finish reason has a
// chunk of its own. If the caller asked for usage, it is null until the last chunk, which has no
// choices; then comes [DONE]. Reasoning is written twice, as in whole answers.
func (s *Server) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	e := &chunkEncoder{served: served, functions: knowsFunctions(served)}
	e.tail = append(e.tail, ']')
	if e.wantsUsage() {
		e.tail = append(e.tail, `,"usage":null`...)
	}
	e.tail = sse.End(append(e.tail, '}'))
	e.begin(&chat.Event{})
	return e
}

func (e *chunkEncoder) wantsUsage() bool {
	return e.served.Request != nil && e.served.Request.StreamUsage
}

// begin writes what all chunks begin with.
func (e *chunkEncoder) begin(start *chat.Event) {
	e.head = appendHead(sse.Begin(e.head[:0], ""), "chat.completion.chunk", identify(start.ID, start.Model, start.Created, e.served))
	e.head = appendMember(e.head, "service_tier", start.ServiceTier)
	e.head = appendMember(e.head, "system_fingerprint", start.SystemFingerprint)
	e.head = append(e.head, `,"choices":[`...)
}

// Encode appends the event. EventStart is said by every chunk, EventUsage is kept for the last,
// and EventError is for Error to tell.
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
	}
	before := len(out)
	out, c, first := e.open(out, ev.Choice)
	start := len(out)
	if first {
		out = append(out, `"role":"assistant","content":`...)
		switch ev.Kind {
		case chat.EventText:
			out = jsonx.AppendString(out, ev.Text)
		case chat.EventFinish, chat.EventLogprobs:
			out = append(out, `""`...)
		default:
			out = append(out, "null"...)
		}
	}
	if ev.Kind != chat.EventText || !first {
		out = e.say(out, start, c, ev)
	}
	if len(out) == start && ev.Kind != chat.EventFinish && ev.Kind != chat.EventLogprobs {
		return out[:before] // there is nothing to say
	}
	out = append(out, `},"logprobs":`...)
	if ev.Kind == chat.EventLogprobs {
		out = appendLogprobs(out, ev.Raw)
	} else {
		out = append(out, "null"...)
	}
	out = append(out, `,"finish_reason":`...)
	if ev.Kind == chat.EventFinish {
		out = appendFinish(out, ev.Finish, e.functions)
	} else {
		out = append(out, "null"...)
	}
	return append(append(out, '}'), e.tail...)
}

// open writes a chunk up to the members of the choice's delta.
func (e *chunkEncoder) open(out []byte, index int) (_ []byte, c *delta, first bool) {
	at := 0
	for at < len(e.choices) && e.choices[at].index != index {
		at++
	}
	if first = at == len(e.choices); first {
		e.choices = append(e.choices, delta{index: index})
	}
	out = append(out, e.head...)
	out = append(out, `{"index":`...)
	out = jsonx.AppendInt(out, int64(index))
	return append(out, `,"delta":{`...), &e.choices[at], first
}

// say writes the event's members of the delta that began at start.
func (e *chunkEncoder) say(out []byte, start int, c *delta, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventText:
		c.thinking = false
		out = append(comma(out, start), `"content":`...)
		out = jsonx.AppendString(out, ev.Text)
	case chat.EventRefusal:
		c.thinking = false
		out = append(comma(out, start), `"refusal":`...)
		out = jsonx.AppendString(out, ev.Text)
	case chat.EventReason:
		out = c.reason(out, start, ev)
	case chat.EventCall, chat.EventCallArgs:
		c.thinking = c.thinking && ev.Kind == chat.EventCallArgs
		out = e.call(out, start, c, ev)
	case chat.EventMedia:
		c.thinking = false
		if ev.Part == chat.Image {
			out = append(comma(out, start), `"images":[`...)
			out = append(appendImage(out, ev.Media, c.images), ']')
			c.images++
		}
	case chat.EventCitation:
		out = append(comma(out, start), `"annotations":[`...)
		out = append(appendAnnotation(out, ev.Citation), ']')
	case chat.EventFinish:
		if c.thinking && len(c.calls) == 0 {
			out = append(comma(out, start), `"content":""`...) // as whole answers say it, lest SDKs make null of it
		}
	}
	return out
}

// call writes a tool call, or a piece of its arguments.
func (e *chunkEncoder) call(out []byte, start int, c *delta, ev *chat.Event) []byte {
	if e.functions {
		return appendFunctionDelta(out, start, ev)
	}
	out = append(comma(out, start), `"tool_calls":[{"index":`...)
	out = jsonx.AppendInt(out, int64(ev.Call))
	if ev.Kind == chat.EventCall {
		for len(c.calls) <= ev.Call {
			c.calls = append(c.calls, false)
		}
		c.calls[ev.Call] = ev.ToolCall.Custom
		out = appendToolCall(append(out, ','), ev.ToolCall)
		return append(out, `}]`...)
	}
	if ev.Call < len(c.calls) && c.calls[ev.Call] {
		out = append(out, `,"custom":{"input":`...)
	} else {
		out = append(out, `,"function":{"arguments":`...)
	}
	out = jsonx.AppendString(out, ev.Text)
	return append(out, `}}]`...)
}

// appendFunctionDelta writes the first call as the function_call of former times.
func appendFunctionDelta(out []byte, start int, ev *chat.Event) []byte {
	if ev.Call > 0 {
		return out
	}
	out = append(comma(out, start), `"function_call":`...)
	if ev.Kind == chat.EventCall {
		return appendCallee(out, ev.ToolCall.Name, "arguments", ev.ToolCall.Arguments)
	}
	out = append(out, `{"arguments":`...)
	out = jsonx.AppendString(out, ev.Text)
	return append(out, '}')
}

// reason writes a piece of a block of reasoning, as a text and as a detail: whether a state
// will come, such as a signature at the end, is not known yet, and it is worth nothing without
// the text. Which block it belongs to is decided as chat.Assembler does it, so that what a
// caller puts together is what a whole answer has.
func (c *delta) reason(out []byte, start int, ev *chat.Event) []byte {
	if c.next == 0 || ev.Text != "" && !c.thinking || !c.block.Takes(ev.State) {
		c.thinking, c.block = true, chat.ReasoningState{}
		c.at = blockIndex(ev.State, c.next)
		c.next = c.at + 1
	}
	state := chat.ReasoningState{Summary: c.block.Summary}
	if ev.State != nil {
		c.block.Merge(ev.State)
		state = *ev.State
		state.ID, state.Format = c.block.ID, c.block.Format // may have come in an event without content
	}
	if ev.Text != "" {
		out = append(comma(out, start), `"reasoning_content":`...)
		out = jsonx.AppendString(out, ev.Text)
	}
	list := len(out)
	out = append(comma(out, start), `"reasoning_details":[`...)
	begun := len(out)
	if out = appendDetails(out, begun, ev.Text, &state, c.at); len(out) == begun {
		return out[:list]
	}
	return append(out, ']')
}

// end writes the usage and the terminator.
func (e *chunkEncoder) end(out []byte) []byte {
	if e.usage != nil && e.wantsUsage() {
		out = append(out, e.head...)
		out = append(out, `],"usage":`...)
		out = appendUsage(out, e.usage)
		out = sse.End(append(out, '}'))
	}
	return sse.AppendDone(out)
}

// Error appends the failure as SDKs look for it: an event with an error. There is no [DONE]
// after it, for the answer is not done.
func (e *chunkEncoder) Error(out []byte, err *fault.Error) []byte {
	return sse.End(AppendFault(sse.Begin(out, ""), err))
}

// Heartbeat appends a comment.
func (e *chunkEncoder) Heartbeat(out []byte) []byte { return sse.AppendComment(out) }
