package openai

import (
	"bytes"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A streamDecoder reads chunks. It accepts all known variations of providers: roles repeated
// on every chunk, whole calls in one chunk, calls without index or
// id, content as an array, usage on any chunk or on several, the finish reason given twice.
//
// EventFinish comes with the terminator or at the stream's end, when it is certain. An error object in the
// stream becomes an EventError without Class, which the provider's classifier sets.
type streamDecoder struct {
	doc jsonx.Doc
	answer
}

func (d *streamDecoder) Decode(out []chat.Event, name string, data []byte) []chat.Event {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return out
	}
	if string(data) == "[DONE]" {
		return d.end(out)
	}
	root, failed := body.ReadEvent(&d.doc, data)
	if failed == nil {
		failed = errorIn(root)
	}
	if failed == nil && name == "error" {
		failed = decodeError(root)
	}
	if failed == nil {
		out, failed = d.chunk(out, root, "delta")
	}
	if failed != nil {
		return body.Fail(out, failed)
	}
	return out
}

// Close ends a stream without a terminator. The answer is complete if every choice has a finish reason, as some servers
// send no [DONE]; otherwise the connection was cut.
func (d *streamDecoder) Close(out []chat.Event) []chat.Event {
	if len(d.choices) == 0 || slices.ContainsFunc(d.choices, func(c choice) bool { return c.finish == "" }) {
		return body.Unfinished(out)
	}
	return d.end(out)
}

func (d *streamDecoder) end(out []chat.Event) []chat.Event {
	out, failed := d.finish(out)
	if failed != nil {
		return body.Fail(out, failed)
	}
	return append(out, chat.Event{Kind: chat.EventEnd})
}
