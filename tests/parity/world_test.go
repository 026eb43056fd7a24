// Package parity tests that whatever SDK a caller uses and whatever provider its keys are for, the answer is the
// provider's, streamed or not. The whole gateway runs in this process, on SQLite; the providers are emulated; callers
// use HTTP and readers that share no code with the gateway.
package parity

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/httpversion"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

const jwtSecret = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-for-parity"

// world is a gateway and the emulated providers.
type world struct {
	t       *testing.T
	emu     *emulator.Emulator
	cfg     *config.Config
	db      store.DB
	secrets *auth.Secrets
	log     testproc.Output
	client  *http.Client

	mu     sync.Mutex
	app    *server.App
	url    string
	people int
	keys   int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, emu: emulator.New(), client: &http.Client{
		Transport: httpversion.Transport(), Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	origin, stop, err := emulator.Start(w.emu)
	w.must(err)
	t.Cleanup(stop)
	env := map[string]string{"JWT_SECRET": jwtSecret}
	for _, id := range emulator.Providers() {
		env[strings.ToUpper(id)+"_BASE_URL"] = emulator.BaseURL(origin, id)
	}
	w.cfg, err = config.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, config.PlatformBinary)
	w.must(err)
	w.db, err = sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "gateway.db")})
	w.must(err)
	t.Cleanup(func() { w.db.Close() })
	w.secrets, err = auth.NewSecrets(auth.Material{JWTSecret: jwtSecret})
	w.must(err)
	gate := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		app := w.app
		w.mu.Unlock()
		app.ServeHTTP(rw, r)
	}))
	gate.Config = server.NewHTTPServer(w.cfg.Limits, gate.Config.Handler, slog.New(slog.DiscardHandler))
	gate.Config.Protocols = httpversion.Server()
	gate.Start()
	t.Cleanup(gate.Close)
	w.url = gate.URL
	w.restart()
	t.Cleanup(func() {
		if text := w.log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "msg=panic") {
			t.Errorf("the gateway logs errors:\n%s", text)
		}
	})
	return w
}

// restart starts another gateway on the same database, as a start of the binary does.
func (w *world) restart() {
	w.t.Helper()
	app, err := server.Assemble(w.cfg, w.db, slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelError})))
	w.must(err)
	w.t.Cleanup(app.Close)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.app = app
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// person is a user with a gateway token.
type person struct {
	*world
	id    store.ID
	token string
}

func (w *world) person() *person {
	w.t.Helper()
	w.mu.Lock()
	w.people++
	n := w.people
	w.mu.Unlock()
	ctx, now := context.Background(), time.Now().UnixMilli()
	p := &person{world: w, id: store.NewID(now)}
	w.must(store.AddUser(ctx, w.db, store.User{ID: p.id, Email: fmt.Sprintf("%d@example.com", n), Role: store.RoleUser, PasswordHash: "none", Enabled: true, CreatedAt: now, UpdatedAt: now}))
	token, err := w.secrets.NewToken(rand.Reader)
	w.must(err)
	p.token = token
	digest := w.secrets.Digest(token)
	w.must(store.CreateToken(ctx, w.db, store.Token{ID: store.NewID(now), UserID: p.id, Name: "parity", Hash: digest[:], Enabled: true, CreatedAt: now}))
	return p
}

// key adds a provider key of priority 1; an empty secret makes one.
func (p *person) key(provider, secret string) store.ID {
	p.t.Helper()
	return p.keyOf(provider, secret, 1)
}

func (p *person) keyOf(provider, secret string, priority int) store.ID {
	p.t.Helper()
	p.mu.Lock()
	p.keys++
	secret = cmp.Or(secret, fmt.Sprintf("sk-emulated%d-1", p.keys))
	p.mu.Unlock()
	now := time.Now().UnixMilli()
	id := store.NewID(now)
	encrypted, encryptionKey := p.secrets.Encrypt([]byte(secret), gateway.KeyBinding(id, p.id))
	p.must(store.CreateKey(context.Background(), p.db, store.Key{ID: id, UserID: p.id, Provider: provider, Name: secret, Encrypted: encrypted, EncryptionKeyID: encryptionKey,
		LastFour: "0000", Priority: priority, Enabled: true, CreatedAt: now}))
	return id
}

// drop deletes a key.
func (p *person) drop(key store.ID) {
	p.t.Helper()
	p.must(store.DeleteKey(context.Background(), p.db, p.id, key))
}

// spend uses up a key's quota of the day.
func (p *person) spend(key store.ID) {
	p.t.Helper()
	none := int64(0)
	_, err := store.UpdateKey(context.Background(), p.db, p.id, key, store.KeyChange{DailyLimit: store.To(&none)}, time.Now().UnixMilli())
	p.must(err)
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request to the path with headers given as name, value, name, value.
func (p *person) send(method, path string, body []byte, header ...string) *reply {
	p.t.Helper()
	req, err := http.NewRequest(method, p.url+path, bytes.NewReader(body))
	p.must(err)
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Errorf("%s %s: %v", method, path, err)
		return &reply{header: http.Header{}}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Errorf("%s %s: %v", method, path, err)
	}
	return &reply{resp.StatusCode, resp.Header, text}
}

// row returns the gateway's record of the request with this reply.
func (p *person) row(r *reply) store.Request {
	p.t.Helper()
	id, err := store.ParseID(r.header.Get("X-Request-ID"))
	if err != nil {
		p.t.Errorf("no request id: %d %s", r.status, r.body)
		return store.Request{}
	}
	row, _, err := store.RequestByID(context.Background(), p.db, p.id, id)
	if err != nil {
		p.t.Errorf("no row of %s: %v", id, err)
	}
	return row
}

// used returns how many requests of a key's quota of today are used or reserved.
func (p *person) used(key store.ID) (n int64) {
	p.t.Helper()
	p.must(p.db.Run(context.Background(), store.Stmt{SQL: "select cast(coalesce(sum(used), 0) as bigint) from key_days where key_id = $1", Args: []any{key},
		Each: func(r store.Row) error { return r.Scan(&n) }}))
	return n
}
