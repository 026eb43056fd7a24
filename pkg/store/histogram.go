package store

import "math/bits"

// Histograms have fixed logarithmic buckets, so that those of different hours and
// processes add up: the values 0 to 7 ms have a bucket each, and from there on each
// doubling is cut into eight. A percentile read from them is at most 1/16 (6.25 %) off.
const (
	subBuckets = 8
	subBits    = 3
	// maxLatency caps what is told apart, about 2.3 hours; longer times count as this.
	maxLatency = 1<<23 - 1
	// Buckets is the number of buckets.
	Buckets = (23-subBits)*subBuckets + subBuckets
)

// Bucket is the number of the bucket, 0 to Buckets-1, of a time in milliseconds.
func Bucket(ms int64) int {
	ms = max(0, min(ms, maxLatency))
	if ms < subBuckets {
		return int(ms)
	}
	shift := bits.Len64(uint64(ms)) - subBits - 1
	return shift*subBuckets + int(ms>>shift)
}

// BucketRange is the least and the greatest time in milliseconds of a bucket.
func BucketRange(bucket int) (from, to int64) {
	if bucket < subBuckets {
		return int64(bucket), int64(bucket)
	}
	shift := bucket/subBuckets - 1
	from = int64(bucket%subBuckets+subBuckets) << shift
	return from, from + 1<<shift - 1
}

// Percentile is the time in milliseconds below which the share p (0 to 1) of the
// counted requests lies: the middle of the bucket where it falls. It is false if nothing
// was counted.
func Percentile(counts map[int]int64, p float64) (ms int64, ok bool) {
	var total int64
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		return 0, false
	}
	rank := min(max(1, int64(p*float64(total)+0.999999)), total)
	for b := range Buckets {
		if rank -= counts[b]; rank <= 0 {
			from, to := BucketRange(b)
			return (from + to) / 2, true
		}
	}
	return 0, false
}
