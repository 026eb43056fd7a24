package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Backup writes the database, as it is at one moment, into a new file at path, readable by its owner
// alone. Whoever uses the database meanwhile is not held up (https://www.sqlite.org/lang_vacuum.html#vacuuminto).
// The file appears whole or not at all. The error is fs.ErrExist if there is one.
func (db *DB) Backup(ctx context.Context, path string) error {
	// A connection of its own: the writer stays free.
	c, err := openConn(db.dsn, false)
	if err != nil {
		return mapError(err)
	}
	defer c.close()
	return c.vacuumInto(ctx, path)
}

// Copy does the same with the database file at from, which it does not change: its schema stays
// as it is. It fails if that is no database, or a damaged one.
func Copy(ctx context.Context, from, path string) error {
	c, err := openReadOnly(from)
	if err != nil {
		return err
	}
	defer c.close()
	return c.vacuumInto(ctx, path)
}

// openReadOnly opens a file that is there, and leaves its journal mode alone.
func openReadOnly(path string) (*conn, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	c, err := openConn("file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(5000)", false)
	return c, mapError(err)
}

func (c *conn) vacuumInto(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
	}
	// SQLite takes an empty file that exists, and so keeps its mode: 0600.
	tmp, err := os.CreateTemp(filepath.Dir(path), ".backup-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := c.check(ctx); err != nil {
		return err
	}
	into := []driver.NamedValue{{Ordinal: 1, Value: tmp.Name()}}
	if _, err := c.driver.ExecContext(ctx, "vacuum into ?", into); err != nil {
		return mapError(err)
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	err = os.Link(tmp.Name(), path) // fails where a file is, which a rename would replace
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(tmp.Name(), path) // no hard links here
}

// check looks for damage that copying would carry on.
func (c *conn) check(ctx context.Context) error {
	var r results
	said := ""
	stmt := store.Stmt{SQL: "pragma quick_check(1)", Each: func(row store.Row) error { return row.Scan(&said) }}
	if err := c.run(ctx, &stmt, &r); err != nil {
		return mapError(err)
	}
	if err := r.deliver([]store.Stmt{stmt}); err != nil {
		return err
	}
	if said != "ok" {
		return &store.Error{Code: store.CodeOther, Err: fmt.Errorf("the file is damaged: %s", said)}
	}
	return nil
}

// ErrInUse comes of Release while somebody has the database open.
var ErrInUse = errors.New("another process has the database open")

// Release makes sure that nobody has the database at path open, and puts all that it holds into that one file:
// afterwards it may be moved.
func Release(ctx context.Context, path string) error {
	dsn, err := dsnOf(path, defaultTimeout)
	if err != nil {
		return err
	}
	c, err := openConn(dsn, false)
	if err != nil {
		return mapError(err)
	}
	defer c.close()
	// Every connection in WAL mode holds a shared lock as long as it lives, and leaving the mode takes
	// an exclusive one (https://www.sqlite.org/wal.html).
	var r results
	mode := ""
	stmt := store.Stmt{SQL: "pragma journal_mode=delete", Each: func(row store.Row) error { return row.Scan(&mode) }}
	if err := c.run(ctx, &stmt, &r); err != nil {
		if err = mapError(err); store.CodeOf(err) == store.CodeLocked {
			return ErrInUse
		}
		return err
	}
	if err := r.deliver([]store.Stmt{stmt}); err != nil {
		return err
	}
	if mode != "delete" {
		return ErrInUse
	}
	return nil
}

// Version is that of the schema of the database file at path, which is only read; 0 if it has none.
func Version(ctx context.Context, path string) (int, error) {
	c, err := openReadOnly(path)
	if err != nil {
		return 0, err
	}
	defer c.close()
	version, err := c.version(ctx)
	return version, mapError(err)
}
