package quota_test

import (
	"context"
	"sync"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// rotator rotates as a gateway process does: among all keys that it does not know to be spent or in a cooldown.
// When it is refused, it refreshes that knowledge.
type rotator struct {
	q     *quota.Quota
	mu    sync.Mutex
	ready []store.ID
}

func (p *rotator) take(f *fixture) (store.ID, bool) {
	for range 5 {
		p.mu.Lock()
		keys := p.ready
		p.mu.Unlock()
		if len(keys) == 0 {
			return store.ID{}, false
		}
		r, ok, err := p.q.Reserve(context.Background(), f.request(keys...))
		if err != nil {
			f.t.Error(err)
		}
		if ok {
			return r.Key, true
		}
		p.look(f)
	}
	return store.ID{}, false
}

func (p *rotator) look(f *fixture) {
	v, err := p.q.Refresh(context.Background(), f.request(f.keys[0]).Principal, store.ID{}, now)
	if err != nil {
		f.t.Error(err)
	}
	var ready []store.ID
	for _, id := range f.keys {
		if v.Ready(f.target(id), now) {
			ready = append(ready, id)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = ready
}

// The rotation of the other keys is even while some are spent or in a cooldown.
func TestRotationIsEvenAroundKeysThatFail(t *testing.T) {
	const each = 60
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		for range 4 {
			f.key(-1)
		}
		f.key(7) // is spent soon
		limited := f.keys[len(f.keys)-1]
		v, err := f.q.Refresh(t.Context(), f.request(f.keys[0]).Principal, store.ID{}, now)
		if err != nil {
			t.Fatal(err)
		}
		for id, k := range v.Keys {
			if k.Limit != nil {
				limited = id
			}
		}
		processes := []*rotator{{q: f.q}, {q: quota.New(f.db)}}
		storm := func(n int) map[store.ID]int {
			got := map[store.ID]int{}
			var mu sync.Mutex
			var wg sync.WaitGroup
			work := make(chan int, n)
			for i := range n {
				work <- i
			}
			close(work)
			for c := range 16 {
				wg.Go(func() {
					for range work {
						id, ok := processes[c%2].take(f)
						if !ok {
							t.Error("refused although keys are ready")
						}
						mu.Lock()
						got[id]++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			return got
		}
		// even wants the keys that were ready throughout within so many of each other. Callers that were
		// under way when the set of ready keys changed took their turn in the old one or the new.
		even := func(what string, got map[store.ID]int, within int, except ...store.ID) {
			t.Helper()
			least, most, total := 1<<30, 0, 0
			for _, id := range f.keys {
				total += got[id]
				if len(except) > 0 && id == except[0] || len(except) > 1 && id == except[1] {
					continue
				}
				least, most = min(least, got[id]), max(most, got[id])
			}
			if most-least > within {
				t.Errorf("%s: %v", what, got)
			}
		}
		for _, p := range processes {
			p.look(f)
		}
		got := storm(5 * 7)
		even("all ready", got, 1)
		got = storm(each)
		even("one spent", got, 2, limited)
		if got[limited] != 0 {
			t.Errorf("%d reservations of a spent key", got[limited])
		}
		cooling := f.keys[0]
		if cooling == limited {
			cooling = f.keys[1]
		}
		f.start(cooling, "", 1, false, "overloaded")
		got = storm(each)
		even("one spent, one cooling", got, 2, limited, cooling)
		if got[cooling] != 0 {
			t.Errorf("%d reservations of a key in a cooldown", got[cooling])
		}
		f.run(`delete from cooldowns`)
		for _, p := range processes {
			p.look(f)
		}
		even("cooled down", storm(each), 1, limited)
	})
}
