package dialect

import "github.com/alicetears/llm-gateway/pkg/chat"

// Passing is a Client whose dialect callers speak too, so that their bytes may go through: fields that
// the gateway does not know, the order of members and so the prefixes of prompt caches survive.
type Passing interface {
	Client
	// PassRequest returns the caller's body, of which req was decoded, with only the model
	// (req.Model is the one to send) and what the rules force changed; its Warnings are those that
	// EncodeRequest would give, and one for each unknown field that was dropped. changed are the
	// indexes, ascending, of the messages of req, all of the assistant, that are not those of the body: they are
	// written anew, and so are those that the rules force to be written otherwise; if need be all of them,
	// but nothing beside them. ok is false if the rules force something else that cannot be done to the
	// bytes: then EncodeRequest is used, which may refuse the request.
	PassRequest(body []byte, req *chat.Request, changed []int) (enc Encoded, ok bool)
	// NewStreamPasser returns what hands the events of one streamed answer to the caller who sent req.
	NewStreamPasser(req *chat.Request) StreamPasser
}

// StreamPasser hands the events of one streamed answer on.
type StreamPasser interface {
	// Pass appends the event as the caller is to see it, framing included, to out and returns it; there may be
	// nothing. data is only valid during the call.
	Pass(out []byte, name string, data []byte) []byte
}

// Follower is a StreamEncoder to whom it matters what is handed on past it: it frames it in another way, or tells
// a failure so that it goes on from there.
type Follower interface {
	// Follow appends what a StreamPasser gave as the caller is to see it. There may be nothing, or several events;
	// last is the kind of the last of them, and nothing follows EventEnd.
	Follow(out, raw []byte, last chat.EventKind) []byte
}
