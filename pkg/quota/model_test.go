package quota_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

const dayMs = 24 * 3600 * 1000

// seeded returns a random source whose seed is logged if the test fails.
func seeded(t *testing.T) (*rand.Rand, uint64) {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the seed was %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0)), seed
}

// model is the expected quota of a key: a counter for each day, and simple rules.
type model struct {
	limit     int64 // below 0: none
	off       bool
	days      map[int64]*modelDay
	cooldowns []*modelCooldown // those that may hold for it
}

// modelCooldown is the expected cooldown of a key, with or without its model, or of the host; failures is 0 if there
// is none.
type modelCooldown struct {
	subject                     store.ID
	model                       string
	until, failures, leaseUntil int64
	holder                      store.ID
	halfOpen, transient         bool
}

func (c *modelCooldown) end() { *c = modelCooldown{subject: c.subject, model: c.model} }

func (c *modelCooldown) fail(f store.Failure) {
	const quiet = 24 * 3600 * 1000
	n := c.failures
	switch {
	case n == 0 || f.Began >= c.until && f.Now >= c.until+quiet:
		n = 1
	case f.Began >= c.until:
		n++
	}
	end := f.Now + f.Steps[min(n, 5)-1]
	if c.failures > 0 && c.until >= end {
		return
	}
	*c = modelCooldown{subject: c.subject, model: c.model, until: end, failures: n, halfOpen: f.HalfOpen, transient: store.Transient(f.Class)}
}

// lets reports whether a request passes the cooldown.
func (c *modelCooldown) lets(now int64, probe store.ID, ignoreTransient bool) bool {
	switch {
	case c.failures == 0 || ignoreTransient && c.transient:
		return true
	case c.until > now:
		return false
	}
	return !c.halfOpen || c.leaseUntil > now && c.holder == probe
}

// probe takes the leases of all cooldowns, or of none.
func (m *model) probe(now int64, holder store.ID) {
	for _, c := range m.cooldowns {
		if c.failures > 0 && (c.until > now || c.halfOpen && c.leaseUntil > now) {
			return
		}
	}
	for _, c := range m.cooldowns {
		if c.failures > 0 && c.halfOpen {
			c.leaseUntil, c.holder = now+leaseMs, holder
		}
	}
}

const leaseMs = 60_000

type modelDay struct{ used, gen int64 }

func (m *model) day(day int64) *modelDay {
	if m.days[day] == nil {
		m.days[day] = &modelDay{}
	}
	return m.days[day]
}

func (m *model) reserve(now int64, probe store.ID, ignoreTransient bool) (want quota.Reservation, ok bool) {
	if !probe.IsZero() {
		m.probe(now, probe)
	}
	for _, c := range m.cooldowns {
		if !c.lets(now, probe, ignoreTransient) {
			return want, false
		}
	}
	d := m.day(store.DayOf(now))
	if m.off || m.limit >= 0 && d.used >= m.limit {
		return want, false
	}
	d.used++
	return quota.Reservation{Day: store.DayOf(now), Gen: d.gen, Used: d.used}, true
}

func (m *model) giveBack(r quota.Reservation) {
	if d := m.day(r.Day); d.gen == r.Gen && d.used > 0 {
		d.used--
	}
}

// Random operations in sequence agree with the model.
func TestQuotaFollowsTheModel(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		rng, _ := seeded(t)
		processes := []*quota.Quota{f.q, quota.New(f.db)}
		models := map[store.ID]*model{}
		for range 3 {
			models[f.key(3)] = &model{limit: 3, days: map[int64]*modelDay{}}
		}
		host := &modelCooldown{subject: store.HostKey(f.user, "openai", "")}
		for id, m := range models {
			m.cooldowns = []*modelCooldown{{subject: id}, {subject: id, model: "m"}, host}
		}
		clock := int64(now)
		var held []quota.Reservation
		released := map[store.ID]bool{}
		for step := range 600 {
			id := f.keys[rng.IntN(len(f.keys))]
			m, q := models[id], processes[rng.IntN(2)]
			switch op := rng.IntN(24); {
			case op < 9:
				c := f.request(id)
				c.Now, c.IgnoreTransient = clock, rng.IntN(6) == 0
				if rng.IntN(2) == 0 {
					c.Probe, c.ProbeEnd = store.ID{byte(1 + rng.IntN(3))}, clock+leaseMs
				}
				want, ok := m.reserve(clock, c.Probe, c.IgnoreTransient)
				want.Key = id
				got, found, err := q.Reserve(t.Context(), c)
				if err != nil || found != ok || ok && (countOf(got) != countOf(want) || got.Used != want.Used) {
					t.Fatalf("step %d: reserved %+v %v %v, want %+v %v", step, got, found, err, want, ok)
				}
				if found {
					held = append(held, got)
				}
			case op < 14 && len(held) > 0:
				i := rng.IntN(len(held))
				if !released[held[i].ID] { // a reservation with an identity is released once
					models[held[i].Key].giveBack(held[i])
				}
				released[held[i].ID] = !held[i].ID.IsZero()
				f.do(quota.Release(held[i])...)
				if rng.IntN(4) > 0 { // else it is released again later, which must not count below zero
					held = append(held[:i], held[i+1:]...)
				}
			case op == 14:
				if err := store.ResetKey(t.Context(), f.db, f.user, id, store.DayOf(clock)); err != nil {
					t.Fatal(err)
				}
				f.revision++
				*m.day(store.DayOf(clock)) = modelDay{gen: m.day(store.DayOf(clock)).gen + 1}
				m.cooldowns[0].end() // of the key, not of the host
				m.cooldowns[1].end()
			case op == 15:
				clock += rng.Int64N([]int64{2 * dayMs, 3600_000, 60_000}[rng.IntN(3)])
			case op == 16:
				m.limit = rng.Int64N(6) - 1
				f.limit(id, m.limit)
			case op == 17, op == 20:
				c := m.cooldowns[rng.IntN(len(m.cooldowns))]
				failure := store.Failure{User: f.user, Revision: f.revision, Subject: c.subject, Model: c.model, Now: clock,
					Began: clock - rng.Int64N(3000), Steps: [5]int64{1000, 5000, 60_000, 3600_000, store.MaxCooldown},
					HalfOpen: rng.IntN(3) > 0, Class: []string{"timeout", "bad_key"}[rng.IntN(2)]}
				c.fail(failure)
				f.do(store.HoldUser(f.user), store.StartCooldown(failure))
			case op == 21:
				holder := store.ID{byte(1 + rng.IntN(3))}
				s := store.EndProbe(f.target(id), holder)
				release := rng.IntN(2) == 0
				if release {
					s = store.ReleaseLease(f.target(id), holder)
				}
				for _, c := range m.cooldowns {
					switch {
					case c.holder != holder:
					case release:
						c.leaseUntil, c.holder = 0, store.ID{}
					default:
						c.end()
					}
				}
				f.do(store.HoldUser(f.user), s)
			case op == 22:
				for _, c := range m.cooldowns[:2] {
					c.end()
				}
				if err := store.EndCooldowns(t.Context(), f.db, f.user, id); err != nil {
					t.Fatal(err)
				}
				f.revision++
			case op == 23:
				for _, c := range m.cooldowns {
					if c.transient {
						c.end()
					}
				}
				f.do(store.HoldUser(f.user), store.EndTransient(f.target(id)))
			case op == 18:
				m.off = !m.off
				if _, err := store.UpdateKey(t.Context(), f.db, f.user, id, store.KeyChange{Enabled: store.To(!m.off)}, clock); err != nil {
					t.Fatal(err)
				}
				f.revision++
			case op == 19:
				f.wantModels(models, clock)
			}
		}
		f.wantModels(models, clock)
	})
}

func (f *fixture) do(stmts ...store.Stmt) {
	f.t.Helper()
	if err := f.db.Run(f.t.Context(), stmts...); err != nil {
		f.t.Fatal(err)
	}
}

// limit changes a key's daily limit as its owner does; negative: none.
func (f *fixture) limit(id store.ID, limit int64) {
	f.t.Helper()
	c := store.KeyChange{DailyLimit: store.To(&limit)}
	if limit < 0 {
		c.DailyLimit.To = nil
	}
	if _, err := store.UpdateKey(f.t.Context(), f.db, f.user, id, c, now); err != nil {
		f.t.Fatal(err)
	}
	f.revision++
}

// wantModels compares the result of Refresh with the models.
func (f *fixture) wantModels(models map[store.ID]*model, clock int64) {
	f.t.Helper()
	v, err := f.q.Refresh(f.t.Context(), f.request(f.keys[0]).Principal, store.ID{}, clock)
	if err != nil || v.Revision != f.revision {
		f.t.Fatalf("revision %d, %v, want %d", v.Revision, err, f.revision)
	}
	for id, m := range models {
		k, used := v.Keys[id], m.day(store.DayOf(clock)).used
		if k.Used != used || k.Disabled != m.off || k.Spent() != (m.limit >= 0 && used >= m.limit) {
			f.t.Errorf("the key is %+v, want %+v with %d used", k, m, used)
		}
		for _, want := range m.cooldowns {
			c := v.Cooldowns[store.CooldownID{Subject: want.subject, Model: store.ModelKey(want.model)}]
			if c.Until != want.until || c.Failures != want.failures || c.HalfOpen != want.halfOpen || c.LeaseUntil != want.leaseUntil {
				f.t.Errorf("the cooldown is %+v, want %+v", c, want)
			}
			if c.Until > clock+store.MaxCooldown {
				f.t.Errorf("a cooldown of %d ms", c.Until-clock)
			}
		}
	}
}

// tally counts the reservations of the day of a key, by generation.
type tally struct {
	sync.Mutex
	taken, returned map[count]int64
}

// count is what a reservation counts in.
type count struct {
	key      store.ID
	day, gen int64
}

func countOf(r quota.Reservation) count { return count{r.Key, r.Day, r.Gen} }

func (y *tally) add(to map[count]int64, r quota.Reservation) {
	y.Lock()
	defer y.Unlock()
	to[countOf(r)]++
}

// Many callers of two processes, around midnight, while limits change and quotas are reset: no
// reservation exceeds the limit that its caller knew, none is lost, and at the end the counts are exact.
func TestQuotaIsExactUnderConcurrency(t *testing.T) {
	const callers, rounds, changes = 10, 25, 12
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		_, seed := seeded(t)
		for range 3 {
			f.key(4)
		}
		db := &deadlocks{DB: f.db}
		processes := []*quota.Quota{quota.New(db), quota.New(db)}
		w := &limits{known: map[int64]map[store.ID]int64{}}
		current := map[store.ID]int64{}
		for _, id := range f.keys {
			current[id] = 4
		}
		w.publish(f.revision, current)
		y := &tally{taken: map[count]int64{}, returned: map[count]int64{}}
		var wg sync.WaitGroup
		for n := range callers {
			rng := rand.New(rand.NewPCG(seed, uint64(n)))
			wg.Go(func() { takeAndReturn(f, rng, processes[n%2], w, y, rounds) })
		}
		rng := rand.New(rand.NewPCG(seed, 1000))
		for range changes {
			id := f.keys[rng.IntN(len(f.keys))]
			if rng.IntN(2) == 0 {
				// Concurrent callers must find the limit of the revision.
				w.Lock()
				current[id] = rng.Int64N(8)
				f.limit(id, current[id])
				w.Unlock()
			} else {
				w.Lock()
				if err := store.ResetKey(t.Context(), f.db, f.user, id, store.DayOf(now)+rng.Int64N(2)); err != nil {
					t.Error(err)
				}
				f.revision++
				w.Unlock()
			}
			w.publish(f.revision, current)
			f.wantWithin(0, 8)
		}
		wg.Wait()
		if n := db.n.Load(); n != 0 {
			t.Errorf("%d deadlocks", n)
		}
		f.wantTally(y)
		f.wantRemainder(current)
	})
}

// limits are the keys' limits by the revision in which they hold.
type limits struct {
	sync.Mutex
	revision int64
	known    map[int64]map[store.ID]int64
}

func (w *limits) publish(revision int64, current map[store.ID]int64) {
	w.Lock()
	defer w.Unlock()
	w.revision, w.known[revision] = revision, map[store.ID]int64{}
	for id, limit := range current {
		w.known[revision][id] = limit
	}
}

func (w *limits) newest() (int64, map[store.ID]int64) {
	w.Lock()
	defer w.Unlock()
	return w.revision, w.known[w.revision]
}

func takeAndReturn(f *fixture, rng *rand.Rand, q *quota.Quota, w *limits, y *tally, rounds int) {
	ctx := context.Background()
	var held []quota.Reservation
	taken := func(r quota.Reservation, limit int64) {
		if r.Used < 1 || r.Used > limit {
			f.t.Errorf("reservation %d of a limit of %d was made", r.Used, limit)
		}
		y.add(y.taken, r)
		held = append(held, r)
	}
	for range rounds {
		w.Lock() // which guards the revision
		c := f.request(f.keys[rng.IntN(len(f.keys))])
		w.Unlock()
		if rng.IntN(3) == 0 {
			c.Targets = f.targets(f.keys...) // in turn
		}
		var known map[store.ID]int64
		c.Revision, known = w.newest()
		c.Now = now + rng.Int64N(2)*dayMs
		var r quota.Reservation
		var ok bool
		var err error
		if len(held) > 0 && rng.IntN(3) == 0 { // like a step of failover
			before := held[0]
			held = held[1:]
			y.add(y.returned, before)
			r, ok, err = q.ReserveNext(ctx, quota.Release(before), nil, c)
		} else {
			r, ok, err = q.Reserve(ctx, c)
		}
		if err != nil {
			f.t.Error(err)
		}
		if ok {
			taken(r, known[r.Key])
		}
		if len(held) > 0 && rng.IntN(3) == 0 {
			last := held[len(held)-1]
			held = held[:len(held)-1]
			y.add(y.returned, last)
			if err := f.db.Run(ctx, quota.Release(last)...); err != nil {
				f.t.Error(err)
			}
		}
	}
}

// wantWithin checks that every day's count is within the bounds at any moment.
func (f *fixture) wantWithin(least, most int64) {
	f.t.Helper()
	f.do(store.Stmt{SQL: "select used from key_days", Each: func(r store.Row) error {
		var used int64
		err := r.Scan(&used)
		if used < least || used > most {
			f.t.Errorf("a day's count is %d", used)
		}
		return err
	}})
}

// wantTally checks that each day counts the reservations of its generation that were not released.
func (f *fixture) wantTally(y *tally) {
	f.t.Helper()
	rows := 0
	f.do(store.Stmt{SQL: "select key_id, day, gen, used from key_days", Each: func(row store.Row) error {
		var r count
		var used int64
		err := row.Scan(&r.key, &r.day, &r.gen, &used)
		if want := y.taken[r] - y.returned[r]; used != want {
			f.t.Errorf("generation %d counts %d, want %d (%d taken)", r.gen, used, want, y.taken[r])
		}
		rows++
		return err
	}})
	if rows == 0 {
		f.t.Error("no reservation was made")
	}
}

// wantRemainder uses up each key and day, one reservation after the other.
func (f *fixture) wantRemainder(limit map[store.ID]int64) {
	f.t.Helper()
	for _, id := range f.keys {
		for day := range int64(2) {
			c := f.request(id)
			c.Now = now + day*dayMs
			v, err := f.q.Refresh(f.t.Context(), c.Principal, store.ID{}, c.Now)
			if err != nil {
				f.t.Fatal(err)
			}
			left := max(0, limit[id]-v.Keys[id].Used)
			for n := int64(0); ; n++ {
				if _, ok := f.reserve(c); !ok {
					if n != left {
						f.t.Errorf("%d more reservations were made, want %d", n, left)
					}
					break
				}
			}
		}
	}
}
