package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alicetears/llm-gateway/pkg/contain"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// checkVersion fails with division_by_zero if the schema is too old, and with
// undefined_table if there is none: as the first statement of a pipeline it keeps the
// others from running, at no cost of its own.
var checkVersion = fmt.Sprintf(
	"select 1 / case when coalesce(max(version), 0) >= %d then 1 else 0 end from schema_version", store.SchemaVersion)

// migrationLock is the key of the advisory lock, "llmgw" in ASCII.
const migrationLock = 0x6c6c6d6777

// The bounds of a migration that a run has found necessary: how long the run waits for it, and how long it may take.
const (
	migrationWait = time.Minute
	migrationTime = 10 * time.Minute
)

// migration is one that is under way.
type migration struct {
	done chan struct{}
	err  error // once done is closed
}

// bringUp migrates once for all goroutines that found the schema old. The migration goes on if ctx ends.
func (db *DB) bringUp(ctx context.Context) error {
	db.pendingLock.Lock()
	m := db.pending
	if m == nil {
		m = &migration{done: make(chan struct{})}
		db.pending = m
		contain.Go(nil, "the migration", func() { db.bringUpDetached(context.WithoutCancel(ctx), m) })
	}
	db.pendingLock.Unlock()
	timer := time.NewTimer(migrationWait)
	defer timer.Stop()
	select {
	case <-m.done:
		return m.err
	case <-timer.C:
		return errMigrating
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return errMigrating
		}
		return ctx.Err()
	}
}

var errMigrating = &store.Error{Code: store.CodeUnavailable, Err: errors.New("the schema is being migrated")}

func (db *DB) bringUpDetached(ctx context.Context, m *migration) {
	ctx, cancel := context.WithTimeout(ctx, migrationTime)
	defer cancel()
	defer func() {
		db.pendingLock.Lock()
		defer db.pendingLock.Unlock()
		db.pending = nil
		close(m.done)
	}()
	db.migrate.Lock()
	defer db.migrate.Unlock()
	if !db.current.Load() {
		m.err = contain.Call(nil, "the migration", func() error {
			_, err := db.migrateLocked(ctx)
			return err
		})
	}
}

// Migrate implements [store.DB].
func (db *DB) Migrate(ctx context.Context) (from int, err error) {
	db.migrate.Lock()
	defer db.migrate.Unlock()
	return db.migrateLocked(ctx)
}

func (db *DB) migrateLocked(ctx context.Context) (from int, err error) {
	conn, err := db.connectToMigrate(ctx)
	if err != nil {
		return 0, mapError(ctx, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if from, err = migrate(ctx, conn); err != nil {
		return from, mapError(ctx, err)
	}
	db.current.Store(true)
	return from, nil
}

// connectToMigrate opens a connection. At the server's limit it makes room for it.
func (db *DB) connectToMigrate(ctx context.Context) (*pgconn.PgConn, error) {
	for {
		conn, err := pgconn.ConnectConfig(ctx, db.migrateTo.Copy())
		if err == nil || !atCapacity(err) {
			return conn, err
		}
		db.pool.dropIdle()
		if !sleep(ctx, retryOpening) {
			return nil, err
		}
	}
}

// migrate runs all pending migrations in one transaction. The lock is the
// transaction's, not the session's: it works behind a pooler and dies with us.
func migrate(ctx context.Context, pg *pgconn.PgConn) (from int, err error) {
	if err := exec(ctx, pg, fmt.Sprintf("begin; select pg_advisory_xact_lock(%d)", migrationLock)); err != nil {
		return 0, err
	}
	if from, err = version(ctx, pg); err != nil {
		return 0, err
	}
	for v := from + 1; v <= store.SchemaVersion; v++ {
		if err := exec(ctx, pg, store.Migration(store.Postgres, v)); err != nil {
			return from, fmt.Errorf("migration %d: %w", v, err)
		}
		if err := exec(ctx, pg, fmt.Sprintf("update schema_version set version = %d", v)); err != nil {
			return from, err
		}
	}
	return from, exec(ctx, pg, "commit")
}

// version reads the schema's version; 0 if there is no schema. A statement of its own,
// begun after the lock was given, sees what the process before us committed.
func version(ctx context.Context, pg *pgconn.PgConn) (int, error) {
	// Not information_schema.tables: that hides tables on which the role has no privilege.
	exists, err := number(ctx, pg, "select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "+
		"where c.relname = 'schema_version' and n.nspname = any (current_schemas(false))")
	if err != nil || exists == 0 {
		return 0, err
	}
	return number(ctx, pg, "select coalesce(max(version), 0) from schema_version")
}

func exec(ctx context.Context, pg *pgconn.PgConn, sql string) error {
	return pg.Exec(ctx, sql).Close()
}

func number(ctx context.Context, pg *pgconn.PgConn, sql string) (int, error) {
	res, err := pg.Exec(ctx, sql).ReadAll()
	if err != nil {
		return 0, err
	}
	if len(res) != 1 || len(res[0].Rows) != 1 || len(res[0].Rows[0]) != 1 {
		return 0, errors.New("one number was expected")
	}
	var n int
	_, err = fmt.Sscan(string(res[0].Rows[0][0]), &n)
	return n, err
}
