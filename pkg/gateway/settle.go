package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/contain"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/saved"
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
	if c.statusSent {
		o.kind, o.status = store.Broken, 200
	}
	switch {
	case f.Code == fault.Cancelled:
		o.kind = store.CallerLeft
	case errors.Is(c.ctx.Err(), context.DeadlineExceeded):
		o.kind = store.DeadlinePassed
	}
	c.trace.setSkipped(c.skipped)
	c.databaseAway = store.Away(err)
	c.settle(o, nil)
	return f
}

// settle writes the request's record, once. It does not end with the caller's context.
func (c *Call) settle(o outcome, usage *chat.Usage) {
	if c.settled {
		return
	}
	c.settled = true
	r := c.record(o, usage)
	if written := c.observe(o, &r); written != nil {
		defer written()
	}
	if c.databaseAway && c.g.backlog != nil {
		c.g.keep(r, false) // its caller has waited for the database already
		return
	}
	c.g.write(context.WithoutCancel(c.ctx), r, c.req.EndStatements != nil, c.deadline())
}

// deadline is the end of the request's time.
func (c *Call) deadline() time.Time {
	end, _ := c.ctx.Deadline()
	return end
}

// writeWait is how long an answer waits for its record while the database is away.
const writeWait = time.Second

// write writes a record, now or, if the database is away, later. It waits for that a second at most, because the caller
// waits for it. A process that may be frozen after its answer has no later: it logs the record. That of a job, for which
// nobody waits, is tried until the end.
func (g *Gateway) write(ctx context.Context, r store.Record, job bool, end time.Time) {
	if g.backlog == nil {
		if limit := time.Now().Add(writeWait); !job {
			end = limit
		}
		g.writeUntil(ctx, r, end)
		return
	}
	written := make(chan struct{})
	if g.backlog.begin(&r) {
		contain.Go(g.Log, "the end of a request", func() {
			defer close(written)
			g.writeOrKeep(ctx, r)
		})
		await(written)
		return
	}
	g.keep(r, true)
}

// keep puts a record into the backlog, and waits for it if that makes sense.
func (g *Gateway) keep(r store.Record, wait bool) {
	for i := range r.Spent { // it may be long until it is written
		r.Spent[i].Repeated = true
	}
	queued, ok := g.backlog.add(r)
	if !ok {
		g.notWritten(r, errStopped)
	} else if queued != nil && wait {
		await(queued)
	}
}

var errStopped = errors.New("the process ends")

// await waits for done, but not for longer than an answer may.
func await(done <-chan struct{}) {
	timer, _ := timers.Get().(*time.Timer)
	if timer == nil {
		timer = time.NewTimer(writeWait)
	} else {
		timer.Reset(writeWait)
	}
	select {
	case <-done:
	case <-timer.C:
	}
	timer.Stop() // since Go 1.23 nothing is left in its channel
	timers.Put(timer)
}

// timers are stopped *time.Timer: every request needs one.
var timers sync.Pool

// writeOrKeep writes a record together with others, or keeps it for later.
func (g *Gateway) writeOrKeep(ctx context.Context, r store.Record) {
	defer g.backlog.end(&r)
	err := contain.Call(g.Log, "settle", func() error { return g.settles.Do(ctx, r) })
	switch {
	case errors.Is(err, contain.ErrPanic):
		g.notWritten(r, err)
	case err == nil || isWritten(err):
	case isOver(err):
		g.notWritten(r, err)
	default:
		g.keep(r, false)
	}
}

// writeUntil tries to write a record until end, and logs it if that fails.
func (g *Gateway) writeUntil(ctx context.Context, r store.Record, end time.Time) {
	outcome := make(chan error, 1)
	for pause := settlePause; ; pause = min(2*pause, maxAwayPause) {
		contain.Go(g.Log, "the end of a request", func() {
			outcome <- contain.Call(g.Log, "settle", func() error { return g.settles.Do(ctx, r) })
		})
		timer := time.NewTimer(time.Until(end))
		var err error
		select {
		case err = <-outcome:
			timer.Stop()
		case <-timer.C:
			g.notWritten(r, context.DeadlineExceeded)
			return
		}
		if err == nil || isWritten(err) {
			return
		}
		if isOver(err) || time.Until(end) <= pause {
			g.notWritten(r, err)
			return
		}
		time.Sleep(pause)
	}
}

// settlePause is the first pause between two tries to write a record.
const settlePause = 50 * time.Millisecond

// notWritten logs a record that is not going to be written, in a form that can be imported.
func (g *Gateway) notWritten(r store.Record, err error) {
	if store.CodeOf(err) == store.CodeNull {
		g.Log.Warn("the request was ended elsewhere: its usage is not written",
			"requestId", r.ID.String(), "user", r.User.String())
		return
	}
	// What callers said is not for the log, encrypted or not.
	r.Statements = slices.DeleteFunc(slices.Clone(r.Statements), store.StoresResponse)
	g.Log.Error("usage was not written; \"gateway import-rows\" reads this line", "requestId", r.ID.String(), "cause", err.Error(),
		"row", saved.Token(r, g.Secrets))
}

// Flush waits until the ends of all requests are written, or ctx ends. It returns those that are not, for a file.
func (g *Gateway) Flush(ctx context.Context) []store.Record {
	if g.backlog == nil {
		return nil
	}
	return g.backlog.flush(ctx)
}

// Restore writes records that an earlier process could not write, and returns when they are written or ctx ends.
func (g *Gateway) Restore(ctx context.Context, records []store.Record) error {
	queued := make([]<-chan struct{}, 0, len(records))
	for _, r := range records {
		queued = append(queued, g.backlog.restore(r))
	}
	for _, written := range queued {
		select {
		case <-written:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *Call) record(o outcome, usage *chat.Usage) store.Record {
	if a := c.current; a != nil && a.works() {
		c.succeeded(a)
	}
	r := store.Record{
		ID: c.req.ID, User: c.entry.table.user, Token: c.entry.token,
		Model: clip(c.req.Chat.Model, maxModel), Status: o.status, Outcome: o.kind, Attempts: c.Attempts(),
		LatencyMs: c.g.Now().Sub(c.started).Milliseconds(), FirstByteMs: c.firstByte,
		Statements: append(c.deferred, c.secretUpdates()...),
	}
	c.deferred = nil
	if c.req.Chat.Stream {
		r.Flags |= store.FlagStreamed
	}
	if a := c.booked(); a != nil {
		r.Key, r.Provider, r.Model, r.Asked = a.key.id, a.key.providerID, clip(a.key.model, maxModel), c.askedFor(a.key)
		if usage != nil && (a.failure == nil || a.answerBegun) {
			c.addUsage(&r, usage)
		}
	}
	r.Spent = c.spent(&r, usage)
	c.addLatencies(&r)
	r.Labels = c.labels()
	c.entry.table.labels.add(r.Labels)
	if c.steered != nil {
		r.Flags |= store.FlagSteered
	}
	if o.kind == store.Answered {
		if save, ok := c.saveTurn(); ok {
			r.Statements = append(r.Statements, save)
		}
		if keep, ok := c.keepConversation(); ok {
			r.Statements = append(r.Statements, keep)
		}
	}
	c.addTrace(&r)
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
	charge := c.g.cost(c.booked().key.key, request, u)
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
