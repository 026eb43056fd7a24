package quota_test

import (
	"math/rand/v2"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Requests that one statement reserves get what they would get one after another, and a limit is never passed.
func TestReservedTogether(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		rng := rand.New(rand.NewPCG(1, 2))
		key := f.key(60)
		limits := []store.Limit{
			f.addLimit(store.Limit{Subject: store.LimitToken, Metric: store.MetricRequests, Span: store.SpanDay, Amount: 50}),
			f.addLimit(store.Limit{Subject: store.LimitToken, Metric: store.MetricTokens, Span: store.SpanDay, Amount: 4000}),
			f.addLimit(store.Limit{Subject: store.LimitUser, Metric: store.MetricCost, Span: store.SpanMonth, Amount: 90_000}),
		}
		used, refusedTogether := map[store.ID]int64{}, 0
		var count int64
		amount := func(l store.Limit, n store.Need) int64 {
			switch l.Metric {
			case store.MetricTokens:
				return n.Tokens + (n.Most*n.TokensEach+999)/1000
			case store.MetricCost:
				return n.Cost + (n.Most*n.CostEach+999)/1000
			}
			return 1
		}
		fits := func(n store.Need) bool {
			for _, l := range limits {
				if used[l.ID]+amount(l, n) > l.Amount {
					return false
				}
			}
			return count < 60
		}
		take := func(c quota.Request, made quota.Reservation) {
			t.Helper()
			count++
			if made.Used != count || made.Key != key || len(made.Holds) != len(limits) {
				t.Fatalf("reservation %d: %+v", count, made)
			}
			for _, h := range made.Holds {
				for _, l := range limits {
					if l.ID != h.Limit {
						continue
					}
					used[l.ID] += amount(l, c.Demand.Estimate)
					if h.Amount != amount(l, c.Demand.Estimate) || h.Total != used[l.ID] || h.Total > l.Amount || h.Output != c.Demand.Estimate.Most {
						t.Fatalf("%+v of %+v, used %d", h, l, used[l.ID])
					}
				}
			}
		}
		for range 40 {
			var batch []quota.Request
			for range 1 + rng.IntN(20) {
				r := quota.Request{Principal: store.Principal{User: f.user, Token: f.token}, Revision: f.revision, Now: now, Targets: f.targets(key)}
				r.Demand = store.Demand{ID: store.NewID(now), ExpiresAt: now + 60_000, Estimate: store.Need{Tokens: rng.Int64N(60),
					Cost: rng.Int64N(900), TokensEach: 1000, CostEach: rng.Int64N(9000), Most: rng.Int64N(150)}}
				for _, l := range limits {
					r.Demand.Limits = append(r.Demand.Limits, l.ID)
				}
				batch = append(batch, r)
			}
			made, reserved, again, err := f.q.ReserveTogether(t.Context(), batch)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range batch {
				if reserved[i] {
					take(c, made[i])
				}
			}
			for i, c := range batch {
				switch {
				case reserved[i]:
					continue
				case again[i]:
					refusedTogether++
				case fits(c.Demand.Estimate):
					t.Fatalf("refused for good: %+v, used %v", c.Demand.Estimate, used)
				}
				want := fits(c.Demand.Estimate)
				alone, ok, err := f.q.Reserve(t.Context(), c)
				if err != nil || ok != want {
					t.Fatalf("alone: %v, want %v, %v", ok, want, err)
				}
				if ok {
					take(c, alone)
				}
			}
		}
		if refusedTogether == 0 || count < 20 {
			t.Errorf("%d reservations, and %d were refused together", count, refusedTogether)
		}
	})
}

// A key's daily limit that leaves some of the requests is spent by the first of them.
func TestDailyLimitOfSeveralTogether(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		key := f.key(23)
		for left := 23; ; {
			var batch []quota.Request
			for range 9 {
				batch = append(batch, quota.Request{Principal: store.Principal{User: f.user, Token: f.token}, Revision: f.revision, Now: now,
					Targets: f.targets(key), Demand: store.Demand{ID: store.NewID(now), ExpiresAt: now + 60_000}})
			}
			_, reserved, again, err := f.q.ReserveTogether(t.Context(), batch)
			if err != nil {
				t.Fatal(err)
			}
			for i := range batch {
				if reserved[i] != (i < left) || again[i] {
					t.Fatalf("request %d of %d left: %v, again %v", i+1, left, reserved[i], again[i])
				}
			}
			if left < len(batch) {
				return
			}
			left -= len(batch)
		}
	})
}
