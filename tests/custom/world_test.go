// Package custom tests keys of endpoints that users name: a whole gateway on SQLite, and servers on the loopback that behave
// as the documentation of those which the presets are for says.
package custom

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

// world is a gateway.
type world struct {
	*testing.T
	url string
	log testproc.Output
}

// person is a user with a session and a gateway token.
type person struct {
	*world
	session, token string
}

const setupToken = "the-first-account-is-mine"

// newWorld starts a gateway with more variables, each "NAME=value", and returns it with its admin.
func newWorld(t *testing.T, variables ...string) (*world, *person) {
	t.Helper()
	w := &world{T: t}
	env := map[string]string{"JWT_SECRET": "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-for-custom", "SETUP_TOKEN": setupToken}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, config.PlatformBinary)
	w.must(err)
	db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "gateway.db")})
	w.must(err)
	t.Cleanup(func() { db.Close() })
	app, err := server.Assemble(cfg, db, slog.New(slog.NewTextHandler(&w.log, nil)))
	w.must(err)
	t.Cleanup(app.Close)
	gate := httptest.NewServer(app)
	t.Cleanup(gate.Close)
	app.Guard.Listens(gate.Listener.Addr())
	w.url = gate.URL
	t.Cleanup(func() {
		if text := w.log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "panic") {
			t.Errorf("the gateway logs errors:\n%s", text)
		}
	})
	return w, w.register("admin@example.com")
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// register adds an account; the first is the admin's.
func (w *world) register(email string) *person {
	w.Helper()
	p := &person{world: w}
	body := map[string]any{"email": email, "password": "correct horse battery staple"}
	if email == "admin@example.com" {
		body["setupToken"] = setupToken
	}
	status, answer := p.send("POST", "/api/auth/register", body)
	if status != 201 {
		w.Fatalf("register: %d %v", status, answer)
	}
	p.session, _ = answer["token"].(string)
	if body["setupToken"] != nil {
		p.send("PUT", "/api/auth/settings", object{"registrationEnabled": true})
	}
	status, answer = p.send("POST", "/api/tokens", map[string]any{"name": "test"})
	if status != 201 {
		w.Fatalf("token: %d %v", status, answer)
	}
	p.token, _ = answer["token"].(string)
	return p
}

// object is a JSON object.
type object = map[string]any

// send calls a management route with the session.
func (p *person) send(method, path string, body any) (int, object) {
	p.Helper()
	resp := p.open(method, path, p.session, body, nil)
	defer resp.Body.Close()
	return resp.StatusCode, p.read(resp)
}

func (p *person) read(resp *http.Response) object {
	p.Helper()
	text, err := io.ReadAll(resp.Body)
	p.must(err)
	var answer object
	if len(text) > 0 && json.Unmarshal(text, &answer) != nil {
		p.Fatalf("%s: status %d, no JSON object: %s", resp.Request.URL.Path, resp.StatusCode, text)
	}
	return answer
}

func (p *person) open(method, path, bearer string, body any, header http.Header) *http.Response {
	p.Helper()
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		p.must(err)
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, p.url+path, reader)
	p.must(err)
	for name, values := range header {
		req.Header[name] = values
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	client := &http.Client{Timeout: 20 * time.Second}
	resp, err := client.Do(req)
	p.must(err)
	return resp
}

// key adds a key of a custom endpoint, and returns its id.
func (p *person) key(body object) string {
	p.Helper()
	body["provider"] = "custom"
	status, answer := p.send("POST", "/api/keys", body)
	if status != 201 {
		p.Fatalf("add %v: %d %v", body["slug"], status, answer)
	}
	return answer["id"].(string)
}

// answer is what came for a chat.
type answer struct {
	status   int
	header   http.Header
	body     object
	text     string
	thinking string
	calls    int
	usage    object
}

// chat asks for a chat completion.
func (p *person) chat(body object) answer {
	p.Helper()
	resp := p.open("POST", "/v1/chat/completions", p.token, body, nil)
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		a.body = p.read(resp)
		for _, choice := range list(a.body["choices"]) {
			a.add(child(choice, "message"))
		}
		a.usage, _ = a.body["usage"].(object)
		return a
	}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		var chunk object
		if json.Unmarshal([]byte(data), &chunk) != nil {
			p.Fatalf("no JSON in the stream: %s", data)
		}
		for _, choice := range list(chunk["choices"]) {
			a.add(child(choice, "delta"))
		}
		if usage, ok := chunk["usage"].(object); ok {
			a.usage = usage
		}
	}
	return a
}

func (a *answer) add(message object) {
	text, _ := message["content"].(string)
	thinking, _ := message["reasoning_content"].(string)
	a.text, a.thinking = a.text+text, a.thinking+thinking
	a.calls += len(list(message["tool_calls"]))
}

func (a answer) error() string { text, _ := child(a.body, "error")["message"].(string); return text }

func list(v any) []any { l, _ := v.([]any); return l }

func child(v any, name string) object {
	m, _ := v.(object)
	c, _ := m[name].(object)
	return c
}

func user(text string) []object { return []object{{"role": "user", "content": text}} }

// models lists the ids of GET /v1/models.
func (p *person) models() []string {
	p.Helper()
	resp := p.open("GET", "/v1/models", p.token, nil, nil)
	defer resp.Body.Close()
	var ids []string
	for _, m := range list(p.read(resp)["data"]) {
		ids = append(ids, fmt.Sprint(m.(object)["id"]))
	}
	return ids
}
