package sqlite

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/alicetears/llm-gateway/pkg/store"

	"github.com/alicetears/llm-gateway/pkg/contain"
)

// A checkpoint copies the write-ahead log into the database and waits for the disk. SQLite does so within the commit that
// makes the log long, so that some requests would wait for it. The gateway does it on a connection of its own.

const (
	// checkpointEvery is how many writes pass between two checkpoints; a write adds some pages of 4 kB.
	checkpointEvery = 512
	// resetPages is the length of the log from which writers wait for the end of a copy, so that the log begins anew:
	// while they write, it may only grow. 12,000 pages are 48 MB.
	resetPages = 12_000
)

type checkpoints struct {
	writes  atomic.Int64
	running atomic.Bool
	done    sync.WaitGroup
}

// wrote counts a write, and begins a checkpoint if the log is long.
func (db *DB) wrote() {
	c := &db.checkpoints
	if c.writes.Add(1)%checkpointEvery != 0 || c.running.Swap(true) {
		return
	}
	c.done.Add(1)
	contain.Go(nil, "the checkpoint", func() {
		defer c.done.Done()
		defer c.running.Store(false)
		db.checkpoint()
	})
}

// checkpoint copies the log. An error, such as a full disk, shows in the writes themselves, and the next checkpoint
// tries again.
func (db *DB) checkpoint() {
	if !db.file.unchanged() {
		return
	}
	c, err := openConn(db.dsn, false)
	if err != nil {
		return
	}
	defer c.close()
	if c.copyLog() < resetPages {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), db.timeout)
	defer cancel()
	// Most of the log is copied, so that writers wait for little.
	writer, err := db.take(ctx, db.writer, false)
	if err != nil {
		return
	}
	defer func() { db.writer <- writer }()
	c.copyLog()
}

// copyLog copies as much as it can without waiting for anybody, and without making anybody wait. It returns the length of
// the log in pages.
func (c *conn) copyLog() int64 {
	var busy, log, copied int64
	var r results
	st := store.Stmt{SQL: "pragma wal_checkpoint(passive)", Each: func(row store.Row) error { return row.Scan(&busy, &log, &copied) }}
	if err := c.run(context.Background(), &st, &r); err != nil || r.deliver([]store.Stmt{st}) != nil {
		return 0
	}
	return log
}
