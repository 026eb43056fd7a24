package body

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// ReadAnswer parses a provider's whole answer.
func ReadAnswer(data []byte) (jsonx.Value, *chat.Error) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil {
		return root, &chat.Error{Class: chat.Transport, Message: "the provider's answer is not JSON", Cause: err}
	}
	return root, nil
}

// Assemble folds the events of a whole answer.
func Assemble(events []chat.Event) (*chat.Response, error) {
	resp, failed := chat.Assemble(events)
	if failed != nil {
		return nil, failed
	}
	return resp, nil
}

// ReadCount reads a number of tokens that a provider counted.
func ReadCount(v jsonx.Value) (int64, error) {
	n, ok := v.Int64()
	if !ok || n < 0 {
		return 0, &chat.Error{Class: chat.Transport, Message: "the provider's answer has no count of tokens"}
	}
	return n, nil
}

// ReadEvent parses the data of an event of a provider's stream, which is an object. The value is
// valid until doc is used again.
func ReadEvent(doc *jsonx.Doc, data []byte) (jsonx.Value, *chat.Error) {
	err := doc.Parse(data, jsonx.Lenient)
	if err == nil && doc.Root().Kind() == jsonx.Object {
		return doc.Root(), nil
	}
	return jsonx.Value{}, &chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled", Cause: err}
}

// Fail appends the failure as the event that ends a stream.
func Fail(out []chat.Event, err *chat.Error) []chat.Event {
	return append(out, chat.Event{Kind: chat.EventError, Err: err})
}

// Cut returns the failure of a stream that ended before its answer did.
func Cut() *chat.Error {
	return &chat.Error{Class: chat.Transport, Message: "the provider's stream ended before the answer was complete"}
}

// Unfinished appends the failure of a stream that ended before its answer did.
func Unfinished(out []chat.Event) []chat.Event {
	return Fail(out, Cut())
}
