package store

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBucketsRiseWithTimeAndHoldTheirStart(t *testing.T) {
	last := 0
	for ms := int64(-1); ms < 1<<21; ms++ {
		b := BucketOf(ms)
		if b < last || b >= Buckets {
			t.Fatalf("%d ms is in bucket %d, after %d", ms, b, last)
		}
		if float64(ms) < BucketStart(b) && ms > 0 || b < Buckets-1 && float64(ms) >= BucketStart(b+1)*(1+1e-12) {
			t.Fatalf("%d ms is not within bucket %d (%v to %v)", ms, b, BucketStart(b), BucketStart(b+1))
		}
		last = b
	}
	if BucketOf(1<<62) != Buckets-1 {
		t.Error("a huge time is not in the last bucket")
	}
}

func TestQuantileIsWithinItsBound(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		times := make([]int64, 1+rng.IntN(500))
		var h Histogram
		for i := range times {
			times[i] = 1 + rng.Int64N(1<<(1+rng.IntN(19)))
			h.Add(BucketOf(times[i]), 1)
		}
		slices.Sort(times)
		for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 1} {
			exact := float64(times[max(1, min(int(q*float64(len(times))+0.9999999), len(times)))-1])
			if got := h.Quantile(q); got < exact*0.957 || got > exact*1.045 {
				t.Fatalf("quantile %v of %d times: %v, exactly %v", q, len(times), got, exact)
			}
		}
	}
	if new(Histogram).Quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
}
