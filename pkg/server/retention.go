package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// retention deletes what is too old. It has no clock of its own, because a timer would
// keep a serverless database awake: requests that were settled wind it.
type retention struct {
	db           store.DB
	log          *slog.Logger
	home         config.Home
	keep, traces time.Duration
	next         atomic.Int64 // Unix ms
}

const (
	retentionEvery = time.Hour
	retentionFirst = time.Minute // after a process's first request; a function does not live long
	// retentionTime bounds one run, because somebody's request may wait for it; what is left is
	// done an hour later.
	retentionTime  = 2 * time.Second
	retentionBatch = 500
	day            = 24 * time.Hour
)

func newRetention(cfg *config.Config, db store.DB, log *slog.Logger) *retention {
	return &retention{
		db: db, log: log, home: cfg.Home,
		keep:   time.Duration(cfg.RetentionDays) * day,
		traces: time.Duration(cfg.TraceRetentionDays) * day,
	}
}

// tick deletes old rows if it is time.
func (r *retention) tick(ctx context.Context, now int64) {
	next := r.next.Load()
	if next == 0 {
		r.next.CompareAndSwap(0, now+retentionFirst.Milliseconds())
		return
	}
	if now < next || !r.next.CompareAndSwap(next, now+retentionEvery.Milliseconds()) {
		return
	}
	if r.home == config.HomeFunctions {
		r.purge(ctx, now) // what runs after the answer may never run there
		return
	}
	go r.purge(ctx, now)
}

// abandonedAfter is how long, in milliseconds, a request waits for somebody to run it.
const abandonedAfter = 7 * 24 * 60 * 60 * 1000

func purgeJobs(ctx context.Context, db store.Runner, now int64, limit int) (int64, error) {
	n, err := store.PurgeJobs(ctx, db, now, now-abandonedAfter, limit)
	return min(n, int64(limit)), err
}

// Purge deletes what is too old, at most for a short time. Nobody has to call it, but a process that serves no requests.
func (a *App) Purge(ctx context.Context) {
	newRetention(a.Config, a.DB, a.Log).purge(ctx, a.Now().UnixMilli())
}

func (r *retention) purge(ctx context.Context, now int64) {
	ctx, cancel := context.WithTimeout(ctx, retentionTime)
	defer cancel()
	n, err := store.Purge(ctx, r.db, store.Retention{
		RequestsFrom: now - r.keep.Milliseconds(), TracesFrom: now - r.traces.Milliseconds(),
	}, retentionBatch)
	for _, expired := range []func(context.Context, store.Runner, int64, int) (int64, error){store.PurgeSessions, store.PurgeTurns, purgeJobs} {
		for gone := int64(retentionBatch); err == nil && gone == retentionBatch; {
			gone, err = expired(ctx, r.db, now, retentionBatch)
			n += gone
		}
	}
	if err != nil && ctx.Err() == nil {
		r.log.Warn("old rows could not be deleted", "cause", err.Error())
	}
	if n > 0 {
		r.log.Info("old rows deleted", "rows", n)
	}
}
