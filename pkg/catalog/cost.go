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

// A Charge is the cost of a request.
type Charge struct {
	Nanos int64 // nano-dollars, rounded once, half up; 0 unless Priced
	// Priced is false if a price is missing that the request needs: such a request is unpriced, not free.
	Priced bool
	// Estimated says that the cost does not follow from published prices alone: the service tier has no price of its
	// own, or the usage has something whose price is not known.
	Estimated bool
}

// Cost returns the cost of a request. A cost that the provider itself reports wins. The prices are those of the model
// that answered or, if the catalogue has none of it, of the model asked for, at the time of the request.
//
// Cost never overflows: a cost beyond an int64 is the largest int64. Negative counts are taken as zero.
func Cost(r Request, u *chat.Usage) Charge {
	if u == nil {
		return Charge{}
	}
	if u.HasCost {
		return Charge{Nanos: max(u.CostNanos, 0), Priced: true}
	}
	if u.Tier != "" {
		r.ServiceTier = u.Tier
	}
	if id := r.substitute(); id != "" {
		if c := r.costAs(id, u); c.Priced {
			return c
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
func (r *Request) costAs(id string, u *chat.Usage) Charge {
	m, ok := Lookup(r.Provider, id)
	if ok && m.RoutedTo != "" && r.AtMs >= dateMs(m.EndOfLife) {
		m, ok = Lookup(r.Provider, m.RoutedTo)
	}
	if !ok {
		return Charge{}
	}
	p, ok := m.PricesAt(r.ServiceTier, u.Input, r.AtMs)
	if !ok {
		return Charge{}
	}
	return p.Cost(u)
}

// Cost returns the cost of the usage at the prices. A class of input without its own price costs as much as input (a
// cache write for an hour as much as a shorter one), a class of output as much as output. Calls of a tool without a price
// cost nothing, which makes the cost an estimate, as do pictures among the output and audio that may have been cached.
func (p *Prices) Cost(u *chat.Usage) Charge {
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
	output := max(u.Output, 0)
	audio := min(max(u.OutputAudio, 0), output)
	image := min(max(u.OutputImage, 0), output-audio)
	sum.add(audio, p.AudioOutput, p.Output)
	sum.add(image, p.ImageOutput, p.Output)
	sum.add(output-audio-image, p.Output)
	if sum.unpriced {
		return Charge{}
	}
	sum.scale(u.Percent)
	if p.WebSearch != Unknown {
		sum.add(max(u.WebSearches, 0), p.WebSearch)
	}
	c := Charge{Nanos: sum.nanos(), Priced: true, Estimated: p.Assumed}
	c.Estimated = c.Estimated || u.WebSearches > 0 && p.WebSearch == Unknown || image > 0 && p.ImageOutput == Unknown ||
		u.Cached > 0 && u.InputAudio > 0 && p.AudioInput != Unknown
	return c
}

// picoSum adds up in 128 bits. Nine products of 63 bits each, and 110 % of them, fit.
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

// scale multiplies the sum by a percentage from 1 to 1000; others leave it.
func (s *picoSum) scale(percent int64) {
	if percent < 1 || percent > 1000 || percent == 100 {
		return
	}
	carry, lo := bits.Mul64(s.lo, uint64(percent))
	if s.hi > math.MaxUint64/1001 {
		return // the cost is far beyond an int64 with and without the percentage
	}
	hi := s.hi*uint64(percent) + carry
	s.hi = hi / 100
	s.lo, _ = bits.Div64(hi%100, lo, 100)
}

func (s *picoSum) nanos() int64 {
	lo, carry := bits.Add64(s.lo, 500, 0)
	hi := s.hi + carry
	if hi >= 1000 {
		return math.MaxInt64
	}
	n, _ := bits.Div64(hi, lo, 1000)
	return int64(min(n, math.MaxInt64))
}
