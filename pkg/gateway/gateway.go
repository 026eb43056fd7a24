// Package gateway serves requests of all dialects:
//
//	authenticate → candidates → reserve → call → (fail over → reserve → call)* → answer → settle
//
// The quota of a key is reserved before the provider is called, and the reservation is released if the provider did
// not serve the request. A request is settled once, before the last byte goes out, also when the client disconnects or
// the provider's answer breaks off.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/outbound"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/telemetry"
)

// Settings are what the operator may set.
type Settings struct {
	Strategy Strategy // for users who did not choose
	// Timeout bounds a request with all its attempts.
	Timeout time.Duration
	// FirstEvent is how long a stream waits for a sign of life of the provider before another key is tried;
	// ReasoningFirstEvent replaces it for models that reason, and for whole answers. Each is at most half of the time that
	// is left. 0: for ever.
	FirstEvent, ReasoningFirstEvent time.Duration
	// HeartbeatAfter is how long a stream's client waits for its status: after it the call is pending. 0: for ever.
	HeartbeatAfter time.Duration
	// MaxAttempts bounds the calls of providers for a request; 0: 10.
	MaxAttempts int
	// IdleTimeout is how long a provider may send nothing.
	IdleTimeout time.Duration
	// UpstreamRequests is how many requests may be with providers at one time; 0: 1,000. A user may have half of them.
	UpstreamRequests int
	// Backlog is how many bytes of usage are kept while the database is away; then new requests are refused. 0: none,
	// because the process does not run between requests. Then usage is logged.
	Backlog int64
	// Trace says of which requests a trace is kept, and TraceSamplePercent of how many under TraceSampled.
	Trace              TraceMode
	TraceSamplePercent int
	// CustomEndpoints says where the endpoints that users name may be. The zero value turns them off.
	CustomEndpoints outbound.Policy
}

// Cost returns the cost of a request.
type Cost func(r catalog.Request, usage *chat.Usage) catalog.Charge

// Dearest returns the highest prices that a request with at most so many input tokens may be charged. Errors:
// catalog.ErrUnpriced, catalog.ErrUnknownTier.
type Dearest func(r catalog.Request, input int64) (catalog.Ceiling, error)

// Deps are what a Gateway works with. All are required but OnSettled and Observer.
type Deps struct {
	DB        store.DB
	Quota     *quota.Quota
	Secrets   *auth.Secrets
	Providers *provider.Table
	Upstream  *provider.Client
	Cost      Cost
	Dearest   Dearest
	Log       *slog.Logger
	Now       func() time.Time
	// OnSettled, if set, is called after a request was settled and its answer was handed over.
	OnSettled func(context.Context, Settled)
	// Observer, if set, is told of every request. It may be set until the first request comes.
	Observer telemetry.Observer
}

// Settled describes a request that was settled.
type Settled struct {
	At int64 // Unix milliseconds
	// FirstOfDay reports that its reservation was the first of a UTC day for a key. Over all processes one request
	// a key and day has it, or a few if the reservation is released.
	FirstOfDay bool
}

// ErrStopping is the cause of a context's end (context.WithCancelCause) when the process stops. Clients that still wait
// for an answer get an error that says so.
var ErrStopping = errors.New("the gateway stops")

// Gateway serves requests. It is safe for concurrent use; make one a process.
type Gateway struct {
	Deps
	settings Settings
	tables   *tableCache
	hints    *hints
	slots    slots
	settles  *store.Group[store.Record]
	backlog  *backlog // nil: see Settings.Backlog

	unknownFields unknownFields
	serverLists   serverLists
}

// settleLimit bounds the records in one transaction.
const settleLimit = 64

// New returns a Gateway.
func New(deps Deps, settings Settings) *Gateway {
	settings.MaxAttempts = cmp.Or(settings.MaxAttempts, 10)
	g := &Gateway{Deps: deps, settings: settings, tables: newTableCache(), hints: newHints(),
		slots: newSlots(settings.UpstreamRequests)}
	g.settles = store.NewGroup(settleLimit, deps.DB.Timeout, func(ctx context.Context, batch []store.Record) error {
		return g.DB.Run(ctx, store.Settle(batch, g.Now().UnixMilli())...)
	})
	if settings.Backlog > 0 {
		g.backlog = newBacklog(settings.Backlog, func(ctx context.Context, records []store.Record) error {
			return g.DB.Run(ctx, store.Settle(records, g.Now().UnixMilli())...)
		}, g.notWritten)
	}
	return g
}

func errBacklogFull() error {
	return &fault.Error{Code: fault.Unavailable, RetryAfter: 5 * time.Second,
		Message: "the gateway keeps as much usage as it may until its database takes it; try again shortly"}
}

// Principal is who sends a request.
type Principal struct {
	// Digests are the digests under which the gateway token may be stored, the likeliest first.
	Digests []auth.TokenDigest
	// Session and User are set instead for a request from the dashboard. The session was looked up already; the
	// reserve checks again that it is valid.
	Session store.ID
	User    store.ID
	// Token is the id of the gateway token where there are no Digests: a job stores no more of it.
	Token store.ID
}

// Request is a request and how it arrived.
type Request struct {
	ID        store.ID  // made when the request arrived
	Arrived   time.Time // for traces; zero: not known
	Principal Principal
	Chat      *chat.Request // decoded
	Route     dialect.Route
	// Endpoint names what was asked, see [dialect.Endpoint]: a token may be restricted to some.
	Endpoint string
	// Embedding, if not nil, asks for vectors. Then Chat has only the model.
	Embedding *chat.EmbeddingRequest
	// Compact asks for a shorter conversation in the place of an answer. Dialect and Body are required.
	Compact bool
	// Dialect is the client's wire format and Body what it sent. A provider of the same dialect gets these bytes, with as
	// few changes as its rules allow. Empty: every request is translated.
	Dialect dialect.Name
	Body    []byte
	// changedMessages are the indexes of the messages of Chat that differ from Body.
	changedMessages []int
	// Header is the client's. Only what the provider's row allows is forwarded.
	Header http.Header
	// EndUser, if set, returns what the request says in one of [EndUserSources].
	EndUser func(source string) string
	// Tags say what the request is for, in the usage.
	Tags []string
	// EndStatements, if set, returns statements that commit together with the usage row. failure is the error that the
	// client gets, nil if c has the answer. If they fail with store.CodeNull, another process has ended the job of
	// the request, and nothing is written.
	EndStatements func(c *Call, failure *fault.Error) []store.Stmt
	// AtEnd, if set, is called once, before the record of an answer is written that has come to its end. It gets the
	// events that [Call.Next] is about to return, none if the answer does not stream, and the bytes that [Call.Raw] is
	// going to return. Its statements commit together with the usage row.
	AtEnd func(c *Call, last []chat.Event, raw []byte, passthrough bool) []store.Stmt
}

// Start sends a request to providers until one has answered or, of a stream, begins to answer: then the Call
// streams the answer. The Call must be closed.
//
// Errors are *fault.Error, already settled: Validation (the provider rejects the request), Unauthorized,
// NoEligibleKey, RateLimit (all fitting keys are spent or cooling down; RetryAfter is the soonest), Provider,
// Unavailable (the database), Cancelled.
func (g *Gateway) Start(ctx context.Context, request Request) (*Call, error) {
	if g.backlog != nil && g.backlog.full() {
		return nil, errBacklogFull()
	}
	ctx, cancel := context.WithTimeout(ctx, g.settings.Timeout)
	c := &Call{g: g, req: request, ctx: ctx, cancel: cancel, started: g.Now(), tried: map[candidateID]bool{}, asked: request.Chat.Model}
	open := c.openContained
	if request.Chat.Stream {
		open = c.openStream
	}
	if err := open(); err != nil {
		f := c.fail(err)
		cancel()
		c.giveSlot()
		return nil, f
	}
	return c, nil
}
