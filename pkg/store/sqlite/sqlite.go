// Package sqlite is the executor of package store for SQLite, compiled in.
//
// One connection writes and a few read, in WAL mode; the driver is used without database/sql,
// whose pool, locks and conversions would cost as much as the statements do.
// Several processes may share the file: they wait for each other up to 5 seconds.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Options are the settings of Open.
type Options struct {
	// Path is the database file. It is made if it does not exist, readable by
	// its owner alone; its folder must exist.
	Path string
	// Readers is how many selects can run at once; 0 is 4.
	Readers int
	// Timeout bounds every run; 0 is 5 seconds.
	Timeout time.Duration
}

// DB is an open database. It implements [store.DB].
type DB struct {
	dsn     string
	timeout time.Duration
	file    file

	checkpoints checkpoints
	writer      chan *conn // the one, or nil for a connection yet to be opened
	readers     chan *conn // the same, Readers of them
	// background has room for the background runs that may read at once: half of the readers.
	background chan struct{}
	close      sync.Once
	closed     chan struct{}
}

var _ store.DB = (*DB)(nil)

// ErrClosed is the error of all methods of a closed DB.
var ErrClosed = errors.New("the database is closed")

const (
	defaultReaders = 4
	defaultTimeout = 5 * time.Second
	// openTimeout is how long Open tries while other processes hold the database: unlike
	// other statements, the switch to WAL does not wait for locks.
	openTimeout = 20 * time.Second
	openPause   = 20 * time.Millisecond
)

// pragmas: with synchronous NORMAL a killed process loses nothing; a power cut may
// lose the last moments, but never the file's consistency
// (https://www.sqlite.org/pragma.html#pragma_synchronous).
const pragmas = "&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
	"&_pragma=foreign_keys(1)&_pragma=wal_autocheckpoint(0)&_pragma=journal_size_limit(67108864)&_pragma=temp_store(memory)"

// Open opens the database and brings its schema to store.SchemaVersion.
func Open(o Options) (*DB, error) {
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	dsn, err := dsnOf(o.Path, timeout)
	if err != nil {
		return nil, err
	}
	// SQLite itself would make it readable for everybody.
	f, err := os.OpenFile(o.Path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	f.Close()
	readers := o.Readers
	if readers <= 0 {
		readers = defaultReaders
	}
	db := &DB{
		dsn:     dsn,
		timeout: timeout,
		file:    file{path: o.Path},
		writer:  make(chan *conn, 1),
		readers: make(chan *conn, readers),
		closed:  make(chan struct{}),

		background: make(chan struct{}, max(1, readers/2)),
	}
	db.writer <- nil
	for range readers {
		db.readers <- nil
	}
	if err := db.openRetrying(); err != nil {
		db.Close()
		return nil, err
	}
	db.file.opened()
	return db, nil
}

// dsnOf puts the time to wait for locks first: the switch to WAL may have to wait.
func dsnOf(path string, timeout time.Duration) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	busy := fmt.Sprintf("?_pragma=busy_timeout(%d)", timeout.Milliseconds())
	return "file:" + (&url.URL{Path: path}).EscapedPath() + busy + pragmas, nil
}

func (db *DB) openRetrying() error {
	deadline := time.Now().Add(openTimeout)
	for {
		_, err := db.Migrate(context.Background())
		if store.CodeOf(err) != store.CodeLocked || time.Now().After(deadline) {
			return err
		}
		time.Sleep(openPause)
	}
}

// Kind is store.SQLite.
func (db *DB) Kind() store.Kind { return store.SQLite }

// Timeout implements [store.DB].
func (db *DB) Timeout() time.Duration { return db.timeout }

// bound returns the context of a run that begins now.
func (db *DB) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if store.IsUnbounded(ctx) {
		return context.WithCancel(ctx)
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= db.timeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, db.timeout)
}

// Ping reads the schema's version.
func (db *DB) Ping(ctx context.Context) error {
	return db.Run(ctx, store.Stmt{SQL: "select version from schema_version"})
}

// Close waits for the runs under way and closes the connections.
func (db *DB) Close() error {
	db.close.Do(func() {
		close(db.closed)
		db.checkpoints.done.Wait()
		for range cap(db.readers) {
			(<-db.readers).close()
		}
		// Last, because the last connection to close tidies the write-ahead log away,
		// which a reader may not.
		(<-db.writer).close()
	})
	return nil
}

// take waits for a connection of the set and opens it if need be.
func (db *DB) take(ctx context.Context, set chan *conn, readOnly bool) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := db.checkFile(ctx); err != nil {
		return nil, err
	}
	select {
	case <-db.closed:
		return nil, &store.Error{Code: store.CodeUnavailable, Err: ErrClosed}
	default:
	}
	var c *conn
	select {
	case c = <-set:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-db.closed:
		return nil, &store.Error{Code: store.CodeUnavailable, Err: ErrClosed}
	}
	if c != nil {
		return c, nil
	}
	c, err := openConn(db.dsn, readOnly)
	if err != nil {
		set <- nil
		return nil, mapError(err)
	}
	db.file.opened()
	return c, nil
}
