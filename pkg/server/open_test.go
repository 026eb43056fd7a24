package server_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/server"
)

func handlers() map[server.Group]http.HandlerFunc {
	handlers := map[server.Group]http.HandlerFunc{}
	for _, r := range server.Routes() {
		handlers[r.Group] = func(w http.ResponseWriter, req *http.Request) { server.Serve(r.Group, w, req) }
	}
	return handlers
}

// Without a valid configuration every answer names the problem without the value.
func TestNotConfigured(t *testing.T) {
	for _, v := range config.Variables() {
		t.Setenv(v.Name, "")
		if v.HasFile() {
			t.Setenv(v.Name+"_FILE", "")
		}
	}
	t.Setenv("JWT_SECRET", mark)
	log, before := &logbook{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	defer slog.SetDefault(before)
	table := server.Mount(handlers())
	for _, path := range []string{"/health", "/api/keys", "/api/chat", "/nothing"} {
		out := httptest.NewRecorder()
		table.ServeHTTP(out, httptest.NewRequest("POST", path, strings.NewReader(`{}`)))
		r := reply{t, "POST " + path, out.Code, out.Result().Header, out.Body.String()}
		r.check()
		r.refused(503, "UNAVAILABLE", "JWT_SECRET is").refused(503, "UNAVAILABLE", "DATABASE_URL is not set")
		if r.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
	if text := log.String(); strings.Contains(text, mark) || !strings.Contains(text, "JWT_SECRET") {
		t.Errorf("the log: %s", text)
	}
}

// The handlers of all groups together serve all routes. One alone replies 404 to the routes of the others.
func TestMount(t *testing.T) {
	w := newWorld(t, "SECURITY_CONTACT=https://example.com/security")
	server.Install(w.app)
	defer server.Install(nil)
	table := server.Mount(handlers())
	request := func(h http.Handler, method, path string) reply {
		out := httptest.NewRecorder()
		h.ServeHTTP(out, httptest.NewRequest(method, path, nil))
		return reply{t, method + " " + path, out.Code, out.Result().Header, out.Body.String()}
	}
	for _, route := range server.Routes() {
		path := idOf(route, "x")
		if r := request(table, route.Method, path); r.status == 404 {
			t.Errorf("%s: %s", r.what, r.body)
		}
		for _, group := range []server.Group{server.Chat, server.Keys, server.Tokens, server.Auth, server.Usage, server.Health} {
			if r := request(w.app.Handler(group), route.Method, path); (r.status == 404) != (group != route.Group) {
				t.Errorf("%s by the group %s: %d", r.what, group, r.status)
			}
		}
	}
	request(table, "GET", "/nothing").refused(404, "NOT_FOUND", "no such route")

	defer func() {
		if recover() == nil {
			t.Error("a group without a handler was mounted")
		}
	}()
	server.Mount(map[server.Group]http.HandlerFunc{})
}

// The environment may choose every strategy that a user may.
func TestEveryStrategyIsASetting(t *testing.T) {
	for _, s := range gateway.Strategies() {
		w := newWorld(t, "KEY_SELECTION_STRATEGY="+string(s))
		if got := gateway.Strategy(w.cfg.Strategy); got != s {
			t.Errorf("%s is read as %s", s, got)
		}
		ann := w.user("ann")
		ann.key("openai", apiKey)
		ann.chat(hello).want(200)
	}
}
