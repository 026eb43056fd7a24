package storetest

import (
	"sync"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// The uses of tokens and keys are those of the whole log, whatever is counted or merged meanwhile, and in whatever order
// records come.
func testTotals(w *world) {
	rng := w.seeded()
	u, other := w.user(), w.user()
	token, key := w.token(u), w.key(u)
	requests, lastAt := int64(0), int64(0)
	add := func(now int64, daysBefore ...int64) {
		var records []store.Record
		for _, days := range daysBefore {
			r := w.randomly(rng, u)
			r.ID, r.Token, r.Key = store.NewID(now-days*day-minute), token.ID, key.ID
			stranger := w.randomly(rng, other)
			stranger.ID = store.NewID(now - days*day - minute)
			records = append(records, r, stranger)
			requests++
			lastAt = max(lastAt, r.ID.Time())
		}
		must(w.T, w.db.Run(ctx, store.Settle(records, now)...))
	}
	check := func(when string) {
		w.Helper()
		tokens, err := store.Tokens(ctx, w.db, u.ID)
		must(w.T, err)
		keys, err := store.Keys(ctx, w.db, u.ID, store.KeyFilter{}, today)
		must(w.T, err)
		w.equal(when+": of the token", tokens[0].Requests, requests)
		w.equal(when+": of the key", keys[0].Requests, requests)
		w.equal(when+": last use of the token", tokens[0].LastUsedAt, lastAt)
		w.equal(when+": last use of the key", keys[0].LastUsedAt, lastAt)
	}
	check("nothing")
	now, counted := start, start
	for round := range int64(4) {
		add(now, 0, 1, 2, 3, 30, 31, 200, 500, 900, 1500) // from the second round on late, and counted already
		check("written")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := store.CountUses(ctx, w.db, now); err != nil {
					w.Error(err)
				}
			})
			wg.Go(func() { // a process that is late
				if _, err := store.CountUses(ctx, w.db, now-3*day); err != nil {
					w.Error(err)
				}
			})
		}
		add(now, 10, 600, 5) // meanwhile
		wg.Wait()
		check("counted")
		_, err := store.MergeSums(ctx, w.db, store.Merge{Now: now, All: true})
		must(w.T, err)
		check("merged")
		counted = now
		now += (20 + 100*round) * day
	}
	if n := number(w.T, w.db, `select count(*) from usage_hours where user_id = $1
		and hour >= (select before from use_counted where user_id = $1) and hour < $2`, u.ID, store.HourOf(counted-3*day)); n != 0 {
		w.Errorf("%d old hours are not counted", n)
	}
	// A deleted token leaves nothing, and records of a deleted user do no harm.
	must(w.T, store.DeleteToken(ctx, w.db, u.ID, token.ID))
	add(now, 3)
	_, err := store.CountUses(ctx, w.db, now+5*day)
	must(w.T, err)
	w.equal("totals of a deleted token", number(w.T, w.db, "select count(*) from use_totals where subject = $1", token.ID), int64(0))
	must(w.T, store.DeleteUser(ctx, w.db, u.ID, now))
	add(now, 3, 300)
	w.equal("totals of a deleted user", number(w.T, w.db, "select count(*) from use_totals where user_id = $1", u.ID), int64(0))
}

func (w *world) equal(what string, got, want int64) {
	w.Helper()
	if got != want {
		w.Errorf("%s: got %d, want %d", what, got, want)
	}
}
