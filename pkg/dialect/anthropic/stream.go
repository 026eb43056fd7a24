package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A streamReader reads the events of a stream. The type in an event's data counts, not its name.
//
// EventFinish comes with message_stop. An error in the stream becomes an
// EventError without Class, which the provider's classifier sets. Usage comes with
// message_start, and again with message_delta, which may correct it.
type streamReader struct{ answer }

func (r *streamReader) Event(out []chat.Event, name string, root jsonx.Value) ([]chat.Event, *chat.Error) {
	kind := root.Get("type").Str()
	switch {
	case kind == "error" || name == "error" || kind == "" && body.HasError(root.Get("error")):
		return out, decodeError(root)
	case kind == "message_start":
		return r.messageStart(out, root.Get("message"))
	case !r.started:
		return out, nil // a ping
	case len(r.blocks) > chat.MaxParts:
		return out, chat.TooMuch(chat.MaxParts, "parts")
	}
	index, _ := root.Get("index").Int64()
	switch kind {
	case "content_block_start":
		out = r.startBlock(out, index, root.Get("content_block"))
	case "content_block_delta":
		out = r.delta(out, index, root.Get("delta"))
	case "content_block_stop":
		out = r.stopBlock(out, index)
	case "message_delta":
		r.end(root.Get("delta"))
		out = r.count(out, root.Get("usage"))
	case "message_stop":
		out = r.finish(out)
		out = append(out, chat.Event{Kind: chat.EventEnd})
	}
	return out, nil
}

// messageStart begins the answer. Broken proxies begin it twice. Before the first block this does no harm; later it
// is another answer, which cannot be told from the first.
func (r *streamReader) messageStart(out []chat.Event, message jsonx.Value) ([]chat.Event, *chat.Error) {
	switch {
	case !r.started:
		return r.start(out, message), nil
	case r.said:
		return out, &chat.Error{Class: chat.Transport, Message: "the provider's stream began a second answer"}
	}
	return r.count(out, message.Get("usage")), nil
}

// End fails: the dialect's streams end with message_stop.
func (r *streamReader) End(out []chat.Event, _ bool) ([]chat.Event, *chat.Error) {
	return out, body.Cut()
}
