package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/httpversion"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// client sends requests to the gateway.
type client struct {
	w      *world
	header http.Header
}

// with returns the client with more headers, given as name, value, name, value.
func (c client) with(header ...string) client {
	c.header = c.header.Clone()
	for i := 0; i+1 < len(header); i += 2 {
		c.header.Set(header[i], header[i+1])
	}
	return c
}

func (c client) from(address string) client { return c.with(peerHeader, address) }

func (c client) get(path string) reply         { c.w.t.Helper(); return c.do("GET", path, "") }
func (c client) delete(path string) reply      { c.w.t.Helper(); return c.do("DELETE", path, "") }
func (c client) post(path, body string) reply  { c.w.t.Helper(); return c.do("POST", path, body) }
func (c client) put(path, body string) reply   { c.w.t.Helper(); return c.do("PUT", path, body) }
func (c client) patch(path, body string) reply { c.w.t.Helper(); return c.do("PATCH", path, body) }
func (c client) chat(body string) reply        { c.w.t.Helper(); return c.do("POST", "/api/chat", body) }
func (c client) login(email, pass string) reply {
	c.w.t.Helper()
	return c.post("/api/auth/login", credentials(email, pass))
}

func credentials(email, pass string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q}`, email, pass)
}

func (c client) request(method, path string, body io.Reader) *http.Request {
	c.w.t.Helper()
	req, err := http.NewRequestWithContext(c.w.t.Context(), method, c.w.url+path, body)
	if err != nil {
		c.w.t.Fatal(err)
	}
	req.Header = c.header.Clone()
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
		req.Header.Del("Host")
	}
	if body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

// do sends a request and checks what holds for every answer: it has no secret, no 5xx that the test does
// not expect (see reply.want), and errors have the error shape.
func (c client) do(method, path, body string) reply {
	c.w.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	return c.send(c.request(method, path, in))
}

// transport is that of all callers in these tests.
var transport = httpversion.Transport()

// noRedirects returns redirects as answers, because the gateway sends none.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c client) send(req *http.Request) reply {
	c.w.t.Helper()
	resp, err := (&http.Client{Transport: transport, CheckRedirect: noRedirects, Timeout: 5 * time.Minute}).Do(req)
	if err != nil {
		c.w.t.Errorf("%s %s: %v", req.Method, req.URL.Path, err)
		return reply{t: c.w.t}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.w.t.Errorf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	r := reply{c.w.t, req.Method + " " + req.URL.Path, resp.StatusCode, resp.Header, string(text)}
	r.check()
	if err := record(req, r); err != nil {
		c.w.t.Error(err)
	}
	return r
}

// reply is an answer of the gateway.
type reply struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

func (r reply) check() {
	r.t.Helper()
	if strings.Contains(r.body, mark) || strings.Contains(fmt.Sprint(r.header), mark) {
		r.t.Errorf("%s: a secret in the answer: %v %s", r.what, r.header, r.body)
	}
	// Health reports have a body with every status.
	if r.status >= 400 && !strings.HasPrefix(r.what, "HEAD ") && !strings.Contains(r.what, " /health") {
		_, _, kind, message, id := r.told()
		if kind == "" || message == "" {
			r.t.Errorf("%s: not the error shape: %d %s", r.what, r.status, r.body)
		}
		if id != r.header.Get("X-Request-ID") {
			r.t.Errorf("%s: the body names the request %s, the header %s", r.what, id, r.header.Get("X-Request-ID"))
		}
	}
}

// told is what an error says, in whichever dialect it is told: the path decides or, where there is no route or an alias, the shape. code is the gateway's own, "" in
// the other dialects; issues is how a list of issues begins.
func (r reply) told() (code, issues, kind, message, id string) {
	_, path, _ := strings.Cut(r.what, " ")
	var e struct {
		Type  string
		Error struct {
			Code    any
			Type    string
			Status  string
			Message string
			Details json.RawMessage
		}
		RequestID   string `json:"requestId"`
		AnthropicID string `json:"request_id"`
	}
	if json.Unmarshal([]byte(r.body), &e) != nil {
		return "", "", "", "", ""
	}
	issues = `"issues":[{"path":`
	odd := r.status == 404 || e.Error.Status != "" || aliased(path)
	switch {
	case strings.HasPrefix(path, "/v1/messages"), odd && e.Type == "error":
		return "", issues, e.Error.Type, e.Error.Message, e.AnthropicID
	case odd && e.Error.Status != "":
		id, _, _ := strings.Cut(r.body[strings.Index(r.body, `"requestId":"`)+13:], `"`)
		return "", `"fieldViolations":[{"`, e.Error.Status, e.Error.Message, id
	case strings.HasPrefix(path, "/v1/") || path == "/v1", odd && e.Error.Type != "":
		return "", issues, e.Error.Type, e.Error.Message, r.header.Get("X-Request-ID") // OpenAI's dialect has it in the header only
	case strings.HasPrefix(path, "/v1beta/") || path == "/v1beta":
		id, _, _ := strings.Cut(r.body[strings.Index(r.body, `"requestId":"`)+13:], `"`)
		return "", `"fieldViolations":[{"`, e.Error.Status, e.Error.Message, id
	}
	code, _ = e.Error.Code.(string)
	return code, issues, code, e.Error.Message, e.RequestID
}

// aliased says whether the path is that of no pattern, and leads to a route of SDKs.
func aliased(path string) bool {
	return !slices.ContainsFunc([]string{"/v1/", "/v1beta/", "/api/", "/health"}, func(own string) bool {
		return strings.HasPrefix(path, own)
	}) || strings.HasPrefix(path, "/api/v1/") || strings.HasPrefix(path, "/v1beta/openai/")
}

// anyIssues, as the part that refused looks for, is a list of issues in the dialect of the answer.
const anyIssues = `"issues":[{"path":`

// want ends the test if the status is another.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: %d, want %d: %s", r.what, r.status, status, r.body)
	}
	return r
}

// refused ends the test unless the answer is an error with the status and the code whose body contains the part.
func (r reply) refused(status int, code, part string) reply {
	r.t.Helper()
	told, issues, _, _, _ := r.told()
	if part == anyIssues {
		part = issues
	}
	if r.status != status || told != "" && told != code || !strings.Contains(r.body, part) {
		r.t.Errorf("%s: %d %s, want %d %s with %s", r.what, r.status, r.body, status, code, part)
	}
	return r
}

// at returns the value at a path such as "keys.0.id", or nil.
func (r reply) at(path string) any {
	var v any
	d := json.NewDecoder(strings.NewReader(r.body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			if i, err := strconv.Atoi(name); err != nil || i >= len(in) {
				return nil
			} else {
				v = in[i]
			}
		default:
			return nil
		}
	}
	return v
}

// text returns the value at a path as text, or "null".
func (r reply) text(path string) string {
	switch v := r.at(path).(type) {
	case nil:
		return "null"
	case string:
		return v
	default:
		text, _ := json.Marshal(v)
		return string(text)
	}
}

// count returns the length of the array at the path.
func (r reply) count(path string) int {
	list, _ := r.at(path).([]any)
	return len(list)
}

// members checks that the object at the path (empty: the whole) has exactly these members.
func (r reply) members(path string, names ...string) {
	r.t.Helper()
	v := r.at(path)
	if path == "" {
		json.Unmarshal([]byte(r.body), &v)
	}
	object, _ := v.(map[string]any)
	var got []string
	for name := range object {
		got = append(got, name)
	}
	sort.Strings(got)
	sort.Strings(names)
	if strings.Join(got, " ") != strings.Join(names, " ") {
		r.t.Errorf("%s: %s has %v, want %v", r.what, path, got, names)
	}
}

// is checks values given as path, text, path, text.
func (r reply) is(pairs ...string) reply {
	r.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		if got := r.text(pairs[i]); got != pairs[i+1] {
			r.t.Errorf("%s: %s is %s, want %s", r.what, pairs[i], got, pairs[i+1])
		}
	}
	return r
}

// time returns the RFC 3339 time in UTC at the path.
func (r reply) time(path string) time.Time {
	r.t.Helper()
	at, err := time.Parse(time.RFC3339, r.text(path))
	if err != nil || !strings.HasSuffix(r.text(path), "Z") {
		r.t.Errorf("%s: %s is no RFC 3339 time in UTC: %s", r.what, path, r.text(path))
	}
	return at
}

// near checks that the time at the path is within a minute of at.
func (r reply) near(path string, at time.Time) {
	r.t.Helper()
	if d := r.time(path).Sub(at).Abs(); d > time.Minute {
		r.t.Errorf("%s: %s is %s, %v from %v", r.what, path, r.text(path), d, at)
	}
}

// cookie returns the cookie of the name that the answer sets, or nil.
func (r reply) cookie(name string) *http.Cookie {
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// The cookie's names.
const (
	plainCookie  = "llm_gateway_session"
	secureCookie = "__Host-llm_gateway_session"
)

// cookied returns the person's client as a browser: with the cookie, without a bearer token.
func (p *person) cookied() client { return p.w.anyone().with("Cookie", plainCookie+"="+p.session) }

// openSession creates a session without a login.
func (w *world) openSession(user store.ID) string {
	w.t.Helper()
	w.wait(2 * time.Millisecond) // ids of one millisecond have no order
	now := w.now()
	s := store.Session{ID: store.NewID(now.UnixMilli()), UserID: user, CreatedAt: now.UnixMilli(), LastSeenAt: now.UnixMilli(),
		ExpiresAt: now.AddDate(0, 0, w.cfg.SessionDays).UnixMilli()}
	token, err := w.app.Secrets.SignSession(auth.Session{ID: s.ID.String(), UserID: user.String(), IssuedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt})
	if err == nil {
		err = store.CreateSession(w.t.Context(), w.db.DB, s)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// person takes over a person of another world on the same database, with the session.
func (c client) person(p *person) *person {
	at := *p
	at.client = c.with("Authorization", "Bearer "+p.session)
	return &at
}

// token creates a gateway token and returns a client that sends it.
func (p *person) token(name string) (id, token string, holder client) {
	p.w.t.Helper()
	r := p.post("/api/tokens", fmt.Sprintf(`{"name":%q}`, name)).want(201)
	token = r.text("token")
	return r.text("id"), token, p.w.anyone().with("Authorization", "Bearer "+token)
}

// key adds a provider key, with more members if given, and returns its id.
func (p *person) key(provider, secret string, more ...string) string {
	p.w.t.Helper()
	body := fmt.Sprintf(`{"provider":%q,"apiKey":%q`, provider, secret)
	for _, m := range more {
		body += "," + m
	}
	return p.post("/api/keys", body+"}").want(201).text("id")
}

// idOf returns the path of a route with the id filled in.
func idOf(route server.Route, id string) string {
	model := "gpt-4o-mini"
	if route.Group == server.Gemini && route.Method == "POST" {
		model += ":generateContent"
	}
	return strings.NewReplacer("{id}", id, "{model...}", model).Replace(route.Pattern)
}
