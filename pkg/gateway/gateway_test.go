package gateway_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is a gateway with one user and token, and providers that do as they are told.
type world struct {
	t       testing.TB
	db      *countingDB
	secrets *auth.Secrets
	user    store.ID
	tokenID store.ID
	token   string
	clock   atomic.Int64 // Unix milliseconds
	g       *gateway.Gateway
	origin  string

	mu      sync.Mutex
	answers map[string]http.HandlerFunc // by provider key
	calls   map[string]int
	keys    int
}

// countingDB counts the runs that reach the database: each is one round trip.
type countingDB struct {
	store.DB
	runs atomic.Int64
}

func (db *countingDB) Run(ctx context.Context, stmts ...store.Stmt) error {
	db.runs.Add(1)
	return db.DB.Run(ctx, stmts...)
}

const secret = "0123456789abcdef0123456789abcdef-not-a-real-one"

func newWorld(t testing.TB) *world { return newWorldOn(t, openSQLite(t)) }

func openSQLite(t testing.TB) store.DB {
	db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func openPostgres(t testing.TB) store.DB {
	db, err := postgres.Open(postgres.Options{URL: pgtest.New(t), Mode: postgres.ModePrepared})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func newWorldOn(t testing.TB, db store.DB) *world {
	t.Helper()
	w := &world{t: t, db: &countingDB{DB: db}, answers: map[string]http.HandlerFunc{}, calls: map[string]int{}}
	w.clock.Store(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC).UnixMilli())
	t.Cleanup(func() { db.Close() })
	var err error
	if w.secrets, err = auth.NewSecrets(auth.Material{JWTSecret: secret}); err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(upstream.Close)
	w.origin = upstream.URL
	w.user, w.tokenID = store.NewID(w.clock.Load()), store.NewID(w.clock.Load())
	w.token, _ = w.secrets.NewToken(rand.Reader)
	digest := w.secrets.Digest(w.token)
	w.run(`insert into users (id, email, name, role, password, enabled, revision, created_at, updated_at)
values ($1, 'a@example.com', '', 'user', '', $2, 1, 0, 0)`, w.user, true)
	w.run(`insert into tokens (id, user_id, name, hash, enabled, blocked, created_at) values ($1, $2, '', $3, $4, $5, 0)`,
		w.tokenID, w.user, digest[:], true, false)
	w.g = w.newGateway(gateway.Settings{Timeout: time.Minute, FirstEvent: time.Minute, IdleTimeout: time.Minute})
	return w
}

// newGateway is another process on the same database.
func (w *world) newGateway(s gateway.Settings) *gateway.Gateway {
	w.t.Helper()
	table, err := provider.NewTable(map[string]string{"openai": w.origin, "groq": w.origin, "openrouter": w.origin, "mistral": w.origin, "anthropic": w.origin, "gemini": w.origin})
	if err != nil {
		w.t.Fatal(err)
	}
	upstream := provider.NewClient(provider.ClientConfig{Now: w.now})
	w.t.Cleanup(upstream.Close)
	return gateway.New(gateway.Deps{
		DB: w.db, Quota: quota.New(w.db), Secrets: w.secrets, Providers: table, Upstream: upstream, Cost: catalog.Cost, Dearest: catalog.Dearest,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: w.now,
	}, s)
}

func (w *world) now() time.Time { return time.UnixMilli(w.clock.Load()) }

func (w *world) run(sql string, args ...any) {
	w.t.Helper()
	if err := w.db.DB.Run(context.Background(), store.Stmt{SQL: sql, Args: args}); err != nil {
		w.t.Fatal(err)
	}
}

// int reads one number.
func (w *world) int(sql string, args ...any) (n int64) {
	w.t.Helper()
	err := w.db.DB.Run(context.Background(), store.Stmt{SQL: sql, Args: args, Each: func(r store.Row) error { return r.Scan(&n) }})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// key is a provider key; the zero value is an OpenAI key for everything without a limit.
type key struct {
	provider, models, defaultModel string
	priority                       int
	limit                          int64 // 0: none
	answer                         http.HandlerFunc
}

// add stores a key and returns its id.
func (w *world) add(k key) store.ID {
	w.t.Helper()
	w.keys++
	apiKey := fmt.Sprintf("sk-test-%04d-abcdefghijklmnop", w.keys)
	if k.provider == "" {
		k.provider = "openai"
	}
	if k.models == "" {
		k.models = "[]"
	}
	if k.answer == nil {
		k.answer = answerText("hello")
	}
	w.mu.Lock()
	w.answers[apiKey] = k.answer
	w.mu.Unlock()
	id := store.NewID(w.clock.Load())
	encrypted, keyID := w.secrets.Encrypt([]byte(apiKey), gateway.KeyBinding(id, w.user))
	var limit, model any
	if k.limit > 0 {
		limit = k.limit
	}
	if k.defaultModel != "" {
		model = k.defaultModel
	}
	w.run(`insert into provider_keys (id, user_id, provider, name, sealed, sealing_key, last_four, priority, enabled, blocked,
 allowed_models, default_model, daily_limit, rest_until, rest_class, rest_note, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, 'mnop', $7, $8, $9, $10, $11, $12, 0, '', '', $13, 0)`,
		id, w.user, k.provider, fmt.Sprint("key ", w.keys), encrypted, keyID, k.priority, true, false, k.models, model, limit, int64(w.keys))
	w.run(`update users set revision = revision + 1`)
	return id
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	apiKey := cmp.Or(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.Header.Get("X-Api-Key"), r.Header.Get("X-Goog-Api-Key"))
	w.mu.Lock()
	w.calls[apiKey]++
	answer := w.answers[apiKey]
	w.mu.Unlock()
	if answer == nil {
		http.Error(rw, `{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}`, http.StatusUnauthorized)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer(rw, r)
}

// callsOf is how often a key's provider was called.
func (w *world) callsOf(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[fmt.Sprintf("sk-test-%04d-abcdefghijklmnop", n)]
}

func (w *world) used(id store.ID) int64 {
	return w.int(`select coalesce(sum(used), 0) from key_days where key_id = $1`, id)
}

const usage = `"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}`

func answerText(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],%s}`, text, usage)
	}
}

func answerClaude(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],
"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5}}`)
}

func answerError(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// answerStream sends the pieces, one event each, as OpenAI does; "cut" breaks the
// connection, "wait" waits for the client to leave.
func answerStream(pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		rc := http.NewResponseController(w)
		event := func(delta, finish string) {
			fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n", delta, finish)
			rc.Flush()
		}
		event(`{"role":"assistant","content":""}`, "null")
		for _, p := range pieces {
			switch p {
			case "cut":
				panic(http.ErrAbortHandler)
			case "wait":
				<-r.Context().Done()
				return
			}
			event(fmt.Sprintf(`{"content":%q}`, p), "null")
		}
		event(`{}`, `"stop"`)
		fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-mini\",\"choices\":[],%s}\n\ndata: [DONE]\n\n", usage)
	}
}

func (w *world) request(model string) gateway.Request {
	return gateway.Request{
		ID:        store.NewID(w.clock.Load()),
		Principal: gateway.Principal{Digests: []auth.TokenDigest{w.secrets.Digest(w.token)}},
		Chat: &chat.Request{Model: model, Messages: []chat.Message{
			{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "Say hello."}}}}},
	}
}

// do sends a request that does not stream.
func (w *world) do(request gateway.Request) (*gateway.Call, error) {
	c, err := w.g.Start(w.t.Context(), request)
	if err == nil {
		c.Close()
	}
	return c, err
}

func (w *world) mustServe(request gateway.Request, want store.ID) {
	w.t.Helper()
	c, err := w.do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	if c.KeyID() != want {
		w.t.Fatalf("answered by key %s, want %s", c.KeyID(), want)
	}
}

// mustAsk sends a request and checks which key answers, and for which model its provider was asked.
func (w *world) mustAsk(model string, route dialect.Route, want store.ID, asked string) {
	w.t.Helper()
	request := w.request(model)
	request.Route = route
	c, err := w.do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	if c.KeyID() != want || c.Model() != asked {
		w.t.Errorf("%s: %s was asked for %s", model, c.Provider(), c.Model())
	}
}

func wantCode(t *testing.T, err error, code fault.Code) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	return f
}

const model = "gpt-4o-mini"

func TestWarmRequestCostsOneTripBeforeAndOneAfter(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, open(t))
			var before int64
			w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
				before = w.db.runs.Load()
				answerText("hi")(rw, r)
			}})
			for i, want := range []int64{2, 1, 1} { // a cold instance loads once
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

func TestUsageIsSettledOnce(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, open(t))
			id := w.add(key{})
			for range 3 {
				w.mustServe(w.request(model), id)
			}
			if n := w.int(`select count(*) from requests where user_id = $1 and key_id = $2 and input = 10 and output = 5 and cost = 4500`, w.user, id); n != 3 {
				t.Errorf("%d rows with the usage and the price of gpt-4o-mini, want 3", n)
			}
			if n := w.int(`select cast(sum(requests) as bigint) from usage_hours where token_id = $1`, w.tokenID); n != 3 {
				t.Errorf("the hourly sum counts %d requests, want 3", n)
			}
			if n := w.int(`select cast(sum(requests) as bigint) from latency_hours where kind = 1`); n != 3 {
				t.Errorf("the histogram counts %d requests, want 3", n)
			}
		})
	}
}

func TestSelection(t *testing.T) {
	w := newWorld(t)
	second := w.add(key{priority: 2})
	first := w.add(key{priority: 1, models: `["gpt-4o*"]`})
	groq := w.add(key{priority: 3, provider: "groq", defaultModel: "llama-3.1-8b-instant"})
	w.mustServe(w.request("gpt-4o-mini"), first)
	w.mustServe(w.request("gpt-4.1"), second)
	w.mustServe(w.request("openai/gpt-4o-mini"), first)
	w.mustServe(w.request("llama-3.1-8b-instant"), groq)
	w.mustServe(w.request(""), groq) // the only key with a default model

	request := w.request("gpt-4o-mini")
	request.Route = dialect.Route{Priorities: []int64{2}}
	w.mustServe(request, second)
	request.Route = dialect.Route{Providers: []string{"groq"}}
	_, err := w.do(request)
	f := wantCode(t, err, fault.NoEligibleKey)
	if n := len(f.Details.(map[string]any)["keys"].([]gateway.SkippedKey)); n != 3 {
		t.Errorf("told of %d keys, want 3", n)
	}
	_, err = w.do(w.request("no-such-model"))
	wantCode(t, err, fault.NotFound)
}

func TestExhaustFirstUsesTheOldestUntilItIsSpent(t *testing.T) {
	w := newWorld(t)
	old, young := w.add(key{limit: 2}), w.add(key{limit: 1})
	w.mustServe(w.request(model), old)
	w.mustServe(w.request(model), old)
	w.mustServe(w.request(model), young)
	_, err := w.do(w.request(model))
	f := wantCode(t, err, fault.RateLimit)
	if f.RetryAfter != 12*time.Hour {
		t.Errorf("Retry-After is %v, want the time to midnight UTC, 12h", f.RetryAfter)
	}
	w.db.runs.Store(0)
	if _, err = w.do(w.request(model)); w.db.runs.Load() != 2 {
		t.Errorf("a refusal cost %d trips, want one select and one settle", w.db.runs.Load())
	}
	wantCode(t, err, fault.RateLimit)
	w.clock.Add(12 * 3600 * 1000)
	w.mustServe(w.request(model), old) // the next day
}

func TestRoundRobinRotates(t *testing.T) {
	w := newWorld(t)
	w.run(`update users set strategy = 'round-robin'`)
	ids := []store.ID{w.add(key{}), w.add(key{}), w.add(key{})}
	other := w.newGateway(gateway.Settings{Timeout: time.Minute})
	for i := range 20 {
		g := w.g
		if i%2 == 1 {
			g = other
		}
		c, err := g.Start(t.Context(), w.request(model))
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	for _, id := range ids {
		if n := w.used(id); n != 6 && n != 7 {
			t.Errorf("key %s served %d of 20 requests, want 6 or 7", id, n)
		}
	}
}

func TestFailover(t *testing.T) {
	tests := map[string]struct {
		answer   http.HandlerFunc
		cools    bool
		coolsFor time.Duration
		kept     int64 // of the failed key's quota
	}{
		"bad key":       {answerError(401, `{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}`), true, time.Minute, 0},
		"no credit":     {answerError(429, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`), true, time.Hour, 0},
		"rate limit":    {answerError(429, `{"error":{"code":"rate_limit_exceeded"}}`, "Retry-After", "20"), true, 20 * time.Second, 0},
		"overloaded":    {answerError(503, `{"error":{"type":"service_unavailable_error","code":"server_is_overloaded"}}`), true, 0, 0},
		"server error":  {answerError(500, `<html>oops</html>`), true, 0, 0},
		"redirect":      {answerError(302, ``, "Location", "http://example.com/"), false, 0, 0},
		"model unknown": {answerError(404, `{"error":{"message":"The model does not exist","code":"model_not_found"}}`), false, 0, 0},
		"broken":        {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true, 0, 0},
		"garbage":       {answerError(200, `{"choices":[{"mess`), true, 0, 1},
		"error in 200":  {answerError(200, `{"error":{"message":"overloaded","code":503}}`), true, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			bad := w.add(key{answer: tt.answer})
			good := w.add(key{})
			w.db.runs.Store(0)
			w.mustServe(w.request(model), good)
			if n := w.db.runs.Load(); n != 4 {
				t.Errorf("%d trips, want 4: load, reserve, one for the failover, settle", n)
			}
			if n := w.used(bad); n != tt.kept {
				t.Errorf("the failed key's count is %d, want %d", n, tt.kept)
			}
			until := w.int(`select coalesce(max(until), 0) from cooldowns where subject = $1`, bad)
			if tt.cools != (until > w.clock.Load()) {
				t.Errorf("cooldown until %d at %d", until, w.clock.Load())
			}
			if tt.coolsFor > 0 && until != w.clock.Load()+tt.coolsFor.Milliseconds() {
				t.Errorf("cooldown of %d ms, want %v", until-w.clock.Load(), tt.coolsFor)
			}
			if n := w.int(`select count(*) from requests where attempts = 2 and status = 200 and key_id = $1`, good); n != 1 {
				t.Error("no row says that two attempts were made")
			}
			if n := w.int(`select count(*) from request_traces`); n != 1 {
				t.Errorf("%d traces, want 1", n)
			}
			before := w.callsOf(1)
			w.mustServe(w.request(model), good)
			if again := w.callsOf(1) > before; again == (tt.cools || name == "model unknown") {
				t.Errorf("the failed key was asked again: %v", again)
			}
		})
	}
}

// A provider that cannot be asked at all was not called, whatever is kept of why.
func TestAttemptsAreCalls(t *testing.T) {
	w := newWorld(t)
	unasked := w.add(key{provider: "groq", models: `["gpt-*"]`, priority: 1})
	good := w.add(key{priority: 2})
	request := w.request(model)
	two := int64(2) // answers, which Groq does not give
	request.Chat.N = &two
	w.mustServe(request, good)
	if n := w.int(`select attempts from requests`); n != 1 || w.callsOf(1) != 0 || w.used(unasked) != 0 {
		t.Errorf("%d attempts in the log, %d calls of the first key, %d of its quota used", n, w.callsOf(1), w.used(unasked))
	}
	if w.int(`select count(*) from request_traces`) != 1 {
		t.Error("nothing is kept of why the first key was skipped")
	}
}

// Each key is called once, and the last one once more if the failure may pass, until as many have failed as make it the
// host's fault: no key is called three times, however many there are.
func TestNoKeyIsTriedAThirdTime(t *testing.T) {
	for _, keys := range []int{1, 2, 5, 16} {
		w := newWorld(t)
		for range keys {
			w.add(key{answer: answerError(502, `oops`)})
		}
		_, err := w.do(w.request(model))
		wantCode(t, err, fault.Provider)
		calls := int64(0)
		for i := range keys {
			n := int64(w.callsOf(i + 1))
			if calls += n; n > 2 || n < 1 && i < provider.HostKeys {
				t.Errorf("of %d keys, number %d was called %d times", keys, i+1, n)
			}
		}
		want := int64(provider.HostKeys) // then it is the host
		if keys < provider.HostKeys {
			want = int64(keys) + 1
		}
		if rows := w.int(`select attempts from requests`); calls != want || rows != calls {
			t.Errorf("%d keys: %d calls, %d attempts in the log", keys, calls, rows)
		}
	}
}

func TestClientErrorsAreNotRetriedElsewhere(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: answerError(400, `{"error":{"message":"Invalid value for temperature; your key sk-test-0001-abcdefghijklmnop","type":"invalid_request_error","param":"temperature"}}`)})
	w.add(key{})
	_, err := w.do(w.request(model))
	f := wantCode(t, err, fault.Validation)
	if w.callsOf(2) != 0 {
		t.Error("the second key was called")
	}
	if !strings.Contains(f.Message, "Invalid value for temperature") || strings.Contains(f.Message, "abcdefghij") {
		t.Errorf("message %q", f.Message)
	}
	if f.Details.(map[string]any)["class"] != chat.BadRequest {
		t.Errorf("details %v", f.Details)
	}
}

func TestAllKeysRateLimited(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: answerError(429, `{"error":{"code":"rate_limit_exceeded"}}`, "Retry-After", "30")})
	w.add(key{answer: answerError(429, `{"error":{"code":"rate_limit_exceeded"}}`, "Retry-After", "20")})
	_, err := w.do(w.request(model))
	if f := wantCode(t, err, fault.RateLimit); f.RetryAfter != 20*time.Second {
		t.Errorf("Retry-After %v, want the soonest, 20s", f.RetryAfter)
	}
}

func TestLastKeysFailureIsTold(t *testing.T) {
	w := newWorld(t)
	bad := w.add(key{answer: answerError(401, `{"error":{"message":"Incorrect API key sk-test-0001","code":"invalid_api_key"}}`)})
	_, err := w.do(w.request(model))
	f := wantCode(t, err, fault.Provider)
	if f.Details.(map[string]any)["class"] != chat.BadKey || !strings.Contains(f.Message, "Incorrect API key") ||
		strings.Contains(f.Message, "sk-test-0001") {
		t.Errorf("%q %v", f.Message, f.Details)
	}
	_, err = w.do(w.request(model))
	f = wantCode(t, err, fault.Unavailable)
	if f.RetryAfter <= 0 || f.RetryAfter > 6*time.Hour || f.Details.(map[string]any)["class"] != chat.BadKey {
		t.Errorf("Retry-After %v, details %v", f.RetryAfter, f.Details)
	}
	if k := f.Details.(map[string]any)["keys"].([]gateway.SkippedKey); len(k) != 1 || k[0].ID != bad || !strings.Contains(k[0].Reason, "bad_key") {
		t.Errorf("%+v", k)
	}
}

func TestTransientFailureOfTheOnlyKeyIsTriedTwice(t *testing.T) {
	w := newWorld(t)
	var n atomic.Int32
	id := w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			answerError(502, "oops")(rw, r)
			return
		}
		answerText("hi")(rw, r)
	}})
	w.mustServe(w.request(model), id)
	if w.used(id) != 1 {
		t.Errorf("%d reservations used, want 1", w.used(id))
	}
}

func TestRevocationAndChangesCountAtOnce(t *testing.T) {
	w := newWorld(t)
	first := w.add(key{priority: 1})
	w.mustServe(w.request(model), first)
	better := w.add(key{priority: 0})
	w.mustServe(w.request(model), better)
	w.run(`update provider_keys set enabled = $1 where id = $2`, false, better)
	w.run(`update users set revision = revision + 1`)
	w.mustServe(w.request(model), first)
	w.run(`update tokens set enabled = $1`, false)
	_, err := w.do(w.request(model))
	wantCode(t, err, fault.Unauthorized)
	w.run(`update tokens set enabled = $1`, true)
	w.mustServe(w.request(model), first)
	w.run(`delete from tokens`)
	_, err = w.do(w.request(model))
	wantCode(t, err, fault.Unauthorized)
	if n := w.int(`select count(*) from requests`); n != 4 {
		t.Errorf("%d rows, want 4: who may not request is not logged", n)
	}
}

func TestKeyAddedAfterARefusalServes(t *testing.T) {
	w := newWorld(t)
	_, err := w.do(w.request(model))
	wantCode(t, err, fault.NoEligibleKey)
	w.mustServe(w.request(model), w.add(key{}))
}

func TestChangedSecretLosesNothing(t *testing.T) {
	w := newWorld(t)
	id := w.add(key{})
	var err error
	w.secrets, err = auth.NewSecrets(auth.Material{JWTSecret: "another " + secret, PreviousJWTSecrets: []string{secret}})
	if err != nil {
		t.Fatal(err)
	}
	w.g = w.newGateway(gateway.Settings{Timeout: time.Minute})
	request := w.request(model)
	made, err := w.secrets.CheckToken(w.token)
	if err != nil {
		t.Fatal(err)
	}
	request.Principal.Digests = w.secrets.LookupDigests(w.token, made)
	w.mustServe(request, id)
	digest := w.secrets.Digest(w.token)
	if n := w.int(`select count(*) from tokens where hash = $1`, digest[:]); n != 1 {
		t.Error("the token was not digested again")
	}
	if n := w.int(`select count(*) from provider_keys where sealing_key = $1`, w.secrets.EncryptionKeyID()); n != 1 {
		t.Error("the key was not encrypted again")
	}
	w.g = w.newGateway(gateway.Settings{Timeout: time.Minute})
	request.ID = store.NewID(w.clock.Load())
	w.mustServe(request, id)
}

func TestUnopenableKeyIsPassedOver(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	w.run(`update provider_keys set sealing_key = 'another'`)
	good := w.add(key{})
	w.mustServe(w.request(model), good)
}
