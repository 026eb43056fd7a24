package dialect

import "github.com/alicetears/llm-gateway/pkg/chat"

// Passthrough is a Client for whose providers a caller's body of the same dialect need not be translated. Fields that
// the gateway does not know survive, and so do the prefixes of prompt caches, as members keep their order.
type Passthrough interface {
	Client
	// PassthroughRequest returns the body that req was decoded from, with the model (req.Model) and what the rules force
	// changed. The warnings are those of EncodeRequest, and one for each unknown field that is dropped. The messages of
	// the assistant with the indexes in changed, which ascend, differ from those of the body: at least they are encoded
	// anew. If ok is false, the request has to be encoded by EncodeRequest, which may refuse it.
	PassthroughRequest(body []byte, req *chat.Request, changed []int) (enc Encoded, ok bool)
	// NewStreamPassthrough returns what hands one streamed answer to the caller who sent req.
	NewStreamPassthrough(req *chat.Request) StreamPassthrough
}

// Compactor is a Passthrough whose provider shortens conversations: the answer is what goes in their place.
type Compactor interface {
	Passthrough
	// CompactRequest returns the request for the body of the same dialect that req was decoded from. If ok is false, it
	// cannot be sent.
	CompactRequest(body []byte, req *chat.Request) (enc Encoded, ok bool)
}

// CallIDsPassthrough is a Passthrough whose callers tell calls by their ids. Its StreamPassthrough changes in streams
// what DistinctCallIDs changes in whole answers.
type CallIDsPassthrough interface {
	// DistinctCallIDs returns the whole answer to req with other ids where a call has that of another call in the
	// answer or the conversation.
	DistinctCallIDs(answer []byte, req *chat.Request) []byte
}

// CompletingPassthrough is a Passthrough whose callers require members of a whole answer that some providers leave out.
type CompletingPassthrough interface {
	// CompleteAnswer returns the answer with these members.
	CompleteAnswer(answer []byte) []byte
}

// StreamPassthrough hands on the events of one streamed answer.
type StreamPassthrough interface {
	// Append appends the event as the caller gets it, with its framing, to out; some events are left out. The data is
	// only valid during the call.
	Append(out []byte, name string, data []byte) []byte
}

// PassthroughEncoder is a StreamEncoder that has to see the events that are passed through: it frames them in another
// way, or an error that it encodes later has to continue them.
type PassthroughEncoder interface {
	// AppendPassthrough appends what a StreamPassthrough gave as the caller gets it: nothing, or some events. The
	// last of them has the kind last; nothing follows EventEnd.
	AppendPassthrough(out, raw []byte, last chat.EventKind) []byte
}
