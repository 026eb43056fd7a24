package quota_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// deadlocks counts the runs that the database chose to resolve a deadlock.
type deadlocks struct {
	store.DB
	n atomic.Int64
}

func (d *deadlocks) Run(ctx context.Context, stmts ...store.Stmt) error {
	err := d.DB.Run(ctx, stmts...)
	if store.CodeOf(err) == store.CodeDeadlock {
		d.n.Add(1)
	}
	return err
}

// While providers fail, requests of several processes fail over from every key to every other, with and without rotation,
// around midnight. They must not deadlock.
func TestFailoverInAllDirectionsDoesNotDeadlock(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		db := &deadlocks{DB: f.db}
		const processes, callers, rounds = 3, 6, 15
		for range 4 {
			f.key(-1)
		}
		var quotas [processes]*quota.Quota
		var settles [processes]*store.Group[store.Record]
		for i := range quotas {
			quotas[i] = quota.New(db)
			settles[i] = store.NewGroup(64, db.Timeout, func(ctx context.Context, batch []store.Record) error {
				return db.Run(ctx, store.Settle(batch, 0)...)
			})
		}
		var wg sync.WaitGroup
		for n := range processes * callers {
			rng := rand.New(rand.NewPCG(1, uint64(n)))
			wg.Go(func() {
				q, settle := quotas[n%processes], settles[n%processes]
				for range rounds {
					if err := failOver(f, rng, q, settle); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := db.n.Load(); n != 0 {
			t.Errorf("%d deadlocks", n)
		}
		var used int64
		err := f.db.Run(t.Context(), store.Stmt{SQL: `select cast(sum(used) as bigint) from key_days`, Each: func(r store.Row) error { return r.Scan(&used) }})
		if err != nil || used != 0 {
			t.Errorf("%d reservations are left, %v; all were released", used, err)
		}
	})
}

// Around midnight one key has two rows, one for each day, which requests of several processes lock in any order.
func TestTwoDaysOfOneKeyDoNotDeadlock(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		db := &deadlocks{DB: f.db}
		const processes, callers, rounds = 3, 6, 40
		f.key(-1)
		var wg sync.WaitGroup
		for p := range processes {
			q := quota.New(db)
			for n := range callers {
				rng := rand.New(rand.NewPCG(uint64(p), uint64(n)))
				wg.Go(func() {
					for range rounds {
						c := f.request(f.keys[0])
						c.Now = now + rng.Int64N(2)*dayMs
						if _, ok, err := q.Reserve(context.Background(), c); err != nil || !ok {
							t.Errorf("reserved: %v, %v", ok, err)
						}
					}
				})
			}
		}
		wg.Wait()
		if n := db.n.Load(); n != 0 {
			t.Errorf("%d deadlocks", n)
		}
		var used int64
		f.do(store.Stmt{SQL: `select cast(sum(used) as bigint) from key_days`, Each: func(r store.Row) error { return r.Scan(&used) }})
		if used != processes*callers*rounds {
			t.Errorf("%d reservations, want %d", used, processes*callers*rounds)
		}
	})
}

// failOver is a request that tries one or more keys, none of which answers.
func failOver(f *fixture, rng *rand.Rand, q *quota.Quota, settle *store.Group[store.Record]) error {
	left, holder := []store.ID{}, store.NewID(now)
	for _, i := range rng.Perm(len(f.keys)) {
		left = append(left, f.keys[i])
	}
	pick := func() quota.Request {
		n := 1 + rng.IntN(len(left)) // one, or some in turn, in the order of their ids
		keys := []store.ID{}
		for _, id := range f.keys {
			for _, l := range left[:n] {
				if l == id {
					keys = append(keys, id)
				}
			}
		}
		c := f.request(keys...)
		c.Now = now + rng.Int64N(2)*dayMs
		if len(keys) == 1 && rng.IntN(2) == 0 {
			c.Probe, c.ProbeEnd = holder, c.Now
		}
		return c
	}
	res, ok, err := q.Reserve(context.Background(), pick())
	for err == nil && ok {
		for i, id := range left {
			if id == res.Key {
				left = append(left[:i:i], left[i+1:]...)
				break
			}
		}
		target := f.target(res.Key)
		failed := []store.Stmt{f.cooldown([]store.ID{res.Key, target.Host}[rng.IntN(2)], []string{"", "m", "n"}[rng.IntN(3)], 0, false, "overloaded"),
			store.ReleaseLease(target, holder)}
		failed = append(failed, quota.Release(res)...)
		if rng.IntN(3) == 0 {
			failed = append(failed, store.EndProbe(target, holder), store.EndModelCooldown(res.Key, "m"))
		}
		if len(left) == 0 || rng.IntN(3) == 0 {
			return settle.Do(context.Background(), store.Record{ID: store.NewID(now), User: f.user, Token: f.token, Model: "m",
				Status: 502, Outcome: store.Failed, Attempts: 1, Statements: failed})
		}
		res, ok, err = q.ReserveNext(context.Background(), failed, nil, pick())
	}
	return err
}
