// Package trips counts, on the wire, how often the gateway goes to its database.
package trips

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is a gateway composed as in production, whose trips to the database are counted, and a provider that
// records its calls.
type world struct {
	*testing.T
	app  *server.App
	url  string
	wire *pgtest.Wire
	db   store.DB // not counted

	mu    sync.Mutex
	fails map[string]bool // the provider keys whose rate is limited
	calls []call
	keys  int
}

// call is one call of the provider.
type call struct {
	key   string
	trips int64 // the gateway's trips so far
}

// onEveryPlatform runs the test on the gateway as composed for functions and for the binary.
func onEveryPlatform(t *testing.T, test func(w *world)) {
	for name, platform := range map[string]config.Platform{"functions": config.PlatformFunctions, "binary": config.PlatformBinary} {
		t.Run(name, func(t *testing.T) { test(newWorld(t, platform)) })
	}
}

func newWorld(t *testing.T, platform config.Platform) *world {
	w := &world{T: t, fails: map[string]bool{}}
	database := pgtest.New(t)
	db, err := postgres.Open(postgres.Options{URL: database})
	w.must(err)
	t.Cleanup(func() { db.Close() })
	_, err = db.Migrate(t.Context())
	w.must(err)
	w.db = db
	upstream := httptest.NewServer(http.HandlerFunc(w.provide))
	t.Cleanup(upstream.Close)
	var through string
	w.wire, through = pgtest.Count(t, database)
	env := map[string]string{"DATABASE_URL": through, "JWT_SECRET": "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-for-counting", "LOG_LEVEL": "error",
		"OPENAI_BASE_URL": upstream.URL, "CRON_SECRET": "called-by-the-scheduler"}
	w.app, err = server.Open(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, platform)
	w.must(err)
	t.Cleanup(func() { w.app.DB.Close() })
	gate := httptest.NewServer(w.app.Handler(server.Chat))
	t.Cleanup(gate.Close)
	w.url = gate.URL
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// provide answers as OpenAI does.
func (w *world) provide(rw http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	w.mu.Lock()
	w.calls = append(w.calls, call{key, w.wire.Trips()})
	fails := w.fails[key]
	w.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	const usage = `"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}`
	switch {
	case fails:
		rw.Header().Set("Retry-After", "60")
		http.Error(rw, `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`,
			http.StatusTooManyRequests)
	case strings.Contains(string(body), `"stream":true`):
		rw.Header().Set("Content-Type", "text/event-stream")
		const chunk = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[%s],%s}` + "\n\n"
		for _, word := range []string{"Hello", " there", "."} {
			fmt.Fprintf(rw, chunk, fmt.Sprintf(`{"index":0,"delta":{"content":%q},"finish_reason":null}`, word), `"usage":null`)
			rw.(http.Flusher).Flush()
		}
		fmt.Fprintf(rw, chunk, `{"index":0,"delta":{},"finish_reason":"stop"}`, `"usage":null`)
		fmt.Fprintf(rw, chunk, "", usage)
		io.WriteString(rw, "data: [DONE]\n\n")
	default:
		io.WriteString(rw, `{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,`+
			`"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}],`+usage+`}`)
	}
}

// person is a user with a token or a session, and keys.
type person struct {
	store.User
	bearer string // a gateway token, or a session
	token  store.ID
}

func (w *world) person() *person {
	w.Helper()
	now := time.Now().UnixMilli()
	id := store.NewID(now)
	p := &person{User: store.User{ID: id, Email: id.String() + "@example.com", Role: store.RoleUser,
		PasswordHash: "none", Enabled: true, CreatedAt: now}}
	w.must(store.AddUser(w.Context(), w.db, p.User))
	var err error
	p.bearer, err = w.app.Secrets.NewToken(rand.Reader)
	w.must(err)
	digest := w.app.Secrets.Digest(p.bearer)
	p.token = store.NewID(now)
	w.must(store.CreateToken(w.Context(), w.db,
		store.Token{ID: p.token, UserID: p.ID, Name: "t", Hash: digest[:], Enabled: true, CreatedAt: now}))
	return p
}

// login makes the person use a session from now on.
func (w *world) login(p *person) store.ID {
	w.Helper()
	now := time.Now().UnixMilli()
	s := store.Session{ID: store.NewID(now), UserID: p.ID, CreatedAt: now, LastSeenAt: now, ExpiresAt: now + 3600_000}
	w.must(store.CreateSession(w.Context(), w.db, s))
	var err error
	p.bearer, err = w.app.Secrets.SignSession(auth.Session{ID: s.ID.String(), UserID: p.ID.String(), IssuedAt: now, ExpiresAt: s.ExpiresAt})
	w.must(err)
	return s.ID
}

// key adds a provider key; a limit below 0 is none.
func (w *world) key(p *person, priority int, limit int64) store.Key {
	w.Helper()
	now := time.Now().UnixMilli()
	k := store.Key{ID: store.NewID(now), UserID: p.ID, Provider: "openai", Name: "key", LastFour: "0000",
		Priority: priority, Enabled: true, CreatedAt: now}
	secret := w.secret(&k)
	k.Encrypted, k.EncryptionKeyID = secret.Encrypted, secret.EncryptionKeyID
	if limit >= 0 {
		k.DailyLimit = &limit
	}
	w.must(store.CreateKey(w.Context(), w.db, k))
	return k
}

// secret makes a new secret for the key and renames the key to it.
func (w *world) secret(k *store.Key) store.Secret {
	w.keys++
	k.Name = fmt.Sprintf("sk-counted-%04d", w.keys)
	encrypted, encryptionKey := w.app.Secrets.Encrypt([]byte(k.Name), gateway.KeyBinding(k.ID, k.UserID))
	return store.Secret{Encrypted: encrypted, EncryptionKeyID: encryptionKey, LastFour: "0000"}
}

// answer is the outcome of a request with its trips: before the first call of the provider, between calls, and
// after the last; without a call, all trips together.
type answer struct {
	status int
	keys   []string
	trips  []int64
}

func (a answer) String() string { return fmt.Sprint(a.status, a.trips) }

const (
	whole  = false
	stream = true
)

func (w *world) send(p *person, streamed bool) answer {
	w.Helper()
	w.mu.Lock()
	w.calls = nil
	w.mu.Unlock()
	before := w.wire.Trips()
	body := fmt.Sprintf(`{"model":"gpt-4o-mini","stream":%v,"messages":[{"role":"user","content":"Hello?"}]}`, streamed)
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", w.url+"/api/chat", strings.NewReader(body))
	w.must(err)
	req.Header.Set("Authorization", "Bearer "+p.bearer)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	if streamed && resp.StatusCode == http.StatusOK && !strings.Contains(string(text), "data: [DONE]") {
		w.Errorf("the stream broke off: %s", text)
	}
	a := answer{status: resp.StatusCode}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		a.keys = append(a.keys, c.key)
		a.trips = append(a.trips, c.trips-before)
		before = c.trips
	}
	a.trips = append(a.trips, w.wire.Trips()-before)
	return a
}

func (w *world) want(what string, got answer, want string) {
	w.Helper()
	if got.String() != want {
		w.Errorf("%s: got %s, want %s (status, and round trips before, between and after the calls)", what, got, want)
	}
}
