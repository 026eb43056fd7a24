package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Group joins the writes of concurrent callers: while one batch is
// being written, the next one gathers. A batch costs about as much as a
// transaction of one caller, so each member pays less in a busy process.
//
// Group has no goroutine of its own, because a function's process is frozen between
// requests: one of the waiting callers writes the batch and then hands over to
// a caller of the next.
type Group[T any] struct {
	write   func(ctx context.Context, batch []T) error
	limit   int
	timeout func() time.Duration

	mu      sync.Mutex
	busy    bool
	pending []*member[T]
}

type member[T any] struct {
	item T
	err  error
	end  time.Time // by which the caller wants to know
	// wake receives false when the item is written and true when this caller is to
	// write the next batch, in which its item is the first.
	wake chan bool
}

// NewGroup returns a group whose batches have at most limit items. write must write
// all items of the batch or none. When it fails for a batch of several because of an item, each item
// is written once more by itself, so that one bad item harms no other; when the database cannot
// write, the batch fails as a whole.
//
// A caller waits timeout() at most, from the moment when it joined, and a second more if its batch was
// begun just before. A write has its own context: a caller who leaves must not undo the writes of others.
func NewGroup[T any](limit int, timeout func() time.Duration, write func(ctx context.Context, batch []T) error) *Group[T] {
	return &Group[T]{write: write, limit: limit, timeout: timeout}
}

// leastTime is what a write gets though its first member has waited almost all of its time.
const leastTime = time.Second

// Do returns when item is written, or could not be written. It uses only the values of ctx and
// does not end with it, because a caller who reserves must learn the outcome.
func (g *Group[T]) Do(ctx context.Context, item T) error {
	m := &member[T]{item: item, end: time.Now().Add(g.timeout())}
	g.mu.Lock()
	if g.busy {
		m.wake = make(chan bool, 1)
		g.pending = append(g.pending, m)
		g.mu.Unlock()
		if lead := <-m.wake; !lead {
			return m.err
		}
		g.mu.Lock()
		g.expire(m)
	} else {
		g.busy = true
		g.pending = append(g.pending, m)
	}
	n := min(len(g.pending), g.limit)
	batch := make([]*member[T], n)
	copy(batch, g.pending)
	g.pending = append(g.pending[:0], g.pending[n:]...)
	g.mu.Unlock()

	defer g.handOver()
	if n == 0 {
		return m.err // its time was over
	}
	defer func() { // also after a panic, which is this caller's alone
		for _, other := range batch {
			if other != m {
				other.wake <- false
			}
		}
	}()
	g.writeBatch(context.WithoutCancel(ctx), batch)
	return m.err
}

// expire lets the members go whose time is over, because those before them took it. The leader stays, to write for the
// others.
func (g *Group[T]) expire(leader *member[T]) {
	now := time.Now()
	g.pending = slices.DeleteFunc(g.pending, func(m *member[T]) bool {
		if !m.end.Before(now) {
			return false
		}
		m.err = errNoTime
		if m != leader {
			m.wake <- false
		}
		return true
	})
}

var (
	errNotWritten = errors.New("the batch was not written")
	errNoTime     = &Error{Code: CodeUnavailable, Err: errors.New("no answer in time to those before")}
)

func (g *Group[T]) handOver() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.pending) == 0 {
		g.busy = false
		return
	}
	g.pending[0].wake <- true
}

func (g *Group[T]) writeBatch(ctx context.Context, batch []*member[T]) {
	items := make([]T, len(batch))
	for i, m := range batch {
		items[i], m.err = m.item, errNotWritten
	}
	end := batch[0].end // they joined in this order
	if least := time.Now().Add(leastTime); end.Before(least) {
		end = least
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	err := g.try(ctx, items)
	if err == nil || len(batch) == 1 || Away(err) {
		for _, m := range batch {
			m.err = err
		}
		return
	}
	for i, m := range batch {
		if m.err = g.try(ctx, items[i:i+1]); Away(m.err) {
			for _, other := range batch[i+1:] {
				other.err = m.err
			}
			return
		}
	}
}

// Away says that the database did not write because it cannot, whatever the items are.
func Away(err error) bool {
	switch CodeOf(err) {
	case CodeUnavailable, CodeLocked, CodeMissing, CodeFull, CodeReadOnly, CodeRefused:
		return true
	}
	return false
}

// tries bounds how often a write is run again after the database chose it to
// resolve a deadlock.
const tries = 3

func (g *Group[T]) try(ctx context.Context, items []T) (err error) {
	for range tries {
		if err = g.write(ctx, items); CodeOf(err) != CodeDeadlock || ctx.Err() != nil {
			break
		}
		if len(items) > 1 {
			break // alone, a member cannot deadlock with a member of another process's batch
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Code: CodeUnavailable, Err: err}
	}
	return err
}
