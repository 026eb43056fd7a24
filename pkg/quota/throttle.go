package quota

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// A Throttle slows guessing down: it counts tries in buckets, and after some tries
// a bucket must wait. A wait is never longer than the rule says, for any number of tries.
//
// A try counts before it is known whether it is right, so that many at once gain nothing. A
// right one is taken back. Times are Unix milliseconds. Errors are those of the storage.
type Throttle interface {
	// Try counts a try and returns 0, or returns how long the bucket must wait, and counts nothing.
	Try(ctx context.Context, now int64, bucket string, rule Rule) (wait time.Duration, err error)
	// TakeBack undoes the last try of a bucket.
	TakeBack(ctx context.Context, now int64, bucket string) error
	// Clear forgets a bucket's tries.
	Clear(ctx context.Context, now int64, bucket string) error
	// Flag sets a bucket's mark, which Marked sees until the time until. A bucket is used
	// for tries or for a mark, not for both.
	Flag(ctx context.Context, now int64, bucket string, until int64) error
	Flagged(ctx context.Context, now int64, bucket string) (bool, error)
}

// Rule says how a bucket slows down: Free tries need no wait; the next one makes the bucket wait for Step,
// and each further one twice as long, up to Max. A bucket without a try for Forget
// after its wait starts afresh.
type Rule struct {
	Free   int64 // at least 1
	Step   time.Duration
	Max    time.Duration
	Forget time.Duration
}

// doublings returns how many doublings of Step reach Max.
func (r Rule) doublings() int64 {
	n := int64(0)
	for d := r.Step; d < r.Max && n < 30; d *= 2 {
		n++
	}
	return n
}

// Bucket names a bucket of a kind ("login") for the parts that it counts. The name holds a digest of them, because people
// type more than addresses into a login form. No two lists of parts make the same name.
func Bucket(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		h.Write(sum[:])
	}
	return kind + ":" + hex.EncodeToString(h.Sum(nil)[:16])
}
