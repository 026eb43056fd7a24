package gemini

import (
	"bytes"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// A streamEncoder writes chunks, each a whole object of the dialect, as events or as the
// elements of an array.
type streamEncoder struct {
	served    dialect.Served
	form      Form
	id, model string
	tier      string
	chunks    int
	streams   []*candidate
	usage     *chat.Usage
	finish    []byte // of the last candidate to have ended, kept back so that the usage goes with it
}

// A candidate is one of the answers being written.
type candidate struct {
	index     int
	said      said
	calls     []*pending // all of them, by their number
	waiting   []*pending // what cannot be written yet: the first is a call that is not complete
	citations []chat.Citation
	part      []byte // reused
}

// A pending is a part, and what stands beside the content in its chunk; or a call that
// grows. The dialect's calls are whole, with an object for their arguments.
type pending struct {
	part, beside []byte
	call         *chat.ToolCall
	written      []byte // of its arguments
	args         object // where in them it is
}

// NewStreamEncoder returns an encoder for one streamed answer, in the form that NewServer was told.
func (s Server) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	return &streamEncoder{served: served, form: s.form}
}

// Encode appends what the event makes complete. EventUsage is kept for the last chunk, and
// EventError is for Error to tell.
func (e *streamEncoder) Encode(out []byte, ev *chat.Event) []byte {
	switch ev.Kind {
	case chat.EventStart:
		e.id, e.model, e.tier = ev.ID, ev.Model, tierWord(ev.ServiceTier)
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
	switch ev.Kind {
	case chat.EventText, chat.EventRefusal:
		if ev.Text == "" {
			return out
		}
		c.part = c.said.text(c.part[:0], ev.Text)
		return e.put(out, c, c.part, nil)
	case chat.EventReason:
		if ev.Text == "" && unsaid(ev.State) {
			return out
		}
		c.part = c.said.reason(c.part[:0], ev.Text, ev.State)
		return e.put(out, c, c.part, nil)
	case chat.EventMedia:
		if ev.Media == nil {
			return out
		}
		c.part = c.said.medium(c.part[:0], ev.Part, ev.Media)
		return e.put(out, c, c.part, nil)
	case chat.EventCall:
		c.said.thoughts.open = false
		return e.beginCall(out, c, ev)
	case chat.EventCallArgs:
		return e.growCall(out, c, ev)
	case chat.EventCitation:
		c.citations = append(c.citations, *ev.Citation)
	case chat.EventLogprobs:
		beside := appendLogprobs([]byte(`,"logprobsResult":`), ev.Raw)
		return e.put(out, c, []byte(`{"text":""}`), beside)
	case chat.EventFinish:
		return e.ended(out, c, ev.Finish)
	}
	return out
}

func (e *streamEncoder) at(index int) *candidate {
	i := slices.IndexFunc(e.streams, func(c *candidate) bool { return c.index == index })
	if i < 0 {
		i = len(e.streams)
		e.streams = append(e.streams, &candidate{index: index})
	}
	return e.streams[i]
}

// put writes a part, or lets it wait for the call before it.
func (e *streamEncoder) put(out []byte, c *candidate, part, beside []byte) []byte {
	if len(c.waiting) > 0 {
		c.waiting = append(c.waiting, &pending{part: slices.Clone(part), beside: beside})
		return out
	}
	return e.chunk(out, c, part, beside, nil)
}

func (e *streamEncoder) beginCall(out []byte, c *candidate, ev *chat.Event) []byte {
	call := *ev.ToolCall
	p := &pending{call: &call, written: []byte(call.Arguments)}
	p.args.read(call.Arguments)
	for len(c.calls) <= ev.Call {
		c.calls = append(c.calls, nil)
	}
	if c.calls[ev.Call] != nil {
		return out // begun twice: the first counts, as for chat.Assembler
	}
	c.calls[ev.Call] = p
	c.waiting = append(c.waiting, p)
	return e.flush(out, c)
}

func (e *streamEncoder) growCall(out []byte, c *candidate, ev *chat.Event) []byte {
	if ev.Call >= len(c.calls) || c.calls[ev.Call] == nil {
		return out
	}
	p := c.calls[ev.Call]
	p.written = append(p.written, ev.Text...)
	p.args.read(ev.Text)
	return e.flush(out, c)
}

// flush writes what waits, up to the first call that is not complete.
func (e *streamEncoder) flush(out []byte, c *candidate) []byte {
	for len(c.waiting) > 0 && (c.waiting[0].call == nil || !c.waiting[0].call.Custom && c.waiting[0].args.complete()) {
		out = e.shift(out, c)
	}
	return out
}

// shift writes the first that waits, as complete as it is.
func (e *streamEncoder) shift(out []byte, c *candidate) []byte {
	p := c.waiting[0]
	c.waiting = c.waiting[1:]
	if p.call != nil {
		p.call.Arguments = string(p.written)
		p.part = appendCall(p.part, p.call, p.call.Signature)
	}
	return e.chunk(out, c, p.part, p.beside, nil)
}

// ended writes what waits, and keeps the candidate's end.
func (e *streamEncoder) ended(out []byte, c *candidate, reason chat.FinishReason) []byte {
	for len(c.waiting) > 0 {
		out = e.shift(out, c)
	}
	if e.finish != nil {
		out = append(e.begin(out), e.finish...)
		out = e.close(append(out, ']'))
	}
	var beside []byte
	if len(c.citations) > 0 {
		beside = appendGrounding([]byte(`,"groundingMetadata":`), c.citations, c.said.all.String())
	}
	e.finish = appendPart(nil, c.index, []byte(`{"text":""}`), beside, []byte(finishWord(reason)))
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
	out = append(out, `,"index":`...)
	out = jsonx.AppendInt(out, int64(index))
	out = append(out, beside...)
	return append(out, '}')
}

// begin writes a chunk up to its candidates, close what follows them.
func (e *streamEncoder) begin(out []byte) []byte {
	return append(e.open(out), `{"candidates":[`...)
}

func (e *streamEncoder) close(out []byte) []byte {
	if e.tier != "" && e.chunks == 1 { // the counts come last, but the tier is known
		out = append(out, `,"usageMetadata":{"serviceTier":`...)
		out = append(jsonx.AppendString(out, e.tier), '}')
	}
	return e.shut(appendTail(out, e.id, e.model, e.served))
}

// open and shut frame an object.
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
		out = append(out, `,"usageMetadata":`...)
		out = appendUsage(out, e.usage, e.tier)
	}
	out = e.shut(appendTail(out, e.id, e.model, e.served))
	if e.form == Array {
		out = append(out, ']')
	}
	return out
}

// AppendPassthrough appends events that did not come from here, in an array as its elements.
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

// Error appends the failure as Google sends it in mid-stream. Nothing follows it.
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

// object follows the text of a JSON object to its end.
type object struct {
	depth  int
	quoted bool
	escape bool
	ended  bool
}

func (o *object) read(s string) {
	for i := range len(s) {
		switch c := s[i]; {
		case o.escape:
			o.escape = false
		case o.quoted && c == '\\':
			o.escape = true
		case c == '"':
			o.quoted = !o.quoted
		case o.quoted:
		case c == '{' || c == '[':
			o.depth++
		case c == '}' || c == ']':
			o.depth--
			o.ended = o.ended || o.depth == 0
		}
	}
}

func (o *object) complete() bool { return o.ended }
