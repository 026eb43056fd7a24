package storetest

import (
	"reflect"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func testGauges(w *world) {
	before, err := store.ReadGauges(ctx, w.db, start)
	must(w.T, err)
	u := w.user()
	for _, amount := range []int64{3, 4, 6, 7} { // of 7 that are spent in its window: 100, 100, 100 and 100 %
		l := w.limit(u, store.LimitUser, u.ID)
		l.Metric, l.Span, l.Amount = store.MetricRequests, store.SpanMonth, amount*1000
		must(w.T, store.CreateLimit(ctx, w.db, l))
		spend := func(n int64) {
			must(w.T, w.settle(w.record(u, func(r *store.Record) {
				r.Spent = []store.Spending{{ID: store.NewID(start), Charges: []store.Charge{{Hold: store.Hold{Limit: l.ID, Starts: l.Span.Start(start)}, Spent: n}}}}
			})))
		}
		spend(amount * map[int64]int64{3: 499, 4: 500, 6: 949, 7: 1000}[amount])
	}
	l := w.limit(u, store.LimitUser, u.ID) // nothing is spent
	must(w.T, store.CreateLimit(ctx, w.db, l))
	k := w.key(u)
	must(w.T, w.db.Run(ctx, store.Stmt{SQL: `insert into cooldowns (subject, model_key, user_id, model, until, resets_at, half_open, class, message, since, failures, lease_until)
 values ($1, $2, $3, '', $4, 0, false, 'rate_limit', '', 0, 1, 0), ($3, $2, $3, '', $5, 0, false, 'overloaded', '', 0, 1, 0)`,
		Args: []any{k.ID, store.AllModels[:], u.ID, start + 1, start}}))
	g, err := store.ReadGauges(ctx, w.db, start)
	must(w.T, err)
	if n := g.Cooldowns["rate_limit"] - before.Cooldowns["rate_limit"]; n != 1 || g.Cooldowns["overloaded"] != before.Cooldowns["overloaded"] {
		w.Errorf("cooldowns %v, before %v", g.Cooldowns, before.Cooldowns)
	}
	of := func(g store.Gauges, m store.Metric) store.LimitUse {
		for _, l := range g.Limits {
			if l.Subject == store.LimitUser && l.Metric == m {
				return l
			}
		}
		return store.LimitUse{}
	}
	got, was := of(g, store.MetricRequests), of(before, store.MetricRequests)
	diff := []int64{got.Limits - was.Limits, got.Half - was.Half, got.MostlyUsed - was.MostlyUsed, got.NearlySpent - was.NearlySpent, got.Spent - was.Spent}
	if !reflect.DeepEqual(diff, []int64{4, 3, 2, 1, 1}) {
		w.Errorf("limits %v", diff)
	}
	got, was = of(g, store.MetricCost), of(before, store.MetricCost)
	if got.Limits-was.Limits != 1 || got.Half != was.Half {
		w.Errorf("the unused limit: %+v, before %+v", got, was)
	}
	later, err := store.ReadGauges(ctx, w.db, store.SpanMonth.End(start))
	must(w.T, err)
	if of(later, store.MetricRequests).Half != 0 {
		w.Errorf("in the next window: %+v", later.Limits)
	}
}

func testJobGauges(w *world) {
	b := newBench(w)
	before, err := store.ReadGauges(ctx, w.db, start+500)
	must(w.T, err)
	b.submit(b.byToken, "a", 10, start)
	b.submit(b.byToken, "b", 10, start+100)
	must(w.T, w.db.Run(ctx, store.Stmt{SQL: "update jobs set due_at = $1 where name = 'b'", Args: []any{start + 600}}))
	g, err := store.ReadGauges(ctx, w.db, start+500)
	must(w.T, err)
	if g.DueJobs-before.DueJobs != 1 || g.LaterJobs-before.LaterJobs != 1 || g.RunningJobs != before.RunningJobs || g.OldestDue < 500 {
		w.Errorf("%+v, before %+v", g, before)
	}
}
