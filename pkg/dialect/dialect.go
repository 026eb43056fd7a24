// Package dialect says what a wire format must be able to do. Each format is a
// package below: pure translation between bytes and package chat, without I/O
// and without a clock, in two halves. The client half talks to a provider, the
// server half to our callers.
package dialect

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Name names a dialect: "openai". Each dialect's package has its own as Name.
type Name string

// Client is a dialect's half towards one provider, whose rules it holds. Implementations are
// stateless and safe for concurrent use.
type Client interface {
	// Dialect returns the dialect's name.
	Dialect() Name
	// Common returns the part of the rules that all dialects have.
	Common() *CommonRules
	// Traits returns what the rules say about more than the request. Model may be empty: then
	// what holds for one model alone is unset.
	Traits(model string) Traits
	// EncodeRequest writes the request for the model as the provider's rules
	// want it. What the target cannot express is dropped with a warning, or refused with
	// a *chat.Error of class BadRequest where dropping would change the meaning.
	EncodeRequest(req *chat.Request) (Encoded, error)
	// DecodeResponse reads a whole answer of status 2xx. An error inside it (some
	// providers commit to status 200 early) comes back as *chat.Error without Class,
	// a body that cannot be read as one of class Transport.
	DecodeResponse(body []byte) (*chat.Response, error)
	// NewStreamDecoder returns a decoder for one streamed answer.
	NewStreamDecoder() StreamDecoder
	// DecodeError reads the body of a failed answer into Code, Type, Param and Message.
	// It never fails: a body that it cannot read gives an empty message. It leaves Class to
	// the provider's classifier.
	DecodeError(body []byte) *chat.Error
}

// Encoded is a request ready to be sent.
type Encoded struct {
	// Path follows the provider's base URL, such as "/chat/completions".
	Path string
	Body []byte
	// Header holds what the dialect itself needs, besides the content type and the key.
	Header http.Header
	// Warnings say, in English, what was dropped or changed: "seed is not supported by anthropic: dropped".
	Warnings []string
}

// StreamDecoder reads the events of one streamed answer.
type StreamDecoder interface {
	// Decode reads the payload of one server-sent event: its name (empty if it had
	// none) and its data, which is only valid during the call. It appends what the event
	// means to out and returns it; there may be nothing. After chat.EventEnd or
	// chat.EventError it is not called again. An event that cannot be read gives an
	// EventError of class Transport.
	Decode(out []chat.Event, name string, data []byte) []chat.Event
	// Close is called when the stream ended without EventEnd or EventError: it
	// appends EventEnd if the dialect has no terminator and the answer is complete, else an
	// EventError of class Transport.
	Close(out []chat.Event) []chat.Event
}
