package quotaproof

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
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
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

const jwtSecret = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-for-the-proof"

// binary is the path of the built cmd/gateway.
var binary string

func TestMain(m *testing.M) {
	binary = testproc.BuildGateway("quotaproof")
	pgtest.Main(m)
}

// account is a user with two tokens and three keys, of which the first is preferred.
type account struct {
	user    store.ID
	tokens  [2]store.ID
	secrets [2]string
	keys    [3]store.ID
}

type world struct {
	t        *testing.T
	db       store.DB
	env      []string
	accounts [2]account
	procs    [processes]*testproc.Server
	urls     [processes]atomic.Pointer[string]
	client   *http.Client
	journal  journal
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}, Timeout: time.Minute}}
	upstream := httptest.NewServer(&w.journal)
	t.Cleanup(upstream.Close)
	url := "DATABASE_URL=" + pgtest.New(t)
	w.env = []string{url, "JWT_SECRET=" + jwtSecret, "LOG_LEVEL=error", "HOST=127.0.0.1", "PORT=0", "REQUEST_TIMEOUT=10s", "OPENAI_BASE_URL=" + upstream.URL + "/v1"}
	d, err := config.LoadDatabase(strings.TrimPrefix(url, "DATABASE_URL="))
	if err == nil {
		w.db, err = database.Open(d)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	for i := range w.accounts {
		if err := w.furnish(i); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// furnish writes the i-th account.
func (w *world) furnish(i int) error {
	secrets, err := auth.NewSecrets(auth.Material{JWTSecret: jwtSecret})
	if err != nil {
		return err
	}
	ctx, now, a := context.Background(), time.Now().UnixMilli(), &w.accounts[i]
	a.user = store.NewID(now)
	err = store.AddUser(ctx, w.db, store.User{ID: a.user, Email: fmt.Sprintf("user%d@example.com", i), Role: store.RoleAdmin, PasswordHash: "none", Enabled: true, CreatedAt: now})
	if err != nil {
		return err
	}
	for n := range a.tokens {
		a.tokens[n] = store.NewID(now)
		if a.secrets[n], err = secrets.NewToken(rand.Reader); err != nil {
			return err
		}
		digest := secrets.Digest(a.secrets[n])
		err = store.CreateToken(ctx, w.db, store.Token{ID: a.tokens[n], UserID: a.user, Name: fmt.Sprint(n), Hash: digest[:], Enabled: true, CreatedAt: now,
			TokenScope: store.TokenScope{EndUsers: true, EndUserSource: "user"}})
		if err != nil {
			return err
		}
	}
	for n := range a.keys {
		a.keys[n] = store.NewID(now)
		encrypted, keyID := secrets.Encrypt(fmt.Appendf(nil, "sk-proof-%d-key-%d-0123456789", i, n), gateway.KeyBinding(a.keys[n], a.user))
		err = store.CreateKey(ctx, w.db, store.Key{ID: a.keys[n], UserID: a.user, Provider: "openai", Name: fmt.Sprint(n), Encrypted: encrypted, EncryptionKeyID: keyID,
			LastFour: "6789", Priority: n + 1, Enabled: true, CreatedAt: now})
		if err != nil {
			return err
		}
	}
	return nil
}

// start starts a process and waits until it listens.
func (w *world) start(i int) {
	out := &testproc.Output{}
	cmd := exec.Command(binary, "serve")
	cmd.Dir = w.t.TempDir()
	cmd.Env, cmd.Stdout, cmd.Stderr = append([]string{"DATA_DIR=" + cmd.Dir}, w.env...), out, os.Stderr
	proc, err := testproc.Start(cmd, "", syscall.SIGKILL)
	if err != nil {
		w.t.Error(err)
		return
	}
	w.t.Cleanup(func() { proc.Stop(syscall.SIGTERM) })
	url := out.Wait(w.t, ` is ready on (\S+)\n`)
	w.procs[i] = proc
	w.urls[i].Store(&url)
}

// send sends a request and returns the status; 0 if the answer broke off.
func (w *world) send(ctx context.Context, i int, rng *mathrand.Rand) int {
	account, token := i/2%2, i%2
	body := fmt.Sprintf(`{"model":"gpt-4o-mini","n":%d,"max_tokens":%d,"user":"person %d","messages":[{"role":"user","content":"%d %d %d"}]}`,
		1+rng.IntN(2), 1+rng.IntN(maxTokens), i/4%endUsers, account, token, i)
	req, err := http.NewRequestWithContext(ctx, "POST", *w.urls[rng.IntN(processes)].Load()+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		w.t.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+w.accounts[account].secrets[token])
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode
}

// settled waits until the holds of the process that was killed have expired: 30 seconds after the requests' deadline.
func (w *world) settled() {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		var open int64
		err := w.db.Run(w.t.Context(), store.Stmt{SQL: "select count(*) from holds where expires_at > $1", Args: []any{time.Now().UnixMilli()},
			Each: func(r store.Row) error { return r.Scan(&open) }})
		if err != nil {
			w.t.Fatal(err)
		}
		if open == 0 {
			return
		}
	}
	w.t.Error("a minute after the last request there are holds that have not expired")
}

func (w *world) status(limit store.ID) (s store.LimitStatus) {
	w.t.Helper()
	err := w.db.Run(w.t.Context(), store.LimitStatusOf(limit, time.Now().UnixMilli(), func(got store.LimitStatus) { s = got }))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// endUsers is how many persons are behind each token.
const endUsers = 3

// The bounds of a call: the maximum that callers ask for, and what an answer has with two choices, input included.
const (
	maxTokens       = 60
	inputTokens     = 8
	maxTokensOfCall = 2*maxTokens + inputTokens
)

// journal is the provider. It notes what it has answered, and charges for nothing else.
type journal struct {
	mu      sync.Mutex
	entries []entry
	failed  int
}

type entry struct {
	call                string
	account, token, key int
	endUser             int
	input, output       int64
}

func (j *journal) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		N         int64  `json:"n"`
		User      string `json:"user"`
		MaxTokens int64  `json:"max_completion_tokens"`
		Messages  []struct {
			Content string `json:"content"`
		} `json:"messages"`
	}
	body, _ := io.ReadAll(r.Body)
	if json.Unmarshal(body, &in) != nil || len(in.Messages) == 0 {
		http.Error(rw, `{"error":{"message":"bad request"}}`, http.StatusBadRequest)
		return
	}
	time.Sleep(time.Duration(mathrand.IntN(20)) * time.Millisecond)
	if fate := mathrand.IntN(100); fate < 6 { // it fails, and charges nothing
		j.mu.Lock()
		j.failed++
		j.mu.Unlock()
		if fate < 3 {
			rw.WriteHeader(http.StatusInternalServerError)
			io.WriteString(rw, `{"error":{"message":"the server had an error","type":"server_error"}}`)
			return
		}
		panic(http.ErrAbortHandler) // the connection breaks before any byte of an answer
	}
	e := entry{call: in.Messages[0].Content, input: inputTokens}
	fmt.Sscanf(e.call, "%d %d", &e.account, &e.token)
	fmt.Sscanf(in.User, "person %d", &e.endUser)
	fmt.Sscanf(r.Header.Get("Authorization"), "Bearer sk-proof-%d-key-%d", new(int), &e.key)
	for range max(1, in.N) {
		e.output += 1 + mathrand.Int64N(in.MaxTokens)
	}
	j.mu.Lock()
	j.entries = append(j.entries, e)
	j.mu.Unlock()
	choice := `{"index":0,"message":{"role":"assistant","content":"words"},"finish_reason":"stop"}`
	fmt.Fprintf(rw, `{"id":"c1","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[%s],"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}`,
		choice, e.input, e.output, e.input+e.output)
}

func (j *journal) calls() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries) + j.failed
}

// spent sums up what the provider charges for: the calls that it has answered and that count. A request counts once, though
// two keys may have answered it.
func (j *journal) spent(m store.Metric, counts func(entry) bool) (n int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	seen := map[string]bool{}
	for _, e := range j.entries {
		switch {
		case !counts(e):
		case m == store.MetricTokens:
			n += e.input + e.output
		case m == store.MetricCost:
			n += e.input*150 + e.output*600
		case !seen[e.call]:
			seen[e.call] = true
			n++
		}
	}
	return n
}
