package catalog

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// No request costs more than the ceiling says: whatever classes its tokens are of, in every tier, at every time, and whatever
// model answers that the provider is known to put in its place.
func TestNothingCostsMoreThanTheCeiling(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	times := []int64{tuesday, at("2026-11-24T02:00:00Z"), at("2026-12-20T00:00:00Z"), at("2027-06-01T02:00:00Z")}
	compared := 0
	for m := range All() {
		asked := []string{"", "default", TierUndecided}
		for name := range m.tiers.members() {
			asked = append(asked, name)
		}
		for _, tier := range asked {
			when := times[rnd.IntN(len(times))]
			bound := int64(1) << rnd.IntN(21)
			c, err := Dearest(Request{Provider: m.Provider, Model: m.ID, ServiceTier: tier, AtMs: when}, bound)
			if err != nil {
				if !errors.Is(err, ErrUnpriced) {
					t.Fatalf("%s %s, tier %q: %v", m.Provider, m.ID, tier, err)
				}
				continue
			}
			served := []string{"", "default"}
			switch tier {
			case TierUndecided:
				for name := range m.tiers.members() {
					if name != tierOnRequest {
						served = append(served, name)
					}
				}
			default:
				served = append(served, tier)
			}
			for range 10 {
				u := chat.Usage{Input: rnd.Int64N(bound + 1), Output: rnd.Int64N(10_000)}
				u.Cached, u.CacheWrite, u.CacheWrite1h, u.InputAudio = rnd.Int64N(u.Input+1), rnd.Int64N(u.Input+1), rnd.Int64N(u.Input+1), rnd.Int64N(u.Input+1)
				u.OutputAudio, u.OutputImage = rnd.Int64N(u.Output+1), rnd.Int64N(u.Output+1)
				if c.Output == Unknown {
					u.Output, u.OutputAudio, u.OutputImage = 0, 0, 0
				}
				r := Request{Provider: m.Provider, Model: m.ID, ServiceTier: served[rnd.IntN(len(served))], AtMs: when}
				if m.RoutedTo != "" && rnd.IntN(2) == 0 {
					r.Answered = m.RoutedTo
				}
				nanos, priced := paid(Cost(r, &u))
				most := (u.Input*int64(c.Input)+999)/1000 + (u.Output*int64(max(c.Output, 0))+999)/1000
				if priced && nanos > most {
					t.Fatalf("%+v, asked for tier %q, %+v: %d, more than %d (%+v)", r, tier, u, nanos, most, c)
				}
				compared++
			}
		}
	}
	if compared < 10_000 {
		t.Errorf("only %d costs were compared", compared)
	}
	if _, err := Dearest(Request{Provider: "openai", Model: "gpt-5", ServiceTier: "express", AtMs: tuesday}, 1); !errors.Is(err, ErrUnknownTier) {
		t.Errorf("an unknown tier: %v", err)
	}
	o, err := ParseOverrides(`{"openai/gpt-5": {"input": 1, "output": 2, "cacheWrite": 3, "audioOutput": 4}}`)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := o.Dearest(Request{Provider: "openai", Model: "gpt-5", ServiceTier: "express"}, 1); err != nil || c != (Ceiling{3_000_000, 4_000_000}) {
		t.Errorf("%+v %v", c, err)
	}
}
