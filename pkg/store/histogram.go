package store

import "math"

// Kinds of histograms in latency_hours.
const (
	KindLatency   = 1 // of whole requests
	KindFirstByte = 2
)

// Buckets is the number of buckets of a histogram: one for less than a millisecond, eight for each
// doubling from 1 ms up to 2^20 ms (17.5 min, beyond the longest deadline), and one for all beyond.
const Buckets = 1 + perDoubling*doublings + 1

const (
	perDoubling = 8
	doublings   = 20
)

// BucketOf is the bucket (0 … Buckets-1) for a duration in milliseconds. Buckets 1, 2, 3, … begin at
// 2^(0/8), 2^(1/8), 2^(2/8), … ms.
func BucketOf(ms int64) int {
	if ms < 1 {
		return 0
	}
	if ms >= 1<<doublings {
		return Buckets - 1
	}
	// No integer but a power of two lies on a bound, and for those the logarithm is exact.
	return 1 + int(math.Floor(math.Log2(float64(ms))*perDoubling))
}

// BucketStart is where a bucket begins, in milliseconds.
func BucketStart(bucket int) float64 {
	if bucket <= 0 {
		return 0
	}
	return math.Exp2(float64(bucket-1) / perDoubling)
}

// Histogram counts requests by the bucket of their duration. The zero value is empty.
type Histogram [Buckets]int64

// Add counts n requests in a bucket; one that a later version made counts as the last.
func (h *Histogram) Add(bucket int, n int64) {
	h[min(max(bucket, 0), Buckets-1)] += n
}

// Count is the number of requests.
func (h *Histogram) Count() (n int64) {
	for _, c := range h {
		n += c
	}
	return n
}

// Quantile estimates the duration in milliseconds that the share q (0 … 1) of the requests did not exceed;
// 0 if there are none. From 1 ms to 17.5 min it is off by at most 4.5 % (half a bucket, 2^(1/16));
// below it is 0.5, and beyond it is 17.5 min.
func (h *Histogram) Quantile(q float64) float64 {
	total := h.Count()
	if total == 0 {
		return 0
	}
	rank := max(1, int64(math.Ceil(q*float64(total))))
	bucket := 0
	for seen := h[0]; seen < rank && bucket < Buckets-1; {
		bucket++
		seen += h[bucket]
	}
	switch bucket {
	case 0:
		return 0.5
	case Buckets - 1:
		return BucketStart(bucket)
	}
	return BucketStart(bucket) * math.Exp2(0.5/perDoubling)
}
