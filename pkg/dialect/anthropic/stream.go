package anthropic

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A streamDecoder decodes the events of a stream. The type in an event's data counts, not its name.
//
// EventFinish comes with message_stop. An error in the stream becomes an
// EventError without Class, which the provider's classifier sets. Usage comes with
// message_start, and again with message_delta, which may correct it.
type streamDecoder struct {
	doc jsonx.Doc
	answer
}

func (d *streamDecoder) Decode(out []chat.Event, name string, data []byte) []chat.Event {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return out
	}
	root, err := body.ReadEvent(&d.doc, data)
	if err != nil {
		return body.Fail(out, err)
	}
	kind := root.Get("type").Str()
	switch {
	case kind == "error" || name == "error" || kind == "" && body.HasError(root.Get("error")):
		return body.Fail(out, decodeError(root))
	case kind == "message_start":
		return d.messageStart(out, root.Get("message"))
	case !d.started:
		return out // a ping
	case len(d.blocks) > chat.MaxParts:
		return body.Fail(out, chat.TooMuch(chat.MaxParts, "parts"))
	}
	index, _ := root.Get("index").Int64()
	switch kind {
	case "content_block_start":
		out = d.startBlock(out, index, root.Get("content_block"))
	case "content_block_delta":
		out = d.delta(out, index, root.Get("delta"))
	case "content_block_stop":
		out = d.stopBlock(out, index)
	case "message_delta":
		d.end(root.Get("delta"))
		out = d.count(out, root.Get("usage"))
	case "message_stop":
		out = d.finish(out)
		out = append(out, chat.Event{Kind: chat.EventEnd})
	}
	return out
}

// messageStart begins the answer. Broken proxies begin it twice. Before the first block this does no harm; later it
// is another answer, which cannot be told from the first.
func (d *streamDecoder) messageStart(out []chat.Event, message jsonx.Value) []chat.Event {
	switch {
	case !d.started:
		return d.start(out, message)
	case d.said:
		return body.Fail(out, &chat.Error{Class: chat.Transport, Message: "the provider's stream began a second answer"})
	}
	return d.count(out, message.Get("usage"))
}

// Close appends an error: the dialect's streams end with message_stop.
func (d *streamDecoder) Close(out []chat.Event) []chat.Event {
	return body.Unfinished(out)
}
