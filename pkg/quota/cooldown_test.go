package quota_test

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// target is a key with its user's host and the model that the tests ask for.
func (f *fixture) target(key store.ID) store.Target {
	return store.Target{Key: key, Host: store.HostKey(f.user, "openai", ""), Model: store.ModelKey("m")}
}

func (f *fixture) targets(keys ...store.ID) (all []store.Target) {
	for _, id := range keys {
		all = append(all, f.target(id))
	}
	return all
}

// start begins a cooldown of so many milliseconds at the tests' time.
func (f *fixture) start(subject store.ID, model string, ms int64, halfOpen bool, class string) {
	f.t.Helper()
	f.do(store.HoldUser(f.user), f.cooldown(subject, model, ms, halfOpen, class))
}

func (f *fixture) cooldown(subject store.ID, model string, ms int64, halfOpen bool, class string) store.Stmt {
	return store.StartCooldown(store.Failure{User: f.user, Revision: f.revision, Subject: subject, Model: model, Now: now, Began: now,
		Steps: [5]int64{ms, ms, ms, ms, ms}, HalfOpen: halfOpen, Class: class})
}

// A cooldown holds for its key or host, and for its model or all, whether one key is asked for or several in turn.
func TestCooldownsHoldForTheirTargets(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		host := store.HostKey(f.user, "openai", "")
		for name, tt := range map[string]struct {
			start      func(key store.ID)
			at         int64
			m, n       bool // the models are served by the key
			otherHostM bool // the model is served by the key at another host
		}{
			"nothing":                     {func(store.ID) {}, now, true, true, true},
			"the key":                     {func(k store.ID) { f.start(k, "", 10, false, "rate_limited") }, now, false, false, false},
			"the key, ended":              {func(k store.ID) { f.start(k, "", 10, false, "rate_limited") }, now + 10, true, true, true},
			"the key, half-open":          {func(k store.ID) { f.start(k, "", 10, true, "bad_key") }, now + 10, false, false, false},
			"the model":                   {func(k store.ID) { f.start(k, "m", 10, false, "daily_quota") }, now + 9, false, true, false},
			"the model, half-open":        {func(k store.ID) { f.start(k, "m", 10, true, "timeout") }, now + 10, false, true, false},
			"the host":                    {func(store.ID) { f.start(host, "", 10, false, "transport") }, now, false, false, true},
			"the host, half-open":         {func(store.ID) { f.start(host, "", 10, true, "transport") }, now + 10, false, false, true},
			"the host and a model":        {func(store.ID) { f.start(host, "m", 10, false, "overloaded") }, now, false, true, true},
			"another key":                 {func(store.ID) { f.start(f.key(-1), "", 10, false, "bad_key") }, now, true, true, true},
			"another user's host":         {func(store.ID) { f.start(store.HostKey(f.token, "openai", ""), "", 10, false, "transport") }, now, true, true, true},
			"a cooldown of an old column": {func(store.ID) { f.run("update provider_keys set rest_until = $1", int64(now+dayMs)) }, now, true, true, true},
		} {
			t.Run(name, func(t *testing.T) {
				f = newFixtureAgain(t, f)
				f.keys = nil
				host = store.HostKey(f.user, "openai", "")
				key := f.key(-1)
				tt.start(key)
				for what, c := range map[string]struct {
					target store.Target
					want   bool
				}{
					"m":                 {f.target(key), tt.m},
					"n":                 {store.Target{Key: key, Host: host, Model: store.ModelKey("n")}, tt.n},
					"m of another host": {store.Target{Key: key, Host: store.ID{1}, Model: store.ModelKey("m")}, tt.otherHostM},
				} {
					r := f.request(key)
					r.Now, r.Targets = tt.at, []store.Target{c.target}
					_, ok := f.reserve(r)
					r.Targets = []store.Target{c.target, c.target}
					_, rotated := f.reserve(r)
					v, err := f.q.Refresh(t.Context(), r.Principal, store.ID{}, tt.at)
					if ready := v.Ready(c.target, tt.at); err != nil || ok != c.want || rotated != c.want || ready != c.want {
						t.Errorf("%s: reserved %v, in turn %v, ready %v, want %v, %v", what, ok, rotated, ready, c.want, err)
					}
				}
			})
		}
	})
}

// Of the requests that want to probe at once, one reserves, and after it the next.
func TestOneRequestProbes(t *testing.T) {
	const callers = 24
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		key := f.key(-1)
		f.start(key, "m", 10, true, "timeout")
		f.start(store.HostKey(f.user, "openai", ""), "", 10, true, "transport")
		db := &deadlocks{DB: f.db}
		processes := []*quota.Quota{quota.New(db), quota.New(db)}
		probe := func(holder store.ID, at int64) quota.Request {
			r := f.request(key)
			r.Now, r.Probe, r.ProbeEnd = at, holder, at+1000
			return r
		}
		if _, ok := f.reserve(probe(store.ID{9}, now+9)); ok {
			t.Error("a probe began before the cooldown's end")
		}
		for round := range int64(3) {
			var n atomic.Int64
			var winner store.ID
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					r := probe(store.NewID(now), now+10)
					reserve := processes[i%2].Reserve
					if i%3 == 0 {
						reserve = func(ctx context.Context, r quota.Request) (quota.Reservation, bool, error) {
							return processes[i%2].ReserveNext(ctx, nil, nil, either(r))
						}
					}
					_, ok, err := reserve(context.Background(), r)
					if err != nil {
						t.Error(err)
					}
					if ok {
						n.Add(1)
						winner = r.Probe
					}
				})
			}
			wg.Wait()
			if n.Load() != 1 {
				t.Fatalf("round %d: %d requests probe, want 1", round, n.Load())
			}
			f.do(store.HoldUser(f.user), store.ReleaseLease(f.target(key), winner))
		}
		if _, ok := f.reserve(probe(store.ID{1}, now+10)); !ok {
			t.Fatal("no probe")
		}
		if _, ok := f.reserve(probe(store.ID{2}, now+1009)); ok {
			t.Error("two probe at once")
		}
		if _, ok := f.reserve(probe(store.ID{3}, now+1010)); !ok {
			t.Error("the lease of a request that was lost does not end")
		}
		f.do(store.HoldUser(f.user), store.EndProbe(f.target(key), store.ID{3}))
		if _, ok := f.reserve(f.request(key)); !ok {
			t.Error("a success did not end the cooldowns")
		}
		if n := db.n.Load(); n != 0 {
			t.Errorf("%d deadlocks", n)
		}
	})
}

// A request without another key passes the cooldowns of transient failures, and no others.
func TestTransientCooldownsYield(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		for class, want := range map[string]bool{"transport": true, "timeout": true, "overloaded": true,
			"rate_limited": false, "bad_key": false, "daily_quota": false, "forbidden": false} {
			for _, halfOpen := range []bool{false, true} {
				key := f.key(-1)
				f.start(key, "m", 10, halfOpen, class)
				for _, p := range []store.Principal{{User: f.user, Token: f.token}, {User: f.user, Session: f.session}} {
					r := f.request(key)
					r.Principal, r.IgnoreTransient = p, true
					if _, ok := f.reserve(r); ok != want || want != store.Transient(class) {
						t.Errorf("%s: reserved %v, want %v", class, ok, want)
					}
				}
				f.do(store.HoldUser(f.user), store.EndTransient(f.target(key)))
				if _, ok := f.reserve(f.request(key)); ok != want {
					t.Errorf("%s, ended: reserved %v, want %v", class, ok, want)
				}
			}
		}
	})
}

// Keys in turn that belong to different hosts and models are each guarded by their own cooldowns.
func TestRotationReadsTheCooldownsOfTheKeyInTurn(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		var targets []store.Target
		for i := range 4 {
			targets = append(targets, store.Target{Key: f.key(-1), Host: store.ID{byte(1 + i)}, Model: store.ID{byte(100 + i)}})
		}
		slices.SortFunc(targets, func(a, b store.Target) int { return bytes.Compare(a.Key[:], b.Key[:]) })
		subjects := map[int]store.CooldownID{0: {Subject: targets[0].Key, Model: targets[0].Model}, 2: {Subject: targets[2].Host}}
		for _, id := range subjects {
			f.run(`insert into cooldowns (subject, model_key, user_id, model, until, resets_at, half_open, class, message, since, failures, lease_until)
 values ($1, $2, $3, '', $4, 0, $5, '', '', 0, 1, 0)`, id.Subject, id.Model[:], f.user, int64(now+1), false)
		}
		r := f.request()
		r.Targets = targets
		got := map[store.ID]int{}
		for range 4 * 5 {
			if made, ok := f.reserve(r); ok {
				got[made.Key]++
			}
		}
		for i, target := range targets {
			want := 5
			if _, cools := subjects[i]; cools {
				want = 0
			}
			if got[target.Key] != want {
				t.Errorf("key %d: %d reservations, want %d", i, got[target.Key], want)
			}
		}
	})
}
