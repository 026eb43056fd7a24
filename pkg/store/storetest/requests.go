package storetest

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// record is a plain answered request of the user, of the tests' time.
func (w *world) record(u store.User, change ...func(*store.Record)) store.Record {
	cost, first, begun := int64(1500), int64(120), int64(4)
	r := store.Record{ID: store.NewID(start), User: u.ID, Token: store.ID{1}, Key: store.ID{2}, Provider: "openai", Model: "gpt-4o-mini", Asked: "fast", Cost: &cost,
		Status: 200, Outcome: store.Answered, Attempts: 1, LatencyMs: 800, FirstByteMs: &first, StartedMs: &begun,
		Input: 100, Cached: 40, CacheWrite: 10, Output: 50, Reasoning: 20}
	for _, f := range change {
		f(&r)
	}
	return r
}

func (w *world) settle(records ...store.Record) error {
	return w.db.Run(ctx, store.Settle(records, start)...)
}

// kept is what the log shows of a record.
func kept(r store.Record) store.Request {
	return store.Request{ID: r.ID, TokenID: r.Token, KeyID: r.Key, Provider: r.Provider, Model: r.Model, Asked: r.Asked, Cost: r.Cost, Status: r.Status,
		Outcome: int(r.Outcome), Attempts: r.Attempts, Flags: r.Flags, LatencyMs: r.LatencyMs, FirstByteMs: r.FirstByteMs, StartedMs: r.StartedMs,
		Input: r.Input, Cached: r.Cached, CacheWrite: r.CacheWrite, Output: r.Output, Reasoning: r.Reasoning}
}

// randomly makes a record at a random time of the three days before the tests' time.
func (w *world) randomly(rng *rand.Rand, u store.User) store.Record {
	return w.record(u, func(r *store.Record) {
		at := start - rng.Int64N(3*day)
		r.ID = store.NewID(at)
		r.Token, r.Key = store.ID{byte(rng.IntN(3))}, store.ID{byte(rng.IntN(4))}
		r.Provider = []string{"openai", "groq", "mistral"}[rng.IntN(3)]
		r.Model = fmt.Sprint("model ", rng.IntN(3))
		r.Status = []int{200, 200, 200, 400, 429, 502}[rng.IntN(6)]
		r.Outcome = store.Answered
		if r.Status != 200 {
			r.Outcome = store.Outcome(2 + rng.IntN(4))
			r.Trace = fmt.Sprintf(`{"n":%d}`, rng.IntN(100))
		}
		cost, first := rng.Int64N(1e9), rng.Int64N(5000)
		r.Cost, r.FirstByteMs = &cost, &first
		if rng.IntN(4) == 0 {
			r.Cost = nil
		}
		if rng.IntN(4) == 0 {
			r.FirstByteMs = nil
		}
		r.Attempts, r.Flags, r.LatencyMs = rng.IntN(4), rng.IntN(4), rng.Int64N(2_000_000)
		r.Input, r.Cached, r.CacheWrite = rng.Int64N(1e6), rng.Int64N(1000), rng.Int64N(1000)
		r.Output, r.Reasoning = rng.Int64N(1e5), rng.Int64N(1000)
		if r.Key.IsZero() {
			r.Provider = ""
		}
	})
}

// seeded is randomness that a failed test names.
func (w *world) seeded() *rand.Rand {
	seed := rand.Uint64()
	w.Cleanup(func() {
		if w.Failed() {
			w.Logf("the seed was %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 1))
}

// log settles n random requests of the user, in groups, and returns them newest first.
func (w *world) log(rng *rand.Rand, u store.User, n int) []store.Record {
	w.Helper()
	var all []store.Record
	for len(all) < n {
		var group []store.Record
		for range min(1+rng.IntN(40), n-len(all)) {
			group = append(group, w.randomly(rng, u))
		}
		must(w.T, w.settle(group...))
		all = append(all, group...)
	}
	slices.SortFunc(all, func(a, b store.Record) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	return all
}

func testRequests(w *world) {
	u, other := w.user(), w.user()
	full := w.record(u, func(r *store.Record) {
		r.Flags, r.Attempts, r.Outcome, r.Status = store.FlagStreamed|store.FlagEstimated, 3, store.Broken, 502
		r.Trace = `{"attempts":[{"key":"…"}]}`
	})
	empty := store.Record{ID: store.NewID(start + 1), User: u.ID, Status: 400, Outcome: store.Failed}
	must(w.T, w.settle(full, empty))
	must(w.T, w.settle(w.record(other)))
	must(w.T, w.settle()) // nothing to settle
	for _, r := range []store.Record{full, empty} {
		got, trace, err := store.RequestByID(ctx, w.db, u.ID, r.ID)
		if err != nil || !reflect.DeepEqual(got, kept(r)) || trace != r.Trace {
			w.Errorf("got %+v, %q, %v\nwant %+v", got, trace, err, kept(r))
		}
		_, _, err = store.RequestByID(ctx, w.db, other.ID, r.ID)
		w.is(err, store.ErrNotFound)
	}
	list, err := store.Requests(ctx, w.db, u.ID, store.RequestFilter{Limit: 10})
	if want := []store.Request{kept(empty), kept(full)}; err != nil || !reflect.DeepEqual(list, want) {
		w.Errorf("got %+v, %v\nwant %+v", list, err, want)
	}
	if list, err = store.Requests(ctx, w.db, store.NewID(start), store.RequestFilter{Limit: 10}); err != nil || list == nil || len(list) != 0 {
		w.Errorf("got %+v, %v, want an empty list", list, err)
	}
}

func testRequestFilters(w *world) {
	rng := w.seeded()
	u := w.user()
	all := w.log(rng, u, 300)
	w.log(rng, w.user(), 50)
	edge := all[100].ID.Time()
	for _, f := range []store.RequestFilter{
		{}, {StatusClass: 2}, {StatusClass: 4}, {StatusClass: 5}, {StatusClass: 3}, {Provider: "groq"}, {Model: "model 1"}, {Model: "model*"}, {Model: "*"}, {Model: "model 1*"}, {Model: "mödel*"}, {Status: 429}, {Status: 200}, {KeyID: store.ID{3}}, {TokenID: store.ID{1}},
		{From: edge}, {To: edge}, {To: edge + 1}, {From: edge, To: edge + 1}, {From: edge + 1, To: edge},
		{Before: all[50].ID}, {Before: all[50].ID, StatusClass: 4, Provider: "openai", Model: "model 2", From: start - 2*day, To: start},
	} {
		f.Limit = 1000
		var want []store.Request
		for _, r := range all {
			at := r.ID.Time()
			if (f.StatusClass == 0 || r.Status/100 == f.StatusClass) && (f.Status == 0 || r.Status == f.Status) && (f.Provider == "" || r.Provider == f.Provider) && fits(f.Model, r.Model) &&
				(f.KeyID.IsZero() || r.Key == f.KeyID) && (f.TokenID.IsZero() || r.Token == f.TokenID) && (f.From == 0 || at >= f.From) && (f.To == 0 || at < f.To) &&
				(f.Before.IsZero() || bytes.Compare(r.ID[:], f.Before[:]) < 0) {
				want = append(want, kept(r))
			}
		}
		got, err := store.Requests(ctx, w.db, u.ID, f)
		if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			w.Errorf("%+v: %d requests, %v, want %d", f, len(got), err, len(want))
		}
	}
}

func fits(filter, model string) bool {
	prefix, pattern := strings.CutSuffix(filter, "*")
	return filter == "" || filter == model || pattern && strings.HasPrefix(model, prefix)
}

func testRequestPages(w *world) {
	u := w.user()
	all := w.log(w.seeded(), u, 100)
	for _, limit := range []int{1, 33, 100, math.MaxInt} {
		n := 0
		for f := (store.RequestFilter{Limit: limit}); ; {
			page, err := store.Requests(ctx, w.db, u.ID, f)
			must(w.T, err)
			if len(page) > limit || n+len(page) > len(all) {
				w.Fatalf("%d requests on a page of %d, after %d", len(page), limit, n)
			}
			for i, q := range page {
				if q.ID != all[n+i].ID {
					w.Fatalf("pages of %d: request %d is not the next older one", limit, n+i)
				}
			}
			if len(page) == 0 {
				break
			}
			n, f.Before = n+len(page), page[len(page)-1].ID
			if n == limit { // what comes in meanwhile moves no page
				must(w.T, w.settle(w.record(u, func(r *store.Record) { r.ID = store.NewID(start + day) })))
			}
		}
		if n != len(all) {
			w.Errorf("pages of %d: %d requests, want %d", limit, n, len(all))
		}
		must(w.T, w.db.Run(ctx, store.Stmt{SQL: "delete from requests where id >= $1", Args: []any{store.FirstID(start + day)}}))
	}
}

// A provider's absurd counts are cut down to what a column holds: the row must not fail.
func testRequestLimits(w *world) {
	u := w.user()
	for n, want := range map[int64]int64{-1: 0, math.MinInt64: 0, 0: 0, math.MaxInt32: math.MaxInt32, math.MaxInt32 + 1: math.MaxInt32, math.MaxInt64: math.MaxInt32} {
		r := w.record(u, func(r *store.Record) {
			r.LatencyMs, r.Input, r.Cached, r.CacheWrite, r.Output, r.Reasoning = n, n, n, n, n, n
			r.FirstByteMs = &n
		})
		must(w.T, w.settle(r))
		got, _, err := store.RequestByID(ctx, w.db, u.ID, r.ID)
		r.LatencyMs, r.Input, r.Cached, r.CacheWrite, r.Output, r.Reasoning = want, want, want, want, want, want
		r.FirstByteMs = &want
		if err != nil || !reflect.DeepEqual(got, kept(r)) {
			w.Errorf("%d: got %+v, %v", n, got, err)
		}
	}
	rep, err := store.UsageBetween(ctx, w.db, u.ID, start, start+1, store.ByModel)
	if err != nil || len(rep.Usage) != 1 || rep.Usage[0].Requests != 6 || rep.Usage[0].Input != 3*math.MaxInt32 {
		w.Errorf("got %+v, %v", rep.Usage, err)
	}
}

// One bad record takes all of its group with it: no sum counts a request that has no row.
func testSettleIsAllOrNothing(w *world) {
	u := w.user()
	first := w.record(u)
	must(w.T, w.settle(first))
	k := w.key(u)
	also := w.record(u, func(r *store.Record) {
		r.Statements = []store.Stmt{{SQL: "update provider_keys set rest_until = $2 where id = $1", Args: []any{k.ID, start}}}
	})
	if err := w.settle(also, first, w.record(u)); store.CodeOf(err) != store.CodeConflict {
		w.Errorf("a request settled twice: %v", err)
	}
	count := func(want int64) {
		w.Helper()
		for _, sql := range []string{"select count(*) from requests", "select cast(sum(requests) as bigint) from usage_hours",
			"select cast(sum(requests) as bigint) from latency_hours where kind = 1"} {
			if n := number(w.T, w.db, sql); n != want {
				w.Errorf("%s: %d, want %d", sql, n, want)
			}
		}
	}
	count(1)
	if n := number(w.T, w.db, "select rest_until from provider_keys"); n != 0 {
		w.Error("what belonged to the settle was done without it")
	}
	must(w.T, w.settle(also))
	count(2)
	if n := number(w.T, w.db, "select rest_until from provider_keys"); n != start {
		w.Error("what belonged to the settle was not done")
	}
}

// Processes that settle the same sums at once lose nothing and do not deadlock.
func testSettleAtOnce(w *world) {
	rng := w.seeded()
	users := []store.User{w.user(), w.user(), w.user()}
	const groups, size = 16, 30
	all := make([][]store.Record, groups)
	for g := range all {
		for range size {
			all[g] = append(all[g], w.randomly(rng, users[rng.IntN(3)]))
		}
	}
	parallel(w.T, groups, func(g int) error { return w.settle(all[g]...) })
	for _, sql := range []string{"select count(*) from requests", "select cast(sum(requests) as bigint) from usage_hours"} {
		if n := number(w.T, w.db, sql); n != groups*size {
			w.Errorf("%s: %d, want %d", sql, n, groups*size)
		}
	}
}
