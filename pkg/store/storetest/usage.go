package storetest

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// add counts a record as the sums do.
func add(c store.Counts, r store.Record) store.Counts {
	c.Requests++
	if r.Outcome != store.Answered {
		c.Errors++
	}
	if r.Cost != nil {
		c.Cost += *r.Cost
	} else if r.Outcome == store.Answered {
		c.Unpriced++
	}
	c.Input, c.Cached, c.CacheWrite = c.Input+r.Input, c.Cached+r.Cached, c.CacheWrite+r.CacheWrite
	c.Output, c.Reasoning = c.Output+r.Output, c.Reasoning+r.Reasoning
	return c
}

// bar is the bar of a chart that a record belongs to.
func bar(r store.Record, by store.By) store.Usage {
	switch at := r.ID.Time(); by {
	case store.ByHour:
		return store.Usage{At: at / hour * hour}
	case store.ByDay:
		return store.Usage{At: at / day * day}
	case store.ByModel:
		return store.Usage{Text: r.Model}
	case store.ByProvider:
		return store.Usage{Text: r.Provider}
	case store.ByKey:
		return store.Usage{ID: r.Key}
	}
	return store.Usage{ID: r.Token}
}

func summed(records []store.Record, by store.By) []store.Usage {
	sums := map[store.Usage]store.Counts{}
	for _, r := range records {
		b := bar(r, by)
		sums[b] = add(sums[b], r)
	}
	list := []store.Usage{}
	for b, c := range sums {
		b.Counts = c
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b store.Usage) int {
		most := 0
		if by != store.ByHour && by != store.ByDay {
			most = cmp.Compare(b.Requests, a.Requests)
		}
		return cmp.Or(most, cmp.Compare(a.At, b.At), cmp.Compare(a.Text, b.Text), cmp.Compare(string(a.ID[:]), string(b.ID[:])))
	})
	return list
}

var allWays = []store.By{store.ByHour, store.ByDay, store.ByModel, store.ByProvider, store.ByKey, store.ByToken}

// The hourly sums are those over the log, whatever was settled in whatever groups.
func testUsage(w *world) {
	rng := w.seeded()
	u := w.user()
	all := w.log(rng, u, 500)
	w.log(rng, w.user(), 50)
	for _, span := range [][2]int64{{0, start + 1}, {start - 2*day, start - day}, {start - day, start}, {start / hour * hour, start/hour*hour + 1}, {start, start}} {
		// The whole hours that the span touches.
		from, to := span[0]/hour*hour, ((span[1]-1)/hour+1)*hour
		var within []store.Record
		var latency, first store.Histogram
		for _, r := range all {
			if at := r.ID.Time(); at < from || at >= to {
				continue
			}
			within = append(within, r)
			latency.Add(store.BucketOf(r.LatencyMs), 1)
			if r.FirstByteMs != nil {
				first.Add(store.BucketOf(*r.FirstByteMs), 1)
			}
		}
		for _, by := range allWays {
			rep, err := store.UsageBetween(ctx, w.db, u.ID, span[0], span[1], by)
			if err != nil {
				w.Fatal(err)
			}
			if want := summed(within, by); !slices.Equal(rep.Usage, want) {
				w.Errorf("%v by %s: got %+v\nwant %+v", span, by, rep.Usage, want)
			}
			if rep.Latency != latency || rep.FirstByte != first {
				w.Errorf("%v by %s: the histograms are not those of the log", span, by)
			}
			checkParts(w, u.ID, span, by, rep.Usage)
		}
	}
}

// checkParts holds what UsageOver tells to what is told by the second measure alone.
func checkParts(w *world, user store.ID, span [2]int64, by store.By, whole []store.Usage) {
	if by == store.ByHour || by == store.ByDay {
		return
	}
	for _, per := range []store.By{store.ByHour, store.ByDay} {
		parts, err := store.UsageOver(ctx, w.db, user, span[0], span[1], per, by)
		if err != nil {
			w.Fatal(err)
		}
		left := map[store.Usage]int64{}
		for _, u := range whole {
			left[store.Usage{Text: u.Text, ID: u.ID}] = u.Requests
		}
		for i, u := range parts {
			if i > 0 && u.At < parts[i-1].At {
				w.Errorf("%v by %s and %s: not in the order of time", span, per, by)
			}
			left[store.Usage{Text: u.Text, ID: u.ID}] -= u.Requests
		}
		for part, n := range left {
			if n != 0 {
				w.Errorf("%v by %s and %s: %d requests of %q %s are missing", span, per, by, n, part.Text, part.ID)
			}
		}
	}
}

func testUsageBounds(w *world) {
	u := w.user()
	midnight := today * day
	for _, at := range []int64{midnight - 1, midnight, midnight + hour - 1, midnight + hour} {
		must(w.T, w.settle(w.record(u, func(r *store.Record) { r.ID = store.NewID(at) })))
	}
	for _, tt := range []struct {
		from, to int64
		by       store.By
		want     string // of each bar the hours after midnight, and its requests
	}{
		{midnight, midnight + day, store.ByDay, "[0:3]"},
		{midnight - 1, midnight + day, store.ByDay, "[-24:1 0:3]"},
		{midnight - 1, midnight, store.ByHour, "[-1:1]"},
		{midnight, midnight + hour, store.ByHour, "[0:2]"},
		{midnight + 5, midnight + hour + 1, store.ByHour, "[0:2 1:1]"},
		{midnight + day, midnight + 2*day, store.ByHour, "[]"},
		{0, math.MaxInt64, store.ByDay, "[-24:1 0:3]"},
	} {
		rep, err := store.UsageBetween(ctx, w.db, u.ID, tt.from, tt.to, tt.by)
		got := []string{}
		for _, b := range rep.Usage {
			got = append(got, fmt.Sprintf("%d:%d", (b.At-midnight)/hour, b.Requests))
		}
		if err != nil || fmt.Sprint(got) != tt.want {
			w.Errorf("from %d to %d by %s: got %v, %v, want %s", tt.from-midnight, tt.to-midnight, tt.by, got, err, tt.want)
		}
	}
}

// An impossible cost must neither break the sums nor show in them.
func testAbsurdCosts(w *world) {
	u := w.user()
	for _, cost := range []int64{math.MaxInt64, math.MaxInt64, 1 << 62, math.MinInt64, -5, 700} {
		if err := w.settle(w.record(u, func(r *store.Record) { r.Cost = &cost })); err != nil {
			w.Fatalf("a cost of %d: %v", cost, err)
		}
	}
	both := []store.Record{w.record(u), w.record(u)}
	for i := range both {
		huge := int64(math.MaxInt64)
		both[i].Cost = &huge
	}
	must(w.T, w.settle(both...))
	for _, by := range allWays {
		rep, err := store.UsageBetween(ctx, w.db, u.ID, start, start+1, by)
		if err != nil || len(rep.Usage) != 1 || rep.Usage[0].Cost != 700 || rep.Usage[0].Requests != 8 || rep.Usage[0].Unpriced != 7 {
			w.Errorf("by %s: %+v, %v; want a cost of 700 and the rest unpriced", by, rep.Usage, err)
		}
	}
	n := number(w.T, w.db, "select count(*) from requests where cost is null")
	if n != 7 {
		w.Errorf("%d rows without a cost, want 7: the log and the sums must agree", n)
	}
}

func testHistograms(w *world) {
	u := w.user()
	latencies := []int64{0, 1, 2, 3, 1000, 1001, 1 << 20, math.MaxInt64, -7}
	var want, first store.Histogram
	for i, ms := range latencies {
		r := w.record(u, func(r *store.Record) { r.LatencyMs, r.FirstByteMs = ms, nil })
		want.Add(store.BucketOf(ms), 1)
		if i%2 == 0 {
			half := ms / 2
			r.FirstByteMs = &half
			first.Add(store.BucketOf(half), 1)
		}
		must(w.T, w.settle(r))
	}
	// A later version may have more buckets; this one counts them as its last.
	must(w.T, w.db.Run(ctx, store.Stmt{SQL: "insert into latency_hours (user_id, hour, kind, bucket, requests) values ($1, $2, 1, 9999, 5), ($1, $2, 9, 1, 5)",
		Args: []any{u.ID, store.HourOf(start)}}))
	want.Add(store.Buckets-1, 5)
	rep, err := store.UsageBetween(ctx, w.db, u.ID, start, start+1, store.ByHour)
	if err != nil || rep.Latency != want || rep.FirstByte != first {
		w.Errorf("got %v %v, %v", rep.Latency, rep.FirstByte, err)
	}
	if n := rep.Latency.Count(); n != int64(len(latencies))+5 {
		w.Errorf("%d requests in the histogram", n)
	}
}

// Last use and counts of tokens and keys come from the sums.
func testUses(w *world) {
	u, other := w.user(), w.user()
	keys, tokens := []store.Key{w.key(u), w.key(u)}, []store.Token{w.token(u), w.token(u)}
	slices.SortFunc(keys, func(a, b store.Key) int { return cmp.Compare(string(a.ID[:]), string(b.ID[:])) })
	slices.SortFunc(tokens, func(a, b store.Token) int { return cmp.Compare(string(a.ID[:]), string(b.ID[:])) })
	last := start + 3*hour + 17
	for i, at := range []int64{start, last, start + hour} {
		must(w.T, w.settle(w.record(u, func(r *store.Record) {
			r.ID, r.Key, r.Token, r.Model = store.NewID(at), keys[0].ID, tokens[1].ID, fmt.Sprint("m", i%2)
		})))
	}
	must(w.T, w.settle(w.record(other, func(r *store.Record) { r.Key, r.Token = keys[1].ID, tokens[0].ID })))
	gotKeys, err := store.Keys(ctx, w.db, u.ID, store.KeyFilter{}, today)
	if want := []store.KeyUse{{Key: keys[0], Requests: 3, LastUsedAt: last}, {Key: keys[1]}}; err != nil || !reflect.DeepEqual(gotKeys, want) {
		w.Errorf("got %+v, %v\nwant %+v", gotKeys, err, want)
	}
	gotTokens, err := store.Tokens(ctx, w.db, u.ID)
	if want := []store.TokenUse{{Token: tokens[0]}, {Token: tokens[1], Requests: 3, LastUsedAt: last}}; err != nil || !reflect.DeepEqual(gotTokens, want) {
		w.Errorf("got %+v, %v\nwant %+v", gotTokens, err, want)
	}
}

func testKeyDays(w *world) {
	u := w.user()
	k, other := w.key(u), w.key(u)
	var all []store.Record
	for _, back := range []int64{0, 0, 1, 1, 1, 3, 29, 30} {
		all = append(all, w.record(u, func(r *store.Record) { r.ID, r.Key = store.NewID(start-back*day), k.ID }))
	}
	must(w.T, w.settle(append(all, w.record(u, func(r *store.Record) { r.Key = other.ID }))...))
	for limit, want := range map[int]string{1: "[0:2]", 2: "[0:2 1:3]", 3: "[0:2 1:3]", 4: "[0:2 1:3 3:1]", 30: "[0:2 1:3 3:1 29:1]", 31: "[0:2 1:3 3:1 29:1 30:1]", math.MaxInt: "[0:2 1:3 3:1 29:1 30:1]"} {
		days, err := store.KeyDays(ctx, w.db, u.ID, k.ID, today, limit)
		got := []string{}
		for _, d := range days {
			got = append(got, fmt.Sprintf("%d:%d", today-d.Day, d.Requests))
		}
		if err != nil || fmt.Sprint(got) != want {
			w.Errorf("the last %d days: got %v, %v, want %s", limit, got, err, want)
		}
	}
	days, err := store.KeyDays(ctx, w.db, u.ID, w.key(u).ID, today, 30)
	if err != nil || days == nil || len(days) != 0 {
		w.Errorf("an unused key: %v, %v, want an empty list", days, err)
	}
	_, err = store.KeyDays(ctx, w.db, u.ID, store.NewID(start), today, 30)
	w.is(err, store.ErrNotFound)
}
