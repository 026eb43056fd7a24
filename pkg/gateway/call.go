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
	g       *Gateway
	req     Request
	ctx     context.Context
	cancel  context.CancelFunc
	started time.Time

	entry       *entry
	candidates  []candidate // in the order in which to try them
	skipped     []skippedKey
	tried       map[store.ID]bool
	quotaStatus quota.Status // as last asked, for refusals

	earlier  []earlierTurn
	digested *conversation // of the request, if that was needed to find its turns
	affinity store.ID      // the key that made the latest saved turn; zero if there is none
	answer   answer        // as far as it may have to be saved

	deferred      []store.Stmt // what the failed attempt leaves to the next trip
	last          *attempt     // the attempt that counts
	retried       bool         // it is the last key's second, and no key has a third
	current       *attempt     // committed: its answer goes to the caller
	attempts      int          // attempts made
	inexpressible int          // of these: those whose request the provider's dialect could not express
	trace         trace

	firstEvent <-chan *attempt // committed before its first event
	committed  time.Duration
	firstByte  *int64
	meter      meter
	ended      bool // nothing more comes
	settled    bool
	response   *chat.Response
	warnings   []string
	buf        []chat.Event
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
func (c *Call) Response() *chat.Response { return c.response }

// Vectors is the answer to a request for embeddings.
func (c *Call) Vectors() *chat.EmbeddingResponse { return c.current.vectors }

// RawResponse is the same as the provider sent it, if that is the caller's dialect, too; else nil.
func (c *Call) RawResponse() []byte { return c.current.raw }

// open finds the key that answers. It returns with an answer, or committed to one.
func (c *Call) open() error {
	if err := c.route(); err != nil {
		return err
	}
	if err := c.restoreSaved(); err != nil {
		return err
	}
	// Each turn tries a key, learns why one was refused, or reloads: the bound is never
	// reached unless keys change under way all the time.
	for turns := 4 + 3*len(c.candidates); turns > 0; turns-- {
		if err := c.ctx.Err(); err != nil {
			return c.contextError(err)
		}
		pick := c.pick(c.nowMs())
		if len(pick) == 0 {
			if c.retryLast() {
				continue
			}
			again, err := c.refresh()
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
			again, err := c.refresh()
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
	entry, err := c.g.entryOf(c.ctx, c.req.Principal)
	if err != nil {
		return c.unavailable(err)
	}
	if entry == nil {
		return errUnknownToken()
	}
	c.entry = entry
	c.candidates, c.skipped = entry.table.candidates(c.req.Chat.Model, c.req.Route, c.req.service())
	return nil
}

func (c *Call) principal() store.Principal {
	return store.Principal{User: c.entry.table.user, Token: c.entry.token, Session: c.req.Principal.Session}
}

func (c *Call) reserve(pick []candidate) (quota.Reservation, bool, error) {
	claim := quota.Request{
		Principal: c.principal(), Revision: c.entry.table.revision, Now: c.nowMs(),
		Keys: idsOf(pick),
	}
	if len(c.deferred) == 0 {
		return c.g.Quota.Reserve(c.ctx, claim)
	}
	before := c.deferred
	res, ok, err := c.g.Quota.ReserveNext(c.ctx, before, claim)
	if err == nil {
		c.deferred = nil
	}
	return res, ok, err
}

// consult asks the database how the caller and the keys stand, once something was
// refused. It says whether there is now a key to try.
func (c *Call) refresh() (again bool, err error) {
	now := c.nowMs()
	v, err := c.g.Quota.Refresh(c.ctx, c.principal(), now)
	if err != nil {
		return false, c.unavailable(err)
	}
	if !v.Access {
		c.g.tables.drop(c.req.Principal.credential())
		return false, errNoAccess()
	}
	c.quotaStatus = v
	if v.Revision != c.entry.table.revision {
		c.g.tables.drop(c.req.Principal.credential())
		if err := c.route(); err != nil {
			return false, err
		}
	}
	c.g.hints.update(v, now)
	return len(c.pick(now)) > 0, nil
}

// try calls the provider with the reserved key. done says that the answer is there or
// committed; an error that no other key can do better.
func (c *Call) try(k candidate, res quota.Reservation) (done bool, err error) {
	c.attempts++
	c.tried[k.id] = true
	a := &attempt{key: k, reservation: res, started: c.g.Now(), stream: c.req.Chat.Stream}
	c.last = a
	request := c.req
	request.Chat, request.changedMessages = c.requestFor(k)
	if a.stream {
		done = c.waitForFirstEvent(a, request)
	} else {
		c.g.callWhole(c.ctx, a, request)
	}
	if done || a.failure == nil {
		c.commit(a)
		return true, nil
	}
	return false, c.handleFailure(a)
}

// waitForFirstEvent says whether the wait for the first substantive event has taken so long
// that status and headers go out without it.
func (c *Call) waitForFirstEvent(a *attempt, request Request) bool {
	first := make(chan *attempt, 1)
	go func() {
		c.g.callStream(c.ctx, a, request)
		first <- a
	}()
	timer := time.NewTimer(max(0, c.g.settings.FirstEvent-c.g.Now().Sub(c.started)))
	defer timer.Stop()
	select {
	case <-first:
		return false
	case <-timer.C:
		c.firstEvent = first
		return true
	}
}

// commit makes a's answer the caller's.
func (c *Call) commit(a *attempt) {
	c.current = a
	c.committed = c.g.Now().Sub(c.started)
	if c.firstEvent == nil {
		c.warnings = a.warnings
		c.noteFirstByte(a)
	}
	if !a.stream {
		c.finishWhole(a)
	}
}

func (c *Call) noteFirstByte(a *attempt) {
	if c.firstByte == nil && !a.firstByte.IsZero() {
		ms := a.firstByte.Sub(c.started).Milliseconds()
		c.firstByte = &ms
	}
}

// failed draws the consequences of a failed attempt: it is given back or kept, the key
// rests or not, and an error comes back if no other key can do better.
func (c *Call) handleFailure(a *attempt) error {
	now := c.nowMs()
	failover, restUntil := a.key.provider.AfterFailure(a.failure, now)
	c.recordFailure(a, restUntil, now)
	if err := c.ctx.Err(); err != nil {
		return c.contextError(err)
	}
	if a.inexpressible {
		c.inexpressible++
		failover = true // only this provider cannot express the request
	}
	if !failover {
		return c.providerFault(a)
	}
	return nil
}

// noteFailure keeps what the attempt leaves to do: it goes with the next trip, the settle at the latest.
func (c *Call) recordFailure(a *attempt, restUntil, now int64) {
	if !a.keepsReservation() {
		c.deferred = append(c.deferred, quota.Release(a.reservation))
		c.g.hints.released(a.key.id)
	}
	if restUntil > now {
		note := a.failure.Message
		c.deferred = append(c.deferred, store.StartCooldown(store.Cooldown{
			Key: a.key.id, Revision: c.entry.table.revision, Since: now, Until: restUntil,
			Class: string(a.failure.Class), Message: clip(note, maxNote),
		}))
		c.g.hints.coolDown(a.key.id, restUntil, c.entry.table.revision)
	}
	if provider.FailurePolicyOf(a.failure.Class).Scope == provider.ScopeModel {
		c.g.hints.setUnknown(a.key.id, a.key.model, now)
	}
	c.trace.addFailed(a, c.g.Now().Sub(a.started))
}

// maxNote bounds what is kept of a provider's words about a key, in bytes.
const maxNote = 300

// retrySame lets the last key be tried once more, after a short pause, if no other is left and
// the failure was of a kind that passes.
func (c *Call) retryLast() bool {
	a := c.last
	if c.retried || a == nil || a.failure == nil || a.failure.Class == chat.Timeout {
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
	c.retried = true
	return true
}

const retryPause = 200 * time.Millisecond

// cut is the error of a request whose context ended.
func (c *Call) contextError(err error) error {
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
		return c.contextError(left)
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
