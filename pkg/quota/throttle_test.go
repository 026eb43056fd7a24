package quota_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/redistest"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

var rule = quota.Rule{Free: 3, Step: time.Second, Max: 6 * time.Second, Forget: time.Minute}

// onEveryThrottle runs a test with each storage of buckets.
func onEveryThrottle(t *testing.T, test func(t *testing.T, th quota.Throttle)) {
	t.Run("sqlite", func(t *testing.T) {
		db, err := sqlite.Open(sqlite.Options{Path: t.TempDir() + "/test.db"})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		test(t, quota.NewSQLThrottle(db))
	})
	t.Run("postgres", func(t *testing.T) {
		db, err := postgres.Open(postgres.Options{URL: pgtest.New(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		test(t, quota.NewSQLThrottle(db))
	})
	t.Run("redis", func(t *testing.T) {
		th, err := quota.NewRedisThrottle(redistest.New(t).URL, noThrottle{t: t}, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			t.Fatal(err)
		}
		defer th.Close()
		test(t, th)
	})
}

// noThrottle is a fallback that fails the test.
type noThrottle struct {
	quota.Throttle
	t *testing.T
}

func (n noThrottle) Try(context.Context, int64, string, quota.Rule) (time.Duration, error) {
	n.t.Error("the fallback was asked")
	return 0, nil
}

// throttle is a bucket with a clock.
type bucket struct {
	t    *testing.T
	th   quota.Throttle
	name string
	now  int64
}

func newBucket(t *testing.T, th quota.Throttle, name string) *bucket {
	return &bucket{t, th, name, time.Now().UnixMilli()}
}

func (b *bucket) try(want time.Duration) {
	b.t.Helper()
	if wait, err := b.th.Try(b.t.Context(), b.now, b.name, rule); err != nil || wait != want {
		b.t.Fatalf("%s: wait %v (%v), want %v", b.name, wait, err, want)
	}
}

func (b *bucket) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bucket) pass(d time.Duration) { b.now += d.Milliseconds() }

func TestThrottleSlowsDownAndNeverLocksOut(t *testing.T) {
	onEveryThrottle(t, func(t *testing.T, th quota.Throttle) {
		b, other := newBucket(t, th, "slow"), newBucket(t, th, "other")
		for range rule.Free {
			b.try(0)
		}
		for _, wait := range []time.Duration{1, 2, 4, 6, 6, 6} {
			wait *= time.Second
			b.try(0) // one more counts, then the bucket must wait
			b.try(wait)
			b.pass(wait - time.Millisecond)
			for range 5 {
				b.try(time.Millisecond) // a refused try does not prolong the wait
			}
			b.pass(time.Millisecond)
		}
		other.try(0)
		b.pass(rule.Forget + time.Second)
		for range rule.Free + 1 {
			b.try(0)
		}
		b.try(time.Second)
	})
}

// Requests reach the storage out of order, and replicas' clocks differ a little. Neither is a reason to wait.
func TestThrottleAllowsFreeTriesInAnyOrder(t *testing.T) {
	onEveryThrottle(t, func(t *testing.T, th quota.Throttle) {
		b := newBucket(t, th, "order")
		b.try(0)
		b.pass(-200 * time.Millisecond)
		b.try(0)
		b.pass(-time.Millisecond)
		b.try(0)
		b.pass(201 * time.Millisecond)
		b.try(0)
		b.try(time.Second)
	})
}

func TestThrottleTakesBackAndClears(t *testing.T) {
	onEveryThrottle(t, func(t *testing.T, th quota.Throttle) {
		b := newBucket(t, th, "back")
		for range 20 { // correct tries do not count
			b.try(0)
			b.must(th.TakeBack(t.Context(), b.now, b.name))
		}
		for range rule.Free + 1 {
			b.try(0)
		}
		b.must(th.TakeBack(t.Context(), b.now, b.name))
		b.try(0) // the wait went with the try that began it
		b.try(time.Second)
		b.must(th.Clear(t.Context(), b.now, b.name))
		for range rule.Free + 1 {
			b.try(0)
		}
		b.try(time.Second)
		b.must(th.TakeBack(t.Context(), b.now, "nobody's"))
		b.must(th.Clear(t.Context(), b.now, "nobody's"))
	})
}

func TestThrottleFlags(t *testing.T) {
	onEveryThrottle(t, func(t *testing.T, th quota.Throttle) {
		b := newBucket(t, th, "mark")
		flagged := func(want bool) {
			t.Helper()
			if got, err := th.Flagged(t.Context(), b.now, b.name); err != nil || got != want {
				t.Fatalf("%v (%v), want %v", got, err, want)
			}
		}
		flagged(false)
		b.must(th.Flag(t.Context(), b.now, b.name, b.now+time.Hour.Milliseconds()))
		flagged(true)
		b.pass(2 * time.Hour)
		flagged(false)
	})
}

// Of any number of concurrent tries, only as many succeed as the rule allows.
func TestThrottleCountsParallelTries(t *testing.T) {
	onEveryThrottle(t, func(t *testing.T, th quota.Throttle) {
		b := newBucket(t, th, "parallel")
		var heard atomic.Int64
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				wait, err := th.Try(t.Context(), b.now, b.name, rule)
				if err != nil {
					t.Error(err)
				}
				if wait == 0 {
					heard.Add(1)
				}
			})
		}
		all.Wait()
		if n := heard.Load(); n != rule.Free+1 {
			t.Errorf("%d of 40 were heard, want %d", n, rule.Free+1)
		}
	})
}

// Without Redis the database counts, and Redis is tried again later.
func TestThrottleSurvivesRedis(t *testing.T) {
	db, err := sqlite.Open(sqlite.Options{Path: t.TempDir() + "/test.db"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	server, counting := redistest.New(t), &countingRunner{Runner: db}
	th, err := quota.NewRedisThrottle(server.URL, quota.NewSQLThrottle(counting), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer th.Close()
	b := newBucket(t, th, "redis")
	b.try(0)
	if n := counting.runs.Load(); n != 0 {
		t.Errorf("the database was asked %d times while Redis answers", n)
	}
	server.Stop()
	for range rule.Free + 1 {
		b.try(0)
	}
	b.try(time.Second)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Minute)
	before := counting.runs.Load()
	b.try(0)
	if n := counting.runs.Load(); n != before {
		t.Error("Redis is not asked again")
	}
}

type countingRunner struct {
	store.Runner
	runs atomic.Int64
}

func (r *countingRunner) Run(ctx context.Context, stmts ...store.Stmt) error {
	r.runs.Add(1)
	return r.Runner.Run(ctx, stmts...)
}
