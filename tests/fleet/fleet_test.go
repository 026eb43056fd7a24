// Package fleet runs several gateway processes on one database, under load and
// kill -9, and holds them to what is promised of any number of processes.
package fleet

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/emulator"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

const (
	roleVariable = "FLEET_ROLE"
	jwtSecret    = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-for-the-fleet"
	processes    = 4
	model        = "gpt-4o-mini"
)

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	pgtest.Main(m)
}

// serve is what a process of the fleet does: the gateway, composed as cmd/gateway composes it.
func serve() error {
	cfg, err := config.Load(os.LookupEnv, config.HomeBinary)
	if err != nil {
		return err
	}
	db, err := open(cfg)
	if err != nil {
		return err
	}
	log := server.NewLogger(cfg)
	app, err := server.Assemble(cfg, db, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() { // the end of the test process ends this one
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return server.NewHTTPServer(cfg.Limits, app.Handler(server.Chat), log).Serve(listener)
}

func open(cfg *config.Config) (store.DB, error) {
	if cfg.Database.Kind == config.Postgres {
		return postgres.Open(postgres.Options{URL: cfg.Database.URL, MaxConns: 4, Mode: postgres.ModePrepared})
	}
	return sqlite.Open(sqlite.Options{Path: filepath.Join(cfg.DataDir, "gateway.db")})
}

// fleet is several gateways, one user with a token, and the emulated providers.
type fleet struct {
	t       *testing.T
	db      store.DB
	secrets *auth.Secrets
	user    store.ID
	token   string
	gates   []*gate
	client  *http.Client
	keys    int
}

type gate struct {
	cmd *exec.Cmd
	url string
}

// onEveryEngine runs the test with a fleet on SQLite, PostgreSQL, and PostgreSQL behind a transaction pooler.
func onEveryEngine(t *testing.T, test func(t *testing.T, f *fleet)) {
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite":    func(t *testing.T) string { return "DATA_DIR=" + t.TempDir() },
		"postgres":  func(t *testing.T) string { return "DATABASE_URL=" + pgtest.New(t) },
		"pgbouncer": func(t *testing.T) string { return "DATABASE_URL=" + pgtest.PgBouncer(t, pgtest.New(t)) },
	} {
		t.Run(name, func(t *testing.T) { test(t, newFleet(t, database(t))) })
	}
}

func newFleet(t *testing.T, database string) *fleet {
	t.Helper()
	origin, stop, err := emulator.Start(emulator.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	env := []string{database, roleVariable + "=gateway", "JWT_SECRET=" + jwtSecret, "LOG_LEVEL=error",
		"OPENAI_BASE_URL=" + emulator.BaseURL(origin, "openai")}
	f := &fleet{t: t, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}}
	// All start at once, on an empty database.
	f.gates = make([]*gate, processes)
	var wg sync.WaitGroup
	for i := range f.gates {
		wg.Go(func() { f.gates[i] = f.start(env) })
	}
	wg.Wait()
	f.furnish(env)
	return f
}

func (f *fleet) start(env []string) *gate {
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = env, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		f.t.Error(err)
		return nil
	}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		f.t.Error(err)
		return nil
	}
	f.t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		f.t.Errorf("a gateway did not start: %v", err)
	}
	return &gate{cmd, strings.TrimSpace(url)}
}

func (f *fleet) furnish(env []string) {
	f.t.Helper()
	vars := map[string]string{}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		vars[name] = value
	}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := vars[name]; return v, ok }, config.HomeBinary)
	if err == nil {
		f.db, err = open(cfg)
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
	err = store.CreateFirstUser(ctx, f.db, store.User{ID: f.user, Email: "a@example.com", PasswordHash: "none", Enabled: true, CreatedAt: now})
	if err == nil {
		f.token, err = f.secrets.NewToken(rand.Reader)
	}
	if err == nil {
		digest := f.secrets.Digest(f.token)
		err = store.CreateToken(ctx, f.db, store.Token{ID: store.NewID(now), UserID: f.user, Name: "fleet", Hash: digest[:], Enabled: true, CreatedAt: now})
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
	sealed, sealingKey := f.secrets.Seal([]byte(fmt.Sprintf("sk-emulated-%04d", f.keys)), gateway.KeyBinding(id, f.user))
	k := store.Key{ID: id, UserID: f.user, Provider: "openai", Name: fmt.Sprint(f.keys), Sealed: sealed, SealingKey: sealingKey,
		LastFour: "0000", Priority: priority, Enabled: true, CreatedAt: now}
	if limit >= 0 {
		k.DailyLimit = &limit
	}
	if err := store.CreateKey(context.Background(), f.db, k); err != nil {
		f.t.Fatal(err)
	}
	return id
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	key    string // X-LLM-Key-ID
	id     string // X-Request-ID
}

// ask sends one request to the i-th gateway. It is false if the answer broke off, as
// happens when its process is killed.
func (f *fleet) ask(i int, stream bool) (reply, bool) {
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
	whole := err == nil && (resp.StatusCode != 200 || !stream && json.Valid(text) || stream && strings.Contains(string(text), "data: [DONE]"))
	return reply{resp.StatusCode, resp.Header.Get("X-LLM-Key-ID"), resp.Header.Get("X-Request-ID")}, whole
}

// storm sends n requests over all gateways, from 48 callers, every third streamed.
func (f *fleet) storm(n int, during func()) (replies []reply, broken int) {
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 48 {
		wg.Go(func() {
			for i := range work {
				r, ok := f.ask(i, i%3 == 0)
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

// count counts the replies by status and key.
func count(replies []reply) (byStatus map[int]int, byKey map[string]int) {
	byStatus, byKey = map[int]int{}, map[string]int{}
	for _, r := range replies {
		byStatus[r.status]++
		if r.status == 200 {
			byKey[r.key]++
		}
	}
	return byStatus, byKey
}

func TestDailyLimitIsExact(t *testing.T) {
	const limit, requests = 100, 400
	onEveryEngine(t, func(t *testing.T, f *fleet) {
		id := f.key(1, limit)
		replies, broken := f.storm(requests, nil)
		byStatus, _ := count(replies)
		if byStatus[200] != limit || byStatus[429] != requests-limit || broken != 0 || f.used(id) != limit {
			t.Errorf("answers by status %v, %d broken, %d places used; want %d of 200 and %d of 429", byStatus, broken, f.used(id), limit, requests-limit)
		}
	})
}

func TestSpentKeyFailsOver(t *testing.T) {
	const limit, requests = 60, 300
	onEveryEngine(t, func(t *testing.T, f *fleet) {
		first, second := f.key(1, limit), f.key(2, -1)
		replies, broken := f.storm(requests, nil)
		byStatus, byKey := count(replies)
		if byStatus[200] != requests || broken != 0 || byKey[first.String()] != limit || byKey[second.String()] != requests-limit {
			t.Errorf("answers by status %v, by key %v; want %d of the first key and %d of the second", byStatus, byKey, limit, requests-limit)
		}
		if n := f.int(`select count(*) from requests`); n != requests {
			t.Errorf("%d rows for %d requests", n, requests)
		}
	})
}

func TestRoundRobinIsEvenAcrossProcesses(t *testing.T) {
	const requests = 302
	onEveryEngine(t, func(t *testing.T, f *fleet) {
		if err := f.db.Run(t.Context(), store.Stmt{SQL: `update users set strategy = 'round-robin'`}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			f.key(1, -1)
		}
		replies, _ := f.storm(requests, nil)
		_, byKey := count(replies)
		least, most := requests, 0
		for _, n := range byKey {
			least, most = min(least, n), max(most, n)
		}
		if len(byKey) != 3 || most-least > 1 {
			t.Errorf("uneven: %v", byKey)
		}
	})
}

func TestKilledProcessBreaksNoPromise(t *testing.T) {
	const limit, requests = 200, 600
	onEveryEngine(t, func(t *testing.T, f *fleet) {
		id := f.key(1, limit)
		replies, broken := f.storm(requests, func() {
			for f.used(id) < limit/4 { // it is in the middle of it
				time.Sleep(time.Millisecond)
			}
			f.gates[0].cmd.Process.Kill()
		})
		byStatus, _ := count(replies)
		if broken == 0 {
			t.Error("nothing broke: the process was killed too late")
		}
		if byStatus[200] > limit || f.used(id) > limit {
			t.Errorf("%d answers and %d places used, the limit is %d", byStatus[200], f.used(id), limit)
		}
		for _, r := range replies {
			if r.status != 200 {
				continue
			}
			request, err := store.ParseID(r.id)
			if err != nil {
				t.Fatal(err)
			}
			if f.int(`select count(*) from requests where user_id = $1 and id = $2`, f.user, request) != 1 {
				t.Fatalf("request %s was answered to its end and has no row", r.id)
			}
		}
		if rows := f.int(`select count(*) from requests where status = 200`); rows < int64(byStatus[200]) {
			t.Errorf("%d rows for %d answers", rows, byStatus[200])
		}
		if sum, rows := f.int(`select cast(sum(requests) as bigint) from usage_hours`), f.int(`select count(*) from requests`); sum != rows {
			t.Errorf("the hourly sums count %d requests, the log %d", sum, rows)
		}
	})
}
