package catalog

import (
	"math"
	"math/bits"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Request says what a cost depends on besides the usage.
type Request struct {
	Provider    string
	Model       string // the id that the provider was asked for
	Answered    string // the model that answered, as the provider names it in its answer; empty if it names none
	ServiceTier string // as the provider reports it
	AtMs        int64  // when the request began, in Unix milliseconds
}

// Cost returns the cost of a request in nano-dollars, rounded once, half up. A cost that the provider itself
// reports wins. The prices are those of the model that answered or, if the catalogue has none of it, of the
// model asked for, at the time of the request. Cost reports false if a price is missing that the request
// needs: such a request is unpriced, not free.
//
// Cost never overflows: a cost beyond an int64 is the largest int64. Negative counts are taken as zero.
func Cost(r Request, u *chat.Usage) (nanos int64, priced bool) {
	if u == nil {
		return 0, false
	}
	if u.HasCost {
		return max(u.CostNanos, 0), true
	}
	if id := r.substitute(); id != "" {
		if nanos, priced = r.costAs(id, u); priced {
			return nanos, true
		}
	}
	return r.costAs(r.Model, u)
}

// substitute returns the id of the model that answered if its prices may differ from those of the model asked for, else
// "". A snapshot of the model asked for has its own prices only if the catalogue lists it. If a snapshot or a variant was
// asked for and the answer names its base model, the prices are those of the snapshot or variant.
func (r *Request) substitute() string {
	id, asked := withoutCollection(r.Answered), withoutCollection(r.Model)
	if id == "" || id == asked || id == baseID(asked) {
		return ""
	}
	if lineOf(r.Provider, id) != "" {
		return id
	}
	if base := baseID(id); base != id && base != baseID(asked) {
		return base
	}
	return ""
}

// costAs returns the cost of the request at the prices of the model.
func (r *Request) costAs(id string, u *chat.Usage) (nanos int64, priced bool) {
	m, ok := Lookup(r.Provider, id)
	if ok && m.RoutedTo != "" && r.AtMs >= dateMs(m.EndOfLife) {
		m, ok = Lookup(r.Provider, m.RoutedTo)
	}
	if !ok {
		return 0, false
	}
	p, ok := m.PricesAt(r.ServiceTier, u.Input, r.AtMs)
	if !ok {
		return 0, false
	}
	return p.Cost(u)
}

// Cost returns the cost of the usage at the prices. A class of input without its own price costs as much as input (a
// cache write for an hour as much as a shorter one), audio output as much as output.
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
