package gemini

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A streamDecoder reads chunks, each of which is an answer of its own with new parts. The
// dialect has no terminator: the stream is complete if it ends after a finish reason. An error
// object in it becomes an EventError without Class, which the provider's classifier sets.
type streamDecoder struct {
	doc jsonx.Doc
	answer
}

func (d *streamDecoder) Decode(out []chat.Event, _ string, data []byte) []chat.Event {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return out
	}
	if err := d.doc.Parse(data, jsonx.Lenient); err != nil {
		return body.Fail(out, &chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled", Cause: err})
	}
	out, failed := d.read(out, d.doc.Root())
	if failed != nil {
		return body.Fail(out, failed)
	}
	return out
}

// Close ends the answer, if it is complete.
func (d *streamDecoder) Close(out []chat.Event) []chat.Event {
	out, failed := d.finish(out, reasonRequired)
	if failed != nil {
		return body.Fail(out, failed)
	}
	return out
}
