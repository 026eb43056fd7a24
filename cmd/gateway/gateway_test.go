package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	llmgateway "github.com/alicetears/llm-gateway"
	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/store"
)

func TestCommandLine(t *testing.T) {
	s := newShell(t)
	s.want(0, `(?s)serve .*demo .*migrate .*user .*rekey .*version`, "help")
	s.want(0, `serve`, "--help")
	s.want(0, `^llm-gateway \S+\n$`, "--version")
	s.want(0, `usage: gateway demo \[--once\]`, "demo", "--help")
	s.want(2, `no command "sevre"`, "sevre")
	s.want(2, `usage: gateway migrate`, "migrate", "now")
	s.want(2, `(?s)-twice.*usage: gateway demo`, "demo", "-twice")
	s.want(2, `no command "creat"`, "user", "creat")
	s.want(2, `user disable: EMAIL is missing\nusage: gateway user disable EMAIL\n$`, "user", "disable")
	s.want(2, `EMAIL must`, "user", "disable", "nobody")
	s.want(0, `--password-stdin`, "user")
}

func TestAllConfigurationErrorsAreReported(t *testing.T) {
	s := newShell(t, "DATABASE_URL=mysql://x", "PORT=99999", "KEY_SELECTION_STRATEGY=best")
	out := s.want(1, `the configuration has 4 problems`, "serve")
	for _, name := range []string{"DATABASE_URL", "JWT_SECRET", "PORT", "KEY_SELECTION_STRATEGY"} {
		if !strings.Contains(out, "\n  "+name+" ") {
			t.Errorf("nothing about %s in:\n%s", name, out)
		}
	}
}

func TestDemo(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	s := newShell(t)
	s.want(0, `(?s)You:  .*gpt-5.4-mini:  Hello! .*curl -sS http://127\.0\.0\.1:\d+/api/chat`, "demo", "--once")

	out, stop := s.start("demo")
	base, token := out.Wait(t, `address +(\S+)`), out.Wait(t, `token +(llm_\w+)`)
	body := out.Wait(t, `-d '(.*)'`)
	out.Wait(t, "you press Ctrl-C")
	req, _ := http.NewRequest("POST", base+"/api/chat", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if status, text := do(t, req); status != 200 || !strings.Contains(text, "Hello!") {
		t.Errorf("the line that it printed gives %d %s", status, text)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if left, _ := filepath.Glob(tmp + "/*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func do(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func get(t *testing.T, url string) (int, string, http.Header) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), resp.Header
}

func TestServesSiteAndRoutes(t *testing.T) {
	s := newShell(t)
	out, stop := s.start()
	base := out.Wait(t, `ready on (\S+)\n`)
	if next := out.Wait(t, `next  open (\S+)/#setup=(?:\w{5}-){3}\w{5} and create`); next != base {
		t.Errorf("the next step is to open %s, but the gateway is on %s", next, base)
	}
	for path, want := range map[string]struct {
		status      int
		contentType string
	}{
		"/":              {200, "text/html; charset=utf-8"},
		"/style.css":     {200, "text/css; charset=utf-8"},
		"/js/app.js":     {200, "text/javascript; charset=utf-8"},
		"/icon.svg":      {200, "image/svg+xml"},
		"/openapi.yaml":  {200, "text/yaml; charset=utf-8"},
		"/health":        {200, "application/json; charset=utf-8"},
		"/api/nothing":   {404, "application/json; charset=utf-8"},
		"/nothing":       {404, "application/json; charset=utf-8"},
		"/../main.go":    {404, "application/json; charset=utf-8"},
		"//style.css":    {404, "application/json; charset=utf-8"},
		"/index.html":    {404, "application/json; charset=utf-8"},
		"/public/":       {404, "application/json; charset=utf-8"},
		"/v1/everything": {404, "application/json; charset=utf-8"},
	} {
		status, text, header := get(t, base+path)
		if status != want.status || header.Get("Content-Type") != want.contentType {
			t.Errorf("%s: %d %s %.100s", path, status, header.Get("Content-Type"), text)
		}
	}
	if code := stop(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	for _, name := range []string{"data/gateway.db", "data/secret"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// Vercel's CDN sends the dashboard's files with the headers of vercel.json.
func TestSiteHeadersMatchVercel(t *testing.T) {
	text, err := os.ReadFile("../../vercel.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Headers []struct {
			Headers []struct{ Key, Value string }
		}
	}
	if err := json.Unmarshal(text, &file); err != nil || len(file.Headers) != 1 {
		t.Fatalf("%v, %d groups of headers", err, len(file.Headers))
	}
	site, err := newSite(&config.Config{Platform: config.PlatformBinary}, llmgateway.Public, http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	site.ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
	for target, want := range map[string]bool{"http://gateway.example.com/": false, "https://gateway.example.com/": true} {
		answer := httptest.NewRecorder()
		site.ServeHTTP(answer, httptest.NewRequest("GET", target, nil))
		if got := answer.Header().Get("Strict-Transport-Security") != ""; got != want {
			t.Errorf("%s: Strict-Transport-Security: %v", target, got)
		}
	}
	ours := siteHeaders()
	for _, h := range file.Headers[0].Headers {
		if recorder.Header().Get(h.Key) != h.Value {
			t.Errorf("%s: %q here, %q in vercel.json", h.Key, recorder.Header().Get(h.Key), h.Value)
		}
		delete(ours, h.Key)
	}
	if len(ours) > 0 {
		t.Errorf("not in vercel.json: %v", ours)
	}
}

// The dashboard's files come compressed, are sent once as long as they do not change, and the first view is small.
func TestSiteIsSentOnce(t *testing.T) {
	site, err := newSite(&config.Config{Platform: config.PlatformBinary}, llmgateway.Public, http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string, header ...string) *http.Response {
		r := httptest.NewRequest("GET", path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w.Result()
	}
	sizes := map[string]int{}
	for path, f := range site.files {
		plain, zipped := get(path), get(path, "Accept-Encoding", "gzip, deflate, br")
		text, _ := io.ReadAll(plain.Body)
		sent, _ := io.ReadAll(zipped.Body)
		if string(text) != string(f.content) || plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %d bytes, %v", path, len(text), plain.Header)
		}
		if zipped.Header.Get("Content-Encoding") == "gzip" {
			r, err := gzip.NewReader(bytes.NewReader(sent))
			if err != nil {
				t.Fatal(err)
			}
			if unzipped, err := io.ReadAll(r); err != nil || string(unzipped) != string(text) {
				t.Errorf("%s: the compressed file is another: %v", path, err)
			}
		}
		for _, first := range []*http.Response{plain, zipped} {
			again := get(path, "Accept-Encoding", first.Header.Get("Content-Encoding"), "If-None-Match", first.Header.Get("ETag"))
			if again.StatusCode != http.StatusNotModified {
				t.Errorf("%s: the second time %d", path, again.StatusCode)
			}
		}
		sizes[path] = len(sent)
	}
	// The first view: the page, what it names, the overview, and what these import.
	view, imports := map[string]bool{}, regexp.MustCompile(`(?m)(?:from|^import) '(\.[^']+)'`)
	var load func(path string)
	load = func(file string) {
		if view[file] || site.files[file] == nil {
			return
		}
		view[file] = true
		for _, m := range imports.FindAllSubmatch(site.files[file].content, -1) {
			load(path.Join(path.Dir(file), string(m[1])))
		}
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"#]+)"`).FindAllSubmatch(site.files["/"].content, -1) {
		load("/" + string(m[1]))
	}
	load("/js/views/overview.js")
	total := sizes["/"]
	for file := range view {
		total += sizes[file]
	}
	if t.Logf("the first view is %d files of %d bytes", len(view)+1, total); total > 60_000 || len(view) < 15 {
		t.Errorf("the first view is %d files of %d bytes", len(view)+1, total)
	}
}

func TestDotEnvIsRead(t *testing.T) {
	s := newShell(t)
	delete(s.env, "DATA_DIR")
	if err := os.WriteFile(".env", []byte("DATA_DIR=elsewhere\nPORT=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := s.start("serve")
	out.Wait(t, `data  elsewhere/gateway.db`)
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newShell(t, fmt.Sprintf("PORT=%d", l.Addr().(*net.TCPAddr).Port))
	s.want(1, `another program listens on 127\.0\.0\.1:\d+ already: end it, or set PORT`, "serve")
}

func TestUnwritableDataFolder(t *testing.T) {
	s := newShell(t)
	if err := os.WriteFile("data", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.want(1, `DATA_DIR`, "serve")
}

func TestAccountsFromTheShell(t *testing.T) {
	s := newShell(t)
	password := s.want(0, `password, shown only here: \w{26}\n`, "user", "create", "--admin", "--name", "Ann",
		"Ann@Example.com")
	s.in = "a better passphrase\n"
	s.want(0, `bob@example.com can log in now \(user\)\n$`, "user", "create", "--password-stdin", "bob@example.com")
	s.want(1, `taken`, "user", "create", "bob@example.com")
	s.want(0, `(?m)^ann@example.com +admin +true +\S+ +Ann\nbob@example.com +user +true +\S+ +bob$`, "user", "list")
	s.want(1, `last enabled admin`, "user", "disable", "ann@example.com")
	s.want(1, `last enabled admin`, "user", "demote", "ann@example.com")
	s.want(0, `is an admin now`, "user", "promote", "bob@example.com")
	s.want(0, `is disabled`, "user", "disable", "ann@example.com")
	s.want(0, `(?m)^ann@example.com +admin +false`, "user", "list")
	s.want(0, `is enabled`, "user", "enable", "ann@example.com")
	s.want(1, `no account with the address`, "user", "password", "eve@example.com")
	s.in = "short\n"
	s.want(1, `the password must be at least`, "user", "password", "--password-stdin", "bob@example.com")

	out, _ := s.start("serve")
	base := out.Wait(t, `ready on (\S+)\n`)
	made := regexp.MustCompile(`here: (\w+)`).FindStringSubmatch(password)[1]
	for email, password := range map[string]string{"ann@example.com": made, "bob@example.com": "a better passphrase"} {
		body, _ := json.Marshal(map[string]string{"email": email, "password": password})
		req, _ := http.NewRequest("POST", base+"/api/auth/login", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		if status, text := do(t, req); status != 200 {
			t.Errorf("%s: %d %s", email, status, text)
		}
	}
	if strings.Contains(out.String(), "set-up token") || strings.Contains(out.String(), "#setup") {
		t.Error("the set-up token is printed although there are accounts")
	}
}

const (
	firstSecret  = "JWT_SECRET=mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-first"
	secondSecret = "ENCRYPTION_KEY=pQ7sVx2mLrT9wYb3KcJfGhZzE6uA4iNn-second"
)

func TestRekey(t *testing.T) {
	s := newShell(t, firstSecret)
	v := s.visit(t)
	v.key(t, "sk-emulated-0001")
	v.key(t, "sk-emulated-0002")
	v.stop()
	s.want(0, `^0 provider keys were encrypted again`, "rekey")
	s.set(secondSecret)
	s.want(0, `^2 provider keys were encrypted again`, "rekey")
	s.want(0, `^0 provider keys were encrypted again`, "rekey")
	s.set("ENCRYPTION_KEY=aQ7sVx2mLrT9wYb3KcJfGhZzE6uA4iNn-third")
	s.want(1,
		`(?s)encrypted under a key that is not configured.*\n0 provider keys.*2 keys cannot be decrypted: list the secret`,
		"rekey")
	s.set("ENCRYPTION_KEY_PREVIOUS=" + strings.TrimPrefix(secondSecret, "ENCRYPTION_KEY="))
	s.want(0, `^2 provider keys were encrypted again`, "rekey")
}

// The encryption key is rotated while chats are answered. Each of them finds its key.
func TestRekeyWhileServing(t *testing.T) {
	for name, settings := range map[string]func(testing.TB) []string{
		"sqlite":   func(testing.TB) []string { return nil },
		"postgres": func(t testing.TB) []string { return []string{"DATABASE_URL=" + pgtest.New(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t, append(settings(t), firstSecret, "KEY_SELECTION_STRATEGY=round-robin")...)
			w := s.visit(t)
			const keys = 100
			for i := range keys {
				w.key(t, fmt.Sprintf("sk-emulated-%04d", i))
			}
			w.stop()
			s.set(secondSecret)
			out, _ := s.start("serve")
			w.base = out.Wait(t, `ready on (\S+)\n`)
			w.bearer = w.token
			w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 5})
			var answered atomic.Int64
			chat := func() {
				if err := w.post(t.Context(), "/api/chat", map[string]any{"model": demoModel, "messages": []any{map[string]any{"role": "user", "content": "hi"}}}, nil, nil); err != nil {
					t.Error(err)
				}
				answered.Add(1)
			}
			done := make(chan struct{})
			var clients sync.WaitGroup
			for range 4 {
				clients.Go(func() {
					for chat(); ; chat() {
						select {
						case <-done:
							return
						default:
						}
					}
				})
			}
			for answered.Load() == 0 {
				time.Sleep(time.Millisecond)
			}
			begun := answered.Load()
			s.want(0, `^[1-9]\d* provider keys were encrypted again under the current key\n$`, "rekey")
			before := answered.Load()
			for deadline := time.Now().Add(time.Minute); answered.Load() < before+keys && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			close(done)
			clients.Wait()
			t.Logf("%d chats were answered while it ran, %d after", before-begun, answered.Load()-before)
			s.want(0, `^0 provider keys were encrypted again`, "rekey") // none is left under the previous key
		})
	}
}

func TestMigratePrintsTheVersion(t *testing.T) {
	current := fmt.Sprintf(`data/gateway\.db \(SQLite\): the schema is at version %d, which is current`, store.SchemaVersion)
	newShell(t).want(0, current, "migrate")
}

func TestShutdownWaitsForAStream(t *testing.T) {
	s := newShell(t)
	w := s.visit(t)
	w.key(t, "sk-emulated-0001")
	w.emu.Set(emulator.Match{}, emulator.Behaviour{EventMs: 20})
	resp := w.stream(t)
	go w.stop()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasSuffix(string(text), "data: [DONE]\n\n") {
		t.Errorf("%v: the stream ends with %q", err, text[max(0, len(text)-200):])
	}
	if code := w.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestStreamBeyondTheShutdownTimeoutEndsWithAnError(t *testing.T) {
	s := newShell(t, "SHUTDOWN_TIMEOUT=200ms")
	w := s.visit(t)
	w.key(t, "sk-emulated-0001")
	w.emu.Set(emulator.Match{}, emulator.Behaviour{EventMs: 20, Endless: true})
	resp := w.stream(t)
	go w.stop()
	text, err := io.ReadAll(resp.Body)
	if err != nil ||
		!regexp.MustCompile(`"code":"UNAVAILABLE","message":"the gateway is being stopped[^\n]*\n\n$`).Match(text) {
		t.Errorf("%v: the stream ends with %q", err, text[max(0, len(text)-200):])
	}
	if code := w.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	in, err := install(s.config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	outcome := store.Outcome(0)
	if err := in.db.Run(t.Context(), store.Stmt{SQL: "select outcome from requests", Each: func(r store.Row) error { return r.Scan((*int)(&outcome)) }}); err != nil {
		t.Fatal(err)
	}
	if outcome != store.Broken {
		t.Errorf("the request was settled as %d, want %d", outcome, store.Broken)
	}
}
