// Package linear tests that the work for a request or an answer grows with its length and not with the square of it.
package linear

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

const jwtSecret = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-linear"

// world is a gateway whose providers all answer what the test says.
type world struct {
	t      *testing.T
	url    string
	token  string
	client *http.Client
	answer atomic.Pointer[answer]
	asked  atomic.Int64
}

// answer is that of the providers, for each of their protocols.
type answer struct {
	kind string // its content type
	body map[string][]byte
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, client: &http.Client{Timeout: 5 * time.Minute}}
	upstream := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(upstream.Close)
	env := map[string]string{"JWT_SECRET": jwtSecret, "DATA_DIR": t.TempDir()}
	for _, id := range emulator.Providers() {
		env[strings.ToUpper(id)+"_BASE_URL"] = upstream.URL
	}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, config.PlatformBinary)
	must(t, err)
	db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "gateway.db")})
	must(t, err)
	t.Cleanup(func() { db.Close() })
	app, err := server.Assemble(cfg, db, slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(app.Close)
	gate := httptest.NewServer(app)
	t.Cleanup(gate.Close)
	w.url = gate.URL
	w.furnish(db)
	return w
}

// furnish makes a user with a token and a key of each provider.
func (w *world) furnish(db store.DB) {
	secrets, err := auth.NewSecrets(auth.Material{JWTSecret: jwtSecret})
	must(w.t, err)
	ctx, now := context.Background(), time.Now().UnixMilli()
	user := store.NewID(now)
	must(w.t, store.AddUser(ctx, db, store.User{ID: user, Email: "a@example.com", Role: store.RoleUser, PasswordHash: "none",
		Enabled: true, CreatedAt: now, UpdatedAt: now}))
	w.token, err = secrets.NewToken(rand.Reader)
	must(w.t, err)
	digest := secrets.Digest(w.token)
	must(w.t, store.CreateToken(ctx, db, store.Token{ID: store.NewID(now), UserID: user, Name: "linear", Hash: digest[:],
		Enabled: true, CreatedAt: now}))
	for _, id := range emulator.Providers() {
		key := store.NewID(now)
		encrypted, encryptionKey := secrets.Encrypt([]byte("sk-linear-1"), gateway.KeyBinding(key, user))
		must(w.t, store.CreateKey(ctx, db, store.Key{ID: key, UserID: user, Provider: id, Name: id, Encrypted: encrypted,
			EncryptionKeyID: encryptionKey, LastFour: "0000", AllowedModels: []string{"*"}, Priority: 1, Enabled: true, CreatedAt: now}))
	}
}

// serve answers as every provider.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.asked.Add(1)
	protocol := "chat"
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/responses"):
		protocol = "responses"
	case strings.HasSuffix(path, "/messages"):
		protocol = "messages"
	case strings.Contains(path, "enerateContent"):
		protocol = "gemini"
	}
	a := w.answer.Load()
	rw.Header().Set("Content-Type", a.kind)
	rw.Write(a.body[protocol])
}

// cost sends a request and returns the CPU time of the whole process for it.
func (w *world) cost(path, provider string, body []byte) time.Duration {
	w.t.Helper()
	req, err := http.NewRequest("POST", w.url+path, bytes.NewReader(body))
	must(w.t, err)
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-LLM-Provider", provider)
	asked, before := w.asked.Load(), cpu(w.t)
	resp, err := w.client.Do(req)
	must(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(w.t, err)
	spent := cpu(w.t) - before
	if resp.StatusCode != 200 {
		w.t.Fatalf("%s to %s: %d %.500s", path, provider, resp.StatusCode, text)
	}
	if w.asked.Load() != asked+1 {
		w.t.Fatalf("the provider was called %d times", w.asked.Load()-asked)
	}
	return spent
}

func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const (
	// entries is how many entries the smaller requests have.
	entries = 2000
	// maxRatio is how much more four times as much may cost. Linear work costs four times as much, quadratic sixteen.
	maxRatio = 6
	// negligible is a cost below which measurements are noise.
	negligible = 25 * time.Millisecond
	tries      = 4
)

// grows measures cost(n) and cost(4*n) until their ratio is right, several times: other processes and the garbage
// collector can only make a measurement worse.
func grows(t *testing.T, what string, n int, cost func(n int) time.Duration) {
	t.Helper()
	var one, four time.Duration
	for try := range tries {
		a, b := cost(n), cost(4*n)
		if try == 0 || a > one {
			one = a
		}
		if try == 0 || b < four {
			four = b
		}
		if four < maxRatio*max(one, negligible) {
			return
		}
	}
	t.Errorf("%s: %d cost %v, and %d cost %v", what, n, one, 4*n, four)
}

func repeat(n int, each func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(each(i))
	}
	return b.String()
}

func reversed(n int, each func(i int) string) string {
	return repeat(n, func(i int) string { return each(n - 1 - i) })
}

var printf = fmt.Sprintf
