package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Timeout implements [store.DB]. A database that was not used for a while may be asleep, and then has the time of opening
// a connection as well.
func (db *DB) Timeout() time.Duration {
	if db.watch.quietFor(maxIdle) && db.pool.empty() {
		return db.timeout + connectTimeout
	}
	return db.timeout
}

// bound returns the context of a run that begins now.
func (db *DB) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if store.IsUnbounded(ctx) {
		return context.WithCancel(ctx)
	}
	timeout := db.Timeout()
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= timeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// watch remembers when the database was last heard of, in Unix nanoseconds.
type watch struct {
	answered atomic.Int64
	failed   atomic.Int64
	renewed  atomic.Int64
}

func (w *watch) quietFor(d time.Duration) bool {
	return time.Since(time.Unix(0, max(w.answered.Load(), w.failed.Load()))) > d
}

// renewPause is the least time between two renewals of the pool because of a server that can only be read.
const renewPause = time.Second

// note takes the outcome of a run, and renews the pool if the database has answered nothing, on no connection, since the
// run began: a firewall or a failover has made the connections silent, and new ones may work. It also does so after a
// server said that it can only be read: another one may have taken its place.
func (db *DB) note(ctx context.Context, began time.Time, err error) {
	now := time.Now()
	var pg *pgconn.PgError
	switch {
	case err == nil:
		db.watch.answered.Store(now.UnixNano())
	case isDial(err):
		db.watch.failed.Store(now.UnixNano())
	case errors.As(err, &pg):
		db.watch.answered.Store(now.UnixNano())
		if pg.Code == stateReadOnly {
			db.renew(now, now.Add(-renewPause))
		}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		db.watch.failed.Store(now.UnixNano())
		if now.Sub(began) >= db.timeout/2 && db.watch.answered.Load() < began.UnixNano() {
			db.renew(now, began)
		}
	}
}

// renew renews the pool unless that has been done since a time.
func (db *DB) renew(now, since time.Time) {
	last := db.watch.renewed.Load()
	if last < since.UnixNano() && db.watch.renewed.CompareAndSwap(last, now.UnixNano()) {
		db.pool.renew()
	}
}

// errorOf maps the error of a run whose caller has ctx and which had bounded.
func (db *DB) errorOf(ctx, bounded context.Context, err error) error {
	var pg *pgconn.PgError
	if err != nil && ctx.Err() == nil && bounded.Err() != nil && !errors.As(err, &pg) && !isDial(err) {
		err = &store.Error{Code: store.CodeUnavailable, Err: fmt.Errorf("no answer within %v", db.timeout)}
	}
	return mapError(ctx, err)
}

// limitsOf returns the statement that makes the server itself give up, before the gateway does: a lock that is not free
// in time is no sign of a dead network, and a statement whose connection is closed would run on. It holds for the
// transaction alone, so that it works behind a pooler; unlike "set local", the function does not warn outside of an
// explicit transaction.
func limitsOf(timeout time.Duration) store.Stmt {
	return store.Stmt{SQL: fmt.Sprintf(
		"select set_config('lock_timeout', '%d', true), set_config('statement_timeout', '%d', true)",
		(timeout * 4 / 5).Milliseconds(), timeout.Milliseconds())}
}
