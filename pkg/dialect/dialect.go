// Package dialect defines what a wire format has to implement. Each format is a package below. It
// translates between bytes and package chat, without I/O and without a clock. A Client encodes requests
// to a provider and decodes its answers; a Server decodes requests of our callers and encodes the answers.
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
	// EncodeRequest encodes the request by the provider's rules. It drops what the provider cannot
	// express with a warning, or refuses it with a *chat.Error of class BadRequest where dropping
	// would change the meaning.
	EncodeRequest(req *chat.Request) (Encoded, error)
	// DecodeResponse decodes a whole answer of status 2xx. It returns an error inside it (some
	// providers send status 200 early) as a *chat.Error without Class, and a body that it cannot
	// decode as one of class Transport.
	DecodeResponse(body []byte) (*chat.Response, error)
	// NewStreamDecoder returns a decoder for one streamed answer.
	NewStreamDecoder() StreamDecoder
	// DecodeError decodes the body of a failed answer into Code, Type, Param and Message. It never
	// fails: a body that it cannot decode gives an empty message. The provider's classifier sets Class.
	DecodeError(body []byte) *chat.Error
}

// Encoded is a request ready to be sent.
type Encoded struct {
	// Path follows the provider's base URL, such as "/chat/completions".
	Path string
	Body []byte
	// Header holds the headers that the dialect needs beside the content type and the key.
	Header http.Header
	// Warnings tell people what was dropped or changed: "seed is not supported by anthropic: dropped".
	Warnings []string
}

// StreamDecoder reads the events of one streamed answer.
type StreamDecoder interface {
	// Decode decodes one server-sent event: its name (empty if it has none) and its data, which
	// is only valid during the call. It appends the resulting events, if any, to out. It is not
	// called again after chat.EventEnd or chat.EventError. An event that it cannot decode gives
	// an EventError of class Transport.
	Decode(out []chat.Event, name string, data []byte) []chat.Event
	// Close is called when the stream ended without EventEnd or EventError. It appends EventEnd
	// if the dialect has no terminator and the answer is complete, else an EventError of class
	// Transport.
	Close(out []chat.Event) []chat.Event
}
