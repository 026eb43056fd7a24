package openai

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A streamReader reads chunks. It accepts all known variations of providers: roles repeated
// on every chunk, whole calls in one chunk, calls without index or
// id, content as an array, usage on any chunk or on several, the finish reason given twice.
//
// EventFinish comes with the terminator or at the stream's end, when it is certain. An error object in the
// stream becomes an EventError without Class, which the provider's classifier sets.
type streamReader struct{ answer }

func (r *streamReader) Event(out []chat.Event, name string, root jsonx.Value) ([]chat.Event, *chat.Error) {
	if failed := errorIn(root); failed != nil {
		return out, failed
	}
	if name == "error" {
		return out, decodeError(root)
	}
	return r.chunk(out, root, "delta")
}

// End ends the answer. Without [DONE], as servers that forget it leave the stream, it is complete if every choice has a
// finish reason.
func (r *streamReader) End(out []chat.Event, terminated bool) ([]chat.Event, *chat.Error) {
	open := func(c choice) bool { return c.finish == "" }
	if !terminated && (len(r.choices) == 0 || slices.ContainsFunc(r.choices, open)) {
		return out, body.Cut()
	}
	out, failed := r.finish(out)
	if failed != nil {
		return out, failed
	}
	return append(out, chat.Event{Kind: chat.EventEnd}), nil
}
