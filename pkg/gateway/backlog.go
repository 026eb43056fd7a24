package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/contain"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// backlog keeps the ends of requests that the database does not take at the moment, bounded by bytes, and writes them in
// their order when it does. Each end is one transaction that holds a row with the request's id, so that one which had
// been written after all conflicts and changes nothing.
type backlog struct {
	write func(ctx context.Context, records []store.Record) error
	// dropped is called for an end that the database refuses again and again while it takes others.
	dropped func(r store.Record, err error)
	limit   int64

	mu       sync.Mutex
	queue    []*kept
	bytes    int64 // of the queue, and of ends that are being written directly
	direct   int   // ends that are being written directly
	draining bool  // a goroutine writes the queue
	away     bool  // the last try of it failed
	stopped  bool
	changed  *sync.Cond // direct or draining changed
}

// kept is the end of a request in a backlog.
type kept struct {
	record  store.Record
	refused int
	done    chan struct{} // closed when it is written or dropped
}

const (
	// The pauses between two tries while the database is away.
	minAwayPause = 100 * time.Millisecond
	maxAwayPause = time.Second
	// The bounds of one transaction.
	backlogBatch      = 64
	backlogBatchBytes = 8 << 20
	// maxRefusals is how often an end may fail although the database takes others.
	maxRefusals = 5
	// recordOverhead is the memory of a record beside its texts.
	recordOverhead = 600
)

func newBacklog(limit int64, write func(context.Context, []store.Record) error,
	dropped func(store.Record, error)) *backlog {
	b := &backlog{write: write, dropped: dropped, limit: limit}
	b.changed = sync.NewCond(&b.mu)
	return b
}

// sizeOf returns about how much memory a record takes.
func sizeOf(r *store.Record) int64 {
	n := recordOverhead + len(r.Trace)
	for _, s := range r.Statements {
		n += recordOverhead
		for _, arg := range s.Args {
			switch a := arg.(type) {
			case []byte:
				n += len(a)
			case string:
				n += len(a)
			}
		}
	}
	return int64(n)
}

// full reports whether no new request may begin, because its end might have no room.
func (b *backlog) full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes >= b.limit
}

// size returns how many ends wait, and the bytes of all that are not written.
func (b *backlog) size() (waiting int, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue), b.bytes
}

// begin reports whether the record may be written directly: nothing is before it. Then end has to follow.
func (b *backlog) begin(r *store.Record) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) > 0 || b.stopped {
		return false
	}
	b.direct++
	b.bytes += sizeOf(r)
	return true
}

func (b *backlog) end(r *store.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.direct--
	b.bytes -= sizeOf(r)
	b.changed.Broadcast()
}

// add queues a record. written is closed when it is written; nil: the database is known to be away. ok is false after
// flush, when it is too late.
func (b *backlog) add(r store.Record) (written <-chan struct{}, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped && b.direct == 0 {
		return nil, false
	}
	k := b.push(r)
	if b.away {
		return nil, true
	}
	return k.done, true
}

// restore is add for a record that an earlier process has saved.
func (b *backlog) restore(r store.Record) (written <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.push(r).done
}

func (b *backlog) push(r store.Record) *kept {
	k := &kept{record: r, done: make(chan struct{})}
	b.queue = append(b.queue, k)
	b.bytes += sizeOf(&r)
	if !b.draining && !b.stopped {
		b.draining = true
		contain.Go(nil, "the backlog", b.drain)
	}
	return k
}

func (b *backlog) drain() {
	pause := minAwayPause
	for {
		batch := b.next()
		if batch == nil {
			return
		}
		if b.writeBatch(batch) {
			pause = minAwayPause
			continue
		}
		time.Sleep(pause)
		pause = min(2*pause, maxAwayPause)
	}
}

// next returns the ends to write next; nil: drain is over.
func (b *backlog) next() []*kept {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 || b.stopped {
		b.draining = false
		b.changed.Broadcast()
		return nil
	}
	n, bytes := 1, sizeOf(&b.queue[0].record)
	for n < min(len(b.queue), backlogBatch) {
		if bytes += sizeOf(&b.queue[n].record); bytes > backlogBatchBytes {
			break
		}
		n++
	}
	return append([]*kept(nil), b.queue[:n]...)
}

// writeBatch returns false if the database takes nothing.
func (b *backlog) writeBatch(batch []*kept) bool {
	records := make([]store.Record, len(batch))
	for i, k := range batch {
		records[i] = k.record
	}
	err := b.try(records)
	if err == nil {
		b.remove(batch)
		return true
	}
	if len(batch) == 1 || store.Away(err) {
		return b.failed(batch[0], err)
	}
	for _, k := range batch {
		if err := b.try([]store.Record{k.record}); err == nil {
			b.remove([]*kept{k})
		} else if !b.failed(k, err) {
			return false
		}
	}
	return true
}

func (b *backlog) try(records []store.Record) error {
	return contain.Call(nil, "the backlog", func() error { return b.write(context.Background(), records) })
}

// failed handles the failure to write an end, perhaps with others. It returns false if nothing can be written for now.
func (b *backlog) failed(k *kept, err error) bool {
	if !store.Away(err) {
		if k.refused++; isOver(err) || k.refused >= maxRefusals {
			b.remove([]*kept{k})
			if !isWritten(err) {
				b.dropped(k.record, err)
			}
			return true
		}
	}
	b.mu.Lock()
	b.away = true
	b.mu.Unlock()
	return false
}

// isWritten says that an earlier try was committed although its connection broke.
func isWritten(err error) bool { return store.CodeOf(err) == store.CodeConflict }

// isOver says that another try would end the same way.
func isOver(err error) bool {
	code := store.CodeOf(err)
	return code == store.CodeConflict || code == store.CodeNull || code == store.CodeReference
}

func (b *backlog) remove(batch []*kept) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = false
	for _, k := range batch {
		for i, other := range b.queue {
			if other == k {
				b.queue = append(b.queue[:i], b.queue[i+1:]...)
				break
			}
		}
		b.bytes -= sizeOf(&k.record)
		close(k.done)
	}
	b.changed.Broadcast()
}

// flush waits until everything is written or ctx ends, and returns what was not. Afterwards nothing is written any more.
func (b *backlog) flush(ctx context.Context) []store.Record {
	defer context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.changed.Broadcast()
	})()
	b.mu.Lock()
	defer b.mu.Unlock()
	for (b.direct > 0 || b.draining) && ctx.Err() == nil {
		b.changed.Wait()
	}
	b.stopped = true
	for b.direct > 0 || b.draining { // each ends within the database's timeout
		b.changed.Wait()
	}
	rest := make([]store.Record, len(b.queue))
	for i, k := range b.queue {
		rest[i] = k.record
	}
	return rest
}
