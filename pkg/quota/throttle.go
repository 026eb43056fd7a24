package quota

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// A Throttle slows guessing down: it counts tries in buckets, and after some of them
// a bucket hears no more for a while. It never closes one for longer than its rule says, however
// many tries come.
//
// A try is counted before it is known whether it is right, so that many at once gain nothing; one
// that was right is taken back. Times are Unix milliseconds. Errors are those of the storage.
type Throttle interface {
	// Try counts a try and returns 0, or returns how long the bucket hears nothing yet, and counts nothing.
	Try(ctx context.Context, now int64, bucket string, rule Rule) (wait time.Duration, err error)
	// TakeBack undoes the last try of a bucket.
	TakeBack(ctx context.Context, now int64, bucket string) error
	// Clear forgets a bucket's tries.
	Clear(ctx context.Context, now int64, bucket string) error
	// Mark sets a bucket's mark, which Marked sees until the time until. A bucket is used
	// for tries or for a mark, not for both.
	Mark(ctx context.Context, now int64, bucket string, until int64) error
	Marked(ctx context.Context, now int64, bucket string) (bool, error)
}

// Rule says how a bucket slows down: Free tries at any speed; after the next one Step of
// silence, and twice as much after each further one, up to Max. A bucket without a try for Forget
// after its silence starts afresh.
type Rule struct {
	Free   int64 // at least 1
	Step   time.Duration
	Max    time.Duration
	Forget time.Duration
}

// doublings is after how many doublings of Step a silence of Max is reached.
func (r Rule) doublings() int64 {
	n := int64(0)
	for d := r.Step; d < r.Max && n < 30; d *= 2 {
		n++
	}
	return n
}

// Bucket names a bucket of a kind ("login") for what it counts: a digest, because what people type
// into a login form is not always an address. Parts never run into one another.
func Bucket(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		h.Write(sum[:])
	}
	return kind + ":" + hex.EncodeToString(h.Sum(nil)[:16])
}
