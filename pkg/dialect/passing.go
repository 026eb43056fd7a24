package dialect

import "github.com/alicetears/llm-gateway/pkg/chat"

// Passing is a Client whose dialect callers speak, too, so that their bytes may go through:
// fields that the gateway does not know, the order of members and so the prefixes of prompt caches survive.
type Passing interface {
	// PassRequest returns the caller's body with only the model (req.Model) and what the
	// rules force changed. It is false if the rules force something that cannot be done to the
	// bytes; EncodeRequest is used then.
	PassRequest(body []byte, req *chat.Request, rules *Rules) (enc Encoded, ok bool)
	// PassResponse returns a whole answer as the caller is to see it.
	PassResponse(body []byte) []byte
	// PassEvent appends an event of a streamed answer, framing included, as the caller who sent req is to
	// see it; there may be nothing. data is only valid during the call.
	PassEvent(out []byte, name string, data []byte, req *chat.Request) []byte
}
