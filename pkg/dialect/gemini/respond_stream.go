package gemini

import (
	"bytes"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// A streamEncoder writes chunks, each a whole object of the dialect, as server-sent events or as the elements of
// an array.
type streamEncoder struct {
	served     dialect.Served
	form       Form
	id, model  string
	tier       string
	chunks     int
	candidates []*candidate
	usage      *chat.Usage
	finish     []byte // the end of the last candidate to have ended, kept back so that the usage goes with it
}

// A candidate is one of the answers being written.
type candidate struct {
	index     int
	parts     partWriter
	sequence  body.Sequence
	call      *chat.ToolCall // not complete yet: the dialect's calls are whole
	number    int            // of that call
	arguments []byte         // of that call
	citations []chat.Citation
	part      []byte // reused
}

// NewStreamEncoder returns an encoder for one streamed answer, in the form that NewServer was told.
func (s Server) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	return &streamEncoder{served: served, form: s.form}
}

// Encode appends the chunks that the event completes. EventUsage is kept for the last chunk; EventError is left to
// Error.
func (e *streamEncoder) Encode(out []byte, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventStart:
		e.id, e.model, e.tier = ev.ID, ev.Model, tierName(ev.ServiceTier)
		return out
	case chat.EventUsage:
		e.usage = ev.Usage
		return out
	case chat.EventEnd:
		return e.end(out)
	case chat.EventError:
		return out
	}
	c := e.at(ev.Choice)
	if c.sequence.Idle() && ev.Kind != chat.EventCall && ev.Kind != chat.EventCallArgs {
		return e.write(out, c, ev)
	}
	c.sequence.Put(ev)
	var next chat.Event
	for c.sequence.Next(&next) {
		if next.Kind != chat.EventCallArgs {
			out = e.closeCall(out, c)
		}
		out = e.write(out, c, &next)
	}
	return out
}

// write writes an event whose turn it is.
func (e *streamEncoder) write(out []byte, c *candidate, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventText, chat.EventRefusal:
		if ev.Text == "" {
			return out
		}
		c.part = c.parts.text(c.part[:0], ev.Text)
	case chat.EventReason:
		if ev.Text == "" && emptyState(ev.State) {
			return out
		}
		c.part = c.parts.reason(c.part[:0], ev.Text, ev.State)
	case chat.EventMedia:
		if ev.Media == nil {
			return out
		}
		c.part = c.parts.medium(c.part[:0], ev.Part, ev.Media)
	case chat.EventLogprobs:
		beside := appendLogprobs([]byte(`,"logprobsResult":`), ev.Raw)
		return e.chunk(out, c, []byte(`{"text":""}`), beside, nil)
	case chat.EventCall:
		c.parts.thoughts.open = false
		c.call, c.number, c.arguments = ev.ToolCall, ev.Call, []byte(ev.ToolCall.Arguments)
		return e.closeComplete(out, c)
	case chat.EventCallArgs:
		c.arguments = append(c.arguments, ev.Text...)
		return e.closeComplete(out, c)
	case chat.EventCitation:
		c.citations = append(c.citations, *ev.Citation)
		return out
	case chat.EventFinish:
		return e.ended(out, c, ev.Finish)
	default:
		return out
	}
	return e.chunk(out, c, c.part, nil, nil)
}

func (e *streamEncoder) at(index int) *candidate {
	i := slices.IndexFunc(e.candidates, func(c *candidate) bool { return c.index == index })
	if i < 0 {
		i = len(e.candidates)
		e.candidates = append(e.candidates, &candidate{index: index})
	}
	return e.candidates[i]
}

// closeComplete writes the open call, if it has all its arguments.
func (e *streamEncoder) closeComplete(out []byte, c *candidate) []byte {
	if c.call == nil || !c.sequence.Complete(c.number) {
		return out
	}
	return e.closeCall(out, c)
}

// closeCall writes the open call, if one is, as complete as it is.
func (e *streamEncoder) closeCall(out []byte, c *candidate) []byte {
	if c.call == nil {
		return out
	}
	c.call.Arguments = string(c.arguments)
	c.part = appendCall(c.part[:0], c.call, c.call.Signature)
	c.call = nil
	return e.chunk(out, c, c.part, nil, nil)
}

// ended keeps the candidate's end.
func (e *streamEncoder) ended(out []byte, c *candidate, reason chat.FinishReason) []byte {
	if e.finish != nil {
		out = append(e.begin(out), e.finish...)
		out = e.close(append(out, ']'))
	}
	var beside []byte
	if len(c.citations) > 0 {
		beside = appendGrounding([]byte(`,"groundingMetadata":`), c.citations, c.parts.written.String())
	}
	e.finish = appendPart(nil, c.index, []byte(`{"text":""}`), beside, []byte(finishName(reason)))
	return out
}

func (e *streamEncoder) chunk(out []byte, c *candidate, part, beside, finish []byte) []byte {
	out = e.begin(out)
	out = appendPart(out, c.index, part, beside, finish)
	return e.close(append(out, ']'))
}

// appendPart writes a candidate of one part.
func appendPart(out []byte, index int, part, beside, finish []byte) []byte {
	out = append(out, `{"content":{"parts":[`...)
	out = append(out, part...)
	out = append(out, `],"role":"model"}`...)
	if finish != nil {
		out = append(out, `,"finishReason":"`...)
		out = append(append(out, finish...), '"')
	}
	out = body.AppendCount(out, `,"index":`, int64(index))
	out = append(out, beside...)
	return append(out, '}')
}

// begin writes a chunk up to its candidates; close writes the rest.
func (e *streamEncoder) begin(out []byte) []byte {
	return append(e.open(out), `{"candidates":[`...)
}

func (e *streamEncoder) close(out []byte) []byte {
	if e.tier != "" && e.chunks == 1 { // the counts come last, the tier first
		out = append(out, `,"usageMetadata":{"serviceTier":`...)
		out = append(jsonx.AppendString(out, e.tier), '}')
	}
	return e.shut(appendTail(out, e.id, e.model, e.served))
}

// open begins the frame of an object; shut ends it.
func (e *streamEncoder) open(out []byte) []byte {
	e.chunks++
	switch {
	case e.form != Array:
		return sse.Begin(out, "")
	case e.chunks == 1:
		return append(out, '[')
	}
	return append(out, ",\r\n"...)
}

func (e *streamEncoder) shut(out []byte) []byte {
	if e.form == Array {
		return out
	}
	return sse.End(out)
}

// end writes the last chunk.
func (e *streamEncoder) end(out []byte) []byte {
	out = append(e.begin(out), e.finish...)
	out = append(out, ']')
	if e.usage != nil {
		out = appendUsage(append(out, `,"usageMetadata":`...), e.usage, e.tier)
	}
	out = e.shut(appendTail(out, e.id, e.model, e.served))
	if e.form == Array {
		out = append(out, ']')
	}
	return out
}

// AppendPassthrough appends events of the provider; in an array they become its elements.
func (e *streamEncoder) AppendPassthrough(out, raw []byte, last chat.EventKind) []byte {
	if e.form != Array {
		return append(out, raw...)
	}
	for len(raw) > 0 {
		var event []byte
		event, raw, _ = bytes.Cut(raw, []byte("\n\n"))
		first := true
		for line := range bytes.SplitSeq(event, []byte("\n")) {
			data, ok := bytes.CutPrefix(line, []byte("data: "))
			switch {
			case !ok:
				continue
			case first:
				out, first = e.open(out), false
			default:
				out = append(out, '\n')
			}
			out = append(out, data...)
		}
	}
	if last != chat.EventEnd {
		return out
	}
	if e.chunks == 0 {
		out = append(out, '[')
	}
	return append(out, ']')
}

// Error appends the failure as Google sends it within a stream. Nothing follows it.
func (e *streamEncoder) Error(out []byte, err *fault.Error) []byte {
	out = e.open(out)
	out = e.shut(appendError(out, err, e.served.RequestID))
	if e.form == Array {
		out = append(out, ']')
	}
	return out
}

// Heartbeat appends nothing: Google's SDKs take a comment for a broken chunk ("invalid stream chunk", Go;
// Python tries to read it as JSON).
func (e *streamEncoder) Heartbeat(out []byte) []byte { return out }
