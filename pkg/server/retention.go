package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/contain"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// retention deletes what is too old. It has no timer, which would
// keep a serverless database awake: the scheduler triggers it, or settled requests do.
type retention struct {
	db           store.DB
	log          *slog.Logger
	keep, traces time.Duration
	trigger      trigger
	next         atomic.Int64 // Unix ms; for hourly runs
	merged       atomic.Bool  // all old sums were merged once
}

// trigger says what runs the retention besides GET /api/cron.
type trigger int

const (
	hourly    trigger = iota + 1 // settled requests, an hour apart: one long-lived process
	daily                        // the day's first settled request: functions without a scheduler
	scheduled                    // nothing: functions that the platform's scheduler calls
)

const (
	retentionEvery = time.Hour
	retentionFirst = time.Minute // after a process's first request
	// retentionTime bounds one run, because a request may wait for it. The next run goes on.
	retentionTime  = 2 * time.Second
	retentionBatch = 500
	day            = 24 * time.Hour
)

func newRetention(cfg *config.Config, db store.DB, log *slog.Logger) *retention {
	r := &retention{
		db: db, log: log, trigger: hourly,
		keep:   time.Duration(cfg.RetentionDays) * day,
		traces: time.Duration(cfg.TraceRetentionDays) * day,
	}
	if cfg.Platform == config.PlatformFunctions {
		r.trigger = daily
		if cfg.Secrets.Cron != "" {
			r.trigger = scheduled
		}
	}
	return r
}

// settled deletes old rows if it is time. On functions it does so before the request
// ends, because work after the answer may never run there.
func (r *retention) settled(ctx context.Context, s gateway.Settled) {
	switch {
	case r.trigger == daily && s.FirstOfDay:
		r.run(ctx, s.At)
	case r.trigger == hourly && r.hourPassed(s.At):
		contain.Go(r.log, "retention", func() { r.run(ctx, s.At) })
	}
}

func (r *retention) hourPassed(now int64) bool {
	next := r.next.Load()
	if next == 0 {
		r.next.CompareAndSwap(0, now+retentionFirst.Milliseconds())
		return false
	}
	return now >= next && r.next.CompareAndSwap(next, now+retentionEvery.Milliseconds())
}

// abandonedAfter is how long, in milliseconds, an asynchronous request waits for a process to run it.
const abandonedAfter = 7 * 24 * 60 * 60 * 1000

func purgeCursors(ctx context.Context, db store.Runner, _ int64, limit int) (int64, error) {
	n, err := store.PurgeCursors(ctx, db)
	return min(n, int64(limit)-1), err // it has no limit, and is not called again
}

func purgeJobs(ctx context.Context, db store.Runner, now int64, limit int) (int64, error) {
	n, err := store.PurgeJobs(ctx, db, now, now-abandonedAfter, limit)
	return min(n, int64(limit)), err
}

// Purge deletes what is too old, at most for a short time. Only a process that serves no requests must call it.
func (a *App) Purge(ctx context.Context) {
	newRetention(a.Config, a.DB, a.Log).run(ctx, a.Now().UnixMilli())
}

func (r *retention) run(ctx context.Context, now int64) {
	ctx, cancel := context.WithTimeout(store.Background(ctx), retentionTime)
	defer cancel()
	if _, err := r.purge(ctx, now); err != nil && ctx.Err() == nil {
		r.log.Warn("old rows could not be deleted", "cause", err.Error())
	}
}

// purge deletes all that is too old, until ctx ends, and returns the number of rows. Any number of
// purges may run at once.
func (r *retention) purge(ctx context.Context, now int64) (int64, error) {
	n, err := store.Purge(ctx, r.db, store.Retention{
		RequestsFrom: now - r.keep.Milliseconds(), TracesFrom: now - r.traces.Milliseconds(),
	}, retentionBatch)
	for _, expired := range []func(context.Context, store.Runner, int64, int) (int64, error){
		store.PurgeSessions, store.PurgeTurns, store.PurgeConversations, store.PurgeLatencies, store.PurgeResponses, store.PurgeCooldowns, store.PurgeKeyDays, store.PurgeHolds, purgeCursors, purgeJobs} {
		for gone := int64(retentionBatch); err == nil && gone == retentionBatch; {
			gone, err = expired(ctx, r.db, now, retentionBatch)
			n += gone
		}
	}
	if err == nil {
		var gone int64
		gone, err = store.PurgeDeletedUsers(ctx, r.db, retentionBatch)
		n += gone
	}
	if err == nil {
		_, err = store.CountUses(ctx, r.db, now)
	}
	if err == nil {
		_, err = store.MergeSums(ctx, r.db, store.Merge{Now: now, All: !r.merged.Load()})
		r.merged.Store(err == nil)
	}
	if n > 0 {
		r.log.Info("old rows deleted", "rows", n)
	}
	return n, err
}
