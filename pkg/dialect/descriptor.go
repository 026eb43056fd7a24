package dialect

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// Dialect describes a wire format that callers speak: all that a server needs to know of it. Each
// dialect's package makes its own. It is read only, and safe for concurrent use.
type Dialect struct {
	Name Name
	// Bases are the paths below which the routes of the dialect lie.
	Bases []string
	// Aliases are other bases of the routes below Bases[0]: those that the SDKs of the dialect's providers have in
	// the program, so that their users set the host alone.
	Aliases []string
	// Roots are the routes, and those below them, that are also served without a base: "/chat/completions".
	Roots []string
	// Paths tell requests of the dialect's clients by their path.
	Paths Paths
	// Endpoints are the ways to ask.
	Endpoints []Endpoint
	// Models writes lists of models; nil: the dialect has none.
	Models ModelEncoder
	Errors ErrorEncoder
	// Status, unless nil, returns the HTTP status of an error where it is not that of its code.
	Status func(err *fault.Error) int

	// SDKs names the clients for people, in the genitive: "OpenAI's". SDKBase follows the origin in
	// the base URL that they want. Both are empty if there are none.
	SDKs    string
	SDKBase string
	// KeyHeader is the header in which the clients send their key, if they do not send it as Authorization.
	KeyHeader string
	// RequestIDHeader is a header in which the clients look for the request's id, beside X-Request-ID.
	RequestIDHeader string
	// SharesPaths says that clients of other dialects ask at the same paths, except those of Paths.Own. They are told
	// by their ClientHeader.
	SharesPaths bool
	// ClientHeader is a header that the clients always send.
	ClientHeader string
	// RateLimit sets the headers in which the clients look for a limit of their token; nil: they look for none.
	RateLimit func(h http.Header, l RateLimit)
}

// Content types of answers.
const (
	EventStream = "text/event-stream; charset=utf-8"
	JSON        = "application/json; charset=utf-8"
)

// Endpoint is one way to ask in a dialect. It has one of Chat, Embeddings and Count.
type Endpoint struct {
	// Name names the endpoint among those of all dialects. It is stored with asynchronous requests.
	Name string
	// Method follows the model in the path, after a colon: "generateContent". Empty: the path has no method.
	Method string
	// Query, unless empty, is the parameter that tells the endpoint from another of the same Method: "alt=sse".
	Query string
	// StreamType is the content type of streamed answers.
	StreamType string

	// Chat returns the codec of conversations with the model that the path names, if it names one.
	Chat func(model string) Server
	// Embeddings returns the codec of embeddings by the model that the path names, if it names one.
	Embeddings func(model string) EmbeddingServer
	// Count returns the codec of requests for the number of a conversation's tokens.
	Count func(model string) CountServer
	// Compact says that the answer to Chat is a shorter conversation, which only providers of the same dialect give.
	Compact bool
	// State is the codec of requests that refer to stored answers; nil: no answer is stored.
	State StateServer
}

// ErrorEncoder writes errors.
type ErrorEncoder interface {
	// EncodeError writes the body of an answer that failed before its first byte.
	EncodeError(err *fault.Error, requestID string) []byte
}

// EmbeddingServer is the half of embeddings towards callers.
type EmbeddingServer interface {
	// DecodeEmbedding reads a caller's body. Errors are those of Server.DecodeRequest.
	DecodeEmbedding(body []byte) (*chat.EmbeddingRequest, error)
	// EncodeEmbedding writes the answer to req. It fails if a vector has no form in JSON.
	EncodeEmbedding(resp *chat.EmbeddingResponse, req *chat.EmbeddingRequest) ([]byte, error)
}

// CountServer is the half of counting tokens towards callers.
type CountServer interface {
	// DecodeCount reads a caller's body. Errors are those of Server.DecodeRequest.
	DecodeCount(body []byte) (*chat.Request, Route, error)
	// EncodeCount writes the answer.
	EncodeCount(inputTokens int64) []byte
}

// Model is a model as lists of models show it.
type Model struct {
	ID string
	// Providers serve it; the first is tried first.
	Providers []string
	// Mode is what the model is asked through: chat, responses, embedding.
	Mode         string
	Embeds       bool
	Reasons      bool
	Released     time.Time // the first of January 1970 if unknown
	Context      int64     // tokens; 0: unknown
	MaxOutput    int64     // tokens; 0: unknown
	Capabilities []string
}

// ModelEncoder makes lists of models, as values for encoding/json.
type ModelEncoder interface {
	// List returns the page of the models, which are sorted by id, that the query asks for. The
	// error is the query's.
	List(models []Model, query Query) (any, error)
	Model(m Model) any
}

// Query reads the parameters of a request's URL, and collects what is wrong with them.
type Query interface {
	// Integer returns a number within the bounds, or absent if it is not given.
	Integer(name string, low, high, absent int64) int64
	// Text returns a short text without control characters, or "".
	Text(name string) string
	// Err returns what is wrong: Validation, or nil.
	Err() error
}

// Known returns a number of which 0 means unknown, as JSON has it: nil.
func Known(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// Paths tell by a path which dialect a client speaks, whether or not a route has the path. The end
// of the path, which an SDK adds to its base URL, says more than the base, which may be wrong.
type Paths struct {
	Below   []string // the path itself, or one below it
	Contain []string
	EndIn   []string
	Own     []string // they end in these, and no other dialect's client asks there
	Methods []string // what the method after a model and a colon ends in
}

// Match says whether a client of the dialect asks for the path.
func (p Paths) Match(path string) bool {
	trimmed := strings.TrimRight(path, "/")
	return slices.ContainsFunc(p.Contain, func(s string) bool { return strings.Contains(path, s) }) ||
		slices.ContainsFunc(p.EndIn, func(s string) bool { return strings.HasSuffix(trimmed, s) }) || p.owns(trimmed) ||
		slices.ContainsFunc(p.Below, func(s string) bool { return below(path, s) }) || p.matchMethod(path)
}

func (p Paths) owns(path string) bool {
	return slices.ContainsFunc(p.Own, func(s string) bool { return strings.HasSuffix(path, s) })
}

// matchMethod matches models/MODEL:method.
func (p Paths) matchMethod(path string) bool {
	if len(p.Methods) == 0 || !strings.Contains(path, "/models/") {
		return false
	}
	_, method, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ":")
	return slices.ContainsFunc(p.Methods, func(s string) bool { return strings.HasSuffix(method, s) })
}

func below(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == '/')
}

// Of returns the dialect that a client speaks who sends the header to the path, or nil if no dialect's
// paths match. The first of the dialects that match counts.
func Of(dialects []*Dialect, path string, header http.Header) *Dialect {
	i := slices.IndexFunc(dialects, func(d *Dialect) bool { return d.Paths.Match(path) })
	if i < 0 {
		return nil
	}
	if dialects[i].SharesPaths && !dialects[i].Paths.owns(strings.TrimRight(path, "/")) {
		for _, d := range dialects {
			if d.ClientHeader != "" && header.Get(d.ClientHeader) != "" {
				return d
			}
		}
	}
	return dialects[i]
}
