package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// wait moves the clock.
func (w *world) wait(d time.Duration) { w.clock.Add(d.Milliseconds()) }

// switched answers with the first handler while failing, and else with text.
type switched struct {
	failing atomic.Bool
	fail    http.HandlerFunc
}

func (s *switched) serve(rw http.ResponseWriter, r *http.Request) {
	if s.failing.Load() {
		s.fail(rw, r)
		return
	}
	answerText("hi")(rw, r)
}

func failing(fail http.HandlerFunc) *switched {
	s := &switched{fail: fail}
	s.failing.Store(true)
	return s
}

var (
	badKey   = answerError(401, `{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}`)
	noServer = answerError(502, `{"error":{"message":"bad gateway","type":"server_error"}}`)
)

func (w *world) other() *gateway.Gateway {
	return w.newGateway(gateway.Settings{Timeout: 5 * time.Second, FirstEvent: 5 * time.Second, IdleTimeout: 5 * time.Second})
}

// serves reports whether the gateway serves a request for the model, and with which key.
func (w *world) serves(g *gateway.Gateway, model string) (store.ID, error) {
	w.t.Helper()
	c, err := g.Start(w.t.Context(), w.request(model))
	if err != nil {
		return store.ID{}, err
	}
	defer c.Close()
	return c.KeyID(), nil
}

// A rejected key is asked again after its cooldown, by one request, in whatever process; its cooldowns grow until it is
// accepted.
func TestRejectedKeyIsProbed(t *testing.T) {
	w := newWorld(t)
	provider := failing(badKey)
	bad := w.add(key{answer: provider.serve, priority: 1})
	good := w.add(key{priority: 2})
	processes := []*gateway.Gateway{w.g, w.other()}
	calls := 0
	for i, length := range []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 6 * time.Hour} {
		for n := range 6 {
			if id, err := w.serves(processes[(i+n)%2], model); err != nil || id != good {
				t.Fatalf("cooldown %d: %v %v", i, id, err)
			}
		}
		if calls++; w.callsOf(1) != calls {
			t.Fatalf("cooldown %d: the key was called %d times, want %d", i, w.callsOf(1), calls)
		}
		until := w.int(`select until from cooldowns where subject = $1`, bad)
		if got := time.Duration(until-w.clock.Load()) * time.Millisecond; got != length {
			t.Errorf("cooldown %d: %v, want %v", i, got, length)
		}
		w.wait(length)
	}
	provider.failing.Store(false)
	if id, err := w.serves(w.g, model); err != nil || id != bad {
		t.Errorf("the probe: %v %v", id, err)
	}
	if n := w.int(`select count(*) from cooldowns`); n != 0 {
		t.Errorf("%d cooldowns after a success", n)
	}
	for _, g := range processes {
		if id, err := w.serves(g, model); err != nil || id != bad {
			t.Errorf("after the probe: %v %v", id, err)
		}
	}
}

// While a probe runs, other requests use other keys.
func TestOneRequestAtATimeProbes(t *testing.T) {
	w := newWorld(t)
	provider := failing(badKey)
	var now, most atomic.Int32
	release := make(chan struct{})
	bad := w.add(key{priority: 1, answer: func(rw http.ResponseWriter, r *http.Request) {
		if !provider.failing.Load() {
			n := now.Add(1)
			most.Store(max(most.Load(), n))
			defer now.Add(-1)
			select {
			case <-release:
			case <-time.After(4 * time.Second): // a second probe would wait for ever
			}
		}
		provider.serve(rw, r)
	}})
	good := w.add(key{priority: 2})
	w.mustServe(w.request(model), good)
	provider.failing.Store(false)
	w.wait(time.Minute)
	var wg sync.WaitGroup
	var mu sync.Mutex
	served := map[store.ID]int{}
	processes := []*gateway.Gateway{w.g, w.other()}
	const requests = 12
	for i := range requests {
		wg.Go(func() {
			id, err := w.serves(processes[i%2], model)
			mu.Lock()
			defer mu.Unlock()
			if served[id]++; err != nil {
				t.Error(err)
			}
			if id == good && served[good] == requests-1 {
				close(release)
			}
		})
	}
	wg.Wait()
	if served[bad] != 1 || served[good] != requests-1 || most.Load() != 1 {
		t.Errorf("served %v, %d probes at once; want one probe", served, most.Load())
	}
}

// What fails for one model leaves the key to the others.
func TestCooldownOfOneModel(t *testing.T) {
	w := newWorld(t)
	limited := w.add(key{priority: 1, answer: func(rw http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), `"gpt-4o-mini"`) {
			answerError(429, `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`, "Retry-After", "60")(rw, r)
			return
		}
		answerText("hi")(rw, r)
	}})
	good := w.add(key{priority: 2})
	for _, g := range []*gateway.Gateway{w.g, w.other()} {
		if id, err := w.serves(g, "gpt-4o-mini"); err != nil || id != good {
			t.Errorf("the model that is limited: %v %v", id, err)
		}
		if id, err := w.serves(g, "gpt-4o"); err != nil || id != limited {
			t.Errorf("another model: %v %v", id, err)
		}
	}
	if n := w.callsOf(1); n != 3 {
		t.Errorf("%d calls of the key, want 3: one that is limited, two of the other model", n)
	}
}

// When all that fits cools down after transient failures, the one that ends soonest is tried, without a second trip.
func TestSoonestIsTriedRatherThanRefusing(t *testing.T) {
	w := newWorld(t)
	provider := failing(noServer)
	only := w.add(key{answer: provider.serve})
	_, err := w.do(w.request(model))
	wantCode(t, err, fault.Provider)
	for _, g := range []*gateway.Gateway{w.g, w.other()} {
		_, err := w.serves(g, model)
		if err == nil || fault.From(err).Code != fault.Provider {
			t.Errorf("while it cools down: %v", err)
		}
	}
	if n := w.int(`select count(*) from cooldowns where class = 'transport'`); n != 1 {
		t.Errorf("%d cooldowns, want 1", n)
	}
	provider.failing.Store(false)
	w.db.runs.Store(0)
	w.mustServe(w.request(model), only)
	if n := w.db.runs.Load(); n != 2 {
		t.Errorf("%d trips, want 2", n)
	}
	if n := w.int(`select count(*) from cooldowns`); n != 0 {
		t.Errorf("%d cooldowns after a success", n)
	}
}

// A key that fails is not asked by every request, in no process.
func TestSickKeyIsRemembered(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: noServer, priority: 1})
	good := w.add(key{priority: 2})
	processes := []*gateway.Gateway{w.g, w.other(), w.other()}
	for i := range 30 {
		if id, err := w.serves(processes[i%3], model); err != nil || id != good {
			t.Fatal(id, err)
		}
	}
	if n := w.callsOf(1); n != 1 {
		t.Errorf("the sick key was called %d times, want once", n)
	}
	w.wait(3 * time.Second)
	for i := range 30 {
		if id, err := w.serves(processes[i%3], model); err != nil || id != good {
			t.Fatal(id, err)
		}
	}
	if n := w.callsOf(1); n != 2 {
		t.Errorf("the sick key was called %d times, want one probe", n)
	}
}

// Three keys that fail in the same way are not to blame: their host cools down, other providers are tried, and none of
// the keys is marked.
func TestHostThatFails(t *testing.T) {
	w := newWorld(t)
	sick := failing(noServer)
	var ids []store.ID
	for range 6 {
		ids = append(ids, w.add(key{answer: sick.serve, priority: 1}))
	}
	good := w.add(key{provider: "mistral", models: `["gpt*"]`, priority: 2})
	w.mustServe(w.request(model), good)
	total := func() (n int) {
		for i := range ids {
			n += w.callsOf(i + 1)
		}
		return n
	}
	if total() != 3 {
		t.Errorf("%d calls of the host, want 3", total())
	}
	for i, id := range ids {
		if n := w.int(`select count(*) from cooldowns where subject = $1`, id); n != 0 {
			t.Errorf("key %d is marked", i+1)
		}
	}
	if n := w.int(`select count(*) from cooldowns where user_id = $1 and class = 'transport'`, w.user); n != 1 {
		t.Errorf("%d cooldowns, want the host's", n)
	}
	w.mustServe(w.request(model), good)
	if id, err := w.serves(w.other(), model); err != nil || id != good || total() != 3 {
		t.Errorf("%v %v, %d calls of the host while it cools down", id, err, total())
	}
	sick.failing.Store(false)
	w.wait(3 * time.Second)
	if id, err := w.serves(w.g, model); err != nil || id == good {
		t.Errorf("the probe: %v %v", id, err)
	}
	if n := w.int(`select count(*) from cooldowns`); n != 0 {
		t.Errorf("%d cooldowns after a success", n)
	}
}

// Three wrong keys are three wrong keys.
func TestRejectedKeysAreNoFailureOfTheHost(t *testing.T) {
	w := newWorld(t)
	for range 4 {
		w.add(key{answer: badKey, priority: 1})
	}
	good := w.add(key{priority: 2})
	w.mustServe(w.request(model), good)
	if n := w.int(`select count(*) from cooldowns where class = 'bad_key'`); n != 4 {
		t.Errorf("%d keys are rejected, want 4", n)
	}
}

// A probe that the caller leaves, or whose request is at fault, lets the next request probe.
func TestProbeThatSaysNothing(t *testing.T) {
	w := newWorld(t)
	provider := failing(badKey)
	id := w.add(key{answer: provider.serve, priority: 1})
	good := w.add(key{priority: 2})
	w.mustServe(w.request(model), good)
	w.wait(time.Minute)
	provider.fail = answerError(400, `{"error":{"message":"Invalid value for temperature","type":"invalid_request_error","param":"temperature"}}`)
	_, err := w.do(w.request(model))
	if f := wantCode(t, err, fault.Validation); f.Details.(map[string]any)["class"] != chat.BadRequest {
		t.Errorf("%+v", f)
	}
	if n := w.int(`select count(*) from cooldowns where lease_until = 0`); n != 1 {
		t.Error("the lease is still held")
	}
	provider.failing.Store(false)
	if got, err := w.serves(w.other(), model); err != nil || got != id {
		t.Errorf("the next probe: %v %v", got, err)
	}
}

// A quota that is spent keeps nobody from probing the host with another key.
func TestProbeWithASpentKeyReleasesItsLease(t *testing.T) {
	w := newWorld(t)
	provider := failing(noServer)
	limit := int64(1)
	spent := w.add(key{answer: provider.serve, priority: 1})
	for range 2 {
		w.add(key{answer: provider.serve, priority: 1})
	}
	_, err := w.do(w.request(model))
	wantCode(t, err, fault.Provider)
	provider.failing.Store(false)
	w.run(`insert into key_days (key_id, day, used) values ($1, $2, 1) on conflict (key_id, day) do update set used = 1`, spent, store.DayOf(w.clock.Load()))
	w.run(`update provider_keys set daily_limit = $2 where id = $1`, spent, limit)
	w.wait(3 * time.Second)
	if id, err := w.serves(w.g, model); err != nil || id == spent {
		t.Errorf("%v %v", id, err)
	}
}

// Whatever fails for however long, a key serves at most six hours after its provider works again.
func TestNoKeyIsUnusableForLong(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"rejected": badKey, "server": noServer,
		"a month's quota": answerError(429, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`, "Retry-After", fmt.Sprint(31*24*3600)),
		"a rate limit":    answerError(429, `{"error":{"code":"rate_limit_exceeded"}}`, "Retry-After", fmt.Sprint(7*24*3600)),
		"forbidden":       answerError(403, `{"error":{"message":"no access","code":"permission_denied"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			provider := failing(fail)
			id := w.add(key{answer: provider.serve})
			for range 60 {
				w.do(w.request(model))
				w.wait(time.Hour)
			}
			provider.failing.Store(false)
			w.wait(5 * time.Hour)
			w.mustServe(w.request(model), id)
			if n := w.int(`select count(*) from cooldowns`); n != 0 {
				t.Errorf("%d cooldowns after a success", n)
			}
		})
	}
}

// A page of a firewall says nothing about the keys, and about the host only if different requests in a row met one.
func TestPagesOfAFirewall(t *testing.T) {
	w := newWorld(t)
	firewall := failing(answerError(403, `<html>Access denied</html>`, "Content-Type", "text/html"))
	only := w.add(key{answer: firewall.serve})
	cooldowns := func() int64 { return w.int(`select count(*) from cooldowns`) }
	ask := func(fails bool) {
		t.Helper()
		firewall.failing.Store(fails)
		if id, err := w.serves(w.g, model); (err != nil) != fails || err == nil && id != only {
			t.Errorf("%v %v", id, err)
		}
	}
	for range 3 {
		ask(true)
		ask(true)
		ask(false) // they are not in a row any more
	}
	if n := cooldowns(); n != 0 {
		t.Errorf("%d cooldowns, want none", n)
	}
	ask(true)
	ask(true)
	ask(true)
	if n := w.int(`select count(*) from cooldowns where class = 'transport' and subject <> $1`, only); n != 1 || cooldowns() != 1 {
		t.Errorf("%d cooldowns of the host, %d in all, want one", n, cooldowns())
	}
	ask(false) // rather than refusing
	if n := cooldowns(); n != 0 {
		t.Errorf("%d cooldowns after a success", n)
	}
}

// A page that one request meets with three keys may be about that request alone.
func TestPageForThreeKeys(t *testing.T) {
	w := newWorld(t)
	firewall := failing(answerError(403, `<html>Access denied</html>`, "Content-Type", "text/html"))
	for range 5 {
		w.add(key{answer: firewall.serve, priority: 1})
	}
	other := w.add(key{provider: "mistral", models: `["gpt*"]`, priority: 2})
	w.mustServe(w.request(model), other)
	calls := 0
	for i := range 5 {
		calls += w.callsOf(i + 1)
	}
	if n := w.int(`select count(*) from cooldowns`); n != 0 || calls != 3 {
		t.Errorf("%d cooldowns after %d calls, want none after 3", n, calls)
	}
	firewall.failing.Store(false)
	if id, err := w.serves(w.g, model); err != nil || id == other {
		t.Errorf("the next request: %v %v", id, err)
	}
}

// One user's failures reach no other's routing.
func TestHostOfAnotherUser(t *testing.T) {
	w := newWorld(t)
	for range 4 {
		w.add(key{answer: noServer})
	}
	_, err := w.do(w.request(model))
	wantCode(t, err, fault.Provider)
	if n := w.int(`select count(*) from cooldowns`); n != 1 {
		t.Fatalf("%d cooldowns, want the host's", n)
	}
	w.run(`insert into users (id, email, name, role, password, enabled, revision, created_at, updated_at)
values ($1, 'b@example.com', '', 'user', '', $2, 1, 0, 0)`, store.ID{1}, true)
	w.run(`update cooldowns set user_id = $1, subject = $2`, store.ID{1}, store.HostKey(store.ID{1}, "openai", w.origin))
	calls := w.callsOf(1)
	_, err = w.serves(w.other(), model)
	if err == nil || w.callsOf(1) == calls {
		t.Errorf("the first key was not called: %v", err)
	}
}
