package quota_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// ledger is the expected state of all limits.
type ledger struct {
	limits []*ledgerLimit
	open   []*ledgerRequest
}

type ledgerLimit struct {
	store.Limit
	windows map[ledgerKey]*ledgerWindow
}

// ledgerKey is a window; party is zero unless the limit is for each end user.
type ledgerKey struct {
	starts int64
	party  store.ID
}

type ledgerWindow struct{ used, unconfirmed, gen int64 }

// window is that of an end user. One that the database does not know, zero, shares one with all such.
func (l *ledgerLimit) window(now int64, party store.ID) *ledgerWindow {
	at := ledgerKey{starts: l.Span.Start(now)}
	if l.Subject == store.LimitEndUser && l.EndUser == nil {
		at.party = party
	}
	if l.windows[at] == nil {
		l.windows[at] = &ledgerWindow{}
	}
	return l.windows[at]
}

type ledgerHold struct {
	limit  *ledgerLimit
	window *ledgerWindow
	amount int64
	gen    int64
}

type ledgerRequest struct {
	made  quota.Reservation
	holds []ledgerHold
}

// held sums up what open requests hold in the window, and what has expired of it.
func (y *ledger) held(l *ledgerLimit, now int64, party store.ID) (held, expired int64) {
	w := l.window(now, party)
	for _, r := range y.open {
		for _, h := range r.holds {
			switch {
			case h.window != w || h.gen != w.gen:
			case r.made.ExpiresAt > now:
				held += h.amount
			case l.Metric != store.MetricConcurrent:
				expired += h.amount
			}
		}
	}
	return held, expired
}

// amount is what the request holds of the limit with so much output.
func amount(l *ledgerLimit, d store.Demand, output int64) int64 {
	need := d.Estimate
	if l.Strict {
		need = d.Bound
	}
	switch l.Metric {
	case store.MetricTokens:
		return need.Tokens + (output*d.Estimate.TokensEach+999)/1000
	case store.MetricCost:
		return need.Cost + (output*need.CostEach+999)/1000
	}
	return 1
}

// hold returns the holds of a request with the key, and the output that it may have; false if the limits do not leave it.
func (y *ledger) hold(d store.Demand, key store.ID, now int64) (holds []ledgerHold, output int64, ok bool) {
	output = d.Bound.Most
	for _, l := range y.limits {
		if !slices.Contains(d.Limits, l.ID) || l.Subject == store.LimitKey && l.SubjectID != key {
			continue
		}
		held, expired := y.held(l, now, d.Party)
		left, least := l.Amount-l.window(now, d.Party).used-held-expired, d.Estimate.Most
		if l.Strict {
			for least = d.Bound.Least; output > least && amount(l, d, output) > left; {
				output--
			}
		}
		if amount(l, d, least) > left {
			return nil, 0, false
		}
		holds = append(holds, ledgerHold{limit: l, window: l.window(now, d.Party), gen: l.window(now, d.Party).gen})
	}
	for i := range holds {
		used := d.Estimate.Most
		if holds[i].limit.Strict {
			used = output
		}
		holds[i].amount = amount(holds[i].limit, d, used)
	}
	return holds, output, true
}

// end removes a request, and adds what it spent to the windows of its holds.
func (y *ledger) end(r *ledgerRequest, spent map[store.ID]store.Charge) {
	y.open = slices.DeleteFunc(y.open, func(o *ledgerRequest) bool { return o == r })
	for _, h := range r.holds {
		if c, ok := spent[h.limit.ID]; ok && h.gen == h.window.gen && h.limit.Metric != store.MetricConcurrent {
			h.window.used += c.Spent
			h.window.unconfirmed += c.Unconfirmed
		}
	}
}

func (f *fixture) addLimit(l store.Limit) store.Limit {
	f.t.Helper()
	l.ID, l.User, l.CreatedAt, l.Models = store.NewID(now), f.user, now, []string{}
	switch l.Subject {
	case store.LimitToken, store.LimitEndUser:
		l.SubjectID = f.token
	case store.LimitUser:
		l.SubjectID = f.user
	case store.LimitGateway:
		l.User = store.ID{}
	}
	if err := store.CreateLimit(f.t.Context(), f.db, l); err != nil {
		f.t.Fatal(err)
	}
	f.revision++
	return l
}

func demand(rng *rand.Rand, limits []store.ID, at int64) store.Demand {
	d := store.Demand{ID: store.NewID(at), ExpiresAt: at + 1000*(1+rng.Int64N(120)), Limits: limits, Gateway: true}
	d.Estimate = store.Need{Tokens: rng.Int64N(30), Cost: rng.Int64N(50), TokensEach: 1000 * (1 + rng.Int64N(2)), CostEach: rng.Int64N(3000), Most: rng.Int64N(40)}
	d.Bound = store.Need{Tokens: 10 + d.Estimate.Tokens, Cost: d.Estimate.Cost * 2, CostEach: 1 + d.Estimate.CostEach*2, Most: rng.Int64N(60)}
	d.Bound.Least = rng.Int64N(d.Bound.Most + 1)
	return d
}

// spend returns what a request spent: what it held, or less, or (where nothing is strict) more.
func spend(rng *rand.Rand, r *ledgerRequest, at int64) store.Spending {
	s := store.Spending{ID: r.made.ID, Repeated: store.SettlesLate(r.made.ExpiresAt, at)}
	for _, h := range r.made.Holds {
		c := store.Charge{Hold: h, Spent: rng.Int64N(h.Amount + 1)}
		switch rng.IntN(4) {
		case 0:
			c.Spent, c.Unconfirmed = h.Amount, h.Amount
		case 1:
			c.Spent = h.Amount + rng.Int64N(5)
		}
		s.Charges = append(s.Charges, c)
	}
	return s
}

func byLimit(s store.Spending) map[store.ID]store.Charge {
	m := map[store.ID]store.Charge{}
	for _, c := range s.Charges {
		m[c.Limit] = c
	}
	return m
}

// Random requests, ends, expiries, sweeps, resets and changes, one after the other, leave what the model says.
func TestLimitsFollowTheModel(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		rng, _ := seeded(t)
		first, second := f.key(-1), f.key(500)
		y := &ledger{}
		var ids []store.ID
		for _, l := range []store.Limit{
			{Subject: store.LimitToken, Metric: store.MetricRequests, Span: store.SpanMinute, Amount: 9},
			{Subject: store.LimitToken, Metric: store.MetricTokens, Span: store.SpanHour, Amount: 900, Strict: true},
			{Subject: store.LimitToken, Metric: store.MetricConcurrent, Span: store.SpanTotal, Amount: 6},
			{Subject: store.LimitUser, Metric: store.MetricCost, Span: store.SpanDay, Amount: 3000},
			{Subject: store.LimitEndUser, Metric: store.MetricRequests, Span: store.SpanHour, Amount: 5},
			{Subject: store.LimitEndUser, Metric: store.MetricTokens, Span: store.SpanDay, Amount: 800, Strict: true},
			{Subject: store.LimitKey, SubjectID: first, Metric: store.MetricTokens, Span: store.SpanMonth, Amount: 4000},
			{Subject: store.LimitGateway, Metric: store.MetricCost, Span: store.SpanTotal, Amount: 20_000, Strict: true},
			{Subject: store.LimitGateway, Metric: store.MetricRequests, Span: store.SpanWeek, Amount: 100},
		} {
			l = f.addLimit(l)
			y.limits, ids = append(y.limits, &ledgerLimit{l, map[ledgerKey]*ledgerWindow{}}), append(ids, l.ID)
		}
		var labels []store.OwnedLabel
		parties := []store.ID{{}} // of those beyond the largest number of end users
		for _, name := range []string{"eve", "bob"} {
			l := store.Label{Kind: store.EndUserLabel, Owner: f.token, Name: name}
			labels, parties = append(labels, store.OwnedLabel{User: f.user, Label: l}), append(parties, l.Party())
		}
		f.do(store.AddLabels(labels, now)...)
		settle := func(spent store.Spending, at int64) {
			f.do(store.Settle([]store.Record{{ID: store.NewID(at), User: f.user, Token: f.token, Model: "m", Spent: []store.Spending{spent}}}, 0)...)
		}
		clock := int64(now)
		for step := range 500 {
			switch op := rng.IntN(20); {
			case op < 10: // reserve, or fail over from an open request
				limits := slices.DeleteFunc(slices.Clone(ids), func(store.ID) bool { return rng.IntN(4) == 0 })
				c := f.request([]store.ID{first, second}[rng.IntN(2)])
				c.Now, c.Demand = clock, demand(rng, limits, clock)
				c.Demand.Strict = slices.ContainsFunc(y.limits, func(l *ledgerLimit) bool { return l.Strict && slices.Contains(limits, l.ID) })
				c.Demand.Each, c.Demand.Party = true, parties[rng.IntN(len(parties))]
				if rng.IntN(5) == 0 {
					c.Sweep = ids
				}
				var before []store.Stmt
				var spent []store.Spending
				if len(y.open) > 0 && op > 6 {
					old := y.open[rng.IntN(len(y.open))]
					if rng.IntN(2) == 0 && !store.SettlesLate(old.made.ExpiresAt, clock) {
						before = quota.Release(old.made)
						y.end(old, nil)
					} else {
						s := spend(rng, old, clock)
						for i := range s.Charges { // what is not released counts as it was held
							s.Charges[i].Spent, s.Charges[i].Unconfirmed = s.Charges[i].Amount, s.Charges[i].Amount
						}
						spent = append(spent, s)
						// While the next reservation is made, the old one holds what it is going to have spent.
						holds, output, ok := y.hold(c.Demand, c.Targets[0].Key, clock)
						y.end(old, byLimit(s))
						f.step(step, y, c, before, spent, holds, output, ok)
						continue
					}
				}
				holds, output, ok := y.hold(c.Demand, c.Targets[0].Key, clock)
				f.step(step, y, c, before, spent, holds, output, ok)
			case op < 14 && len(y.open) > 0:
				r := y.open[rng.IntN(len(y.open))]
				s := spend(rng, r, clock)
				y.end(r, byLimit(s))
				settle(s, clock)
			case op == 14 && len(y.open) > 0:
				r := y.open[rng.IntN(len(y.open))]
				if store.SettlesLate(r.made.ExpiresAt, clock) {
					continue // such a release leaves what was swept
				}
				y.end(r, nil)
				f.do(slices.Concat([]store.Stmt{store.HoldUser(f.user)}, quota.Release(r.made), quota.Release(r.made))...)
			case op == 15:
				clock += rng.Int64N([]int64{3 * dayMs, 2 * 3600_000, 60_000, 60_000}[rng.IntN(4)])
			case op == 16:
				l := y.limits[rng.IntN(len(y.limits))]
				if l.Metric == store.MetricConcurrent {
					continue
				}
				if err := store.ResetLimit(t.Context(), f.db, l.Limit, clock); err != nil {
					t.Fatal(err)
				}
				f.revision++
				for at, w := range l.windows {
					if at.starts == l.Span.Start(clock) {
						*w = ledgerWindow{gen: w.gen + 1}
					}
				}
			case op == 17:
				l := y.limits[rng.IntN(len(y.limits))]
				l.Amount += rng.Int64N(l.Amount/2+2) - l.Amount/4
				if err := store.UpdateLimit(t.Context(), f.db, l.Limit, store.LimitChange{Amount: store.To(l.Amount)}, clock); err != nil {
					t.Fatal(err)
				}
				f.revision++
			}
			f.wantLedger(step, y, clock, parties)
		}
		for len(y.open) > 0 {
			s := spend(rng, y.open[0], clock)
			y.end(y.open[0], byLimit(s))
			settle(s, clock)
		}
		f.wantLedger(-1, y, clock, parties)
		f.wantNoHolds()
	})
}

// step makes a reservation and compares it with what the model says of it.
func (f *fixture) step(step int, y *ledger, c quota.Request, before []store.Stmt, spent []store.Spending, holds []ledgerHold, output int64, want bool) {
	f.t.Helper()
	var made quota.Reservation
	var ok bool
	var err error
	if before != nil || spent != nil {
		made, ok, err = f.q.ReserveNext(f.t.Context(), before, spent, c)
	} else {
		made, ok, err = f.q.Reserve(f.t.Context(), c)
	}
	if err != nil || ok != want {
		f.t.Fatalf("step %d: reserved %v, %v, want %v: %+v", step, ok, err, want, c.Demand)
	}
	if !ok {
		return
	}
	for _, h := range holds {
		i := slices.IndexFunc(made.Holds, func(m store.Hold) bool { return m.Limit == h.limit.ID })
		if i < 0 || made.Holds[i].Amount != h.amount || h.limit.Strict && made.Holds[i].Output != output {
			f.t.Fatalf("step %d: held %+v, want %+v with %d output", step, made.Holds, h, output)
		}
	}
	y.open = append(y.open, &ledgerRequest{made, holds})
}

func (f *fixture) wantLedger(step int, y *ledger, clock int64, parties []store.ID) {
	f.t.Helper()
	for _, party := range parties {
		f.wantLedgerOf(step, y, clock, party)
	}
}

func (f *fixture) wantLedgerOf(step int, y *ledger, clock int64, party store.ID) {
	f.t.Helper()
	asked := party
	if asked.IsZero() {
		asked = store.NewID(1) // an end user whom the database does not know
	}
	v, err := f.q.Refresh(f.t.Context(), f.request(f.keys[0]).Principal, asked, clock)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, l := range y.limits {
		held, expired := y.held(l, clock, party)
		w := l.window(clock, party)
		want := store.LimitStatus{Limit: l.ID, Used: w.used + expired, Held: held, Unconfirmed: w.unconfirmed + expired}
		if got := v.Limits[l.ID]; got != want {
			f.t.Fatalf("step %d: %+v of %d, want %+v", step, got, l.Metric, want)
		}
	}
}

func (f *fixture) wantNoHolds() {
	f.t.Helper()
	f.do(store.Stmt{SQL: "select count(*) from holds", Each: func(r store.Row) error {
		var n int64
		err := r.Scan(&n)
		if n != 0 {
			f.t.Errorf("%d holds are left", n)
		}
		return err
	}})
}

// Many callers of several processes never pass a strict limit, leave no hold, and do not deadlock.
func TestLimitsAreExactUnderConcurrency(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		const processes, callers, rounds = 3, 8, 25
		for range 2 {
			f.key(-1)
		}
		limits := []store.Limit{
			f.addLimit(store.Limit{Subject: store.LimitToken, Metric: store.MetricRequests, Span: store.SpanMonth, Amount: 250}),
			f.addLimit(store.Limit{Subject: store.LimitUser, Metric: store.MetricTokens, Span: store.SpanTotal, Amount: 9000, Strict: true}),
			f.addLimit(store.Limit{Subject: store.LimitKey, SubjectID: f.keys[0], Metric: store.MetricRequests, Span: store.SpanTotal, Amount: 100}),
			f.addLimit(store.Limit{Subject: store.LimitGateway, Metric: store.MetricCost, Span: store.SpanTotal, Amount: 12_000, Strict: true}),
		}
		var ids []store.ID
		for _, l := range limits {
			ids = append(ids, l.ID)
		}
		db := &deadlocks{DB: f.db}
		var spentSum [4]atomic.Int64
		var served atomic.Int64
		var wg sync.WaitGroup
		for p := range processes {
			q := quota.New(db)
			settles := store.NewGroup(64, db.Timeout, func(ctx context.Context, batch []store.Record) error {
				return db.Run(ctx, store.Settle(batch, 0)...)
			})
			for n := range callers {
				rng := rand.New(rand.NewPCG(uint64(p), uint64(n)))
				wg.Go(func() {
					for range rounds {
						c := f.request(f.keys[:1+rng.IntN(2)]...)
						c.Demand = demand(rng, ids, now)
						c.Demand.Strict = true
						if rng.IntN(4) == 0 {
							c.Sweep = ids
						}
						made, ok, err := q.Reserve(context.Background(), c)
						if err == nil && ok && rng.IntN(3) == 0 {
							c.Demand = demand(rng, ids, now)
							c.Demand.Strict = true
							c.Demand.Strict = true
							made, ok, err = q.ReserveNext(context.Background(), quota.Release(made), nil, c)
						}
						if err != nil {
							t.Error(err)
						}
						if !ok {
							continue
						}
						s := store.Spending{ID: made.ID}
						for _, h := range made.Holds {
							s.Charges = append(s.Charges, store.Charge{Hold: h, Spent: h.Amount})
							spentSum[slices.Index(ids, h.Limit)].Add(h.Amount)
						}
						served.Add(1)
						err = settles.Do(context.Background(), store.Record{ID: store.NewID(now), User: f.user, Token: f.token, Model: "m", Spent: []store.Spending{s}})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		if n := db.n.Load(); n != 0 {
			t.Errorf("%d deadlocks", n)
		}
		f.wantNoHolds()
		v, err := f.q.Refresh(t.Context(), f.request(f.keys[0]).Principal, store.ID{}, now)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range limits {
			got, want := v.Limits[l.ID], spentSum[i].Load()
			if got.Used != want || got.Used > l.Amount || got.Used == 0 {
				t.Errorf("limit %d: %d used, want %d of at most %d", i, got.Used, want, l.Amount)
			}
		}
		if served.Load() == 0 {
			t.Error("nothing was served")
		}
	})
}
