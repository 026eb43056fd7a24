package store

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBucketsCoverEveryTimeWithoutGapOrOverlap(t *testing.T) {
	next := int64(0)
	for b := range Buckets {
		from, to := BucketRange(b)
		if from != next || to < from {
			t.Fatalf("bucket %d is %d to %d, want from %d", b, from, to, next)
		}
		if Bucket(from) != b || Bucket(to) != b {
			t.Fatalf("bucket %d (%d to %d): Bucket says %d and %d", b, from, to, Bucket(from), Bucket(to))
		}
		next = to + 1
	}
	if next != maxLatency+1 {
		t.Errorf("the last bucket ends at %d, want %d", next-1, maxLatency)
	}
	if Bucket(-5) != 0 || Bucket(1<<40) != Buckets-1 {
		t.Errorf("out of range: %d, %d", Bucket(-5), Bucket(1<<40))
	}
}

func TestPercentileIsWithinItsBound(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		times := make([]int64, 1+rng.IntN(500))
		counts := map[int]int64{}
		for i := range times {
			times[i] = rng.Int64N(1 << (1 + rng.IntN(22)))
			counts[Bucket(times[i])]++
		}
		slices.Sort(times)
		for _, p := range []float64{0.01, 0.5, 0.9, 0.99, 1} {
			rank := int(p*float64(len(times)) + 0.999999)
			exact := times[max(1, min(rank, len(times)))-1]
			got, ok := Percentile(counts, p)
			if diff := max(got-exact, exact-got); !ok || diff > exact/16+1 {
				t.Fatalf("p%v of %d times: %d, exactly %d", p*100, len(times), got, exact)
			}
		}
	}
	if _, ok := Percentile(nil, 0.5); ok {
		t.Error("a percentile of nothing")
	}
}
