package storetest

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// testLatencies compares what the database makes of measurements with [store.Latency.Add].
func testLatencies(w *world) {
	rng := w.seeded()
	u, other := w.user(), w.user()
	want := map[store.ID]store.Latency{}
	ids := make([]store.ID, 5)
	for i := range ids {
		ids[i] = store.LatencyID(store.NewID(start), "m", store.FirstToken)
	}
	now := int64(start)
	for range 60 {
		now += []int64{0, 1000, 30_000, 20 * 60_000}[rng.IntN(4)]
		batch := map[store.ID]store.Latency{}
		var records []store.Record
		for range 1 + rng.IntN(6) {
			m := store.Measurement{ID: ids[rng.IntN(len(ids))], Micros: rng.Int64N(5_000_000), At: now - rng.Int64N(2000)}
			one := store.Latency{ID: m.ID, Micros: m.Micros, Samples: 1, ExpiresAt: m.At + store.LatencyLife}
			batch[m.ID] = batch[m.ID].Add(one)
			records = append(records, w.record(u, func(r *store.Record) { r.Latencies = []store.Measurement{m} }))
		}
		learned := map[store.ID]store.Latency{}
		records[0].Learn = func(l store.Latency) { learned[l.ID] = l }
		must(w.T, w.settle(records...))
		for id, l := range batch {
			want[id] = want[id].Add(l)
		}
		if len(learned) != len(want) {
			w.Fatalf("%d latencies were read, want %d", len(learned), len(want))
		}
		for id, l := range want {
			if learned[id] != l {
				w.Fatalf("the database has %+v, want %+v", learned[id], l)
			}
		}
	}
	all, err := store.Latencies(ctx, w.db, u.ID)
	if err != nil || len(all) != len(want) {
		w.Errorf("%d latencies, %v", len(all), err)
	}
	routing, err := store.LoadRouting(ctx, w.db, store.Credential{User: u.ID})
	if err != nil || len(routing.Latencies) != len(all) || !slices.ContainsFunc(all, func(l store.Latency) bool { return l == routing.Latencies[0] }) {
		w.Errorf("routing has %+v, %v", routing.Latencies, err)
	}
	token := w.token(u)
	if routing, err = store.LoadRouting(ctx, w.db, store.Credential{Token: token.ID}); err != nil || len(routing.Latencies) != len(all) {
		w.Errorf("routing of a token has %+v, %v", routing.Latencies, err)
	}

	// Their number is bounded, and known ones are still updated.
	var many []store.Measurement
	for range store.MaxLatencies + 50 {
		many = append(many, store.Measurement{ID: store.NewID(now), Micros: 5, At: now})
	}
	must(w.T, w.settle(w.record(u, func(r *store.Record) { r.Latencies = many })))
	must(w.T, w.settle(w.record(u, func(r *store.Record) {
		r.Latencies = []store.Measurement{{ID: ids[0], Micros: 77, At: now + 20*60_000}}
	}), w.record(other, func(r *store.Record) { r.Latencies = many[:1] })))
	all, err = store.Latencies(ctx, w.db, u.ID)
	if err != nil || len(all) != store.MaxLatencies || !slices.ContainsFunc(all, func(l store.Latency) bool { return l.ID == ids[0] && l.Micros == 77 }) {
		w.Errorf("%d latencies, %v", len(all), err)
	}
	if n, err := store.PurgeLatencies(ctx, w.db, now+store.LatencyLife, 1000); err != nil || n != store.MaxLatencies {
		w.Errorf("%d were purged, %v: want all but the last", n, err)
	}
	// The end of a request of a user who was deleted meanwhile is written all the same.
	must(w.T, w.settle(w.record(store.User{ID: store.NewID(start)}, func(r *store.Record) { r.Latencies = many[:1] })))
}
