package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// outcome is how a request ended, and the status that its client got.
type outcome struct {
	kind   store.Outcome
	status int
	fault  *fault.Error // that the client gets instead of an answer
}

// fail settles a request that ends with an error before its answer, and returns the error for the client.
func (c *Call) fail(err error) *fault.Error {
	f := fault.From(err)
	if c.entry == nil || f.Code == fault.Unauthorized {
		return f // there is no user whose log it belongs to
	}
	o := outcome{store.Failed, f.Code.Status(), f}
	switch {
	case f.Code == fault.Cancelled:
		o.kind = store.CallerLeft
	case errors.Is(c.ctx.Err(), context.DeadlineExceeded):
		o.kind = store.DeadlinePassed
	}
	c.trace.setSkipped(c.skipped)
	c.settle(o, nil)
	return f
}

// settle writes the request's record, once. It does not end with the client's context. If it fails after retries the
// record is logged, and the answer goes out all the same.
func (c *Call) settle(o outcome, usage *chat.Usage) {
	if c.settled {
		return
	}
	c.settled = true
	r := c.record(o, usage)
	ctx := context.WithoutCancel(c.ctx)
	err := c.g.writeRecord(ctx, r)
	for pause := settlePause; err != nil && store.CodeOf(err) != store.CodeNull && pause < settlePause<<settleTries; pause *= 2 {
		time.Sleep(pause)
		err = c.g.writeRecord(ctx, r)
	}
	if store.CodeOf(err) == store.CodeNull {
		c.g.Log.Warn("the request was ended elsewhere: its usage is not written",
			"requestId", r.ID.String(), "user", r.User.String())
		return
	}
	if err != nil {
		c.g.Log.Error("usage was not written", "requestId", r.ID.String(), "user", r.User.String(), "key", r.Key.String(),
			"provider", r.Provider, "model", r.Model, "status", r.Status, "input", r.Input, "output", r.Output, "err", err)
	}
}

func (g *Gateway) writeRecord(ctx context.Context, r store.Record) error {
	err := g.settles.Do(ctx, r)
	if store.CodeOf(err) == store.CodeConflict {
		return nil // an earlier try was committed although its connection broke
	}
	return err
}

const (
	settlePause = 50 * time.Millisecond
	settleTries = 3
)

func (c *Call) record(o outcome, usage *chat.Usage) store.Record {
	if a := c.current; a != nil && a.works() {
		c.succeeded(a)
	}
	r := store.Record{
		ID: c.req.ID, User: c.entry.table.user, Token: c.entry.token,
		Model: clip(c.req.Chat.Model, maxModel), Status: o.status, Outcome: o.kind, Attempts: c.attempts - c.inexpressible,
		LatencyMs: c.g.Now().Sub(c.started).Milliseconds(), FirstByteMs: c.firstByte,
		Statements: append(c.deferred, c.secretUpdates()...),
	}
	c.deferred = nil
	if c.req.Chat.Stream {
		r.Flags |= store.FlagStreamed
	}
	if a := c.booked(); a != nil {
		r.Key, r.Provider, r.Model = a.key.id, a.key.providerID, clip(a.key.model, maxModel)
		if usage != nil && (a.failure == nil || a.answerBegun) {
			c.addUsage(&r, usage)
		}
	}
	if o.kind == store.Answered {
		if save, ok := c.saveTurn(); ok {
			r.Statements = append(r.Statements, save)
		}
	}
	if o.kind != store.Answered || c.attempts > 1 {
		r.Trace = c.trace.json()
	}
	if c.req.EndStatements != nil {
		r.Statements = append(r.Statements, c.req.EndStatements(c, o.fault)...)
	}
	return r
}

// maxModel bounds a model's name in the log, in bytes; the longest known has 70.
const maxModel = 128

// booked returns the attempt that the record names: the one that answers, or else the last that failed.
func (c *Call) booked() *attempt {
	if c.current != nil {
		return c.current
	}
	return c.lastFailed()
}

func (c *Call) addUsage(r *store.Record, u *chat.Usage) {
	r.Input, r.Cached, r.CacheWrite = u.Input, u.Cached, u.CacheWrite+u.CacheWrite1h
	r.Output, r.Reasoning = u.Output, u.Reasoning
	request := catalog.Request{Provider: r.Provider, Model: r.Model, Answered: c.meter.model,
		ServiceTier: c.meter.tier, AtMs: r.ID.Time()}
	charge := c.g.Cost(request, u)
	if charge.Priced {
		r.Cost = &charge.Nanos
	}
	if u.Estimated || charge.Estimated {
		r.Flags |= store.FlagEstimated
	}
}

// secretUpdates are the statements that rehash the token and re-encrypt the key if a previous secret protects them.
func (c *Call) secretUpdates() []store.Stmt {
	var stmts []store.Stmt
	if s := c.entry.rehash.Swap(nil); s != nil {
		stmts = append(stmts, *s)
	}
	if a := c.booked(); a != nil {
		if s := a.key.reencrypt.Swap(nil); s != nil {
			stmts = append(stmts, *s)
		}
	}
	return stmts
}
