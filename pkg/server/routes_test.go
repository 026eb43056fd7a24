package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// allowed are the methods of each pattern, as the Allow header names them.
func allowed() map[string]string {
	methods := map[string][]string{}
	for _, r := range server.Routes() {
		if methods[r.Pattern] == nil {
			methods[r.Pattern] = []string{"OPTIONS"}
		}
		methods[r.Pattern] = append(methods[r.Pattern], r.Method)
		if r.Method == "GET" {
			methods[r.Pattern] = append(methods[r.Pattern], "HEAD")
		}
	}
	allow := map[string]string{}
	for pattern, list := range methods {
		slices.Sort(list)
		allow[pattern] = strings.Join(list, ", ")
	}
	return allow
}

func TestWrongMethods(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	for pattern, allow := range allowed() {
		path := strings.Replace(pattern, "{id}", root.id.String(), 1)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "X-LLM"} {
			if slices.Contains(strings.Split(allow, ", "), method) {
				continue
			}
			for _, caller := range []client{root.client, w.anyone()} {
				r := caller.do(method, path, "").want(405)
				if got := r.header.Get("Allow"); got != allow {
					t.Errorf("%s: Allow is %q, want %q", r.what, got, allow)
				}
				if method != "HEAD" {
					r.refused(405, "METHOD_NOT_ALLOWED", allow)
				}
			}
		}
		r := w.anyone().do("OPTIONS", path, "").want(204)
		if got := r.header.Get("Allow"); got != allow || r.body != "" {
			t.Errorf("%s: Allow is %q, want %q", r.what, got, allow)
		}
	}
}

func TestUnknownRoutes(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	for path, hint := range map[string]string{
		"/": "no such route", "/api": "no such route", "/api/": "no such route", "/api/nothing": "no such route", "/API/keys": "no such route", "/api/Keys": "no such route",
		"/api/keys/": "extra slash", "//api/keys": "extra slash", "/api//keys": "extra slash", "/api/keys//": "extra slash", "///api///keys///": "extra slash",
		"/api/keys/" + root.id.String() + "/": "extra slash", "/api/keys//usage": "no such route", "/api/keys/x/y/z": "no such route", "/api/keys/x/usage/": "extra slash",
		"/api/./keys": "no such route", "/api/auth/../keys": "no such route", "/api/keys/..": "no such object", "/%61pi/keys": "no such route", "/api%2Fkeys": "no such route",
		"/api/keys%00": "no such route", "/api/keys;x=1": "no such route", "/api/keys%3Fx": "no such route", "/api/keys.json": "no such route", "/health/": "extra slash",
		"/healthz": "no such route", "/.env": "no such route", "/api/%2e%2e/secret": "no such route", "/" + strings.Repeat("a", 8000): "no such route", "/api/" + strings.Repeat("/", 5000): "no such route",
		"/\u00e9": "no such route", "/%ff%fe": "no such route",
	} {
		r := root.get(path).refused(404, "NOT_FOUND", hint)
		if r.header.Get("Location") != "" {
			t.Errorf("%s leads to %s", path, r.header.Get("Location"))
		}
		for _, method := range []string{"POST", "DELETE", "OPTIONS", "HEAD"} {
			if hint != "no such object" {
				root.do(method, path, "").want(404)
			}
		}
	}
}

// An SDK with a wrong base URL gets an error in its dialect that names the right one.
func TestWrongBaseURLs(t *testing.T) {
	w := newWorld(t)
	const openAI, anthropic, gemini = "The base URL for OpenAI's SDKs is https://gate.example/v1", "The base URL for Anthropic's SDKs is https://gate.example", "The base URL for Google's SDKs is https://gate.example"
	caller := w.anyone().with("Host", "gate.example", tlsHeader, "1")
	for path, want := range map[string]string{
		"/v1/v1/chat/completions": openAI, "/api/chat/completions": openAI, "/v1/v1/models": openAI, "/v1": openAI, "/v1/": openAI,
		"/v1/chat/completions/chat/completions": openAI, "/openai/v1/nothing": openAI, "/api/v1": openAI, "/inference/v1/x": openAI,
		"/v1beta/openai/nothing": openAI, "/openai/chat/completions": openAI, "/chat/completions/x": openAI,
		"/v1/v1/messages": anthropic, "/v1/messages/v1/messages": anthropic, "/messages/x": anthropic, "/api/v1/messages/x": anthropic,
		"/v1beta/v1beta/models/m:generateContent": gemini, "/v1/v1beta/models/m:streamGenerateContent": gemini, "/v1beta": gemini,
		"/v1beta/files": gemini, "/v1alpha/files": gemini,
	} {
		r := caller.post(path, "{}")
		var v struct {
			Type  string
			Error struct{ Message, Type, Code, Status any }
		}
		if err := json.Unmarshal([]byte(r.body), &v); err != nil {
			t.Fatal(err)
		}
		shape := map[string]bool{
			openAI:    v.Type == "" && v.Error.Type == "invalid_request_error" && v.Error.Code == "unknown_url",
			anthropic: v.Type == "error" && v.Error.Type == "not_found_error",
			gemini:    v.Error.Status == "NOT_FOUND" && v.Error.Code == 404.0,
		}[want]
		if message, _ := v.Error.Message.(string); r.status != 404 || !shape || !strings.HasSuffix(message, want) || r.header.Get("Location") != "" {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	r := caller.with("Anthropic-Version", "2023-06-01").get("/v1/v1/models")
	if r.status != 404 || !strings.Contains(r.body, anthropic) {
		t.Errorf("%d %s", r.status, r.body)
	}
	for _, path := range []string{"/api", "/chat", "/api/models/x", "/v2", "/chat/x"} {
		if r := caller.get(path); r.status != 404 || strings.Contains(r.body, "base URL") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}

// HEAD answers as GET does, without the body.
func TestHead(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	path := objects(root, root)
	for _, route := range server.Routes() {
		if route.Method != "GET" {
			continue
		}
		get, head := root.get(path(route)), root.do("HEAD", path(route), "")
		if head.status != get.status || head.body != "" || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("%s: %d %v; GET: %d %v", head.what, head.status, head.header, get.status, get.header)
		}
	}
	w.anyone().do("HEAD", "/api/keys", "").want(401)
}

// Every answer has these headers.
func TestHeadersOfEveryAnswer(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	replies := []reply{root.get("/nothing"), root.put("/api/keys", ""), w.anyone().get("/api/keys"), w.anyone().do("OPTIONS", "/api/keys", "")}
	for _, route := range server.Routes() {
		replies = append(replies, root.do(route.Method, idOf(route, root.id.String()), ""))
	}
	seen := map[string]bool{}
	for _, r := range replies {
		id := r.header.Get("X-Request-ID")
		if len(id) != 36 || seen[id] {
			t.Errorf("%s: X-Request-ID %q", r.what, id)
		}
		seen[id] = true
		if own := r.header.Get("Request-ID"); strings.Contains(r.what, " /v1/messages") != (own != "") || own != "" && own != id {
			t.Errorf("%s: Request-ID %q", r.what, own)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Server": "", "X-Powered-By": ""} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", r.what, name, got)
			}
		}
		if r.body != "" && r.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: Content-Type %q", r.what, r.header.Get("Content-Type"))
		}
	}
}

// No request causes a panic or a 500.
func FuzzRequest(f *testing.F) {
	w := newWorld(f)
	root, ann := w.admin("root"), w.user("ann")
	path := objects(root, ann)
	for _, route := range server.Routes() {
		f.Add(route.Method, path(route), "limit=1&cursor=", "application/json", `{"name":"x","enabled":true}`)
		f.Add(route.Method, path(route)+"/", "%zz", "", bodyFor(route))
	}
	f.Add("POST", "/api/chat", "", "application/json; charset=utf-8", hello)
	f.Add("POST", "//api/%2e%2e/chat", "a=b;c", "text/plain", "\xff")
	f.Add("", "*", "", "", "")
	f.Add("CONNECT", "host:80", "", "", "")
	f.Add("OPTIONS", "/v1/x", "", "", "{}")
	f.Fuzz(func(t *testing.T, method, path, query, kind, body string) {
		w.t = t
		r := &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{}, Host: "gateway", RemoteAddr: "192.0.2.1:1",
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
		if u, err := url.ParseRequestURI(path); err == nil {
			r.URL = u
			r.URL.RawQuery = query
		}
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Authorization", "Bearer "+w.openSession(root.id)) // an earlier request may have ended the session
		out := httptest.NewRecorder()
		w.app.ServeHTTP(out, r.WithContext(t.Context()))
		answer := reply{t, method + " " + path, out.Code, out.Result().Header, out.Body.String()}
		if method == http.MethodHead {
			answer.what = "HEAD " + path
		}
		answer.check()
		if out.Code >= 500 && answer.text("error.code") != "PROVIDER_ERROR" {
			t.Errorf("%d %s", out.Code, out.Body)
		}
		if w.log.panics.Load() > 0 {
			t.Error("a panic")
		}
	})
}

// Routes of SDKs are served at the base paths that SDKs of other providers have in the program, and with slashes too many.
func TestAliases(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	for _, provider := range []string{"openai", "anthropic", "gemini"} {
		ann.key(provider, apiKey)
	}
	_, token, holder := ann.token("t")
	const (
		turns    = `"messages":[{"role":"user","content":"Hello!"}]`
		contents = `{"contents":[{"role":"user","parts":[{"text":"Hello!"}]}]}`
	)
	bodies := map[string]string{
		"/v1/chat/completions":      `{"model":"gpt-4o-mini",` + turns + `}`,
		"/v1/responses":             `{"model":"gpt-4o-mini","input":"Hello!"}`,
		"/v1/embeddings":            `{"model":"text-embedding-3-small","input":"Hello!"}`,
		"/v1/messages":              `{"model":"gpt-4o-mini","max_tokens":50,` + turns + `}`,
		"/v1/messages/count_tokens": `{"model":"claude-haiku-4-5",` + turns + `}`,
		"/v1/models":                "", "/v1/models/gpt-4o-mini": "",
	}
	ask := func(path, body string) reply {
		if body == "" {
			return holder.get(path)
		}
		return holder.post(path, body)
	}
	for path, body := range bodies {
		rest := strings.TrimPrefix(path, "/v1")
		for _, base := range []string{"/openai/v1", "/api/v1", "/inference/v1", "/v1beta/openai", "/anthropic/v1", "", "/v1/openai/v1",
			"/openai/v1/openai/v1", "/v1/inference/v1", "//v1", "/v1/", "/openai//v1/", "//"} {
			want := ask(path, body).want(200)
			got := ask(base+rest, body).want(200)
			if body == "" && got.body != want.body {
				t.Errorf("%s: %s, want %s", got.what, got.body, want.body)
			}
			ask(base+rest+"/", body).want(200)
			wrong := holder.do("PUT", base+rest, body).want(405)
			if of := holder.do("PUT", path, body); wrong.header.Get("Allow") != of.header.Get("Allow") || wrong.text("error.type") != of.text("error.type") {
				t.Errorf("%s: %s %s", wrong.what, wrong.header.Get("Allow"), wrong.body)
			}
			preflight := w.anyone().with("Origin", "https://app.example", "Access-Control-Request-Method", "POST",
				"Access-Control-Request-Headers", "authorization").do("OPTIONS", base+rest, "").want(204)
			if preflight.header.Get("Access-Control-Allow-Origin") != "*" || preflight.header.Get("Access-Control-Allow-Headers") == "" {
				t.Errorf("%s: %v", preflight.what, preflight.header)
			}
		}
	}
	for _, version := range []string{"/v1", "/v1beta", "/v1alpha", "/v1/", "//v1beta", ""} {
		for _, model := range []string{"models/gemini-2.5-flash", "models/openai/gpt-4o-mini", "models//gemini-2.5-flash"} {
			for _, method := range []string{"generateContent", "streamGenerateContent", "streamGenerateContent?alt=sse", "countTokens"} {
				holder.post(version+"/"+model+":"+method, contents).want(200)
				if version != "" {
					holder.post(version+"/"+strings.TrimPrefix(model, "models/")+":"+method, contents).want(200)
				}
			}
		}
	}
	google := w.anyone().with("X-Goog-Api-Key", token)
	want := google.get("/v1beta/models").want(200).body
	for _, version := range []string{"/v1", "/v1alpha", "/v1/", "//v1"} {
		if got := google.get(version + "/models").want(200); got.body != want {
			t.Errorf("%s: %s", got.what, got.body)
		}
		if got := google.get(version + "/models/gemini-2.5-flash").want(200).text("name"); got != "models/gemini-2.5-flash" {
			t.Errorf("%s: %s", version, got)
		}
		google.get(version+"/models/nothing").want(404).is("error.status", "NOT_FOUND")
		google.get(version+"/files").want(404).is("error.status", "NOT_FOUND")
	}
	// Errors at the paths that are OpenAI's alone stay its own, whichever header has the token.
	google.post("/v1/chat/completions", "{}").want(400).is("error.type", "invalid_request_error")
}

// What the gateway itself serves below /api has no other paths.
func TestOwnRoutesHaveNoAliases(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	for path, pattern := range server.Aliases() {
		if strings.HasPrefix(pattern, "/api/") || !strings.HasPrefix(pattern, "/v1") {
			t.Errorf("%s leads to %s", path, pattern)
		}
	}
	for _, r := range server.Routes() {
		if !strings.HasPrefix(r.Pattern, "/api/") {
			continue
		}
		for _, path := range []string{"/openai" + r.Pattern, strings.Replace(r.Pattern, "/api/", "/api/v1/", 1), strings.TrimPrefix(r.Pattern, "/api"), r.Pattern + "/"} {
			if strings.HasPrefix(path, "/api/v1/chat") || strings.HasPrefix(path, "/limits") || strings.HasPrefix(path, "/api/v1/limits") {
				continue
			}
			root.do(r.Method, strings.ReplaceAll(path, "{id}", root.id.String()), "").want(404)
		}
	}
}

// No management route takes a parameter that it does not know for one that was not given.
func TestUnknownParametersAreRefused(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	checked := 0
	for _, r := range server.Routes() {
		if r.Sharing != server.SameOrigin || r.Group == server.Health || r.Group == server.Cron {
			continue
		}
		checked++
		path := strings.Replace(r.Pattern, "{id}", store.NewID(1).String(), 1)
		body := ""
		if r.Method != "GET" {
			body = "{}"
		}
		for _, parameter := range []string{"nonsense=1", "Limit=5", "nonsense"} {
			name, _, _ := strings.Cut(parameter, "=")
			root.do(r.Method, path+"?"+parameter, body).refused(400, "VALIDATION_ERROR", name)
		}
		if r.Access == server.AccessSession {
			w.anyone().do(r.Method, path+"?nonsense=1", body).want(401)
		}
	}
	if checked < 40 {
		t.Errorf("%d routes", checked)
	}
	w.anyone().get("/health/live?nonsense=1").want(200)
}
