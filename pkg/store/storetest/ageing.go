package storetest

import (
	"sync"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Old sums are merged, by any number of processes at once, and nothing that is summed up over days changes.
func testMergedSums(w *world) {
	rng := w.seeded()
	u := w.user()
	for _, days := range []int64{1, 100, 189, 191, 192, 400, 799, 801, 830, 831, 832, 900, 1500} {
		var records []store.Record
		for hour := range int64(6) {
			r := w.randomly(rng, u)
			r.ID = store.NewID(start - days*day + hour*60*minute)
			records = append(records, r)
		}
		must(w.T, w.settle(records...))
	}
	total := func(by store.By) (sum store.Counts) {
		report, err := store.UsageBetween(ctx, w.db, u.ID, start-2000*day, start+day, by)
		must(w.T, err)
		for _, part := range report.Usage {
			sum.Requests += part.Requests
			sum.Cost += part.Cost
			sum.Output += part.Output
		}
		return sum
	}
	rows := func(from, to int64) int64 {
		return number(w.T, w.db, "select count(distinct hour) from usage_hours where hour >= $1 and hour < $2",
			store.HourOf(start-from*day), store.HourOf(start-to*day))
	}
	before, recent := total(store.ByModel), rows(189, -1)
	days, err := store.UsageBetween(ctx, w.db, u.ID, start-790*day, start+day, store.ByDay)
	must(w.T, err)
	latencies := number(w.T, w.db, "select cast(sum(requests) as bigint) from latency_hours")
	for _, all := range []bool{true, true, false} {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := store.MergeSums(ctx, w.db, store.Merge{Now: start, All: all}); err != nil {
					w.Error(err)
				}
			})
		}
		wg.Wait()
		if after := total(store.ByModel); after != before {
			w.Errorf("the sums were %+v and are %+v", before, after)
		}
	}
	after, err := store.UsageBetween(ctx, w.db, u.ID, start-790*day, start+day, store.ByDay)
	must(w.T, err)
	if len(after.Usage) != len(days.Usage) || after.Usage[0] != days.Usage[0] {
		w.Errorf("the days were %+v and are %+v", days.Usage, after.Usage)
	}
	if n := rows(189, -1); n != recent {
		w.Errorf("%d recent hours of %d", n, recent)
	}
	if n := rows(410, 390); n != 1 {
		w.Errorf("%d rows of a day", n)
	}
	if n := number(w.T, w.db, "select cast(sum(requests) as bigint) from latency_hours"); n != latencies {
		w.Errorf("%d latencies of %d", n, latencies)
	}
	// 1500, 900 and the months of 832 to 830 days ago, at most two.
	if n := rows(1600, 829); n > 4 {
		w.Errorf("%d months", n)
	}
}

// What quotas and cursors leave behind is bounded.
func testPurgedQuotas(w *world) {
	u := w.user()
	k := w.key(u)
	for d := range int64(30) {
		must(w.T, w.db.Run(ctx, store.Stmt{SQL: "insert into key_days (key_id, day, used) values ($1, $2, 1)",
			Args: []any{k.ID, store.DayOf(start) - d}}))
	}
	n, err := store.PurgeKeyDays(ctx, w.db, start, 5)
	if err != nil || n != 5 {
		w.Errorf("%d rows, %v", n, err)
	}
	for err == nil && n > 0 {
		n, err = store.PurgeKeyDays(ctx, w.db, start, 5)
	}
	must(w.T, err)
	if n := number(w.T, w.db, "select count(*) from key_days"); n != 8 {
		w.Errorf("%d days are left", n)
	}
	for n := range int64(101) {
		must(w.T, w.db.Run(ctx, store.HoldCursor(u.ID, store.NewID(start+n))))
	}
	if _, err := store.PurgeCursors(ctx, w.db); err != nil {
		w.Error(err)
	}
	if n := number(w.T, w.db, "select count(*) from cursors"); n > 1 {
		w.Errorf("%d cursors", n)
	}
}
