package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// limit sets a limit; the zero values are those of the token, and of a day.
func (w *world) limit(l store.Limit) store.Limit {
	w.t.Helper()
	l.ID, l.User, l.CreatedAt, l.Models = store.NewID(w.clock.Load()), w.user, w.clock.Load(), append([]string{}, l.Models...)
	if l.Subject == 0 {
		l.Subject = store.LimitToken
	}
	if l.Span == 0 {
		l.Span = store.SpanDay
	}
	switch l.Subject {
	case store.LimitToken:
		l.SubjectID = w.tokenID
	case store.LimitUser:
		l.SubjectID = w.user
	case store.LimitGateway:
		l.User = store.ID{}
	}
	if err := store.CreateLimit(w.t.Context(), w.db.DB, l); err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) status(l store.Limit) (s store.LimitStatus) {
	w.t.Helper()
	if err := w.db.DB.Run(w.t.Context(), store.LimitStatusOf(l.ID, w.clock.Load(), func(got store.LimitStatus) { s = got })); err != nil {
		w.t.Fatal(err)
	}
	s.Limit = store.ID{}
	return s
}

func (w *world) wantStatus(l store.Limit, want store.LimitStatus) {
	w.t.Helper()
	if got := w.status(l); got != want {
		w.t.Errorf("%+v, want %+v", got, want)
	}
}

// details returns what the caller is told of the limit that refused.
func details(t *testing.T, err error) map[string]any {
	t.Helper()
	f := wantCode(t, err, fault.RateLimit)
	text, err2 := json.Marshal(f.Details)
	var d struct{ Limit map[string]any }
	if err2 != nil || json.Unmarshal(text, &d) != nil || d.Limit == nil {
		t.Fatalf("details %s", text)
	}
	return d.Limit
}

// Requests that many callers send at once pass up to the limit and not beyond, with every subject.
func TestLimitOfRequestsIsExact(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, open(t))
			id := w.add(key{})
			for _, l := range []store.Limit{
				{Metric: store.MetricRequests, Amount: 7}, {Metric: store.MetricRequests, Amount: 9, Subject: store.LimitUser},
				{Metric: store.MetricRequests, Amount: 8, Subject: store.LimitGateway, Span: store.SpanTotal},
				{Metric: store.MetricRequests, Amount: 30, Subject: store.LimitKey, SubjectID: id},
			} {
				w.limit(l)
			}
			var served atomic.Int64
			var wg sync.WaitGroup
			for range 30 {
				wg.Go(func() {
					if _, err := w.do(w.request(model)); err == nil {
						served.Add(1)
					}
				})
			}
			wg.Wait()
			if served.Load() != 7 {
				t.Errorf("%d served, want 7", served.Load())
			}
			if n := w.int(`select count(*) from holds`); n != 0 {
				t.Errorf("%d holds are left", n)
			}
			_, err := w.do(w.request(model))
			d := details(t, err)
			if fmt.Sprintln(d["subject"], d["metric"], d["window"], d["amount"], d["used"], d["held"], d["resetsAt"]) !=
				fmt.Sprintf("map[id:%s type:token] requests day 7 7 0 2026-05-05T00:00:00.000Z\n", w.tokenID) {
				t.Errorf("details %v", d)
			}
			w.clock.Add((24 * time.Hour).Milliseconds()) // the gateway's total has one left
			if _, err := w.do(w.request(model)); err != nil {
				t.Error(err)
			}
			_, err = w.do(w.request(model))
			if d := details(t, err); len(d) != 4 || d["resetsAt"] != nil || fmt.Sprintln(d["subject"], d["metric"], d["window"]) != "map[type:gateway] requests total\n" {
				t.Errorf("a token learns %v of the gateway's limit", d)
			}
		})
	}
}

// A limit holds the estimate, and counts what the provider reports.
func TestLimitsCountWhatTheProviderReports(t *testing.T) {
	w := newWorld(t)
	var during [2]store.LimitStatus
	var tokens, cost store.Limit
	w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
		during[0], during[1] = w.status(tokens), w.status(cost)
		answerText("hello")(rw, r)
	}})
	tokens = w.limit(store.Limit{Metric: store.MetricTokens, Amount: 1000})
	cost = w.limit(store.Limit{Metric: store.MetricCost, Amount: 1_000_000, Subject: store.LimitUser, Models: []string{"gpt-4o*"}})
	request := w.request(model)
	most, n := int64(100), int64(2)
	request.Chat.MaxTokens, request.Chat.N = &most, &n
	if _, err := w.do(request); err != nil {
		t.Fatal(err)
	}
	// "Say hello." is 3 tokens; gpt-4o-mini costs 150 nano-dollars a token of input and 600 of output.
	if want := (store.LimitStatus{Held: 203}); during[0] != want {
		t.Errorf("held %+v, want %+v", during[0], want)
	}
	if want := (store.LimitStatus{Held: 3*150 + 200*600}); during[1] != want {
		t.Errorf("held %+v, want %+v", during[1], want)
	}
	w.wantStatus(tokens, store.LimitStatus{Used: 15})
	w.wantStatus(cost, store.LimitStatus{Used: 10*150 + 5*600})
	// 4,096 tokens are held of a larger maximum, which the limit does not leave.
	most = 100_000
	_, err := w.do(request)
	if d := details(t, err); d["metric"] != "tokens" || d["used"] != 15.0 {
		t.Errorf("%v", d)
	}
}

// What was not released after a failure counts as it was held, the request once; what was released does not count.
func TestLimitsAcrossFailover(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: answerError(500, `{"error":{"message":"boom"}}`)})
	w.add(key{priority: 1, answer: func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", "500") // and breaks off within the answer
		rw.Write([]byte(`{"id":"x","choices":[`))
	}})
	w.add(key{priority: 2})
	requests := w.limit(store.Limit{Metric: store.MetricRequests, Amount: 10})
	tokens := w.limit(store.Limit{Metric: store.MetricTokens, Amount: 20_000})
	w.db.runs.Store(0)
	if _, err := w.do(w.request(model)); err != nil {
		t.Fatal(err)
	}
	w.wantStatus(requests, store.LimitStatus{Used: 1})
	w.wantStatus(tokens, store.LimitStatus{Used: 3 + 4096 + 15, Unconfirmed: 3 + 4096})
	if n := w.db.runs.Load(); n != 5 { // load, reserve, two failovers, settle
		t.Errorf("%d trips, want 5", n)
	}
	if n := w.int(`select count(*) from holds`); n != 0 {
		t.Errorf("%d holds are left", n)
	}
}

// With four limits a warm request still costs one trip before and one after.
func TestLimitsCostNoTrip(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, open(t))
			var before int64
			id := w.add(key{limit: 100, answer: func(rw http.ResponseWriter, r *http.Request) {
				before = w.db.runs.Load()
				answerText("hi")(rw, r)
			}})
			for _, l := range []store.Limit{{Metric: store.MetricRequests, Amount: 10}, {Metric: store.MetricTokens, Amount: 1e6, Subject: store.LimitUser},
				{Metric: store.MetricCost, Amount: 1e9, Subject: store.LimitGateway}, {Metric: store.MetricTokens, Amount: 1e6, Subject: store.LimitKey, SubjectID: id}} {
				w.limit(l)
			}
			for i, want := range []int64{2, 1, 1} { // a cold process loads once
				w.db.runs.Store(0)
				if _, err := w.do(w.request(model)); err != nil {
					t.Fatal(err)
				}
				if before != want || w.db.runs.Load() != want+1 {
					t.Errorf("request %d: %d trips before the call and %d in all, want %d and %d", i, before, w.db.runs.Load(), want, want+1)
				}
			}
		})
	}
}

// A limit of a key makes the next key serve.
func TestSpentLimitOfAKeyIsFailedOver(t *testing.T) {
	w := newWorld(t)
	first := w.add(key{})
	second := w.add(key{priority: 1})
	w.limit(store.Limit{Metric: store.MetricRequests, Amount: 2, Subject: store.LimitKey, SubjectID: first})
	for _, want := range []store.ID{first, first, second, second} {
		w.mustServe(w.request(model), want)
	}
	w.limit(store.Limit{Metric: store.MetricRequests, Amount: 1, Subject: store.LimitKey, SubjectID: second})
	w.mustServe(w.request(model), second)
	_, err := w.do(w.request(model))
	d := details(t, err)
	if fmt.Sprint(d["subject"]) != "map[type:key]" || d["amount"] != nil {
		t.Errorf("a token learns %v of a key's limit", d)
	}
}

// A refusal that only requests under way cause ends soon, and says so.
func TestHeldLimitSaysToTryAgainSoon(t *testing.T) {
	w := newWorld(t)
	started, release := make(chan struct{}), make(chan struct{})
	w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		<-release
		answerText("hi")(rw, r)
	}})
	w.limit(store.Limit{Metric: store.MetricTokens, Amount: 5000})
	done := make(chan error)
	go func() { _, err := w.do(w.request(model)); done <- err }()
	<-started
	_, err := w.do(w.request(model))
	if d := details(t, err); d["held"] != 4099.0 || d["used"] != 0.0 {
		t.Errorf("%v", d)
	}
	if f := wantCode(t, err, fault.RateLimit); f.RetryAfter != time.Second {
		t.Errorf("retry after %s", f.RetryAfter)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Holds of a process that died count as spent once they have expired, unconfirmed, and a late settle corrects that.
func TestExpiredHoldsCountAsSpent(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	l := w.limit(store.Limit{Metric: store.MetricTokens, Amount: 10_000, Span: store.SpanTotal})
	hold := store.Demand{ID: store.NewID(w.clock.Load()), ExpiresAt: w.clock.Load() + 1000}
	w.run(`insert into holds (id, subject, key_id, day_gen, party, starts, amount, gen, output, total, expires_at)
values ($1, $2, $1, 0, $3, 0, 4000, 0, 0, 0, $4)`, hold.ID, l.ID, make([]byte, 16), hold.ExpiresAt)
	w.wantStatus(l, store.LimitStatus{Held: 4000})
	for _, passed := range []time.Duration{2 * time.Second, 3 * time.Hour} { // expired, and then swept
		w.clock.Add(passed.Milliseconds())
		if _, err := w.do(w.request(model)); err != nil {
			t.Fatal(err)
		}
		got := w.status(l)
		if got.Held != 0 || got.Unconfirmed < 4000 || got.Used < 4000 {
			t.Errorf("after %s: %+v", passed, got)
		}
	}
	if n := w.int(`select count(*) from holds`); n != 0 {
		t.Errorf("%d holds are left", n)
	}
	before := w.status(l)
	spent := store.Spending{ID: hold.ID, Repeated: true, Charges: []store.Charge{{Hold: store.Hold{Limit: l.ID, Amount: 4000}, Spent: 100}}}
	err := w.db.DB.Run(t.Context(), store.Settle([]store.Record{{ID: store.NewID(w.clock.Load()), User: w.user, Spent: []store.Spending{spent}}}, w.clock.Load())...)
	if err != nil {
		t.Fatal(err)
	}
	before.Used, before.Unconfirmed = before.Used-3900, before.Unconfirmed-4000
	w.wantStatus(l, before)
}

// Once a limit with a fallback is reached the fallback serves, without more trips once that is known.
func TestSteering(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	l := w.limit(store.Limit{Metric: store.MetricRequests, Amount: 2, Models: []string{"gpt-4o"}, Fallback: model})
	for i, want := range []string{"gpt-4o", "gpt-4o", model, model} {
		w.db.runs.Store(0)
		c, err := w.do(w.request("gpt-4o"))
		if err != nil {
			t.Fatal(err)
		}
		steered := want == model
		if c.Model() != want || (c.SteeredFrom() == "gpt-4o") != steered {
			t.Errorf("request %d: %s served, steered from %q", i, c.Model(), c.SteeredFrom())
		}
		if n := w.db.runs.Load(); i == 3 && n != 2 {
			t.Errorf("%d trips of a steered request, want 2", n)
		}
	}
	w.wantStatus(l, store.LimitStatus{Used: 2})
	if n := w.int(`select count(*) from requests where flags & 4 > 0`); n != 2 {
		t.Errorf("%d rows say that another model served, want 2", n)
	}
	// A cap on the fallback refuses.
	w.limit(store.Limit{Metric: store.MetricRequests, Amount: 0, Models: []string{model}})
	_, err := w.do(w.request("gpt-4o"))
	if d := details(t, err); d["amount"] != 0.0 {
		t.Errorf("%v", d)
	}
}

// A model without a price cannot pass a limit of cost, and the caller is told how to add one.
func TestUnpricedModelCannotPassALimitOfCost(t *testing.T) {
	w := newWorld(t)
	w.add(key{models: `["*"]`})
	w.limit(store.Limit{Metric: store.MetricCost, Amount: 1e9})
	_, err := w.do(w.request("my-own-model"))
	if f := wantCode(t, err, fault.Validation); !strings.Contains(f.Message, "MODEL_PRICES") {
		t.Errorf("%s", f.Message)
	}
}

// A stream that its caller leaves counts as it was held.
func TestAbandonedStreamCountsAsHeld(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: answerStream("a", "wait")})
	l := w.limit(store.Limit{Metric: store.MetricTokens, Amount: 10_000})
	request := w.request(model)
	request.Chat.Stream = true
	c, err := w.g.Start(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	c.Next(nil)
	c.Close()
	w.wantStatus(l, store.LimitStatus{Used: 4099, Unconfirmed: 4099})
}

// scope restricts the token.
func (w *world) scope(c store.TokenChange) {
	w.t.Helper()
	if _, err := store.UpdateToken(w.t.Context(), w.db.DB, w.user, w.tokenID, c, w.clock.Load()); err != nil {
		w.t.Fatal(err)
	}
}

func TestScopeOfTheToken(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	w.add(key{provider: "groq", defaultModel: "llama-3.3-70b-versatile"})
	ask := func(endpoint, model string) error {
		r := w.request(model)
		r.Endpoint = endpoint
		_, err := w.do(r)
		return err
	}
	if err := ask("chat", model); err != nil {
		t.Fatal(err)
	}
	w.scope(store.TokenChange{AllowedModels: store.To([]string{"gpt-4o-*", "groq/llama-3.1*"}), AllowedEndpoints: store.To([]string{"chat", "embeddings"})})
	for _, step := range []struct {
		endpoint, model string
		code            fault.Code
	}{
		{"chat", model, ""}, {"chat", "openai/" + model, ""}, {"chat", "gpt-4o", fault.Forbidden}, {"messages", model, fault.Forbidden},
		{"chat", "llama-3.1-8b-instant", ""}, {"chat", "llama-3.3-70b-versatile", fault.Forbidden},
		{"chat", "", fault.Forbidden}, // the default model, which would be served, is not allowed
	} {
		err := ask(step.endpoint, step.model)
		if step.code == "" && err != nil {
			t.Errorf("%s %s: %v", step.endpoint, step.model, err)
		} else if step.code != "" {
			wantCode(t, err, step.code)
		}
	}
	w.scope(store.TokenChange{AllowedModels: store.To([]string{}), AllowedProviders: store.To([]string{"groq"})})
	wantCode(t, ask("chat", model), fault.Forbidden)
	if err := ask("chat", "llama-3.3-70b-versatile"); err != nil {
		t.Error(err)
	}
}

func TestConcurrentRequestsOfAToken(t *testing.T) {
	w := newWorld(t)
	started, release := make(chan struct{}), make(chan struct{})
	w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		<-release
		answerText("hi")(rw, r)
	}})
	two := int64(2)
	w.scope(store.TokenChange{MaxConcurrent: store.To(&two)})
	done := make(chan error, 2)
	for range 2 {
		go func() { _, err := w.do(w.request(model)); done <- err }()
		<-started
	}
	_, err := w.do(w.request(model))
	if f := wantCode(t, err, fault.RateLimit); f.RetryAfter != time.Second || !strings.Contains(f.Message, "2 requests at the same time") {
		t.Errorf("%v, retry after %s", f, f.RetryAfter)
	}
	close(release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	go func() { <-started }()
	if _, err := w.do(w.request(model)); err != nil {
		t.Error(err)
	}
}

// An estimate counts pictures, and embeddings have no output.
func TestLimitsOfEmbeddings(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(rw, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":4,"total_tokens":4}}`)
	}})
	l := w.limit(store.Limit{Metric: store.MetricTokens, Amount: 5})
	cost := w.limit(store.Limit{Metric: store.MetricCost, Amount: 1000})
	request := w.request("text-embedding-3-small")
	request.Chat = &chat.Request{Model: "text-embedding-3-small"}
	request.Embedding = &chat.EmbeddingRequest{Model: "text-embedding-3-small", Inputs: []chat.EmbeddingInput{{Text: "some words"}}}
	if _, err := w.do(request); err != nil {
		t.Fatal(err)
	}
	w.wantStatus(l, store.LimitStatus{Used: 4})
	w.wantStatus(cost, store.LimitStatus{Used: 80})
	_, err := w.do(request)
	if d := details(t, err); d["metric"] != "tokens" {
		t.Errorf("%v", d)
	}
}
