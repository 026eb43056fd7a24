package storetest

import (
	"context"
	"errors"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// deletions passes statements on and notes what each delete took away.
type deletions struct {
	store.Runner
	gone  []int64
	after func()
}

func (d *deletions) Run(ctx context.Context, stmts ...store.Stmt) error {
	err := d.Runner.Run(ctx, stmts...)
	if strings.HasPrefix(stmts[0].SQL, "delete") && err == nil {
		d.gone = append(d.gone, *stmts[0].Affected)
		if d.after != nil {
			d.after()
		}
	}
	return err
}

// old settles n requests a minute apart, the newest a minute before the time given.
func (w *world) old(u store.User, before int64, n int) {
	w.Helper()
	var records []store.Record
	for i := range n {
		records = append(records, w.record(u, func(r *store.Record) { r.ID, r.Trace = store.NewID(before-int64(i+1)*minute), "{}" }))
	}
	must(w.T, w.settle(records...))
}

func testRetention(w *world) {
	const batch, users = 7, 3
	keep := store.Retention{RequestsFrom: start - 30*day, TracesFrom: start - 7*day}
	for range users {
		u := w.user()
		w.old(u, keep.RequestsFrom, 20)
		w.old(u, keep.TracesFrom, 14) // a whole number of batches
		w.old(u, start, 3)
		for _, at := range []int64{keep.RequestsFrom, keep.TracesFrom} { // what is as old as the bound stays
			must(w.T, w.settle(w.record(u, func(r *store.Record) { r.ID, r.Trace = store.NewID(at), "{}" })))
		}
	}
	sums := number(w.T, w.db, "select cast(sum(requests) as bigint) from usage_hours")
	d := &deletions{Runner: w.db}
	n, err := store.Purge(ctx, d, keep, batch)
	// Of each user: 20 requests; of traces those 20, the 14, and the one at the requests' bound.
	if want := int64(users * (20 + 35)); err != nil || n != want {
		w.Errorf("purged %d, %v, want %d", n, err, want)
	}
	var total int64
	for _, gone := range d.gone {
		total += gone
		if gone > batch {
			w.Errorf("one statement deleted %d rows, want at most %d", gone, batch)
		}
	}
	if total != n {
		w.Errorf("purged %d, said %d", total, n)
	}
	for sql, want := range map[string]int64{
		"select count(*) from requests":                                     users * (14 + 3 + 2),
		"select count(*) from request_traces":                               users * (3 + 1),
		"select cast(sum(requests) as bigint) from usage_hours":             sums,
		"select count(*) from (select distinct user_id from requests) as u": users,
	} {
		if n := number(w.T, w.db, sql); n != want {
			w.Errorf("%s: %d, want %d", sql, n, want)
		}
	}
	if n, err := store.Purge(ctx, w.db, keep, batch); err != nil || n != 0 {
		w.Errorf("purged %d more, %v", n, err)
	}
}

// A purge that runs out of time says what it did; the next goes on.
func testRetentionEnds(w *world) {
	w.old(w.user(), start, 50)
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	d := &deletions{Runner: w.db}
	d.after = func() {
		if len(d.gone) == 3 {
			cancel()
		}
	}
	keep := store.Retention{RequestsFrom: start, TracesFrom: start}
	n, err := store.Purge(limited, d, keep, 5)
	if !errors.Is(err, context.Canceled) || n != 15 {
		w.Errorf("purged %d, %v, want 15 and the context's error", n, err)
	}
	if n, err = store.Purge(ctx, w.db, keep, 5); err != nil || n != 85 {
		w.Errorf("purged %d more, %v, want 85", n, err)
	}
}
