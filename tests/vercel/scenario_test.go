//go:build !windows

package vercel

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// The secrets of these tests.
const (
	jwtSecret  = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-three-homes"
	setupToken = "for-the-first-account"
	cronSecret = "called-by-the-scheduler"
)

// visit is somebody who asks a home, and what came back: a line for each request.
type visit struct {
	*testing.T
	home  home
	lines []string
}

func (v *visit) ask(method, url, bearer, body string, header ...string) answer {
	v.Helper()
	r := request{method: method, url: url, body: body, header: http.Header{}}
	if body != "" {
		r.header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		r.header.Set("Authorization", "Bearer "+bearer)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.header.Set(header[i], header[i+1])
	}
	return v.home.ask(v.T, r)
}

// want asks, notes the answer under a name, and checks its status.
func (v *visit) want(status int, method, url, bearer, body string, header ...string) answer {
	v.Helper()
	a := v.ask(method, url, bearer, body, header...)
	v.note("%s %s %d %s", method, url, a.status, a.header.Get("Content-Type"))
	if a.status != status {
		v.Errorf("%s %s: %d, want %d: %.300s", method, url, a.status, status, a.body)
	}
	return a
}

var someID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

func (v *visit) note(format string, args ...any) {
	v.lines = append(v.lines, someID.ReplaceAllString(fmt.Sprintf(format, args...), "ID"))
}

// text is the member of a JSON answer.
func (a answer) text(path ...string) string {
	var value any
	if json.Unmarshal([]byte(a.body), &value) != nil {
		return ""
	}
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	text, _ := value.(string)
	return text
}

// everything is the list of requests that all homes get.
func (v *visit) everything() {
	session, token, key := v.account()
	v.routes()
	v.chats(token)
	v.management(session, key)
	v.limits(token)
	v.unknown(token)
	v.cron()
}

func (v *visit) account() (session, token, key string) {
	const credentials = `"email":"root@example.com","password":"a long passphrase"`
	v.want(403, "POST", "/api/auth/register", "", "{"+credentials+`,"setupToken":"wrong"}`)
	session = v.want(201, "POST", "/api/auth/register", "", "{"+credentials+`,"setupToken":"`+setupToken+`"}`).text("token")
	v.want(200, "POST", "/api/auth/login", "", "{"+credentials+"}")
	for _, provider := range []string{"openai", "anthropic", "gemini"} {
		key = v.want(201, "POST", "/api/keys", session, `{"provider":"`+provider+`","apiKey":"sk-emulated-0001","dailyLimit":1000}`).text("id")
	}
	token = v.want(201, "POST", "/api/tokens", session, `{"name":"t"}`).text("token")
	return session, token, key
}

// routes asks every route as a stranger: the answer shows that the home leads there.
func (v *visit) routes() {
	pattern := regexp.MustCompile(`\{[a-z.]+\}`)
	for _, r := range server.Routes() {
		path := pattern.ReplaceAllString(r.Pattern, "0190a5f0-0000-7000-8000-000000000000")
		body := ""
		if r.Method != "GET" && r.Method != "DELETE" {
			body = "{}"
		}
		want := 401
		switch {
		case r.Access == server.Public && r.Method == "GET":
			want = 200
		case r.Access == server.Public:
			want = 400
		}
		a := v.want(want, r.Method, path, "", body)
		if a.header.Get("X-Request-Id") == "" || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
			v.Errorf("%s %s was not answered by the gateway: %v %.200s", r.Method, path, a.header, a.body)
		}
	}
}

// chats asks in every dialect, whole and streamed.
func (v *visit) chats(token string) {
	const (
		openAI    = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"words: 12"}],"stream":%t}`
		response  = `{"model":"gpt-4o-mini","input":"words: 12","stream":%t}`
		anthropic = `{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user","content":"words: 12"}],"stream":%t}`
		gemini    = `{"contents":[{"role":"user","parts":[{"text":"words: 12"}]}]}`
	)
	for _, tt := range []struct{ url, body, stream, end string }{
		{"/api/chat", openAI, "/api/chat", "data: [DONE]\n\n"},
		{"/v1/chat/completions", openAI, "/v1/chat/completions", "data: [DONE]\n\n"},
		{"/v1/responses", response, "/v1/responses", "response.completed"},
		{"/v1/messages", anthropic, "/v1/messages", "message_stop"},
		{"/v1beta/models/gpt-4o-mini:generateContent", gemini, "/v1beta/models/gpt-4o-mini:streamGenerateContent?alt=sse", `"finishReason":"STOP"`},
	} {
		whole, streamed := tt.body, tt.body
		if strings.Contains(tt.body, "%t") {
			whole, streamed = fmt.Sprintf(tt.body, false), fmt.Sprintf(tt.body, true)
		}
		a := v.want(200, "POST", tt.url, token, whole)
		if a.header.Get("X-Llm-Provider") != "openai" || a.header.Get("X-Llm-Key-Id") == "" {
			v.Errorf("%s: %v", tt.url, a.header)
		}
		s := v.want(200, "POST", tt.stream, token, streamed)
		if tail := s.body[max(0, len(s.body)-2000):]; !strings.Contains(tail, tt.end) || !strings.HasSuffix(s.body, "\n\n") {
			v.Errorf("%s: the stream is not whole: %.300s", tt.stream, s.body)
		}
		switch early := s.first < s.took/2 && s.pieces > 3; {
		case early != v.home.streams():
			v.Errorf("%s: %d pieces, the first after %v of %v", tt.stream, s.pieces, s.first, s.took)
		case early:
			v.Logf("%s: streamed in %d pieces, the first after %d of %d ms", tt.stream, s.pieces, s.first.Milliseconds(), s.took.Milliseconds())
		}
	}
	v.want(200, "POST", "/v1/messages/count_tokens", token, `{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"Hello!"}]}`)
	v.want(200, "POST", "/v1/embeddings", token, `{"model":"text-embedding-3-small","input":"Hello!"}`)
	v.want(200, "GET", "/v1/models", token, "")
	v.want(200, "GET", "/v1/models/gpt-4o-mini", token, "")
	v.want(200, "GET", "/v1beta/models", token, "")
	v.want(400, "POST", "/api/chat", token, `{"messages":[]}`)
	v.want(400, "POST", "/v1/messages", token, `{"model":"gpt-4o-mini"}`)
	v.want(403, "GET", "/api/keys", token, "")
	v.want(204, "OPTIONS", "/v1/chat/completions", "", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST")
}

func (v *visit) management(session, key string) {
	v.want(200, "GET", "/api/keys/"+key, session, "")
	v.want(200, "PATCH", "/api/keys/"+key, session, `{"priority":2}`)
	v.want(200, "POST", "/api/keys/"+key+"/test", session, "")
	v.want(200, "GET", "/api/keys/"+key+"/usage?limit=3", session, "")
	v.want(404, "GET", "/api/keys/0190a5f0-0000-7000-8000-000000000000", session, "")
	v.want(405, "DELETE", "/api/keys", session, "")
	v.want(200, "GET", "/api/usage?by=model", session, "")
	v.want(200, "GET", "/api/admin/keys?limit=1", session, "")
	if a := v.want(200, "GET", "/api/requests?limit=2&statusClass=2", session, ""); strings.Count(a.body, `"keyId"`) != 2 {
		v.Errorf("the query was not heeded: %s", a.body)
	}
}

// limits sends a body of nearly 4 MB, and one beyond.
func (v *visit) limits(token string) {
	text := strings.Repeat("word ", 4<<20/5-100)
	a := v.want(200, "POST", "/api/chat", token, `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"`+text+`"}]}`)
	if !strings.Contains(a.body, `"promptTokens":8387`) {
		v.Errorf("4 MB did not arrive whole: %.300s", a.body)
	}
	v.want(413, "POST", "/api/chat", token, `{"messages":[{"role":"user","content":"`+text+strings.Repeat("more ", 200)+`"}]}`)
}

// unknown asks for what nobody serves. Outside of the routes' folders the CDN of functions answers by itself.
func (v *visit) unknown(token string) {
	for _, path := range []string{"/api/nothing", "/api/nothing/here", "/api/keys/x/y/z", "/v1/nothing", "/v1beta/nothing", "/health/nothing", "/api/cron/x"} {
		if a := v.want(404, "GET", path, token, ""); !strings.Contains(a.body, `"error"`) {
			v.Errorf("%s: not the error shape: %.200s", path, a.body)
		}
	}
	for _, path := range []string{"/nothing", "/go.mod", "/api/chat.go", "/.env", "/public/index.html"} {
		if a := v.ask("GET", path, "", ""); a.status != 404 {
			v.Errorf("%s: %d %.200s", path, a.status, a.body)
		}
	}
}

func (v *visit) cron() {
	v.want(401, "GET", "/api/cron", "", "")
	v.want(401, "GET", "/api/cron", "wrong", "")
	for _, path := range v.home.crons() {
		v.want(200, "GET", path, cronSecret, "", "User-Agent", "vercel-cron/1.0")
		v.want(200, "GET", path, cronSecret, "")
	}
	if len(v.home.crons()) == 0 {
		v.Error("no scheduled path")
	}
}

// files asks for everything in public/: the same bytes, with the headers that vercel.json sets.
func (v *visit) files() {
	var config struct {
		Headers []struct {
			Headers []struct{ Key, Value string }
		}
	}
	readJSON(v.T, filepath.Join(root, "vercel.json"), &config)
	public := os.DirFS(filepath.Join(root, "public"))
	fs.WalkDir(public, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(public, name)
		if err != nil {
			v.Fatal(err)
		}
		path := "/" + strings.TrimSuffix(name, "index.html")
		a := v.ask("GET", path, "", "")
		v.note("GET %s %d", path, a.status)
		if a.status != 200 || a.body != string(text) {
			v.Errorf("%s: %d, %d bytes of %d", path, a.status, len(a.body), len(text))
		}
		for _, group := range config.Headers {
			for _, h := range group.Headers {
				if got := a.header.Get(h.Key); got != h.Value {
					v.Errorf("%s: %s is %q, want %q", path, h.Key, got, h.Value)
				}
			}
		}
		return nil
	})
}
