// Package fleet runs several gateway processes on one database, under load and kill -9, and checks the
// guarantees that hold for any number of processes.
package fleet

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/alicetears/llm-gateway"
	"github.com/alicetears/llm-gateway/internal/database"
	"github.com/alicetears/llm-gateway/internal/emulator"
	_ "github.com/alicetears/llm-gateway/internal/mount"
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

const (
	jwtSecret = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-for-the-fleet"
	processes = 4
	callers   = 48 // at once
	model     = "gpt-4o-mini"
)

// binary is the path of the built cmd/gateway.
var binary string

func TestMain(m *testing.M) {
	binary = testproc.BuildGateway("fleettest")
	pgtest.Main(m)
}

// fleet is several gateways, one user with a token, and the emulated providers.
type fleet struct {
	t       *testing.T
	env     []string
	emu     *emulator.Emulator
	db      store.DB
	secrets *auth.Secrets
	user    store.ID
	token   string
	gates   []*gate
	client  *http.Client
	keys    int
}

// gate is a process of the binary.
type gate struct {
	proc *testproc.Server
	url  string
}

// onEveryEngine runs the test with a fleet on SQLite, PostgreSQL, and PostgreSQL behind a transaction pooler.
func onEveryEngine(t *testing.T, test func(t *testing.T, f *fleet)) {
	for name, where := range map[string]func(t *testing.T) string{
		"sqlite":    func(t *testing.T) string { return "DATA_DIR=" + t.TempDir() },
		"postgres":  func(t *testing.T) string { return "DATABASE_URL=" + pgtest.New(t) },
		"pgbouncer": func(t *testing.T) string { return "DATABASE_URL=" + pgtest.PgBouncer(t, pgtest.New(t)) },
	} {
		t.Run(name, func(t *testing.T) { test(t, newFleet(t, where(t))) })
	}
}

// lookAtSources makes go test run again when the binary would be another: the packages that it is made of are imported
// here, and the command, which cannot be, counts as a file that a test has looked at.
func lookAtSources(t *testing.T) {
	t.Helper()
	sources, err := filepath.Glob("../../cmd/gateway/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("the command's source is not where it was: %v", err)
	}
	for _, file := range sources {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
}

func newFleet(t *testing.T, where string, more ...string) *fleet {
	t.Helper()
	lookAtSources(t)
	emu := emulator.New()
	origin, stop, err := emulator.Start(emu)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	env := append([]string{where, "JWT_SECRET=" + jwtSecret, "LOG_LEVEL=error", "HOST=127.0.0.1", "PORT=0",
		"OPENAI_BASE_URL=" + emulator.BaseURL(origin, "openai")}, more...)
	f := &fleet{t: t, env: env, emu: emu, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}}
	// All start at once, on an empty database.
	f.gates = make([]*gate, processes)
	var wg sync.WaitGroup
	errs := make([]error, processes)
	for i := range f.gates {
		wg.Go(func() { f.gates[i], errs[i] = start(t, env) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	f.furnish()
	return f
}

// start starts a process and waits until it listens.
func start(t *testing.T, env []string, args ...string) (*gate, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, t.TempDir(), in, os.Stderr
	proc, err := testproc.Start(cmd, "", syscall.SIGKILL)
	in.Close()
	if err != nil {
		out.Close()
		return nil, err
	}
	t.Cleanup(func() { proc.Stop(syscall.SIGKILL) })
	out.SetReadDeadline(time.Now().Add(time.Minute))
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	out.SetReadDeadline(time.Time{})
	go func() { // to its end: the process must not find the pipe closed
		io.Copy(io.Discard, lines)
		out.Close()
	}()
	_, url, ready := strings.Cut(strings.TrimSpace(line), " is ready on ")
	if !ready {
		return nil, fmt.Errorf("a gateway did not start: %q, %v", line, err)
	}
	return &gate{proc, url}, nil
}

func (f *fleet) furnish() {
	f.t.Helper()
	vars := map[string]string{}
	for _, e := range f.env {
		name, value, _ := strings.Cut(e, "=")
		vars[name] = value
	}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := vars[name]; return v, ok }, config.PlatformBinary)
	if err == nil {
		f.db, err = database.Open(cfg.Database)
	}
	if err == nil {
		f.t.Cleanup(func() { f.db.Close() })
		f.secrets, err = auth.NewSecrets(auth.Material{JWTSecret: jwtSecret})
	}
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, now := context.Background(), time.Now().UnixMilli()
	f.user = store.NewID(now)
	err = store.CreateFirstUser(ctx, f.db,
		store.User{ID: f.user, Email: "a@example.com", PasswordHash: "none", Enabled: true, CreatedAt: now})
	if err == nil {
		f.token, err = f.secrets.NewToken(rand.Reader)
	}
	if err == nil {
		digest := f.secrets.Digest(f.token)
		err = store.CreateToken(ctx, f.db,
			store.Token{ID: store.NewID(now), UserID: f.user, Name: "fleet", Hash: digest[:], Enabled: true, CreatedAt: now})
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// key adds a provider key; a limit below 0 is none.
func (f *fleet) key(priority int, limit int64) store.ID {
	f.t.Helper()
	f.keys++
	now := time.Now().UnixMilli()
	id := store.NewID(now)
	encrypted, encryptionKey := f.secrets.Encrypt([]byte(secretOf(f.keys)), gateway.KeyBinding(id, f.user))
	k := store.Key{ID: id, UserID: f.user, Provider: "openai", Name: fmt.Sprint(f.keys), Encrypted: encrypted,
		EncryptionKeyID: encryptionKey,
		LastFour:        "0000", Priority: priority, Enabled: true, CreatedAt: now}
	if limit >= 0 {
		k.DailyLimit = &limit
	}
	if err := store.CreateKey(context.Background(), f.db, k); err != nil {
		f.t.Fatal(err)
	}
	return id
}

// called returns how often the provider was called with the n-th added key.
func (f *fleet) called(n int) (calls int64) {
	for _, c := range f.emu.Counts() {
		if c.Key == secretOf(n) {
			calls += c.Requests
		}
	}
	return calls
}

func secretOf(n int) string { return fmt.Sprintf("sk-emulated-%04d", n) }

// awayFromMidnight waits if the day would end during a test.
func awayFromMidnight() {
	const margin = 30 * time.Second
	now := time.Now().UTC()
	if left := now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now); left < margin {
		time.Sleep(left)
	}
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	key    string // X-LLM-Key-ID
	id     string // X-Request-ID
}

// send sends one request to the i-th gateway. It returns false if the answer broke off because the process
// was killed.
func (f *fleet) send(i int, stream bool) (reply, bool) {
	body := fmt.Sprintf(`{"model":%q,"stream":%v,"messages":[{"role":"user","content":"words: 20"}]}`, model, stream)
	req, _ := http.NewRequest("POST", f.gates[i%len(f.gates)].url+"/api/chat", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+f.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return reply{}, false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	whole := err == nil &&
		(resp.StatusCode != 200 || !stream && json.Valid(text) || stream && strings.Contains(string(text), "data: [DONE]"))
	return reply{resp.StatusCode, resp.Header.Get("X-LLM-Key-ID"), resp.Header.Get("X-Request-ID")}, whole
}

// storm sends n requests over all gateways, from all callers, every third streamed.
func (f *fleet) storm(n int, during func()) (replies []reply, broken int) {
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := range work {
				r, ok := f.send(i, i%3 == 0)
				mu.Lock()
				if ok {
					replies = append(replies, r)
				} else {
					broken++
				}
				mu.Unlock()
			}
		})
	}
	if during != nil {
		during()
	}
	wg.Wait()
	return replies, broken
}

func (f *fleet) int(sql string, args ...any) (n int64) {
	f.t.Helper()
	err := f.db.Run(context.Background(), store.Stmt{SQL: sql, Args: args, Each: func(r store.Row) error { return r.Scan(&n) }})
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func (f *fleet) used(key store.ID) int64 {
	return f.int(`select cast(coalesce(sum(used), 0) as bigint) from key_days where key_id = $1`, key)
}
