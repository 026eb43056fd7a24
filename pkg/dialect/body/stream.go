package body

import (
	"bytes"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A StreamReader reads the streamed answers of one dialect; NewStreamDecoder makes a decoder of it.
type StreamReader interface {
	// Event appends the meaning of an event to out. Its data is only valid during the call. The stream ends with the
	// failure, if there is one.
	Event(out []chat.Event, name string, data jsonx.Value) ([]chat.Event, *chat.Error)
	// End appends the end of the answer, or fails if the answer is not complete. Terminated says that the stream has
	// ended with [DONE], rather than without a terminator.
	End(out []chat.Event, terminated bool) ([]chat.Event, *chat.Error)
}

// NewStreamDecoder returns a decoder for one streamed answer whose events have data of the kinds (none: any). It fails
// where the answer accumulates more than chat.Bounds allows.
func NewStreamDecoder(r StreamReader, kinds ...jsonx.Kind) dialect.StreamDecoder {
	return &streamDecoder{reader: r, kinds: kinds}
}

type streamDecoder struct {
	reader StreamReader
	kinds  []jsonx.Kind
	doc    jsonx.Doc
	bounds chat.Bounds
}

func (d *streamDecoder) Decode(out []chat.Event, name string, data []byte) []chat.Event {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return out
	}
	from := len(out)
	if string(data) == "[DONE]" {
		out, failed := d.reader.End(out, true)
		return d.checked(out, failed, from)
	}
	err := d.doc.Parse(data, jsonx.Lenient)
	if err != nil || len(d.kinds) > 0 && !slices.Contains(d.kinds, d.doc.Root().Kind()) {
		return Fail(out, &chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled", Cause: err})
	}
	out, failed := d.reader.Event(out, name, d.doc.Root())
	return d.checked(out, failed, from)
}

func (d *streamDecoder) Close(out []chat.Event) []chat.Event {
	from := len(out)
	out, failed := d.reader.End(out, false)
	return d.checked(out, failed, from)
}

// checked returns the events, of which those from the index on are new, up to the failure or to a bound.
func (d *streamDecoder) checked(out []chat.Event, failed *chat.Error, from int) []chat.Event {
	if failed != nil {
		out = Fail(out, failed)
	}
	return d.bounds.Check(out, from)
}

// Fail appends the failure, with which an answer ends.
func Fail(out []chat.Event, err *chat.Error) []chat.Event {
	return append(out, chat.Event{Kind: chat.EventError, Err: err})
}

// Cut returns the failure of a stream that ended before its answer did.
func Cut() *chat.Error {
	return &chat.Error{Class: chat.Transport, Message: "the provider's stream ended before the answer was complete"}
}
