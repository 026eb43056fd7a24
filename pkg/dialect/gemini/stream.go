package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A streamReader reads chunks, each of which is an answer of its own with new parts. The
// dialect has no terminator: the stream is complete if it ends after a finish reason. An error
// object in it becomes an EventError without Class, which the provider's classifier sets.
type streamReader struct{ answer }

func (r *streamReader) Event(out []chat.Event, _ string, root jsonx.Value) ([]chat.Event, *chat.Error) {
	return r.read(out, root)
}

// End ends the answer, if it is complete.
func (r *streamReader) End(out []chat.Event, _ bool) ([]chat.Event, *chat.Error) {
	return r.finish(out, reasonRequired)
}
