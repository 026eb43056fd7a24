package quota

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// SQLThrottle keeps buckets in the database's table throttles. It is safe for concurrent use.
type SQLThrottle struct {
	db     store.Runner
	purged atomic.Int64 // when this process last deleted old buckets
}

// NewSQLThrottle returns a Throttle in db.
func NewSQLThrottle(db store.Runner) *SQLThrottle { return &SQLThrottle{db: db} }

// A bucket's free_at is the end of its silence or, if there was none, its last try. Those do not come
// in the order of their times, so only a bucket that has spent its free tries is held to it.
const (
	// $2 now, $3 before which the bucket is forgotten, $4 free tries, $5 doublings until $6
	// (the longest silence), $7 the first silence.
	tryBucket = `insert into throttles (bucket, failures, free_at) values ($1, 1, $2)
on conflict (bucket) do update set
 failures = case when throttles.free_at < $3 then 1 else throttles.failures + 1 end,
 free_at = $2 + case
  when throttles.free_at < $3 or throttles.failures < $4 then 0
  when throttles.failures - $4 >= $5 then $6
  else $7 * (cast(1 as bigint) << cast(throttles.failures - $4 as integer)) end
where throttles.free_at <= $2 or throttles.failures <= $4
returning failures`

	bucketFreeAt = `select free_at from throttles where bucket = $1`

	takeBackTry = `update throttles set failures = failures - 1, free_at = case when free_at > $2 then $2 else free_at end
where bucket = $1 and failures > 0`

	clearBucket = `delete from throttles where bucket = $1`

	markBucket = `insert into throttles (bucket, failures, free_at) values ($1, 0, $2)
on conflict (bucket) do update set free_at = case when excluded.free_at > throttles.free_at then excluded.free_at else throttles.free_at end`

	purgeBuckets = `delete from throttles where bucket in (select bucket from throttles where free_at < $1 limit 1000)`
)

const (
	// throttleMemory is how long an idle bucket is kept: longer than any rule's Forget.
	throttleMemory = 24 * time.Hour
	purgeEvery     = 10 * time.Minute
)

// Try implements Throttle, in one round trip.
func (s *SQLThrottle) Try(ctx context.Context, now int64, bucket string, r Rule) (time.Duration, error) {
	var heard, found bool
	var failures, freeAt int64
	stmts := []store.Stmt{
		{
			SQL: tryBucket,
			Args: []any{bucket, now, now - r.Forget.Milliseconds(), r.Free, r.doublings(),
				r.Max.Milliseconds(), r.Step.Milliseconds()},
			Each: store.First(&heard, &failures),
		},
		{SQL: bucketFreeAt, Args: []any{bucket}, Each: store.First(&found, &freeAt)},
	}
	if err := s.db.Run(ctx, s.alsoPurge(stmts, now)...); err != nil || heard {
		return 0, err
	}
	return time.Duration(max(1, freeAt-now)) * time.Millisecond, nil
}

// alsoPurge adds the deletion of old buckets, once in a while.
func (s *SQLThrottle) alsoPurge(stmts []store.Stmt, now int64) []store.Stmt {
	last := s.purged.Load()
	if now-last < purgeEvery.Milliseconds() || !s.purged.CompareAndSwap(last, now) {
		return stmts
	}
	return append(stmts, store.Stmt{SQL: purgeBuckets, Args: []any{now - throttleMemory.Milliseconds()}})
}

// TakeBack implements Throttle.
func (s *SQLThrottle) TakeBack(ctx context.Context, now int64, bucket string) error {
	return s.db.Run(ctx, store.Stmt{SQL: takeBackTry, Args: []any{bucket, now}})
}

// Clear implements Throttle.
func (s *SQLThrottle) Clear(ctx context.Context, _ int64, bucket string) error {
	return s.db.Run(ctx, store.Stmt{SQL: clearBucket, Args: []any{bucket}})
}

// Mark implements Throttle.
func (s *SQLThrottle) Mark(ctx context.Context, now int64, bucket string, until int64) error {
	return s.db.Run(ctx, store.Stmt{SQL: markBucket, Args: []any{bucket, until}})
}

// Marked implements Throttle.
func (s *SQLThrottle) Marked(ctx context.Context, now int64, bucket string) (bool, error) {
	found := false
	var until int64
	err := s.db.Run(ctx, store.Stmt{SQL: bucketFreeAt, Args: []any{bucket}, Each: store.First(&found, &until)})
	return found && until > now, err
}
