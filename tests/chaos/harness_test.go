// Package chaos lets databases and processes fail under load, and checks what has to hold all the same: no row of an
// answered request is lost, no reservation leaks, no limit is passed, and everybody is served again soon.
//
//	make chaos                 faults of 20 seconds
//	CHAOS_TIME=1m make chaos   of a minute
package chaos

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
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
	jwtSecret = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-for-the-chaos"
	processes = 2
	callers   = 12 // at once
	// limit is the daily limit of the first key. It is not reached before a fault, but in its course or soon after.
	limit = 150
	// pause of a caller between two requests, and the provider's time for an answer.
	pause      = 20 * time.Millisecond
	providerMs = 50
)

// duration is how long a fault lasts.
func duration(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("CHAOS_TIME")
	if text == "" {
		return 2 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("CHAOS_TIME: %v", err)
	}
	return d
}

// binary is the path of the built cmd/gateway.
var binary string

func TestMain(m *testing.M) {
	binary = testproc.BuildGateway("chaostest")
	pgtest.Main(m)
}

// world is some gateways on one database, with a user, a token and two keys.
type world struct {
	t       *testing.T
	env     []string
	data    []string // DATA_DIR of each process
	db      store.DB // not through the fault
	emu     *emulator.Emulator
	token   string
	limited store.ID
	procs   []*process
	client  *http.Client

	// unknown bounds the reservations of requests whose process is killed after the commit and before the call of the
	// provider: they count as used, because nobody knows. A lost answer to a commit leaves none.
	unknown int64

	mu       sync.Mutex
	answered []string // ids of requests that were answered
	failed   int      // requests that got an error, or broke off
	statuses map[int]int
	slowest  time.Duration // error
	stop     chan struct{}
	wg       sync.WaitGroup
}

// process is a gateway, which may be started again.
type process struct {
	proc *testproc.Server
	url  atomic.Pointer[string]
}

// newWorld starts the gateways. where is what they are told of the database, direct what the test uses itself.
func newWorld(t *testing.T, where, direct string) *world {
	t.Helper()
	emu := emulator.New()
	emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: providerMs})
	origin, stop, err := emulator.Start(emu)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	w := &world{t: t, emu: emu, statuses: map[int]int{}, stop: make(chan struct{}),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}}
	w.furnish(direct)
	w.env = []string{where, "JWT_SECRET=" + jwtSecret, "LOG_LEVEL=error", "HOST=127.0.0.1", "PORT=0", "DATABASE_TIMEOUT=1s",
		"OPENAI_BASE_URL=" + emulator.BaseURL(origin, "openai")}
	for i := range processes {
		w.procs = append(w.procs, &process{})
		w.data = append(w.data, t.TempDir())
		w.start(i)
	}
	return w
}

// reopen makes the test itself use the database at another address.
func (w *world) reopen(direct string) {
	w.t.Helper()
	if w.db != nil {
		w.db.Close()
	}
	d, err := config.LoadDatabase(direct)
	if err == nil {
		w.db, err = database.Open(d)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	db := w.db
	w.t.Cleanup(func() { db.Close() })
}

// furnish writes the account and its keys.
func (w *world) furnish(direct string) {
	w.t.Helper()
	w.reopen(direct)
	secrets, err := auth.NewSecrets(auth.Material{JWTSecret: jwtSecret})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, now := context.Background(), time.Now().UnixMilli()
	user := store.NewID(now)
	err = store.CreateFirstUser(ctx, w.db, store.User{ID: user, Email: "a@example.com", PasswordHash: "none", Enabled: true, CreatedAt: now})
	if err == nil {
		w.token, err = secrets.NewToken(rand.Reader)
	}
	if err == nil {
		digest := secrets.Digest(w.token)
		err = store.CreateToken(ctx, w.db, store.Token{ID: store.NewID(now), UserID: user, Name: "chaos", Hash: digest[:], Enabled: true, CreatedAt: now})
	}
	for n := range 2 {
		id, most := store.NewID(now), int64(limit)
		encrypted, keyID := secrets.Encrypt([]byte(secretOf(n)), gateway.KeyBinding(id, user))
		k := store.Key{ID: id, UserID: user, Provider: "openai", Name: fmt.Sprint(n), Encrypted: encrypted, EncryptionKeyID: keyID,
			LastFour: "0000", Priority: n + 1, Enabled: true, CreatedAt: now}
		if n == 0 {
			k.DailyLimit, w.limited = &most, id
		}
		if err == nil {
			err = store.CreateKey(ctx, w.db, k)
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// start starts the i-th process and waits until it listens.
func (w *world) start(i int) {
	w.t.Helper()
	out := &testproc.Output{}
	cmd := exec.Command(binary, "serve", "--worker")
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = append([]string{"DATA_DIR=" + w.data[i]}, w.env...), w.data[i], out, os.Stderr
	proc, err := testproc.Start(cmd, "", syscall.SIGKILL)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { proc.Stop(syscall.SIGKILL) })
	url := out.Wait(w.t, ` is ready on (\S+)\n`)
	w.procs[i].proc = proc
	w.procs[i].url.Store(&url)
}

// stopGently ends the i-th process as an operator does.
func (w *world) stopGently(i int) { w.procs[i].proc.Stop(syscall.SIGTERM) }

// load sends requests from all callers until halt.
func (w *world) load() {
	for n := range callers {
		w.wg.Go(func() {
			for i := n; ; i++ {
				select {
				case <-w.stop:
					return
				case <-time.After(pause):
				}
				sent := time.Now()
				id, status := w.send(i%processes, i%3 == 0)
				w.note(id, status, time.Since(sent))
			}
		})
	}
}

// send sends a request and returns its id and the status; 0 if the answer broke off.
func (w *world) send(i int, stream bool) (id string, status int) {
	body := fmt.Sprintf(`{"model":"gpt-4o-mini","stream":%v,"messages":[{"role":"user","content":"words: 20"}]}`, stream)
	req, _ := http.NewRequest("POST", *w.procs[i].url.Load()+"/api/chat", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(req)
	if err != nil {
		return "", 0
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode == 200 && !stream && !json.Valid(text) ||
		resp.StatusCode == 200 && stream && !strings.Contains(string(text), "data: [DONE]") {
		return "", 0
	}
	return resp.Header.Get("X-Request-ID"), resp.StatusCode
}

func (w *world) note(id string, status int, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statuses[status]++
	if status == 200 {
		w.answered = append(w.answered, id)
		return
	}
	w.failed++
	w.slowest = max(w.slowest, took)
}

// halt ends the load.
func (w *world) halt() {
	close(w.stop)
	w.wg.Wait()
}

// serves waits until requests are answered by every process, many in a row, and returns when the first of them was sent.
func (w *world) serves() (since time.Time) {
	w.t.Helper()
	for deadline, row := time.Now().Add(time.Minute), 0; row < 10*processes; {
		if row == 0 {
			since = time.Now()
		}
		sent := time.Now()
		id, status := w.send(row%processes, false)
		w.note(id, status, time.Since(sent))
		if row++; status != 200 {
			row = 0
			time.Sleep(20 * time.Millisecond)
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("not served a minute after the fault: status %d", status)
		}
	}
	return since
}

// under runs a fault under load. fault returns when it is over.
func (w *world) under(fault func()) {
	w.t.Helper()
	w.load()
	time.Sleep(500 * time.Millisecond)
	fault()
	over := time.Now()
	recovered := w.serves().Sub(over)
	time.Sleep(500 * time.Millisecond)
	w.halt()
	w.check(recovered)
}

func (w *world) int(sql string, args ...any) (n int64) {
	w.t.Helper()
	err := w.db.Run(context.Background(), store.Stmt{SQL: sql, Args: args, Each: func(r store.Row) error { return r.Scan(&n) }})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// check prints and checks what the fault has done.
func (w *world) check(recovered time.Duration) {
	w.t.Helper()
	lost := w.lost()
	for deadline := time.Now().Add(10 * time.Second); lost > 0 && time.Now().Before(deadline); lost = w.lost() {
		time.Sleep(100 * time.Millisecond) // the last rows of the backlog
	}
	sums := w.int("select cast(coalesce(sum(requests), 0) as bigint) from usage_hours")
	rows := w.int("select count(*) from requests")
	used := w.int("select cast(coalesce(sum(used), 0) as bigint) from key_days where key_id = $1", w.limited)
	served := w.int("select count(*) from requests where key_id = $1 and status = 200", w.limited)
	called := w.called(0)
	leaked := used - called
	w.t.Logf("%d answered, %v by status; %d rows lost, %d reservations leaked, limit %d: %d called, %d served; the slowest error took %.1f s; "+
		"recovered in %.1f s",
		len(w.answered), w.statuses, lost, leaked, limit, called, served, w.slowest.Seconds(), recovered.Seconds())
	if lost > 0 {
		w.t.Errorf("%d rows of answered requests are lost", lost)
	}
	if sums != rows {
		w.t.Errorf("the sums count %d requests, the log %d", sums, rows)
	}
	if called > limit || used > limit {
		w.t.Errorf("a key with a limit of %d was called %d times, %d reserved", limit, called, used)
	}
	if leaked < 0 {
		w.t.Errorf("the provider was called %d times without a reservation", -leaked)
	}
	if leaked > w.unknown {
		w.t.Errorf("%d reservations leaked", leaked)
	}
}

func secretOf(n int) string { return fmt.Sprintf("sk-emulated-%04d", n) }

// called returns how often the provider was called with the n-th key.
func (w *world) called(n int) (calls int64) {
	for _, c := range w.emu.Counts() {
		if c.Key == secretOf(n) {
			calls += c.Requests
		}
	}
	return calls
}

// lost counts the answered requests without a row.
func (w *world) lost() (n int) {
	w.t.Helper()
	written := map[string]bool{}
	err := w.db.Run(context.Background(), store.Stmt{SQL: "select id from requests", Each: func(r store.Row) error {
		var id store.ID
		err := r.Scan(&id)
		written[id.String()] = true
		return err
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, id := range w.answered {
		if !written[id] {
			n++
		}
	}
	return n
}
