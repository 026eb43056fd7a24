package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Call is a request on its way. One goroutine uses it.
type Call struct {
	g      *Gateway
	ask    Ask
	ctx    context.Context
	cancel context.CancelFunc
	begun  time.Time

	entry  *entry
	fit    []candidate // in the order in which to try them
	passed []passed
	tried  map[store.ID]bool
	state  quota.Status // as last asked, for refusals
	held   map[store.ID]*heldTurn
	stays  store.ID // the key that made the latest held turn; zero if there is none
	turn   turn     // what is to be held of this one

	before  []store.Stmt // what the failed attempt leaves to the next trip
	last    *attempt     // the attempt that counts
	again   bool         // it is the last key's second, and no key has a third
	current *attempt     // committed: its answer goes to the caller
	count   int          // attempts made
	unsent  int          // of these: those whose request the provider's dialect could not express
	trace   trace

	waiting   <-chan *attempt // committed before its first event
	committed time.Duration
	firstByte *int64
	meter     meter
	ended     bool // nothing more comes
	settled   bool
	answered  *chat.Response
	warnings  []string
	buf       []chat.Event
}

// KeyID is the key that answers.
func (c *Call) KeyID() store.ID { return c.current.key.id }

// Provider is the id of the provider that answers.
func (c *Call) Provider() string { return c.current.key.providerID }

// Model is the model that the provider was asked for.
func (c *Call) Model() string { return c.current.key.model }

// Latency is the time from the request's arrival until the answer was whole or, of
// a stream, until it was committed to the key.
func (c *Call) Latency() time.Duration { return c.committed }

// Warnings say what the provider could not express.
func (c *Call) Warnings() []string { return c.warnings }

// Response is the whole answer of a request that does not stream.
func (c *Call) Response() *chat.Response { return c.answered }

// Vectors is the answer to a request for embeddings.
func (c *Call) Vectors() *chat.EmbeddingResponse { return c.current.vectors }

// RawResponse is the same as the provider sent it, if that is the caller's dialect, too; else nil.
func (c *Call) RawResponse() []byte { return c.current.raw }

// open finds the key that answers. It returns with an answer, or committed to one.
func (c *Call) open() error {
	if err := c.route(); err != nil {
		return err
	}
	if err := c.recall(); err != nil {
		return err
	}
	// Each turn tries a key, learns why one was refused, or reloads: the bound is never
	// reached unless keys change under way all the time.
	for turns := 4 + 3*len(c.fit); turns > 0; turns-- {
		if err := c.ctx.Err(); err != nil {
			return c.cut(err)
		}
		pick := c.pick(c.nowMs())
		if len(pick) == 0 {
			if c.retrySame() {
				continue
			}
			again, err := c.consult()
			if err != nil {
				return err
			}
			if again {
				continue
			}
			return c.refusal()
		}
		res, ok, err := c.reserve(pick)
		if err != nil {
			return c.unavailable(err)
		}
		if !ok {
			again, err := c.consult()
			if err != nil {
				return err
			}
			if !again {
				return c.refusal()
			}
			continue
		}
		done, err := c.try(keyOf(pick, res.Key), res)
		if done || err != nil {
			return err
		}
	}
	return c.refusal()
}

func keyOf(keys []candidate, id store.ID) candidate {
	for _, k := range keys {
		if k.id == id {
			return k
		}
	}
	return keys[0]
}

func (c *Call) nowMs() int64 { return c.g.Now().UnixMilli() }

// route loads the caller's table and chooses the candidates.
func (c *Call) route() error {
	entry, err := c.g.entryOf(c.ctx, c.ask.Caller)
	if err != nil {
		return c.unavailable(err)
	}
	if entry == nil {
		return errUnknownToken()
	}
	c.entry = entry
	c.fit, c.passed = entry.table.candidates(c.ask.Request.Model, c.ask.Route, c.ask.service())
	return nil
}

func (c *Call) principal() store.Principal {
	return store.Principal{User: c.entry.table.user, Token: c.entry.token, Session: c.ask.Caller.Session}
}

func (c *Call) reserve(pick []candidate) (quota.Reservation, bool, error) {
	claim := quota.Request{
		Principal: c.principal(), Revision: c.entry.table.revision, Now: c.nowMs(),
		Keys: idsOf(pick),
	}
	if len(c.before) == 0 {
		return c.g.Quota.Reserve(c.ctx, claim)
	}
	before := c.before
	res, ok, err := c.g.Quota.ReserveNext(c.ctx, before, claim)
	if err == nil {
		c.before = nil
	}
	return res, ok, err
}

// consult asks the database how the caller and the keys stand, once something was
// refused. It says whether there is now a key to try.
func (c *Call) consult() (again bool, err error) {
	now := c.nowMs()
	v, err := c.g.Quota.Refresh(c.ctx, c.principal(), now)
	if err != nil {
		return false, c.unavailable(err)
	}
	if !v.Access {
		c.g.tables.drop(c.ask.Caller.credential())
		return false, errNoAccess()
	}
	c.state = v
	if v.Revision != c.entry.table.revision {
		c.g.tables.drop(c.ask.Caller.credential())
		if err := c.route(); err != nil {
			return false, err
		}
	}
	c.g.hints.learn(v, now)
	return len(c.pick(now)) > 0, nil
}

// try calls the provider with the reserved key. done says that the answer is there or
// committed; an error that no other key can do better.
func (c *Call) try(k candidate, res quota.Reservation) (done bool, err error) {
	c.count++
	c.tried[k.id] = true
	a := &attempt{key: k, reservation: res, begun: c.g.Now(), stream: c.ask.Request.Stream}
	c.last = a
	ask := c.ask
	ask.Request, ask.changed = c.withState(k)
	if a.stream {
		done = c.waitForFirstEvent(a, ask)
	} else {
		c.g.callWhole(c.ctx, a, ask)
	}
	if done || a.failure == nil {
		c.commit(a)
		return true, nil
	}
	return false, c.failed(a)
}

// waitForFirstEvent says whether the wait for the first substantive event has taken so long
// that status and headers go out without it.
func (c *Call) waitForFirstEvent(a *attempt, ask Ask) bool {
	first := make(chan *attempt, 1)
	go func() {
		c.g.callStream(c.ctx, a, ask)
		first <- a
	}()
	timer := time.NewTimer(max(0, c.g.settings.FirstEvent-c.g.Now().Sub(c.begun)))
	defer timer.Stop()
	select {
	case <-first:
		return false
	case <-timer.C:
		c.waiting = first
		return true
	}
}

// commit makes a's answer the caller's.
func (c *Call) commit(a *attempt) {
	c.current = a
	c.committed = c.g.Now().Sub(c.begun)
	if c.waiting == nil {
		c.warnings = a.warnings
		c.noteFirstByte(a)
	}
	if !a.stream {
		c.finishWhole(a)
	}
}

func (c *Call) noteFirstByte(a *attempt) {
	if c.firstByte == nil && !a.firstByte.IsZero() {
		ms := a.firstByte.Sub(c.begun).Milliseconds()
		c.firstByte = &ms
	}
}

// failed draws the consequences of a failed attempt: it is given back or kept, the key
// rests or not, and an error comes back if no other key can do better.
func (c *Call) failed(a *attempt) error {
	now := c.nowMs()
	failover, restUntil := a.key.provider.AfterFailure(a.failure, now)
	c.noteFailure(a, restUntil, now)
	if err := c.ctx.Err(); err != nil {
		return c.cut(err)
	}
	if a.unfit {
		c.unsent++
		failover = true // only this provider cannot express the request
	}
	if !failover {
		return c.providerFault(a)
	}
	return nil
}

// noteFailure keeps what the attempt leaves to do: it goes with the next trip, the settle at the latest.
func (c *Call) noteFailure(a *attempt, restUntil, now int64) {
	if !a.kept() {
		c.before = append(c.before, quota.Release(a.reservation))
		c.g.hints.gaveBack(a.key.id)
	}
	if restUntil > now {
		note := a.failure.Message
		c.before = append(c.before, store.StartCooldown(store.Cooldown{
			Key: a.key.id, Revision: c.entry.table.revision, Since: now, Until: restUntil,
			Class: string(a.failure.Class), Message: clip(note, maxNote),
		}))
		c.g.hints.rest(a.key.id, restUntil, c.entry.table.revision)
	}
	if provider.FailurePolicyOf(a.failure.Class).Scope == provider.ScopeModel {
		c.g.hints.doesNotServe(a.key.id, a.key.model, now)
	}
	c.trace.failed(a, c.g.Now().Sub(a.begun))
}

// maxNote bounds what is kept of a provider's words about a key, in bytes.
const maxNote = 300

// retrySame lets the last key be tried once more, after a short pause, if no other is left and
// the failure was of a kind that passes.
func (c *Call) retrySame() bool {
	a := c.last
	if c.again || a == nil || a.failure == nil || a.failure.Class == chat.Timeout {
		return false
	}
	switch provider.FailurePolicyOf(a.failure.Class).Retry {
	case provider.RetryOnce, provider.RetryBackoff:
	default:
		return false
	}
	pause := retryPause/2 + rand.N(retryPause)
	select {
	case <-c.ctx.Done():
		return false
	case <-time.After(pause):
	}
	delete(c.tried, a.key.id)
	c.again = true
	return true
}

const retryPause = 200 * time.Millisecond

// cut is the error of a request whose context ended.
func (c *Call) cut(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &fault.Error{Code: fault.Provider, Message: "no provider answered within the gateway's time limit",
			Details: map[string]any{"class": chat.Timeout}, Err: err}
	}
	if errors.Is(context.Cause(c.ctx), ErrStopping) {
		return &fault.Error{Code: fault.Unavailable, Message: "the gateway is being stopped; send the request again",
			RetryAfter: time.Second, Err: ErrStopping}
	}
	return fault.Wrap(err, fault.Cancelled, "the caller left")
}

// unavailable is the error of a request for which the database did not answer; one whose caller left is only that.
func (c *Call) unavailable(err error) error {
	if left := c.ctx.Err(); errors.Is(left, context.Canceled) {
		return c.cut(left)
	}
	return unavailable(err)
}

func unavailable(err error) error {
	if code := store.CodeOf(err); code != "" || errors.Is(err, context.DeadlineExceeded) {
		return &fault.Error{Code: fault.Unavailable, Message: "the gateway's database does not answer; try again",
			RetryAfter: time.Second, Err: err}
	}
	return err
}
