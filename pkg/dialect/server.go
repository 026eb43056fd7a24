package dialect

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// Route is what a caller says about where a request may go.
type Route struct {
	// Provider is the only provider asked for; empty or "auto": any.
	Provider string
	// Providers, if not nil, are the only ones allowed.
	Providers []string
	// Priorities, if not nil, are the only ones allowed.
	Priorities []int64
	// RequestID is the caller's own name for the request; it is echoed.
	RequestID string
	// Async asks for an answer later.
	Async bool
}

// Auto as a Route's provider leaves the choice to the gateway.
const Auto = "auto"

// Allows says whether the route leads to the provider.
func (r *Route) Allows(provider string) bool {
	if r.Provider != "" && r.Provider != Auto && r.Provider != provider {
		return false
	}
	return r.Providers == nil || slices.Contains(r.Providers, provider)
}

// Server is a dialect's half towards our callers. Implementations are stateless
// and safe for concurrent use.
type Server interface {
	// DecodeRequest reads a caller's body. Errors are *fault.Error with Code
	// Validation whose details list every issue found.
	DecodeRequest(body []byte) (*chat.Request, Route, error)
	// EncodeResponse writes a whole answer.
	EncodeResponse(resp *chat.Response, served Served) []byte
	// NewStreamEncoder returns an encoder for one streamed answer.
	NewStreamEncoder(served Served) StreamEncoder
	// EncodeError writes the body of an answer that failed before its first byte.
	EncodeError(err *fault.Error, requestID string) []byte
}

// Served says what the gateway knows of the answer beside what the provider sent.
type Served struct {
	RequestID string // the caller's, or the gateway's
	Provider  string
	Model     string // as the provider was asked
	Created   int64  // Unix seconds
	// Request is the caller's, as DecodeRequest read it: some formats repeat it in the answer.
	Request *chat.Request
}

// StreamEncoder writes a streamed answer as server-sent events.
type StreamEncoder interface {
	// Encode appends what the event is in the dialect, framing included, to out and
	// returns it; there may be nothing.
	Encode(out []byte, ev *chat.Event) []byte
	// Error appends a failure after the first byte, and what ends the stream after it.
	Error(out []byte, err *fault.Error) []byte
	// Heartbeat appends what fills silence without meaning anything.
	Heartbeat(out []byte) []byte
}
