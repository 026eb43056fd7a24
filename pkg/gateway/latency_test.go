package gateway_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// paced is a key whose provider answers after a time of the world's clock, which the test may change.
type paced struct {
	id    store.ID
	ms    atomic.Int64
	calls atomic.Int64
}

func (w *world) pace(ms int64, k key) *paced {
	p := &paced{}
	p.ms.Store(ms)
	whole, stream := answerText("hello"), answerStream("hel", "lo")
	k.answer = func(rw http.ResponseWriter, r *http.Request) {
		p.calls.Add(1)
		w.clock.Add(p.ms.Load())
		if r.Header.Get("Accept") == "text/event-stream" {
			stream(rw, r)
			return
		}
		whole(rw, r)
	}
	p.id = w.add(k)
	return p
}

// ask sends a request by least-latency, and lets the time go on.
func (w *world) soonest(g *gateway.Gateway, pause time.Duration) {
	w.t.Helper()
	c, err := g.Start(w.t.Context(), w.routed(model, dialect.Route{Strategy: string(gateway.LeastLatency)}))
	if err != nil {
		w.t.Fatal(err)
	}
	c.Close()
	w.clock.Add(pause.Milliseconds())
}

func TestLeastLatencyGoesToTheSoonest(t *testing.T) {
	w := newWorld(t)
	keys := []*paced{w.pace(400, key{}), w.pace(100, key{}), w.pace(250, key{})}
	for range 3 { // each is tried once
		w.soonest(w.g, time.Second)
	}
	for i, k := range keys {
		if n := k.calls.Load(); n != 1 {
			t.Errorf("key %d was tried %d times", i, n)
		}
	}
	for range 300 {
		w.soonest(w.g, time.Second)
	}
	if n := keys[1].calls.Load(); n < 280 {
		t.Errorf("the soonest key served %d of 300", n)
	}
	// It becomes slow: others take over before it has served many more.
	keys[1].ms.Store(3000)
	before := keys[1].calls.Load()
	for range 100 {
		w.soonest(w.g, time.Second)
	}
	if n := keys[1].calls.Load() - before; n > 10 {
		t.Errorf("the key that became slow served %d of 100", n)
	}
	// It becomes the soonest again: it is found by exploring.
	keys[1].ms.Store(50)
	for range 900 {
		w.soonest(w.g, 2*time.Second)
	}
	before = keys[1].calls.Load()
	for range 100 {
		w.soonest(w.g, time.Second)
	}
	if n := keys[1].calls.Load() - before; n < 85 {
		t.Errorf("the key that became fast again serves %d of 100", n)
	}
}

// However many keys and whatever their latencies, requests that do not go to one of the soonest keys are few.
func TestLeastLatencyExploresLittle(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			w := newWorld(t)
			var keys []*paced
			best := int64(1 << 40)
			for range 2 + rng.IntN(5) {
				ms := 20 + rng.Int64N(2000)
				best = min(best, ms)
				keys = append(keys, w.pace(ms, key{}))
			}
			start := w.clock.Load()
			const requests = 300
			for range requests {
				w.soonest(w.g, time.Duration(rng.IntN(3000))*time.Millisecond)
			}
			slow := int64(0)
			for _, k := range keys {
				if k.ms.Load() > best+best/10+5 {
					slow += k.calls.Load()
				}
			}
			// Each once, and then one of twenty requests, which is 15 with a standard deviation of 3.8; and none more often
			// than once a minute.
			byTime := int64(len(keys)) * ((w.clock.Load()-start)/60_000 + 1)
			if most := min(int64(len(keys))+15+4*4, byTime); slow > most {
				t.Errorf("%d of %d requests went to slow keys, want at most %d", slow, requests, most)
			}
		})
	}
}

// Processes share what they measure: one that begins knows what another has learnt, and each hears of a change within 30 s.
func TestLeastLatencyIsSharedByProcesses(t *testing.T) {
	w := newWorld(t)
	slow, fast := w.pace(500, key{}), w.pace(100, key{})
	for range 5 {
		w.soonest(w.g, time.Second)
	}
	other := w.newGateway(gateway.Settings{Timeout: time.Minute})
	before := slow.calls.Load()
	for range 20 {
		w.soonest(other, time.Second)
	}
	if n := slow.calls.Load() - before; n > 4 { // exploration at most
		t.Errorf("the second process sent %d of 20 requests to the slow key", n)
	}
	// The first process learns that the fast key became slow; the second goes by it 30 s later, although it measured nothing.
	fast.ms.Store(5000)
	for range 20 {
		w.soonest(w.g, time.Second)
	}
	w.clock.Add(31_000)
	before = fast.calls.Load()
	w.db.runs.Store(0)
	w.soonest(other, 0)
	if n := w.db.runs.Load(); n != 3 {
		t.Errorf("%d trips, want 3: the latencies are too old", n)
	}
	if n := fast.calls.Load() - before; n != 0 {
		t.Error("the second process does not know of the change")
	}
}

// The strategy costs no round trip while requests come.
func TestLeastLatencyCostsNoTrip(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, open(t))
			w.pace(100, key{})
			w.pace(200, key{})
			w.soonest(w.g, 0)
			for i := range 60 { // over several refreshes
				w.db.runs.Store(0)
				w.soonest(w.g, time.Second)
				if n := w.db.runs.Load(); n != 2 {
					t.Fatalf("request %d: %d trips, want 2", i, n)
				}
			}
		})
	}
}

// Other strategies measure nothing.
func TestOtherStrategiesMeasureNothing(t *testing.T) {
	w := newWorld(t)
	w.pace(100, key{})
	for _, s := range gateway.Strategies() {
		if s == gateway.LeastLatency {
			continue
		}
		if _, err := w.do(w.routed(model, dialect.Route{Strategy: string(s)})); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.int("select count(*) from latencies"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// Priority comes first, streams and whole answers are not compared, and a target of an alias that is sooner comes first.
func TestLeastLatencyOrder(t *testing.T) {
	w := newWorld(t)
	first, second := w.pace(900, key{priority: 1}), w.pace(10, key{priority: 2})
	for range 30 {
		w.soonest(w.g, time.Second)
	}
	if first.calls.Load() != 30 || second.calls.Load() != 0 {
		t.Errorf("%d, %d: a key of lower priority served", first.calls.Load(), second.calls.Load())
	}

	w = newWorld(t)
	slow := w.pace(500, key{models: `["gpt-4.1"]`})
	fast := w.pace(100, key{models: `["gpt-4o-mini"]`})
	w.addAlias(store.Alias{User: w.user, Name: "any", Strategy: string(gateway.LeastLatency),
		Targets: []store.AliasTarget{{Model: "gpt-4.1"}, {Model: model}}})
	var served []store.ID
	for range 20 {
		c, err := w.do(w.request("any"))
		if err != nil {
			t.Fatal(err)
		}
		served = append(served, c.KeyID())
		w.clock.Add(1000)
	}
	if served[0] != slow.id || served[1] != fast.id || len(slices.DeleteFunc(served, func(id store.ID) bool { return id == fast.id })) > 3 {
		t.Errorf("the slow target served %d of 20", slow.calls.Load())
	}
	if n := w.int("select count(*) from latencies"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	streamed := w.request("any")
	streamed.Chat.Stream = true
	c, err := w.g.Start(t.Context(), streamed)
	if err != nil {
		t.Fatal(err)
	}
	for c.Response() == nil {
		if events := c.Next(nil); len(events) == 0 {
			break
		}
	}
	c.Close()
	if n := w.int("select count(*) from latencies"); n != 3 || c.KeyID() != slow.id {
		t.Errorf("%d rows, want a third of the stream, which explores the first target", n)
	}
}
