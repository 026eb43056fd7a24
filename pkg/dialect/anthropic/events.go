package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// A streamEncoder writes events in the order that the SDKs expect: message_start; each block with its start,
// deltas and stop, one at a time; message_delta with the reason and the usage; message_stop.
//
// If the usage is unknown at the start, the input tokens are estimated there, as agents size conversations by them; the
// totals of message_delta replace them.
type streamEncoder struct {
	served   dialect.Served
	id, tier string
	started  bool
	over     bool
	usage    *chat.Usage

	first body.FirstChoice
	index int // of the open block, or of the next
	open  chat.PartKind
	state *chat.ReasoningState // of the open block of thinking
	call  openCall
	said  bool         // something besides reasoning has come
	held  []chat.Event // states without text, which are not written at the end

	sequence body.Sequence
	finish   chat.FinishReason
	stop     string
	refused  bool
}

// NewStreamEncoder returns an encoder for one streamed answer.
func (s *Server) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	return &streamEncoder{served: served}
}

// Encode appends the event. It writes the first of several choices, and leaves EventError to Error.
func (e *streamEncoder) Encode(out []byte, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventStart:
		e.id, e.tier = ev.ID, ev.ServiceTier
		return out
	case chat.EventError, chat.EventLogprobs:
		return out
	case chat.EventUsage:
		e.usage = ev.Usage
		return e.start(out)
	case chat.EventEnd:
		for _, kept := range e.first.Kept() {
			out = e.take(out, &kept)
		}
		return e.end(e.start(out))
	}
	if !e.first.Has(ev) {
		return out
	}
	return e.take(out, ev)
}

// take writes an event of the choice, or holds it back until the open call is complete: blocks come one at a time,
// but other dialects may interleave parts.
func (e *streamEncoder) take(out []byte, ev *chat.Event) []byte {
	out = e.start(out)
	if e.sequence.Idle() && ev.Kind != chat.EventCall && ev.Kind != chat.EventCallArgs {
		return e.write(out, ev)
	}
	e.sequence.Put(ev)
	return e.writeNext(out)
}

// writeNext writes the events that need not wait any more.
func (e *streamEncoder) writeNext(out []byte) []byte {
	var ev chat.Event
	for e.sequence.Next(&ev) {
		out = e.write(out, &ev)
	}
	return out
}

// write writes an event that need not wait.
func (e *streamEncoder) write(out []byte, ev *chat.Event) []byte {
	if e.holdState(ev) {
		return out
	}
	out = e.releaseStates(out, ev)
	switch ev.Kind {
	case chat.EventText, chat.EventRefusal:
		e.refused = e.refused || ev.Kind == chat.EventRefusal
		if ev.Text != "" {
			out = e.openText(out)
			out = e.delta(out, `"text_delta","text":`, ev.Text)
		}
	case chat.EventCitation:
		out = e.openText(out)
		out = e.begin(out, "content_block_delta")
		out = append(out, `,"delta":{"type":"citations_delta","citation":`...)
		out = appendCitation(out, ev.Citation)
		out = sse.End(append(out, "}}"...))
	case chat.EventReason:
		out = e.reason(out, ev)
	case chat.EventMedia:
		out = e.openText(e.closeBlock(out))
		out = e.delta(out, `"text_delta","text":`, body.MediaNote(ev.Part, ev.Media))
		out = e.closeBlock(out)
	case chat.EventCall:
		out = e.beginCall(out, ev.ToolCall)
	case chat.EventCallArgs:
		out = e.addInput(out, ev.Text)
	case chat.EventFinish:
		e.finish, e.stop = ev.Finish, ev.Text
	}
	return out
}

// holdState holds back a state that would be the last block if nothing followed: withoutLastState leaves it out of whole
// answers.
func (e *streamEncoder) holdState(ev *chat.Event) bool {
	if !e.said || ev.State == nil || !isStateAlone(ev.Kind == chat.EventReason, ev.Text, ev.State) || e.open == chat.Reason && e.state.Takes(ev.State) {
		return false
	}
	state := *ev.State
	e.held = append(e.held, chat.Event{Kind: chat.EventReason, State: &state})
	return true
}

// releaseStates writes the states that are held back, if the event writes a block after them.
func (e *streamEncoder) releaseStates(out []byte, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventText, chat.EventRefusal:
		if ev.Text == "" {
			return out
		}
		e.said = true
	case chat.EventCall, chat.EventCitation, chat.EventMedia:
		e.said = true
	case chat.EventReason:
	default:
		return out
	}
	held := e.held
	e.held = nil
	for i := range held {
		out = e.reason(out, &held[i])
	}
	return out
}

// start writes message_start, once.
func (e *streamEncoder) start(out []byte) []byte {
	if e.started {
		return out
	}
	e.started = true
	out = sse.Begin(out, "message_start")
	out = append(out, `{"type":"message_start","message":`...)
	out = appendHead(out, e.id, e.served)
	out = append(out, `],"stop_reason":null,"stop_sequence":null,"usage":`...)
	usage := e.usage
	if usage == nil && e.served.EstimateInput != nil {
		usage = &chat.Usage{Input: e.served.EstimateInput()}
	}
	out = appendUsage(out, usage, e.tier)
	return sse.End(append(out, "}}"...))
}

// begin writes an event of a block up to the members after the index.
func (e *streamEncoder) begin(out []byte, name string) []byte {
	out = sse.Begin(out, name)
	out = append(out, `{"type":"`...)
	out = append(out, name...)
	out = append(out, `","index":`...)
	return jsonx.AppendInt(out, int64(e.index))
}

// delta writes a piece of the open block; kind is its type and the name of the text's member.
func (e *streamEncoder) delta(out []byte, kind, text string) []byte {
	out = e.begin(out, "content_block_delta")
	out = append(out, `,"delta":{"type":`...)
	out = append(out, kind...)
	out = jsonx.AppendString(out, text)
	return sse.End(append(out, "}}"...))
}

func (e *streamEncoder) openText(out []byte) []byte {
	if e.open == chat.Text {
		return out
	}
	out = e.closeBlock(out)
	e.open = chat.Text
	return e.startBlock(out, `{"type":"text","text":""}`)
}

func (e *streamEncoder) startBlock(out []byte, block string) []byte {
	out = e.begin(out, "content_block_start")
	out = append(out, `,"content_block":`...)
	out = append(out, block...)
	return sse.End(append(out, '}'))
}

// closeBlock ends the open block. The signature of thinking comes last, and so does input that can only be written as
// a whole.
func (e *streamEncoder) closeBlock(out []byte) []byte {
	switch e.open {
	case 0:
		return out
	case chat.Reason:
		out = e.delta(out, `"signature_delta","signature":`, signatureOf(e.state))
		e.state = nil
	case chat.Call:
		out = e.wholeInput(out)
	}
	e.open = 0
	out = e.begin(out, "content_block_stop")
	e.index++
	return sse.End(append(out, '}'))
}

// reason writes a piece of thinking. It assigns pieces to blocks as chat.Assembler does, so that the assembled
// stream is the whole answer.
func (e *streamEncoder) reason(out []byte, ev *chat.Event) []byte {
	if data := redactedAlone(ev.State); data != "" && ev.Text == "" {
		out = e.closeBlock(out)
		out = e.startBlock(out, string(jsonx.AppendString([]byte(`{"type":"redacted_thinking","data":`), data))+"}")
		e.open = chat.Unrendered // nothing follows before its end
		return e.closeBlock(out)
	}
	if ev.Text == "" && ev.State == nil {
		return out
	}
	if e.open != chat.Reason || !e.state.Takes(ev.State) {
		out = e.closeBlock(out)
		e.open = chat.Reason
		out = e.startBlock(out, `{"type":"thinking","thinking":"","signature":""}`)
	}
	if ev.Text != "" {
		out = e.delta(out, `"thinking_delta","thinking":`, ev.Text)
	}
	e.state = e.state.Merge(ev.State)
	return out
}

// end writes the events that end the message.
func (e *streamEncoder) end(out []byte) []byte {
	e.sequence.End()
	out = e.closeBlock(e.writeNext(out))
	e.over = true
	out = sse.Begin(out, "message_delta")
	out = append(out, `{"type":"message_delta","delta":{`...)
	at := len(out)
	out = appendStop(out, e.finish, e.stop, e.refused)
	out = append(out[:at], out[at+1:]...) // without the comma
	out = append(out, `},"usage":`...)
	out = appendUsage(out, e.usage, "")
	out = sse.End(append(out, '}'))
	out = sse.Begin(out, "message_stop")
	return sse.End(append(out, `{"type":"message_stop"}`...))
}

// Error appends the error, after which nothing follows.
func (e *streamEncoder) Error(out []byte, err *fault.Error) []byte {
	e.over = true
	out = sse.Begin(out, "error")
	out = appendError(out, err, e.served.RequestID)
	return sse.End(out)
}

// Heartbeat appends a ping, by which the clients see that the stream lives, before the message has begun, too. After its
// end it is a comment.
func (e *streamEncoder) Heartbeat(out []byte) []byte {
	if e.over {
		return sse.AppendComment(out)
	}
	out = sse.Begin(out, "ping")
	return sse.End(append(out, `{"type":"ping"}`...))
}
