package store

// The statements of the throttles that are kept in the database, see package quota. A row counts the tries of a bucket.
// Its free_at is the end of the bucket's wait or, where it has none, the time of its last try. Those times do not come
// in order, so only a bucket that has spent its free tries must wait.

const (
	// $2 now, $3 before which the bucket is forgotten, $4 free tries, $5 doublings until $6
	// (the longest wait), $7 the first wait.
	countTry = `insert into throttles (bucket, failures, free_at) values ($1, 1, $2)
on conflict (bucket) do update set
 failures = case when throttles.free_at < $3 then 1 else throttles.failures + 1 end,
 free_at = $2 + case
  when throttles.free_at < $3 or throttles.failures < $4 then 0
  when throttles.failures - $4 >= $5 then $6
  else $7 * (cast(1 as bigint) << cast(throttles.failures - $4 as integer)) end
where throttles.free_at <= $2 or throttles.failures <= $4
returning failures`

	bucketFreeAt = "select free_at from throttles where bucket = $1"

	takeBackTry = `update throttles set failures = failures - 1, free_at = case when free_at > $2 then $2 else free_at end
where bucket = $1 and failures > 0`

	clearBucket = "delete from throttles where bucket = $1"

	markBucket = `insert into throttles (bucket, failures, free_at) values ($1, 0, $2)
on conflict (bucket) do update set
 free_at = case when excluded.free_at > throttles.free_at then excluded.free_at else throttles.free_at end`

	purgeBuckets = "delete from throttles where bucket in (select bucket from throttles where free_at < $1 limit 1000)"
)

// ThrottleRule says how a bucket slows down. Times are milliseconds.
type ThrottleRule struct {
	Free      int64 // tries without a wait
	Step      int64 // the first wait
	Doublings int64 // of Step, until the wait is Max
	Max       int64
	Forget    int64 // a bucket without a try for so long starts afresh
}

// CountTry returns the statement that counts a try at now. Its row is (tries int64); there is none if the bucket must
// wait, and then nothing is counted.
func CountTry(bucket string, now int64, r ThrottleRule) Stmt {
	return Stmt{SQL: countTry, Args: []any{bucket, now, now - r.Forget, r.Free, r.Doublings, r.Max, r.Step}}
}

// BucketFreeAt returns the statement that reads the time until which a bucket must wait, or that of its mark. Its row
// is (freeAt int64); there is none for an unknown bucket.
func BucketFreeAt(bucket string) Stmt { return Stmt{SQL: bucketFreeAt, Args: []any{bucket}} }

// TakeBackTry returns the statement that undoes the last try of a bucket.
func TakeBackTry(bucket string, now int64) Stmt {
	return Stmt{SQL: takeBackTry, Args: []any{bucket, now}}
}

// ClearBucket returns the statement that forgets a bucket.
func ClearBucket(bucket string) Stmt { return Stmt{SQL: clearBucket, Args: []any{bucket}} }

// MarkBucket returns the statement that marks a bucket until a time. A longer mark stands.
func MarkBucket(bucket string, until int64) Stmt {
	return Stmt{SQL: markBucket, Args: []any{bucket, until}}
}

// PurgeBuckets returns the statement that deletes up to 1000 buckets that have been idle since before.
func PurgeBuckets(before int64) Stmt { return Stmt{SQL: purgeBuckets, Args: []any{before}} }
