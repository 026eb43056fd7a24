// Package gateway takes a request its whole way, whatever the dialect:
//
//	authenticate → candidates → reserve → call → (fail over → reserve → call)* → answer → settle
//
// A place in a key's quota is reserved before the provider is called and given back
// if the provider did not serve. What happened is settled once, before the last byte
// goes out, also when the caller hangs up or the provider breaks off.
package gateway

import (
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
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Strategy is how keys of equal priority share the work.
type Strategy string

// The strategies.
const (
	ExhaustFirst Strategy = "exhaust-first" // the oldest until its quota is spent, then the next
	RoundRobin   Strategy = "round-robin"   // in turn
)

// Settings are what the operator may set.
type Settings struct {
	Strategy Strategy // for users who did not choose
	// Timeout bounds a request with all its attempts.
	Timeout time.Duration
	// FirstEvent is how long status and headers wait for the first substantive event of a stream.
	FirstEvent time.Duration
	// Silence is how long a provider may send nothing.
	IdleTimeout time.Duration
}

// Cost returns the cost of a request in nano-dollars; priced is false if a price is missing that the request needs.
type Cost func(r catalog.Request, usage *chat.Usage) (nanos int64, priced bool)

// Deps are what a Gateway works with. All are required but OnSettled.
type Deps struct {
	DB        store.DB
	Quota     *quota.Quota
	Secrets   *auth.Secrets
	Providers *provider.Table
	Upstream  *provider.Client
	Cost      Cost
	Log       *slog.Logger
	Now       func() time.Time
	// OnSettled, if set, is called after a request was settled and its answer is out of the
	// gateway's hands.
	OnSettled func(context.Context, Settled)
}

// Settled tells of a request that was settled.
type Settled struct {
	At int64 // Unix milliseconds
	// FirstOfDay says that it took the first place of a UTC day in a key's quota: of all requests of
	// a day, in whatever process, one a key does, or few if it was given back.
	FirstOfDay bool
}

// ErrStopping, as the cause of a context's end (context.WithCancelCause), says that the process
// stops: whoever still waits for an answer is told so.
var ErrStopping = errors.New("the gateway stops")

// Gateway serves requests. It is safe for concurrent use; make one a process.
type Gateway struct {
	Deps
	settings Settings
	tables   *tableCache
	hints    *hints
	settles  *store.Group[store.Record]
}

// The bounds of a settle group: what one transaction may hold, and how long it may take.
const (
	settleLimit   = 64
	settleTimeout = 10 * time.Second
)

// New returns a Gateway.
func New(deps Deps, settings Settings) *Gateway {
	g := &Gateway{Deps: deps, settings: settings, tables: newTableCache(), hints: newHints()}
	g.settles = store.NewGroup(settleLimit, settleTimeout, func(ctx context.Context, batch []store.Record) error {
		return g.DB.Run(ctx, store.Settle(batch)...)
	})
	return g
}

// Principal is who asks.
type Principal struct {
	// Digests are those under which the gateway token may be stored, the likelier first.
	Digests []auth.TokenDigest
	// Session and User are set instead for a request from the dashboard. The session was looked
	// up already; that it still stands is checked again with the reserve.
	Session store.ID
	User    store.ID
	// Token names the gateway token by its id, where there are no Digests: a job keeps no more of it.
	Token store.ID
}

// Ask is one request.
type Request struct {
	ID        store.ID // of the request, made when it arrived
	Principal Principal
	Chat      *chat.Request
	Route     dialect.Route
	// Embedding, if not nil, asks for vectors instead of a conversation. Request has then only the model.
	Embedding *chat.EmbeddingRequest
	// Dialect is the wire format in which the caller asks, and Body what it sent: a provider that speaks the
	// same gets these bytes, changed as little as its rules allow. Empty: everything is translated.
	Dialect dialect.Name
	Body    []byte
	// changed are the indexes of the messages of Request that are not those of Body any more.
	changedMessages []int
	// Header is the caller's; only what the provider's row allows goes up.
	Header http.Header
	// Also, if set, is asked when the request is settled for statements that belong to its end; they commit with
	// the usage row or not at all. failure is what the caller is told, nil if c has the answer. If they fail
	// with store.CodeNull, somebody else has ended what the request was for: then nothing is written.
	EndStatements func(c *Call, failure *fault.Error) []store.Stmt
}

// Start takes a request up to its answer, or to the point where the answer is
// committed to one key: then the Call streams it. The Call must be closed.
//
// Errors are *fault.Error, already settled: Validation (the provider says that the
// request is at fault), Unauthorized, NoEligibleKey, RateLimit (all fitting keys are spent or
// rest; RetryAfter is the soonest), Provider, Unavailable (the database), Cancelled.
func (g *Gateway) Start(ctx context.Context, request Request) (*Call, error) {
	ctx, cancel := context.WithTimeout(ctx, g.settings.Timeout)
	c := &Call{g: g, req: request, ctx: ctx, cancel: cancel, started: g.Now(), tried: map[store.ID]bool{}}
	err := c.open()
	if err != nil {
		f := c.fail(err)
		cancel()
		return nil, f
	}
	return c, nil
}
