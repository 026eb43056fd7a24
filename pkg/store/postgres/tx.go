package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

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
	conn *pgxpool.Conn
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
		if err := send(ctx, t.conn.Conn().PgConn(), nil, stmts, false, r); err != nil {
			return mapError(ctx, err)
		}
		return r.deliver(stmts, 0)
	}
	skip, err := t.db.retry(ctx, func(opening []string) error {
		return t.begin(ctx, opening, stmts, r)
	})
	if err != nil {
		return mapError(ctx, err)
	}
	return r.deliver(stmts, skip+1)
}

// begin opens the transaction on a connection of the pool and runs its first statements.
func (t *tx) begin(ctx context.Context, opening []string, stmts []store.Stmt, r *results) error {
	t.release()
	c, err := t.db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	t.conn = c
	opening = append([]string{"begin"}, opening...)
	err = send(ctx, c.Conn().PgConn(), opening, stmts, false, r)
	if err != nil {
		t.end(ctx, "rollback", r)
	}
	return err
}

func (t *tx) commit(ctx context.Context) error {
	t.done = true
	if t.conn == nil {
		return nil
	}
	r := resultsPool.Get().(*results)
	defer r.free()
	return mapError(ctx, t.end(ctx, "commit", r))
}

// rollback must not wait for a context that has ended, but a few seconds of its own.
func (t *tx) rollback(ctx context.Context) {
	t.done = true
	if t.conn == nil || t.conn.Conn().IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	r := resultsPool.Get().(*results)
	defer r.free()
	t.end(ctx, "rollback", r)
}

func (t *tx) end(ctx context.Context, how string, r *results) error {
	pg := t.conn.Conn().PgConn()
	if how == "commit" && pg.TxStatus() == 'E' {
		// The server would answer "commit" with a rollback and no error.
		return errAborted
	}
	return send(ctx, pg, nil, []store.Stmt{{SQL: how}}, false, r)
}

// errAborted is what comes of ignoring the error of a Run inside Tx.
var errAborted = &store.Error{Code: store.CodeOther, Err: &pgconn.PgError{
	Severity: "ERROR", Code: "25P02", Message: "a statement of the transaction had failed",
}}

func (t *tx) release() {
	if t.conn != nil {
		t.conn.Release()
		t.conn = nil
	}
}
