package sqlite

import (
	"context"
	"fmt"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Migrate implements [store.DB]: all that is pending in one transaction, under the write lock.
func (db *DB) Migrate(ctx context.Context) (from int, err error) {
	c, err := db.take(ctx, db.writer, false)
	if err != nil {
		return 0, err
	}
	defer func() { db.writer <- c }()
	// Not under the lock: a current schema must not make a start wait for writers.
	if from, err = c.version(ctx); err != nil || from >= store.SchemaVersion {
		return from, mapError(err)
	}
	if err := c.exec("begin immediate"); err != nil {
		return 0, mapError(err)
	}
	if from, err = c.migrate(ctx); err == nil {
		err = c.exec("commit")
	}
	if err != nil {
		c.exec("rollback")
	}
	return from, mapError(err)
}

func (c *conn) migrate(ctx context.Context) (from int, err error) {
	if from, err = c.version(ctx); err != nil {
		return 0, err
	}
	for v := from + 1; v <= store.SchemaVersion; v++ {
		if err := c.script(store.Migration(store.SQLite, v)); err != nil {
			return from, fmt.Errorf("migration %d: %w", v, err)
		}
		if err := c.script(fmt.Sprintf("update schema_version set version = %d", v)); err != nil {
			return from, err
		}
	}
	return from, nil
}

// version reads the schema's version; 0 if there is no schema.
func (c *conn) version(ctx context.Context) (int, error) {
	exists, err := c.number(ctx, "select count(*) from sqlite_schema where type = 'table' and name = 'schema_version'")
	if err != nil || exists == 0 {
		return 0, err
	}
	return c.number(ctx, "select coalesce(max(version), 0) from schema_version")
}

func (c *conn) number(ctx context.Context, sql string) (n int, err error) {
	var r results
	stmt := store.Stmt{SQL: sql, Each: func(row store.Row) error { return row.Scan(&n) }}
	if err := c.run(ctx, &stmt, &r); err != nil {
		return 0, err
	}
	return n, r.deliver([]store.Stmt{stmt})
}
