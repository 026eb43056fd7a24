package sqlite

import (
	"context"
	"os"
	"sync"
	"sync/atomic"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// A checkpoint copies the write-ahead log into the database and waits for the disk. SQLite does so within the commit that
// makes the log long, so that some requests would wait for it. The gateway does it on a connection of its own.

const (
	// checkpointBytes is the length of the log from which it is copied.
	checkpointBytes = 4 << 20
	// resetBytes is the length from which writers wait for the end of a copy, so that the log begins anew: while they
	// write, it can only grow.
	resetBytes = 48 << 20
	// checkEvery is how many writes pass between two looks at the log's length.
	checkEvery = 64
)

type checkpoints struct {
	writes  atomic.Int64
	running atomic.Bool
	done    sync.WaitGroup
}

// wrote counts a write, and begins a checkpoint if the log is long.
func (db *DB) wrote() {
	c := &db.checkpoints
	if c.writes.Add(1)%checkEvery != 0 || c.running.Swap(true) {
		return
	}
	c.done.Go(func() {
		defer c.running.Store(false)
		db.checkpoint()
	})
}

// checkpoint copies the log. An error, such as a full disk, shows in the writes themselves, and the next checkpoint
// tries again.
func (db *DB) checkpoint() {
	if db.logBytes() < checkpointBytes || !db.file.unchanged() {
		return
	}
	c, err := openConn(db.dsn, false)
	if err != nil {
		return
	}
	defer c.close()
	c.copyLog()
	if db.logBytes() < resetBytes {
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

// copyLog copies as much as it can without waiting for anybody, and without making anybody wait.
func (c *conn) copyLog() {
	var busy, log, copied int64
	var r results
	st := store.Stmt{SQL: "pragma wal_checkpoint(passive)", Each: func(row store.Row) error { return row.Scan(&busy, &log, &copied) }}
	c.run(context.Background(), &st, &r)
}

func (db *DB) logBytes() int64 {
	info, err := os.Stat(db.file.path + walSuffix)
	if err != nil {
		return 0
	}
	return info.Size()
}
