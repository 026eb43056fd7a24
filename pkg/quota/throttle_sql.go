package quota

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// SQLThrottle keeps buckets in the database. It is safe for concurrent use.
type SQLThrottle struct {
	db     store.Runner
	purged atomic.Int64 // when this process last deleted old buckets
}

// NewSQLThrottle returns a Throttle in db.
func NewSQLThrottle(db store.Runner) *SQLThrottle { return &SQLThrottle{db: db} }

const (
	// throttleMemory is how long an idle bucket is kept: longer than any rule's Forget.
	throttleMemory = 24 * time.Hour
	purgeEvery     = 10 * time.Minute
)

// Try implements [Throttle], in one round trip.
func (s *SQLThrottle) Try(ctx context.Context, now int64, bucket string, r Rule) (time.Duration, error) {
	var counted, found bool
	var tries, freeAt int64
	try := store.CountTry(bucket, now, store.ThrottleRule{
		Free: r.Free, Step: r.Step.Milliseconds(), Doublings: r.doublings(),
		Max: r.Max.Milliseconds(), Forget: r.Forget.Milliseconds(),
	})
	try.Each = store.First(&counted, &tries)
	wait := store.BucketFreeAt(bucket)
	wait.Each = store.First(&found, &freeAt)
	if err := s.db.Run(ctx, s.appendPurge([]store.Stmt{try, wait}, now)...); err != nil || counted {
		return 0, err
	}
	return time.Duration(max(1, freeAt-now)) * time.Millisecond, nil
}

// appendPurge appends the deletion of old buckets, once every purgeEvery.
func (s *SQLThrottle) appendPurge(stmts []store.Stmt, now int64) []store.Stmt {
	last := s.purged.Load()
	if now-last < purgeEvery.Milliseconds() || !s.purged.CompareAndSwap(last, now) {
		return stmts
	}
	return append(stmts, store.PurgeBuckets(now-throttleMemory.Milliseconds()))
}

// TakeBack implements [Throttle].
func (s *SQLThrottle) TakeBack(ctx context.Context, now int64, bucket string) error {
	return s.db.Run(ctx, store.TakeBackTry(bucket, now))
}

// Clear implements [Throttle].
func (s *SQLThrottle) Clear(ctx context.Context, _ int64, bucket string) error {
	return s.db.Run(ctx, store.ClearBucket(bucket))
}

// Flag implements [Throttle].
func (s *SQLThrottle) Flag(ctx context.Context, now int64, bucket string, until int64) error {
	return s.db.Run(ctx, store.MarkBucket(bucket, until))
}

// Flagged implements [Throttle].
func (s *SQLThrottle) Flagged(ctx context.Context, now int64, bucket string) (bool, error) {
	found := false
	var until int64
	flag := store.BucketFreeAt(bucket)
	flag.Each = store.First(&found, &until)
	err := s.db.Run(ctx, flag)
	return found && until > now, err
}
