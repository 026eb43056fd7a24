//go:build linux

// Package memory runs the gateway in as little memory as the files in deploy give it, and sends it large requests at the
// same time: all are answered, or refused with 503, and the process lives.
package memory

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/alicetears/llm-gateway"
	"github.com/alicetears/llm-gateway/internal/database"
	_ "github.com/alicetears/llm-gateway/internal/mount"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

const (
	jwtSecret = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-for-the-memory"
	callers   = 12
)

var binary string

func TestMain(m *testing.M) {
	binary = testproc.BuildGateway("memorytest")
	testproc.Main(m)
}

// deployed returns the memory limit in a file of deploy, in bytes.
func deployed(t *testing.T, file, pattern string) int64 {
	t.Helper()
	text, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(pattern).FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s has no memory limit", file)
	}
	mb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return mb << 20
}

// cgroup makes a control group with a memory limit, if this machine lets us, and returns the file to which a process
// writes its id to join; empty if not.
func cgroup(t *testing.T, limit int64) (join string) {
	for _, kind := range []struct{ root, file string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"},
	} {
		dir := filepath.Join(kind.root, fmt.Sprint("gateway-test-", os.Getpid(), "-", limit))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() {
			for range 100 { // until the process has left
				if os.Remove(dir) == nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
		if os.WriteFile(filepath.Join(dir, kind.file), []byte(strconv.FormatInt(limit, 10)), 0o644) == nil {
			return filepath.Join(dir, "cgroup.procs")
		}
	}
	return ""
}

// provider answers every request after a second, so that all are there at once, without keeping them.
func provider(t *testing.T) (url string) {
	answers := map[string]string{
		"/chat/completions": `{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"finish_reason":"stop",` +
			`"message":{"role":"assistant","content":"Hello"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`,
		"/responses": `{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"gpt-4o-mini","output":[{"type":"message",` +
			`"id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hello","annotations":[]}]}],` +
			`"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`,
		"/messages": `{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[{"type":"text","text":"Hello"}],` +
			`"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`,
		":generateContent": `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello"}]},"finishReason":"STOP"}],` +
			`"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2},"modelVersion":"gemini-3-flash-preview"}`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		time.Sleep(time.Second)
		for suffix, answer := range answers {
			if err == nil && n > 0 && strings.HasSuffix(r.URL.Path, suffix) {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, answer)
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

type world struct {
	url   string
	token string
	pid   int
	proc  *testproc.Server
}

// start starts a gateway on SQLite that may use limit bytes.
func start(t *testing.T, limit int64) *world {
	t.Helper()
	origin := provider(t)
	data := t.TempDir()
	w := &world{}
	w.furnish(t, data)
	out := &testproc.Output{}
	join := cgroup(t, limit)
	script := "exec " + binary + " serve"
	if join != "" {
		script = "echo $$ > " + join + " && " + script
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = []string{"DATA_DIR=" + data, "JWT_SECRET=" + jwtSecret, "LOG_LEVEL=error", "PORT=0",
		"OPENAI_BASE_URL=" + origin, "ANTHROPIC_BASE_URL=" + origin,
		"GEMINI_BASE_URL=" + origin}
	if join == "" { // as the gateway finds it in a control group
		cmd.Env = append(cmd.Env, fmt.Sprint("GOMEMLIMIT=", limit/10*9))
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = data, out, os.Stderr
	var err error
	w.proc, err = testproc.Start(cmd, "", syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.proc.Stop(syscall.SIGKILL) })
	w.url, w.pid = out.Wait(t, ` is ready on (\S+)\n`), cmd.Process.Pid
	return w
}

func (w *world) furnish(t *testing.T, data string) {
	t.Helper()
	ctx, now := context.Background(), time.Now().UnixMilli()
	d, err := config.LoadDatabase("sqlite:" + filepath.Join(data, "gateway.db"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	secrets, err := auth.NewSecrets(auth.Material{JWTSecret: jwtSecret})
	if err != nil {
		t.Fatal(err)
	}
	user := store.NewID(now)
	err = store.CreateFirstUser(ctx, db, store.User{ID: user, Email: "a@example.com", PasswordHash: "none", Enabled: true, CreatedAt: now})
	if err == nil {
		w.token, err = secrets.NewToken(rand.Reader)
	}
	if err == nil {
		digest := secrets.Digest(w.token)
		err = store.CreateToken(ctx, db, store.Token{ID: store.NewID(now), UserID: user, Name: "memory", Hash: digest[:], Enabled: true, CreatedAt: now})
	}
	for provider, secret := range map[string]string{"openai": "sk-test-0000000000000000", "anthropic": "sk-ant-test-0000000000", "gemini": "AIza-test-00000000000"} {
		id := store.NewID(now)
		encrypted, keyID := secrets.Encrypt([]byte(secret), gateway.KeyBinding(id, user))
		if err == nil {
			err = store.CreateKey(ctx, db, store.Key{ID: id, UserID: user, Provider: provider, Encrypted: encrypted, EncryptionKeyID: keyID,
				LastFour: "0000", Priority: 1, Enabled: true, CreatedAt: now})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// peak returns the most memory that the process has had, in bytes.
func (w *world) peak(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.pid))
	if err != nil {
		t.Fatalf("the gateway has ended: %v", err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Fatal("the gateway has ended")
	}
	kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10
}

// requests are kinds of large requests: path, size in bytes, and a body around a filling.
var requests = map[string]struct {
	path                string
	size                int
	before, unit, after string
}{
	"image, passed through": {"/v1/chat/completions", 20_000_000,
		`{"model":"gpt-4o-mini","messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,`, "AAAA", `"}}]}]}`},
	"image, translated": {"/v1/messages", 20_000_000,
		`{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"`, "AAAA", `"}}]}]}`},
	"text, translated": {"/v1/chat/completions", 20_000_000,
		`{"model":"gemini-3-flash-preview","messages":[{"role":"user","content":"`, `word \"and\" \u00e9\n`, `"}]}`},
	"turns, translated": {"/api/chat", 20_000_000,
		`{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"hi"}`, `,{"role":"assistant","content":"` + strings.Repeat("answer ", 40) + `"},{"role":"user","content":"` + strings.Repeat("more ", 40) + `"}`, `]}`},
	"values": {"/v1/messages", 1_000_000,
		`{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"hi"}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{"a":{"enum":[0`, ",0", `]}}}}]}`},
}

func TestLargeBodiesInLittleMemory(t *testing.T) {
	limit := deployed(t, "deploy/kubernetes.yaml", `limits:\s+memory: (\d+)Mi`)
	for file, pattern := range map[string]string{
		"deploy/llm-gateway.service": `MemoryMax=(\d+)M`, "docker-compose.yml": `&gateway\n(?:  .*\n)*?  mem_limit: (\d+)m`,
	} {
		if n := deployed(t, file, pattern); n < limit {
			t.Errorf("%s gives the gateway %d MB, and this test %d", file, n>>20, limit>>20)
		}
	}
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			w := start(t, limit)
			n := (r.size - len(r.before) - len(r.after)) / len(r.unit)
			body := []byte(r.before + strings.Repeat(r.unit, n) + r.after)
			var wg sync.WaitGroup
			var mu sync.Mutex
			statuses := map[int]int{}
			for range callers {
				wg.Go(func() {
					req, err := http.NewRequest("POST", w.url+r.path, bytes.NewReader(body))
					if err != nil {
						t.Error(err)
						return
					}
					req.Header.Set("Authorization", "Bearer "+w.token)
					req.Header.Set("Content-Type", "application/json")
					status := 0
					client := &http.Client{Timeout: time.Minute}
					if resp, err := client.Do(req); err != nil {
						t.Errorf("no answer: %v", err)
					} else {
						text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
						resp.Body.Close()
						if status = resp.StatusCode; status != 200 && status != 503 && status != 529 {
							t.Errorf("status %d: %s", status, text)
						}
					}
					mu.Lock()
					statuses[status]++
					mu.Unlock()
				})
			}
			wg.Wait()
			peak := w.peak(t)
			t.Logf("answers by status %v, at most %d MB of %d MB", statuses, peak>>20, limit>>20)
			if peak > limit {
				t.Errorf("the gateway took %d MB of %d MB", peak>>20, limit>>20)
			}
			if statuses[200] == 0 {
				t.Error("nothing was answered")
			}
		})
	}
}
