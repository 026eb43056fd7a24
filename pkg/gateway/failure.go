package gateway

import (
	"cmp"
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

// handleFailure records the failure and returns an error if no other key can do better.
func (c *Call) handleFailure(a *attempt) error {
	now := c.nowMs()
	failover := provider.FailurePolicy(a.failure, now).Failover == provider.FailoverAny
	c.recordFailure(a, now)
	if err := c.ctx.Err(); err != nil {
		return c.contextError(err)
	}
	if a.inexpressible {
		c.inexpressible++
		failover = true // only this provider cannot express the request
	}
	if !failover || a.isAbandoned() && c.abandoned {
		return c.providerFault(a)
	}
	c.abandoned = c.abandoned || a.isAbandoned()
	return nil
}

// recordFailure defers the release of the reservation and what cools down to the next round trip, the settle at the
// latest.
func (c *Call) recordFailure(a *attempt, now int64) {
	switch {
	case !a.keepsReservation():
		c.deferred = append(c.deferred, quota.Release(a.reservation)...)
		c.g.hints.released(c.entry.table, a.key.id)
	case !a.reservation.ID.IsZero():
		c.kept, c.counted = append(c.kept, a), true
	}
	c.coolDown(a, now)
	end := c.g.Now()
	c.trace.addFailed(a, end.Sub(a.started))
	c.observeAttempt(a, end)
}

// maxMessage bounds the provider's message about a key that is stored, in bytes.
const maxMessage = 300

// retryLast allows a second attempt with the last key, after a short pause, if no other key is left and the failure is
// temporary.
func (c *Call) retryLast() bool {
	a := c.last
	if c.retried || a == nil || a.failure == nil || a.failure.Class == chat.Timeout || c.hostHasFailed(a.key) {
		return false
	}
	switch provider.FailurePolicy(a.failure, c.nowMs()).Retry {
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
	delete(c.tried, a.key.identity())
	c.retried = true
	return true
}

const retryPause = 200 * time.Millisecond

// contextError returns the error of a request whose context has ended.
func (c *Call) contextError(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &fault.Error{Code: fault.Provider, Message: "no provider answered within the gateway's time limit",
			Details: map[string]any{"class": chat.Timeout}, Err: err}
	}
	if errors.Is(context.Cause(c.ctx), ErrStopping) {
		return &fault.Error{Code: fault.Unavailable, Message: "the gateway is being stopped; send the request again",
			RetryAfter: time.Second, Err: ErrStopping}
	}
	return fault.Wrap(err, fault.Cancelled, "the client closed the connection")
}

// unavailable returns the error of a request for which the database did not answer, unless its client has left.
func (c *Call) unavailable(err error) error {
	if left := c.ctx.Err(); errors.Is(left, context.Canceled) {
		return c.contextError(left)
	}
	return unavailable(err)
}

func unavailable(err error) error {
	condition := store.Condition(err)
	if condition == "" && store.CodeOf(err) == "" {
		return err
	}
	return &fault.Error{Code: fault.Unavailable, Message: cmp.Or(condition, "the database failed; try again shortly"),
		RetryAfter: time.Second, Err: err}
}
