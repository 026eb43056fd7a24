package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestGroupWritesEveryItemOnceInBatches(t *testing.T) {
	const callers, each = 32, 50
	var mu sync.Mutex
	seen := map[int]int{}
	var batches, running atomic.Int32
	g := NewGroup(8, always(time.Second), func(_ context.Context, batch []int) error {
		if running.Add(1) != 1 {
			t.Error("two batches at once")
		}
		defer running.Add(-1)
		if len(batch) == 0 || len(batch) > 8 {
			t.Errorf("batch of %d", len(batch))
		}
		batches.Add(1)
		time.Sleep(100 * time.Microsecond)
		mu.Lock()
		defer mu.Unlock()
		for _, i := range batch {
			seen[i]++
		}
		return nil
	})
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				if err := g.Do(t.Context(), c*each+i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(seen) != callers*each {
		t.Fatalf("%d of %d items written", len(seen), callers*each)
	}
	for i, n := range seen {
		if n != 1 {
			t.Fatalf("item %d written %d times", i, n)
		}
	}
	if b := batches.Load(); b >= callers*each {
		t.Errorf("%d batches for %d items: nothing was grouped", b, callers*each)
	}
}

func TestGroupOneBadItemHarmsNoOther(t *testing.T) {
	bad := errors.New("bad")
	release, entered := make(chan struct{}), make(chan struct{}, 1)
	var first atomic.Bool
	g := NewGroup(8, always(time.Second), func(_ context.Context, batch []int) error {
		if first.CompareAndSwap(false, true) {
			entered <- struct{}{}
			<-release
		}
		if slices.Contains(batch, 3) {
			return bad
		}
		return nil
	})
	var wg sync.WaitGroup
	errs := make([]error, 6)
	wg.Go(func() { errs[0] = g.Do(t.Context(), 0) })
	<-entered
	for i := 1; i < len(errs); i++ {
		wg.Go(func() { errs[i] = g.Do(t.Context(), i) })
	}
	for { // all five wait for the batch that is being written
		g.mu.Lock()
		n := len(g.pending)
		g.mu.Unlock()
		if n == 5 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	close(release)
	wg.Wait()
	for i, err := range errs {
		if want := i == 3; errors.Is(err, bad) != want {
			t.Errorf("item %d: %v", i, err)
		}
	}
}

func TestGroupOutlivesTheCaller(t *testing.T) {
	g := NewGroup(8, always(time.Second), func(ctx context.Context, _ []int) error { return ctx.Err() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Do(ctx, 1); err != nil {
		t.Errorf("a caller who left undid the write: %v", err)
	}
}

func TestGroupRunsAgainAfterADeadlock(t *testing.T) {
	n := 0
	g := NewGroup(8, always(time.Second), func(context.Context, []int) error {
		if n++; n == 1 {
			return &Error{Code: CodeDeadlock, Err: errors.New("deadlock detected")}
		}
		return nil
	})
	if err := g.Do(t.Context(), 1); err != nil || n != 2 {
		t.Errorf("after %d tries: %v", n, err)
	}
}

func always(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

// A database that does not answer holds nobody for longer than the timeout and a second, whenever they joined, and a
// batch that failed so is not written member by member.
func TestGroupEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 5 * time.Second
		writes := 0
		g := NewGroup(8, always(timeout), func(ctx context.Context, _ []int) error {
			writes++
			<-ctx.Done()
			return ctx.Err()
		})
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 170 * time.Millisecond)
				joined := time.Now()
				err := g.Do(t.Context(), i)
				if CodeOf(err) != CodeUnavailable {
					t.Errorf("item %d: %v", i, err)
				}
				if took := time.Since(joined); took > timeout+time.Second {
					t.Errorf("item %d waited %v", i, took)
				}
			})
		}
		wg.Wait()
		if writes > 23 { // in 22 s, one at a time, each of a second at least
			t.Errorf("%d writes", writes)
		}
	})
}

// A failure of the database in the middle of single writes ends the batch.
func TestGroupStopsWhereTheDatabaseIsAway(t *testing.T) {
	for _, code := range []Code{CodeUnavailable, CodeLocked, CodeMissing, CodeFull, CodeReadOnly, CodeRefused} {
		writes := 0
		g := NewGroup(8, always(time.Second), func(context.Context, []int) error {
			writes++
			return &Error{Code: code, Err: errors.New("away")}
		})
		batch := []*member[int]{{item: 1}, {item: 2}, {item: 3}}
		g.writeBatch(t.Context(), batch)
		if writes != 1 || CodeOf(batch[2].err) != code {
			t.Errorf("%s: %d writes, %v", code, writes, batch[2].err)
		}
	}
}
