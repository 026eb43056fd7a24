package trips

import (
	"fmt"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func TestRoundTripsOfARequest(t *testing.T) {
	onEveryPlatform(t, func(w *world) {
		p := w.person()
		w.key(p, 1, 1000)
		if n := w.wire.Trips() + w.wire.Connections(); n != 0 {
			w.Errorf("%d trips before the first request", n)
		}
		w.want("cold", w.send(p, whole), "200 [2 1]") // one more: the load, which also looks at the schema's version
		w.want("warm", w.send(p, whole), "200 [1 1]")
		w.want("warm, streamed", w.send(p, stream), "200 [1 1]")
		w.want("warm again", w.send(p, whole), "200 [1 1]")
		other := w.person()
		w.key(other, 1, -1)
		w.want("another user, streamed", w.send(other, stream), "200 [2 1]")
		w.login(p)
		w.want("from the dashboard, cold", w.send(p, whole), "200 [3 1]") // the session is looked up first
		w.want("from the dashboard, warm", w.send(p, stream), "200 [2 1]")
		if n := w.wire.Connections(); n != 1 {
			w.Errorf("%d connections for requests one after the other", n)
		}
	})
}

func TestRoundTripsOfRotation(t *testing.T) {
	onEveryPlatform(t, func(w *world) {
		p := w.person()
		_, err := store.SetProfile(w.Context(), w.db, p.ID, store.ProfileChange{Strategy: store.To("round-robin")}, 0)
		w.must(err)
		used := map[string]int{}
		for range 3 {
			w.key(p, 1, -1)
		}
		for i := range 7 {
			want := "200 [1 1]"
			if i == 0 {
				want = "200 [2 1]"
			}
			a := w.send(p, whole)
			w.want("in turn", a, want)
			used[fmt.Sprint(a.keys)]++
		}
		if len(used) != 3 {
			w.Errorf("the keys took turns like this: %v", used)
		}
	})
}

// A step of failover costs one batch: it releases the reservation, sets the cooldown, and reserves the next key.
func TestRoundTripsOfFailover(t *testing.T) {
	onEveryPlatform(t, func(w *world) {
		p := w.person()
		keys := []store.Key{w.key(p, 1, 10), w.key(p, 2, 10), w.key(p, 3, 10)}
		w.want("cold", w.send(p, whole), "200 [2 1]")
		w.fails[keys[0].Name] = true
		w.want("one step", w.send(p, whole), "200 [1 1 1]")
		w.want("the resting key is passed over", w.send(p, stream), "200 [1 1]")
		w.must(store.EndCooldowns(w.Context(), w.db, p.ID, keys[0].ID))
		w.want("the table is old", w.send(p, whole), "200 [4 1 1]")
		w.must(store.EndCooldowns(w.Context(), w.db, p.ID, keys[0].ID))
		w.fails[keys[1].Name] = true
		w.want("the table is old, two steps, streamed", w.send(p, stream), "200 [4 1 1 1]")
		today := store.DayOf(time.Now().UnixMilli())
		for i, used := range []int64{1, 3, 1} { // failed attempts were released
			k, err := store.KeyByID(w.Context(), w.db, p.ID, keys[i].ID, today)
			if err != nil || k.UsedToday != used || (len(k.Cooldowns) > 0) != (i < 2) {
				w.Errorf("key %d: %d used, cooldowns %+v, %v; want %d used", i+1, k.UsedToday, k.Cooldowns, err, used)
			}
		}
	})
}

// Only a refused request pays for the reason.
func TestRoundTripsOfRefusals(t *testing.T) {
	onEveryPlatform(t, func(w *world) {
		p := w.person()
		first := w.key(p, 1, 2)
		w.want("cold", w.send(p, whole), "200 [2 1]")
		w.want("warm", w.send(p, whole), "200 [1 1]")
		w.want("the quota is spent", w.send(p, whole), "429 [3]") // reserve, why, settle
		w.want("it is known to be spent", w.send(p, stream), "429 [2]")

		second := w.key(p, 2, 1)
		w.want("a key was added", w.send(p, whole), "200 [3 1]") // why, load, reserve
		w.want("both are spent", w.send(p, whole), "429 [3]")

		limit := int64(3)
		_, err := store.UpdateKey(w.Context(), w.db, p.ID, first.ID, store.KeyChange{DailyLimit: store.To(&limit)}, 0)
		w.must(err)
		w.want("the limit was raised", w.send(p, whole), "200 [3 1]")
		w.must(store.DeleteKey(w.Context(), w.db, p.ID, second.ID))
		w.must(store.ResetKey(w.Context(), w.db, p.ID, first.ID, store.DayOf(time.Now().UnixMilli())))
		w.want("the quota was reset", w.send(p, whole), "200 [4 1]")

		// Another process spends the quota that this one believes free.
		w.must(w.db.Run(w.Context(), store.Stmt{SQL: "update key_days set used = 3"}))
		w.want("spent elsewhere", w.send(p, stream), "429 [3]")

		nobody := *p
		nobody.bearer, err = w.app.Secrets.NewToken(zeros{})
		w.must(err)
		w.want("an unknown token", w.send(&nobody, whole), "401 [1]")
		nobody.bearer = nobody.bearer[:len(nobody.bearer)-1] + "!"
		w.want("a forged token", w.send(&nobody, whole), "401 [0]")
		w.want("no key at all", w.send(w.person(), whole), "400 [3]") // load, look again, settle
	})
}

// zeros is a source of zero bytes in place of randomness.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// A serverless database suspends only without traffic.
func TestNothingIsSentWhileIdle(t *testing.T) {
	onEveryPlatform(t, func(w *world) {
		p := w.person()
		w.key(p, 1, 5)
		w.send(p, whole)
		w.send(p, stream)
		w.wire.Idle(w, 1500*time.Millisecond)
	})
}
