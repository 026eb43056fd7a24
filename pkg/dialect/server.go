package dialect

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// Route restricts the keys that may serve a request, as its caller asks.
type Route struct {
	// Provider is the only provider asked for; empty or "auto": any.
	Provider string
	// Providers, if not nil, are the only ones allowed.
	Providers []string
	// Priorities, if not nil, are the only ones allowed.
	Priorities []int64
	// RequestID is the caller's own id of the request. Answers repeat it.
	RequestID string
	// Models are to serve, in this order, if the request's model cannot.
	Models []string
	// Strategy is the order of what may serve; empty: the user's.
	Strategy string
	// Async asks for an answer later.
	Async bool
}

// Auto as a Route's provider leaves the choice to the gateway.
const Auto = "auto"

// Allows says whether the route allows the provider.
func (r *Route) Allows(provider string) bool {
	if r.Provider != "" && r.Provider != Auto && r.Provider != provider {
		return false
	}
	return r.Providers == nil || slices.Contains(r.Providers, provider)
}

// Server decodes the requests of our callers and encodes the answers. Implementations are stateless
// and safe for concurrent use.
type Server interface {
	// DecodeRequest decodes a caller's body. Errors are *fault.Error of code Validation, whose
	// details list every issue.
	DecodeRequest(body []byte) (*chat.Request, Route, error)
	// EncodeResponse encodes a whole answer.
	EncodeResponse(resp *chat.Response, served Served) []byte
	// NewStreamEncoder returns an encoder for one streamed answer.
	NewStreamEncoder(served Served) StreamEncoder
	// EncodeError encodes an error that happens before the first byte of an answer.
	EncodeError(err *fault.Error, requestID string) []byte
}

// Served is what the gateway adds to the provider's answer.
type Served struct {
	RequestID string // the caller's own, or the gateway's
	Provider  string
	Model     string // as the provider was asked
	Created   int64  // Unix seconds
	// UnaskedUsage says that the provider has the caller's dialect, and streams usage though nobody asked for it.
	UnaskedUsage bool
	// EstimateInput estimates the input tokens, for dialects that tell them before the provider does; nil: unknown.
	EstimateInput func() int64
	// Request is the decoded request. Some dialects repeat parts of it in the answer.
	Request *chat.Request
}

// StreamEncoder writes a streamed answer as server-sent events.
type StreamEncoder interface {
	// Encode appends the event, with its framing, to out; some events give nothing.
	Encode(out []byte, ev *chat.Event) []byte
	// Error appends an error that happens after the first byte, and the end of the stream.
	Error(out []byte, err *fault.Error) []byte
	// Heartbeat appends bytes without meaning, which keep an idle connection open.
	Heartbeat(out []byte) []byte
}
