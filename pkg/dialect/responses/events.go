package responses

import (
	"bytes"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// A streamEncoder writes an answer's events as its output changes.
type streamEncoder struct {
	eventWriter
	output  *output
	started bool
}

func newStreamEncoder(served dialect.Served) *streamEncoder {
	e := new(streamEncoder)
	e.output = newOutput(served, &e.eventWriter)
	return e
}

// Encode appends the events that the event causes. EventError is left to Error.
func (e *streamEncoder) Encode(out []byte, ev *chat.Event) []byte {
	e.out = out
	if ev.Kind == chat.EventStart {
		e.output.add(ev)
	}
	if !e.started && ev.Kind != chat.EventError {
		e.started = true
		e.response("response.created", inProgress)
		e.response("response.in_progress", inProgress)
	}
	switch ev.Kind {
	case chat.EventStart:
	case chat.EventEnd:
		e.output.add(ev)
		status := e.output.status()
		e.response("response."+status, status)
	default:
		e.output.add(ev)
	}
	return e.release()
}

// AppendPassthrough appends events of the provider unchanged, and goes on from their numbers and id.
func (e *streamEncoder) AppendPassthrough(out, raw []byte, _ chat.EventKind) []byte {
	if !e.started && len(raw) > 0 {
		e.started, e.output.id = true, idIn(raw)
	}
	if last, ok := lastNumber(raw); ok {
		e.number = last + 1
	}
	return append(out, raw...)
}

// lastNumber returns the sequence number of the last of the events.
func lastNumber(raw []byte) (int64, bool) {
	const member = `"sequence_number":` // within a text its quotes would be escaped
	at := bytes.LastIndex(raw, []byte(member))
	if at < 0 {
		return 0, false
	}
	digits := bytes.TrimLeft(raw[at+len(member):], " ")
	n := 0
	for n < len(digits) && digits[n] >= '0' && digits[n] <= '9' {
		n++
	}
	number, err := strconv.ParseInt(string(digits[:n]), 10, 64)
	return number, err == nil
}

// idIn returns the id of the response that the first of the events announces.
func idIn(raw []byte) string {
	_, data, _ := bytes.Cut(raw, []byte("data: "))
	data, _, _ = bytes.Cut(data, []byte("\n"))
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil {
		return ""
	}
	return root.Get("response").Get("id").Str()
}

// release returns the buffer and keeps nothing of it.
func (e *streamEncoder) release() []byte {
	out := e.out
	e.out = nil
	return out
}

func (e *streamEncoder) response(name, status string) {
	e.begin(name)
	e.out = append(e.out, `,"response":`...)
	e.out = e.output.appendResponse(e.out, status)
	e.end()
}

// Error appends the failure twice: as an event with the member error, which OpenAI's SDKs raise as an exception,
// and as a failed response, for which Codex waits.
func (e *streamEncoder) Error(out []byte, err *fault.Error) []byte {
	e.out = out
	_, code, param := openai.Words(err)
	e.begin("error")
	e.out = append(e.out, `,"code":`...)
	e.out = openai.AppendOrNull(e.out, code)
	e.out = body.AppendMember(e.out, `,"message":`, openai.Message(err))
	e.out = append(e.out, `,"param":`...)
	e.out = openai.AppendOrNull(e.out, param)
	e.out = append(e.out, ',')
	object := openai.AppendFault(nil, err)
	e.out = append(e.out, object[1:len(object)-1]...)
	e.end()
	e.output.fail(failure{code: responseErrorCode(err), message: openai.Message(err)})
	e.response("response.failed", failed)
	return e.release()
}

// responseErrorCode returns the code of a failed response: one of the few that the API documents, or that of a request
// that is too long, which the API sends all the same and for which Codex waits to shorten the conversation.
func responseErrorCode(err *fault.Error) string {
	switch {
	case body.ClassOf(err) == chat.ContextLength:
		return "context_length_exceeded"
	case err.Code == fault.RateLimit:
		return "rate_limit_exceeded"
	case err.Code == fault.Validation, err.Code == fault.NotFound:
		return "invalid_prompt"
	}
	return "server_error"
}

// Heartbeat appends a comment.
func (e *streamEncoder) Heartbeat(out []byte) []byte { return sse.AppendComment(out) }

// An eventWriter writes the changes of an output as events, numbered from 0. A nil writer writes nothing.
type eventWriter struct {
	out    []byte
	number int64
}

// begin begins an event.
func (e *eventWriter) begin(name string) {
	e.out = sse.Begin(e.out, name)
	e.out = append(e.out, `{"type":"`...)
	e.out = append(e.out, name...)
	e.out = body.AppendCount(e.out, `","sequence_number":`, e.number)
	e.number++
}

func (e *eventWriter) end() {
	e.out = append(e.out, '}')
	e.out = sse.End(e.out)
}

// beginAt begins an event about the item at the position.
func (e *eventWriter) beginAt(name string, at int, it *outputItem) {
	e.begin(name)
	e.out = body.AppendMember(e.out, `,"item_id":`, it.id)
	e.out = body.AppendCount(e.out, `,"output_index":`, int64(at))
}

// beginText begins an event about the nth text of an item.
func (e *eventWriter) beginText(name string, at int, it *outputItem, n int) {
	e.beginAt(name, at, it)
	if it.texts[n].kind == summaryText {
		e.out = append(e.out, `,"summary_index":`...)
	} else {
		e.out = append(e.out, `,"content_index":`...)
	}
	e.out = jsonx.AppendInt(e.out, int64(it.texts[n].index))
}

func (e *eventWriter) item(name string, at int, it *outputItem) {
	e.begin(name)
	e.out = body.AppendCount(e.out, `,"output_index":`, int64(at))
	e.out = append(e.out, `,"item":`...)
	e.out = appendItem(e.out, it)
	e.end()
}

func (e *eventWriter) itemAdded(at int, it *outputItem) {
	if e != nil {
		e.item("response.output_item.added", at, it)
	}
}

func (e *eventWriter) itemDone(at int, it *outputItem) {
	if e == nil {
		return
	}
	switch it.kind {
	case functionItem:
		e.beginAt("response.function_call_arguments.done", at, it)
		e.out = body.AppendMember(e.out, `,"name":`, it.call.Name)
		e.out = body.AppendMember(e.out, `,"arguments":`, string(it.arguments))
		e.end()
	case customItem:
		e.beginAt("response.custom_tool_call_input.done", at, it)
		e.out = body.AppendMember(e.out, `,"input":`, string(it.arguments))
		e.end()
	case imageItem:
		e.beginAt("response.image_generation_call.completed", at, it)
		e.end()
	}
	e.item("response.output_item.done", at, it)
}

func (e *eventWriter) argumentsDelta(at int, it *outputItem, text string) {
	if e == nil || it.kind == ownItem { // it has no events for pieces of what is to be done
		return
	}
	name := "response.function_call_arguments.delta"
	if it.kind == customItem {
		name = "response.custom_tool_call_input.delta"
	}
	e.beginAt(name, at, it)
	e.out = body.AppendMember(e.out, `,"delta":`, text)
	e.end()
}

func (e *eventWriter) textBegun(at int, it *outputItem, n int) {
	if e == nil {
		return
	}
	name := "response.content_part.added"
	if it.texts[n].kind == summaryText {
		name = "response.reasoning_summary_part.added"
	}
	e.part(name, at, it, n)
}

func (e *eventWriter) part(name string, at int, it *outputItem, n int) {
	e.beginText(name, at, it, n)
	e.out = append(e.out, `,"part":`...)
	e.out = it.texts[n].append(e.out)
	e.end()
}

func (e *eventWriter) delta(at int, it *outputItem, n int, text string) {
	if e == nil {
		return
	}
	kind := it.texts[n].kind
	name, _ := kind.names()
	e.beginText(name, at, it, n)
	e.out = body.AppendMember(e.out, `,"delta":`, text)
	if kind == answerText {
		e.out = append(e.out, `,"logprobs":[]`...)
	}
	e.end()
}

// names returns the names of the events about such a text.
func (k contentKind) names() (delta, done string) {
	switch k {
	case refusalText:
		return "response.refusal.delta", "response.refusal.done"
	case summaryText:
		return "response.reasoning_summary_text.delta", "response.reasoning_summary_text.done"
	case reasoningText:
		return "response.reasoning_text.delta", "response.reasoning_text.done"
	}
	return "response.output_text.delta", "response.output_text.done"
}

func (e *eventWriter) textDone(at int, it *outputItem, n int) {
	t := &it.texts[n]
	if e == nil || !t.begun {
		return
	}
	_, name := t.kind.names()
	e.beginText(name, at, it, n)
	part := "response.content_part.done"
	switch t.kind {
	case refusalText:
		e.out = append(e.out, `,"refusal":`...)
	case answerText:
		e.out = append(e.out, `,"logprobs":[`...)
		e.out = append(e.out, t.logprobs...)
		e.out = append(e.out, `],"text":`...)
	case summaryText:
		part = "response.reasoning_summary_part.done"
		e.out = append(e.out, `,"text":`...)
	default:
		e.out = append(e.out, `,"text":`...)
	}
	e.out = jsonx.AppendString(e.out, string(t.text))
	e.end()
	e.part(part, at, it, n)
}

func (e *eventWriter) annotated(at int, it *outputItem, n int, c *chat.Citation) {
	if e == nil {
		return
	}
	e.beginText("response.output_text.annotation.added", at, it, n)
	e.out = append(e.out, `,"annotation_index":`...)
	e.out = jsonx.AppendInt(e.out, int64(len(it.texts[n].citations)-1))
	e.out = append(e.out, `,"annotation":`...)
	e.out = appendCitation(e.out, c)
	e.end()
}
