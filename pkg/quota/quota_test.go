package quota_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const now = 1_800_000_000_000

// onEveryEngine runs the test on SQLite, PostgreSQL, and PostgreSQL behind a transaction pooler.
func onEveryEngine(t *testing.T, test func(t *testing.T, f *fixture)) {
	pg := func(mode postgres.Mode, url func(t *testing.T) string) func(t *testing.T) store.DB {
		return func(t *testing.T) store.DB {
			db, err := postgres.Open(postgres.Options{URL: url(t), Mode: mode})
			if err != nil {
				t.Fatal(err)
			}
			return db
		}
	}
	engines := map[string]func(t *testing.T) store.DB{
		"sqlite": func(t *testing.T) store.DB {
			db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "test.db")})
			if err != nil {
				t.Fatal(err)
			}
			return db
		},
		"postgres":  pg(postgres.ModePrepared, func(t *testing.T) string { return pgtest.New(t) }),
		"pgbouncer": pg(postgres.ModeExec, func(t *testing.T) string { return pgtest.PgBouncer(t, pgtest.New(t)) }),
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			t.Cleanup(func() { db.Close() })
			test(t, newFixture(t, db))
		})
	}
}

type fixture struct {
	t        testing.TB
	db       store.DB
	q        *quota.Quota
	user     store.ID
	token    store.ID
	session  store.ID
	revision int64
	keys     []store.ID // in the order of their ids
}

func newFixture(t testing.TB, db store.DB) *fixture {
	f := &fixture{t: t, db: db, q: quota.New(db), revision: 7,
		user: store.NewID(now), token: store.NewID(now), session: store.NewID(now)}
	f.run(`insert into users (id, email, name, role, password, enabled, revision, created_at, updated_at)
values ($1, 'a@example.com', '', 'user', '', $2, 7, 0, 0)`, f.user, true)
	f.run(`insert into tokens (id, user_id, name, hash, enabled, blocked, created_at) values ($1, $2, '', $3, $4, $5, 0)`,
		f.token, f.user, f.token[:], true, false)
	f.run(`insert into sessions (id, user_id, user_agent, address, created_at, last_seen_at, expires_at) values ($1, $2, '', '', 0, 0, $3)`,
		f.session, f.user, int64(now+1000))
	return f
}

func (f *fixture) run(sql string, args ...any) {
	f.t.Helper()
	if err := f.db.Run(context.Background(), store.Stmt{SQL: sql, Args: args}); err != nil {
		f.t.Fatal(err)
	}
}

// key adds a key with a daily limit; negative: none.
func (f *fixture) key(limit int64) store.ID {
	f.t.Helper()
	id := store.NewID(now)
	var daily any = limit
	if limit < 0 {
		daily = nil
	}
	f.run(`insert into provider_keys (id, user_id, provider, name, sealed, sealing_key, last_four, priority, enabled, blocked,
 allowed_models, daily_limit, rest_until, rest_class, rest_note, created_at, updated_at)
values ($1, $2, 'openai', '', $3, '', '', 1, $4, $5, '[]', $6, 0, '', '', 0, 0)`, id, f.user, []byte{0}, true, false, daily)
	f.keys = append(f.keys, id)
	slices.SortFunc(f.keys, func(a, b store.ID) int { return bytes.Compare(a[:], b[:]) })
	return id
}

func (f *fixture) request(keys ...store.ID) quota.Request {
	r := quota.Request{Principal: store.Principal{User: f.user, Token: f.token}, Revision: f.revision, Now: now, Targets: f.targets(keys...)}
	return either(r)
}

// either gives the request an identity of its own, or none: both ways to reserve are equal.
func either(r quota.Request) quota.Request {
	r.Demand = store.Demand{}
	if rand.IntN(2) == 0 {
		r.Demand = store.Demand{ID: store.NewID(now), ExpiresAt: now + 60_000}
	}
	return r
}

func (f *fixture) reserve(c quota.Request) (quota.Reservation, bool) {
	f.t.Helper()
	r, ok, err := f.q.Reserve(context.Background(), either(c))
	if err != nil {
		f.t.Fatal(err)
	}
	return r, ok
}

// parallel makes n reservations from 64 callers over three Quotas, as three processes would.
func (f *fixture) parallel(n int, c quota.Request) map[store.ID]int {
	f.t.Helper()
	var mu sync.Mutex
	got := map[store.ID]int{}
	work := make(chan struct{}, n)
	for range n {
		work <- struct{}{}
	}
	close(work)
	processes := []*quota.Quota{f.q, quota.New(f.db), quota.New(f.db)}
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for range work {
				r, ok, err := processes[i%len(processes)].Reserve(context.Background(), either(c))
				if err != nil {
					f.t.Error(err)
				}
				if ok {
					mu.Lock()
					got[r.Key]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return got
}

func TestReserveNeverPassesTheLimit(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		for _, limit := range []int64{0, 1, 100, -1} {
			t.Run(fmt.Sprint(limit), func(t *testing.T) {
				f.t = t
				id, want := f.key(limit), int(limit)
				if limit < 0 {
					want = 300
				}
				if got := f.parallel(300, f.request(id))[id]; got != want {
					t.Errorf("%d reservations, want %d", got, want)
				}
			})
		}
	})
}

func TestRotationIsEvenWithinOne(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		for range 3 {
			f.key(-1)
		}
		got := f.parallel(200, f.request(f.keys...))
		least, most := 200, 0
		for _, id := range f.keys {
			least, most = min(least, got[id]), max(most, got[id])
		}
		if most-least > 1 {
			t.Errorf("uneven: %v", got)
		}
	})
}

func TestRotationStopsAtEachLimit(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		limits := map[store.ID]int{}
		for _, limit := range []int64{5, 40, 20} {
			limits[f.key(limit)] = int(limit)
		}
		for id, n := range f.parallel(300, f.request(f.keys...)) {
			if n != limits[id] {
				t.Errorf("%d reservations of a key with a limit of %d", n, limits[id])
			}
		}
	})
}

func TestReserveRefuses(t *testing.T) {
	tests := map[string]struct {
		spoil  func(f *fixture, c *quota.Request)
		access bool
	}{
		"disabled token":  {func(f *fixture, _ *quota.Request) { f.run(`update tokens set enabled = $1`, false) }, false},
		"blocked token":   {func(f *fixture, _ *quota.Request) { f.run(`update tokens set blocked = $1`, true) }, false},
		"expired token":   {func(f *fixture, _ *quota.Request) { f.run(`update tokens set expires_at = $1`, int64(now)) }, false},
		"deleted token":   {func(f *fixture, _ *quota.Request) { f.run(`delete from tokens`) }, false},
		"disabled user":   {func(f *fixture, _ *quota.Request) { f.run(`update users set enabled = $1`, false) }, false},
		"old revision":    {func(f *fixture, _ *quota.Request) { f.run(`update users set revision = revision + 1`) }, true},
		"disabled key":    {func(f *fixture, _ *quota.Request) { f.run(`update provider_keys set enabled = $1`, false) }, true},
		"blocked key":     {func(f *fixture, _ *quota.Request) { f.run(`update provider_keys set blocked = $1`, true) }, true},
		"key in cooldown": {func(f *fixture, c *quota.Request) { f.start(c.Targets[0].Key, "", 1, false, "rate_limited") }, true},
		"ended session": {func(f *fixture, c *quota.Request) {
			c.Principal = store.Principal{User: f.user, Session: f.session}
			c.Now += 5000
		}, false},
		"another's key": {func(f *fixture, c *quota.Request) { c.Targets[0].Key = store.NewID(now) }, true},
		"deleted session": {func(f *fixture, c *quota.Request) {
			c.Principal = store.Principal{User: f.user, Session: f.session}
			f.run(`delete from sessions`)
		}, false},
	}
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				f := newFixtureAgain(t, f)
				c := f.request(f.key(10))
				tt.spoil(f, &c)
				if r, ok := f.reserve(c); ok {
					t.Fatalf("reserved %+v", r)
				}
				v, err := f.q.Refresh(t.Context(), c.Principal, store.ID{}, c.Now)
				if err != nil || v.Access != tt.access {
					t.Errorf("Refresh says access %v, want %v (%v)", v.Access, tt.access, err)
				}
			})
		}
	})
}

// newFixtureAgain empties the database for the next case.
func newFixtureAgain(t *testing.T, f *fixture) *fixture {
	f.t = t
	f.run(`delete from users`)
	return newFixture(t, f.db)
}

func TestSessionReserves(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		f.key(-1)
		f.key(-1)
		c := f.request(f.keys[0])
		c.Principal = store.Principal{User: f.user, Session: f.session}
		if _, ok := f.reserve(c); !ok {
			t.Error("refused one key")
		}
		c.Targets = f.targets(f.keys...)
		if _, ok := f.reserve(c); !ok {
			t.Error("refused to rotate")
		}
	})
}

func TestReleaseSurvivesMidnightAndReset(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		id := f.key(2)
		used := func(day int64) (n int64) {
			err := f.db.Run(t.Context(), store.Stmt{SQL: `select used from key_days where key_id = $1 and day = $2`,
				Args: []any{id, day}, Each: func(r store.Row) error { return r.Scan(&n) }})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		giveBack := func(r quota.Reservation) {
			if err := f.db.Run(t.Context(), quota.Release(r)...); err != nil {
				t.Fatal(err)
			}
		}
		today, _ := f.reserve(f.request(id))
		tomorrow := f.request(id)
		tomorrow.Now += 24 * 3600 * 1000
		if r, ok := f.reserve(tomorrow); !ok || r.Used != 1 || r.Day != today.Day+1 {
			t.Fatalf("after midnight: %+v %v", r, ok)
		}
		giveBack(today)
		if n := used(today.Day); n != 0 {
			t.Errorf("yesterday's count is %d after the release, want 0", n)
		}
		if n := used(today.Day + 1); n != 1 {
			t.Errorf("the release of yesterday's reservation changed today's count to %d", n)
		}
		before, _ := f.reserve(f.request(id))
		f.run(`update key_days set used = 0, gen = gen + 1 where key_id = $1 and day = $2`, id, before.Day)
		after, _ := f.reserve(f.request(id))
		giveBack(before)
		if n := used(after.Day); n != 1 {
			t.Errorf("the release of a reservation from before the reset left %d, want 1", n)
		}
		giveBack(after)
		giveBack(after)
		if n := used(after.Day); n != 0 {
			t.Errorf("two releases left %d, want 0", n)
		}
	})
}

func TestReserveNextReleasesCoolsDownAndReserves(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		first, second := f.key(1), f.key(1)
		r, _ := f.reserve(f.request(first))
		before := append(quota.Release(r), f.cooldown(first, "", 60_000, false, "rate_limited"))
		next, ok, err := f.q.ReserveNext(t.Context(), before, nil, f.request(second))
		if err != nil || !ok || next.Key != second {
			t.Fatalf("%+v %v %v", next, ok, err)
		}
		cooldown := func(key store.ID) store.Cooldown {
			v, err := f.q.Refresh(t.Context(), f.request(first).Principal, store.ID{}, now)
			if err != nil {
				t.Fatal(err)
			}
			return v.Cooldowns[store.CooldownID{Subject: key}]
		}
		v, err := f.q.Refresh(t.Context(), f.request(first).Principal, store.ID{}, now)
		if err != nil {
			t.Fatal(err)
		}
		if k, c := v.Keys[first], cooldown(first); k.Used != 0 || c.Until != now+60_000 || c.Class != "rate_limited" || v.Ready(f.target(first), now) {
			t.Errorf("the first key: %+v %+v", k, c)
		}
		if k := v.Keys[second]; !k.Spent() || v.Ready(f.target(second), now) {
			t.Errorf("the second key: %+v", k)
		}
		// A shorter cooldown does not end a longer one.
		f.start(first, "", 1000, false, "overloaded")
		if c := cooldown(first); c.Until != now+60_000 {
			t.Errorf("a shorter cooldown replaced the longer: %+v", c)
		}
		// The failure is older than the last change: it may be that of another secret.
		f.revision--
		f.start(second, "", 1000, false, "bad_key")
		if c := cooldown(second); c.Until != 0 {
			t.Errorf("a cooldown from before a change: %+v", c)
		}
		// A cooldown that the batch starts holds for its own reservation.
		f.revision++
		third := f.key(-1)
		if _, ok, err := f.q.ReserveNext(t.Context(), []store.Stmt{f.cooldown(third, "m", 1000, false, "timeout")}, nil, f.request(third)); ok || err != nil {
			t.Errorf("reserved %v, %v", ok, err)
		}
	})
}
