package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/config"
)

// shell runs the binary's commands in one environment.
type shell struct {
	t   *testing.T
	env map[string]string
	in  string
}

func newShell(t *testing.T, settings ...string) *shell {
	t.Helper()
	t.Chdir(t.TempDir())
	s := &shell{t: t, env: map[string]string{"DATA_DIR": "data", "PORT": "0", "LOG_LEVEL": "error"}}
	s.set(settings...)
	return s
}

func (s *shell) set(settings ...string) {
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		s.env[name] = value
	}
}

// run returns what the command printed, on either stream, and its exit code.
func (s *shell) run(args ...string) (string, int) {
	s.t.Helper()
	var out testproc.Output
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	code := run(ctx, s.terminal(&out), args)
	return out.String(), code
}

func (s *shell) terminal(out io.Writer) *terminal {
	env := map[string]string{}
	for name, value := range s.env {
		env[name] = value
	}
	return &terminal{in: strings.NewReader(s.in), out: out, err: out,
		env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
}

// start runs a command until stop is called. stop returns its exit code.
func (s *shell) start(args ...string) (out *testproc.Output, stop func() int) {
	s.t.Helper()
	out = &testproc.Output{}
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() { code <- run(ctx, s.terminal(out), args) }()
	var once sync.Once
	result := -1
	stop = func() int {
		once.Do(func() {
			cancel()
			select {
			case result = <-code:
			case <-time.After(time.Minute):
				s.t.Errorf("%v does not end:\n%s", args, out)
			}
		})
		return result
	}
	s.t.Cleanup(func() { stop() })
	return out, stop
}

// want runs a command and checks its exit code and its output.
func (s *shell) want(code int, pattern string, args ...string) string {
	s.t.Helper()
	out, got := s.run(args...)
	if got != code || !regexp.MustCompile(pattern).MatchString(out) {
		s.t.Fatalf("gateway %s: exit code %d, want %d and %q in:\n%s", strings.Join(args, " "), got, code, pattern, out)
	}
	return out
}

func (s *shell) config(t *testing.T) *config.Config {
	t.Helper()
	cfg, err := config.Load(s.terminal(io.Discard).env, config.PlatformBinary)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// world is a serving gateway with an account, a token, and emulated providers.
type world struct {
	client
	emu     *emulator.Emulator
	session string
	token   string
	stop    func() int
	out     *testproc.Output
}

func (s *shell) visit(t *testing.T) *world {
	t.Helper()
	w := &world{emu: emulator.New()}
	origin, end, err := emulator.Start(w.emu)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	s.set("OPENAI_BASE_URL=" + emulator.BaseURL(origin, "openai"))
	w.out, w.stop = s.start("serve")
	w.base = w.out.Wait(t, `ready on (\S+)\n`)
	var account, token struct{ Token string }
	first := map[string]any{
		"email":      "a@example.com",
		"password":   "a long passphrase",
		"setupToken": w.out.Wait(t, `/#setup=(\S+)`),
	}
	if err := w.post(t.Context(), "/api/auth/register", first, &account, nil); err != nil {
		t.Fatal(err)
	}
	w.session, w.bearer = account.Token, account.Token
	if err := w.post(t.Context(), "/api/tokens", map[string]any{"name": "test"}, &token, nil); err != nil {
		t.Fatal(err)
	}
	w.token = token.Token
	return w
}

func (w *world) key(t *testing.T, secret string) {
	t.Helper()
	w.bearer = w.session
	if err := w.post(t.Context(), "/api/keys", map[string]any{"provider": "openai", "apiKey": secret}, nil, nil); err != nil {
		t.Fatal(err)
	}
}

// stream starts a streamed answer.
func (w *world) stream(t *testing.T) *http.Response {
	t.Helper()
	req, _ := http.NewRequest("POST", w.base+"/api/chat",
		strings.NewReader(`{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"words: 40"}]}`))
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}
