package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// rollbackTimeout bounds the rollback of a transaction whose context has ended.
const rollbackTimeout = 5 * time.Second

// Tx implements [store.DB]. The transaction begins in the trip of fn's first Run and
// ends in one of its own.
func (db *DB) Tx(ctx context.Context, fn func(store.Runner) error) error {
	t := &tx{db: db}
	// A connection left in the middle of a transaction, by an error or a panic,
	// is closed by the pool, and so rolled back.
	defer t.release()
	if err := fn(t); err != nil {
		t.rollback(ctx)
		return err
	}
	return t.commit(ctx)
}

// tx is one transaction. Its statements are unnamed, so that no pooler can make the
// whole of it fail where a Run could simply be repeated.
type tx struct {
	db   *DB
	conn *conn
	done bool
}

func (t *tx) Run(ctx context.Context, stmts ...store.Stmt) error {
	if t.done {
		panic("postgres: a transaction's runner is used after its end")
	}
	if len(stmts) == 0 {
		return nil
	}
	r := resultsPool.Get().(*results)
	defer r.free()
	if t.conn != nil {
		if err := t.send(ctx, stmts, r); err != nil {
			return err
		}
		return r.deliver(stmts, 0)
	}
	var skip int
	err := t.db.retry(ctx, func(ctx context.Context, check bool) error {
		l := lead{begin: true, check: check}
		if !store.IsUnbounded(ctx) {
			l.limits = &t.db.limits
		}
		skip = l.size()
		return t.begin(ctx, l, stmts, r)
	})
	if err != nil {
		return err
	}
	return r.deliver(stmts, skip)
}

// begin opens the transaction on a connection of the pool and runs its first statements.
func (t *tx) begin(ctx context.Context, l lead, stmts []store.Stmt, r *results) error {
	t.release()
	c, err := t.db.pool.acquire(ctx)
	if err != nil {
		return err
	}
	t.conn = c
	err = send(ctx, c.pg, l, stmts, false, r)
	if err != nil {
		t.end(ctx, "rollback", r)
	}
	return err
}

// send runs statements of the open transaction.
func (t *tx) send(ctx context.Context, stmts []store.Stmt, r *results) error {
	bounded, cancel := t.db.bound(ctx)
	defer cancel()
	began := time.Now()
	err := send(bounded, t.conn.pg, lead{}, stmts, false, r)
	t.db.note(bounded, began, err)
	if missesSchema(err) {
		t.db.current.Store(false) // the next run checks it
	}
	return t.db.errorOf(ctx, bounded, err)
}

func (t *tx) commit(ctx context.Context) error {
	t.done = true
	if t.conn == nil {
		return nil
	}
	r := resultsPool.Get().(*results)
	defer r.free()
	return t.end(ctx, "commit", r)
}

// rollback must not wait for a context that has ended, but a few seconds of its own.
func (t *tx) rollback(ctx context.Context) {
	t.done = true
	if t.conn == nil || t.conn.pg.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	r := resultsPool.Get().(*results)
	defer r.free()
	t.end(ctx, "rollback", r)
}

func (t *tx) end(ctx context.Context, how string, r *results) error {
	if how == "commit" && t.conn.pg.TxStatus() == 'E' {
		// The server would answer "commit" with a rollback and no error.
		return errAborted
	}
	return t.send(ctx, []store.Stmt{{SQL: how}}, r)
}

// errAborted is what comes of ignoring the error of a Run inside Tx.
var errAborted = &store.Error{Code: store.CodeOther, Err: &pgconn.PgError{
	Severity: "ERROR", Code: "25P02", Message: "a statement of the transaction had failed",
}}

func (t *tx) release() {
	if t.conn != nil {
		t.db.pool.release(t.conn)
		t.conn = nil
	}
}
