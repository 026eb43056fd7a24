package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/alicetears/llm-gateway/pkg/store"
)

var resultsPool = sync.Pool{New: func() any { return new(results) }}

// maxPooled is the number of cells that a results may keep between runs.
const maxPooled = 4096

func (r *results) free() {
	if cap(r.cells) <= maxPooled {
		r.reset()
		resultsPool.Put(r)
	}
}

// Run implements [store.Runner]. Runs of selects go to a reader, without the write lock.
func (db *DB) Run(ctx context.Context, stmts ...store.Stmt) error {
	if len(stmts) == 0 {
		return nil
	}
	r := resultsPool.Get().(*results)
	defer r.free()
	r.reset()
	bounded, cancel := db.bound(ctx)
	defer cancel()
	err := db.run(bounded, stmts, r)
	if missesSchema(err) && db.migrateAgain(ctx) {
		r.reset()
		err = db.run(bounded, stmts, r)
	}
	if err != nil {
		return db.errorOf(ctx, bounded, err)
	}
	return r.deliver(stmts)
}

func (db *DB) run(ctx context.Context, stmts []store.Stmt, r *results) error {
	if onlySelects(stmts) {
		return db.read(ctx, stmts, r)
	}
	return db.write(ctx, stmts, r)
}

// migrateAgain migrates a database that was emptied, or replaced by an older one, under this process. It reports whether
// that has changed something.
func (db *DB) migrateAgain(ctx context.Context) bool {
	from, err := db.Migrate(ctx)
	return err == nil && from < store.SchemaVersion
}

// errorOf tells the end of the database's timeout from that of the caller's context.
func (db *DB) errorOf(ctx, bounded context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && bounded.Err() != nil {
		return &store.Error{Code: store.CodeLocked, Err: fmt.Errorf("no answer within %v", db.timeout)}
	}
	return err
}

func onlySelects(stmts []store.Stmt) bool {
	for i := range stmts {
		sql := strings.TrimLeft(stmts[i].SQL, " \t\r\n")
		if len(sql) < 6 || !strings.EqualFold(sql[:6], "select") {
			return false
		}
	}
	return true
}

func (db *DB) read(ctx context.Context, stmts []store.Stmt, r *results) error {
	if store.IsBackground(ctx) {
		select {
		case db.background <- struct{}{}:
			defer func() { <-db.background }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c, err := db.take(ctx, db.readers, true)
	if err != nil {
		return err
	}
	defer func() { db.readers <- c }()
	if err := c.transact(ctx, "begin", stmts, r); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return mapError(err)
	}
	return nil
}

func (db *DB) write(ctx context.Context, stmts []store.Stmt, r *results) error {
	c, err := db.take(ctx, db.writer, false)
	if err != nil {
		return err
	}
	defer func() {
		db.writer <- c
		db.wrote()
	}()
	// Not the caller's context: watching it costs a goroutine a statement, and a write
	// is over before anybody could want to end it.
	return mapError(c.transact(context.WithoutCancel(ctx), "begin immediate", stmts, r))
}

// transact runs the statements in one transaction. A single one is a transaction by itself.
func (c *conn) transact(ctx context.Context, begin string, stmts []store.Stmt, r *results) (err error) {
	if len(stmts) == 1 {
		return c.run(ctx, &stmts[0], r)
	}
	if err := c.exec(begin); err != nil {
		return err
	}
	if err = c.runAll(ctx, stmts, r); err == nil {
		err = c.exec("commit")
	}
	if err != nil {
		// Fails, without harm, where SQLite has rolled back by itself (disk full, I/O error).
		c.exec("rollback")
	}
	return err
}

func (c *conn) runAll(ctx context.Context, stmts []store.Stmt, r *results) error {
	for i := range stmts {
		if err := c.run(ctx, &stmts[i], r); err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return nil
}

// Tx implements [store.DB].
func (db *DB) Tx(ctx context.Context, fn func(store.Runner) error) error {
	bounded, cancel := db.bound(ctx)
	c, err := db.take(bounded, db.writer, false)
	cancel()
	if err != nil {
		return db.errorOf(ctx, bounded, err)
	}
	defer func() {
		db.writer <- c
		db.wrote()
	}()
	if err := c.exec("begin immediate"); err != nil {
		return mapError(err)
	}
	t := &tx{conn: c}
	defer t.rollback()
	if err := fn(t); err != nil {
		return err
	}
	if t.failed {
		return errAborted
	}
	t.done = true
	if err := c.exec("commit"); err != nil {
		c.exec("rollback")
		return mapError(err)
	}
	return nil
}

// tx is one transaction.
type tx struct {
	conn   *conn
	failed bool // as on PostgreSQL, nothing but a rollback can follow
	done   bool
}

func (t *tx) Run(ctx context.Context, stmts ...store.Stmt) error {
	switch {
	case t.done:
		panic("sqlite: a transaction's runner is used after its end")
	case t.failed:
		return errAborted
	case ctx.Err() != nil:
		return ctx.Err()
	}
	r := resultsPool.Get().(*results)
	defer r.free()
	r.reset()
	if err := t.conn.runAll(context.WithoutCancel(ctx), stmts, r); err != nil {
		t.failed = true
		return mapError(err)
	}
	return r.deliver(stmts)
}

func (t *tx) rollback() {
	if !t.done {
		t.done = true
		t.conn.exec("rollback")
	}
}
