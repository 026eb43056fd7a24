package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// file is what is known of the database's file: SQLite itself would go on to use one that was deleted or replaced.
type file struct {
	path string
	next atomic.Int64 // when to look again, in Unix nanoseconds

	checking sync.Mutex
	mu       sync.Mutex  // of the rest
	database os.FileInfo // nil until a connection is open
	wal      os.FileInfo
}

// fileInterval is how often a process that is used looks at its file.
const fileInterval = 500 * time.Millisecond

// walSuffix and shmSuffix name the files beside a database in WAL mode.
const (
	walSuffix = "-wal"
	shmSuffix = "-shm"
)

// opened remembers which files a new connection has.
func (f *file) opened() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.database == nil {
		f.database, _ = os.Stat(f.path)
	}
	if f.wal == nil {
		f.wal, _ = os.Stat(f.path + walSuffix)
	}
}

// checkFile notices that the file is gone, which is an error until it is back, or is another one, which is opened.
func (db *DB) checkFile(ctx context.Context) error {
	now := time.Now().UnixNano()
	if now < db.file.next.Load() {
		return nil
	}
	db.file.checking.Lock()
	defer db.file.checking.Unlock()
	known := db.file.known()
	if known == nil {
		return nil
	}
	info, err := os.Stat(db.file.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &store.Error{Code: store.CodeMissing, Err: errors.New("the file was deleted or moved")}
	case err == nil && !os.SameFile(info, known):
		if err := db.forget(ctx); err != nil {
			return err
		}
	default:
		db.file.opened() // the log is made by the first statement
	}
	db.file.next.Store(now + int64(fileInterval))
	return nil
}

// unchanged reports whether the file is still the one that is open.
func (f *file) unchanged() bool {
	known := f.known()
	info, err := os.Stat(f.path)
	return err == nil && known != nil && os.SameFile(info, known)
}

func (f *file) known() os.FileInfo {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.database
}

// forget closes all connections to a file that was replaced. Its write-ahead log would be taken for that of the new file:
// SQLite does not remove it when the file has moved.
func (db *DB) forget(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, db.timeout)
	defer cancel()
	var taken []chan *conn
	defer func() {
		for _, set := range taken {
			set <- nil
		}
	}()
	for _, set := range []chan *conn{db.writer, db.readers} {
		for range cap(set) {
			select {
			case c := <-set:
				c.close()
				taken = append(taken, set)
			case <-ctx.Done():
				return &store.Error{Code: store.CodeLocked, Err: errors.New("the file was replaced while statements run")}
			}
		}
	}
	db.file.mu.Lock()
	defer db.file.mu.Unlock()
	if wal, err := os.Stat(db.file.path + walSuffix); err == nil && db.file.wal != nil && os.SameFile(wal, db.file.wal) {
		os.Remove(db.file.path + walSuffix)
		os.Remove(db.file.path + shmSuffix)
	}
	db.file.database, db.file.wal = nil, nil
	return nil
}
