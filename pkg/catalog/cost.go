package catalog

import (
	"math"
	"math/bits"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Cost is what a request cost, in nano-dollars, rounded once, half up. A cost that
// the provider itself reports wins. Model is the id that the provider was asked for,
// serviceTier the one that it reported. It reports false if a price is missing that
// the request needs: such a request is unpriced, not free.
//
// It never overflows: a cost beyond an int64 is the largest int64. Negative counts are
// taken as zero.
func Cost(provider, model, serviceTier string, u *chat.Usage, atMs int64) (nanos int64, priced bool) {
	if u == nil {
		return 0, false
	}
	if u.HasCost {
		return max(u.CostNanos, 0), true
	}
	m, ok := Lookup(provider, model)
	if !ok {
		return 0, false
	}
	p, ok := m.PricesAt(serviceTier, u.Input, atMs)
	if !ok {
		return 0, false
	}
	return p.Cost(u)
}

// Cost applies the prices. A class of input without a price of its own costs what
// input costs (a cache write for an hour what a usual one does), audio output what output costs.
func (p *Prices) Cost(u *chat.Usage) (nanos int64, priced bool) {
	var sum picoSum
	rest := max(u.Input, 0)
	take := func(n int64) int64 {
		n = min(max(n, 0), rest)
		rest -= n
		return n
	}
	sum.add(take(u.Cached), p.CacheRead, p.Input)
	sum.add(take(u.CacheWrite), p.CacheWrite, p.Input)
	sum.add(take(u.CacheWrite1h), p.CacheWrite1h, p.CacheWrite, p.Input)
	sum.add(take(u.InputAudio), p.AudioInput, p.Input)
	sum.add(rest, p.Input)
	audio := min(max(u.OutputAudio, 0), max(u.Output, 0))
	sum.add(audio, p.AudioOutput, p.Output)
	sum.add(max(u.Output, 0)-audio, p.Output)
	return sum.nanos(), !sum.unpriced
}

// picoSum adds up in 128 bits. Seven products of 63 bits each fit.
type picoSum struct {
	hi, lo   uint64
	unpriced bool
}

// add counts n tokens at the first price that is known.
func (s *picoSum) add(n int64, prices ...Pico) {
	if n == 0 {
		return
	}
	for _, p := range prices {
		if p == Unknown {
			continue
		}
		hi, lo := bits.Mul64(uint64(n), uint64(p))
		var carry uint64
		s.lo, carry = bits.Add64(s.lo, lo, 0)
		s.hi += hi + carry
		return
	}
	s.unpriced = true
}

func (s *picoSum) nanos() int64 {
	if s.unpriced {
		return 0
	}
	lo, carry := bits.Add64(s.lo, 500, 0)
	hi := s.hi + carry
	if hi >= 1000 {
		return math.MaxInt64
	}
	n, _ := bits.Div64(hi, lo, 1000)
	return int64(min(n, math.MaxInt64))
}
