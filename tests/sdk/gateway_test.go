// Package sdk tests the gateway's binary, with emulated providers, through the unchanged official SDKs of OpenAI,
// Anthropic, Google and Vercel.
package sdk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/testproc"
)

// gate is the gateway that all tests use.
var gate *gateway

func TestMain(m *testing.M) {
	var err error
	if gate, err = start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	testproc.Main(m)
}

// gateway is a process of the binary, a user of it with a key for each provider, and the providers.
type gateway struct {
	url      string
	token    string // of the user, for the SDKs
	session  string
	emulator *emulator.Emulator
	keys     atomic.Int64 // that were added with key
}

func start() (*gateway, error) {
	dir, err := testproc.Dir("sdktest", "")
	if err != nil {
		return nil, err
	}
	testproc.AtExit(func() { os.RemoveAll(dir) })
	binary := filepath.Join(dir, "gateway")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", binary, "./cmd/gateway").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	g := &gateway{emulator: emulator.New()}
	origin, stop, err := emulator.Start(g.emulator)
	if err != nil {
		return nil, err
	}
	testproc.AtExit(stop)
	cmd := exec.Command(binary)
	cmd.Env = []string{"DATA_DIR=" + filepath.Join(dir, "data"), "LOG_LEVEL=warn", "HOST=127.0.0.1", "PORT=0", "SETUP_TOKEN=" + setupToken, "KEY_LIMIT=10000"}
	for _, id := range emulator.Providers() {
		cmd.Env = append(cmd.Env, strings.ToUpper(id)+"_BASE_URL="+emulator.BaseURL(origin, id))
	}
	if g.url, err = serve(cmd, dir); err != nil {
		return nil, err
	}
	return g, g.furnish()
}

// serve starts the process and returns its address once it listens.
func serve(cmd *exec.Cmd, dir string) (url string, err error) {
	out, in, err := os.Pipe()
	if err != nil {
		return "", err
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, in, os.Stderr
	proc, err := testproc.Start(cmd, "", syscall.SIGKILL)
	in.Close()
	if err != nil {
		return "", err
	}
	testproc.AtExit(func() { proc.Stop(syscall.SIGTERM) })
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
		return "", fmt.Errorf("the gateway did not start: %q, %v", line, err)
	}
	return url, nil
}

const setupToken = "for-the-first-account"

// furnish registers a user and gives it provider keys and a token.
func (g *gateway) furnish() error {
	var made struct{ Token string }
	first := map[string]any{"email": "sdk@example.com", "password": "a long passphrase", "setupToken": setupToken}
	if err := g.post("/api/auth/register", first, &made); err != nil {
		return err
	}
	g.session = made.Token
	for i, id := range emulator.Providers() {
		if err := g.post("/api/keys", map[string]any{"provider": id, "apiKey": fmt.Sprintf("sk-emulated-%04d", i+1)}, nil); err != nil {
			return err
		}
	}
	err := g.post("/api/tokens", map[string]any{"name": "sdk"}, &made)
	g.token = made.Token
	return err
}

func (g *gateway) post(path string, body, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest("POST", g.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+g.session)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("POST %s: %d %s", path, resp.StatusCode, text)
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(text, out)
}

// key adds a key with which the provider always behaves so, and returns its priority, which no other key has:
// with X-LLM-Priorities a request goes to this key alone.
func (g *gateway) key(provider string, behaviour emulator.Behaviour) (priority string, err error) {
	return g.keyFor(provider, behaviour, 0)
}

// keyOnce is like key, but only for the first request.
func (g *gateway) keyOnce(provider string, behaviour emulator.Behaviour) (priority string, err error) {
	return g.keyFor(provider, behaviour, 1)
}

func (g *gateway) keyFor(provider string, behaviour emulator.Behaviour, times int) (priority string, err error) {
	n := 1 + g.keys.Add(1)
	key := fmt.Sprintf("sk-emulated-special-%d", n)
	g.emulator.Set(emulator.Match{Key: key, Times: times}, behaviour)
	return fmt.Sprint(n), g.post("/api/keys", map[string]any{"provider": provider, "priority": n, "apiKey": key}, nil)
}

// arrived returns the requests with the marker that reached a provider.
func (g *gateway) arrived(marker string) (out []emulator.Recorded) {
	for _, r := range g.emulator.Requests() {
		if bytes.Contains(r.Body, []byte(marker)) {
			out = append(out, r)
		}
	}
	return out
}

// left waits until a provider has seen the client of the request with the marker disconnect.
func (g *gateway) left(marker string) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		// A request is recorded when it has ended: an endless stream ends with its caller.
		if seen := g.arrived(marker); len(seen) > 0 {
			if !seen[0].Left {
				return errors.New("the provider sent all of its answer before the caller left")
			}
			return nil
		}
	}
	return errors.New("the provider did not see the caller leave")
}
