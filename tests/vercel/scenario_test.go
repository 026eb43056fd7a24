//go:build !windows

package vercel

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/server"
)

// The secrets of these tests.
const (
	jwtSecret  = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-three-platforms"
	setupToken = "for-the-first-account"
	cronSecret = "called-by-the-scheduler"
)

// visit sends requests to a platform and records a line for each.
type visit struct {
	*testing.T
	platform platform
	emu      *emulator.Emulator
	lines    []string

	mu   sync.Mutex
	sent map[string]map[int]int // the gateway's answers by method and path: how many of each status
}

func (v *visit) send(method, url, bearer, body string, header ...string) answer {
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
	a := v.platform.send(v.T, r)
	v.remember(r, a)
	return a
}

// remember counts an answer of the gateway, not of the platform.
func (v *visit) remember(r request, a answer) {
	if a.header.Get("X-Request-Id") == "" {
		return
	}
	path, _, _ := strings.Cut(r.url, "?")
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sent == nil {
		v.sent = map[string]map[int]int{}
	}
	name := r.method + " " + path
	if v.sent[name] == nil {
		v.sent[name] = map[int]int{}
	}
	v.sent[name][a.status]++
}

var hole = regexp.MustCompile(`\\\{[a-z.\\]+\\\}`)

// answersOf returns the statuses of a route: 200×3 401. Fixed routes take precedence over those with parameters.
func (v *visit) answersOf(r server.Route) string {
	exact := map[string]bool{}
	for _, other := range server.Routes() {
		exact[other.Method+" "+other.Pattern] = true
	}
	pattern := regexp.MustCompile("^" + hole.ReplaceAllStringFunc(regexp.QuoteMeta(r.Method+" "+r.Pattern), func(m string) string {
		if strings.Contains(m, ".") {
			return ".+"
		}
		return "[^/]+"
	}) + "$")
	sum := map[int]int{}
	for name, statuses := range v.sent {
		if name == r.Method+" "+r.Pattern || !exact[name] && pattern.MatchString(name) {
			for status, n := range statuses {
				sum[status] += n
			}
		}
	}
	var cells []string
	for _, status := range slices.Sorted(maps.Keys(sum)) {
		cell := fmt.Sprint(status)
		if sum[status] > 1 {
			cell += fmt.Sprint("×", sum[status])
		}
		cells = append(cells, cell)
	}
	return strings.Join(cells, " ")
}

// want sends a request, records the answer under a name, and checks its status.
func (v *visit) want(status int, method, url, bearer, body string, header ...string) answer {
	v.Helper()
	a := v.send(method, url, bearer, body, header...)
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

// text returns a member of a JSON answer; elements of lists are named by index.
func (a answer) text(path ...string) string {
	var value any
	if json.Unmarshal([]byte(a.body), &value) != nil {
		return ""
	}
	for _, name := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(v) {
				return ""
			}
			value = v[i]
		}
	}
	text, _ := value.(string)
	return text
}

// everything sends the requests that all platforms get.
func (v *visit) everything() {
	session, token, key := v.account()
	v.routes()
	v.chats(token)
	v.stored(token)
	v.later(token)
	v.limited(session, token)
	v.aliases(session, token)
	v.management(session, key)
	v.limits(token)
	v.unknown(token)
	v.cron()
	v.accounts(session)
	v.farewell(session, key)
}

func (v *visit) account() (session, token, key string) {
	const credentials = `"email":"root@example.com","password":"a long passphrase"`
	v.want(403, "POST", "/api/auth/register", "", "{"+credentials+`,"setupToken":"wrong"}`)
	session = v.want(201, "POST", "/api/auth/register", "", "{"+credentials+`,"setupToken":"`+setupToken+`"}`).text("token")
	v.want(200, "POST", "/api/auth/login", "", "{"+credentials+"}")
	for _, provider := range []string{"openai", "anthropic", "gemini"} {
		key = v.want(201, "POST", "/api/keys", session,
			`{"provider":"`+provider+`","apiKey":"sk-emulated-0001","dailyLimit":1000}`).text("id")
	}
	token = v.want(201, "POST", "/api/tokens", session, `{"name":"t"}`).text("token")
	return session, token, key
}

// routes sends a request without credentials to every route: the answer shows that the platform routes it.
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
		case r.Access == server.AccessPublic && r.Method == "GET":
			want = 200
		case r.Access == server.AccessPublic:
			want = 400
		}
		a := v.want(want, r.Method, path, "", body)
		contentType := "application/json"
		if strings.HasSuffix(path, ".txt") {
			contentType = "text/plain"
		}
		if a.header.Get("X-Request-Id") == "" || !strings.HasPrefix(a.header.Get("Content-Type"), contentType) {
			v.Errorf("%s %s was not answered by the gateway: %v %.200s", r.Method, path, a.header, a.body)
		}
	}
}

// chats sends chats in every dialect, whole and streamed.
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
		{"/v1beta/models/gpt-4o-mini:generateContent", gemini,
			"/v1beta/models/gpt-4o-mini:streamGenerateContent?alt=sse", `"finishReason":"STOP"`},
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
		case early != v.platform.streams():
			v.Errorf("%s: %d pieces, the first after %v of %v", tt.stream, s.pieces, s.first, s.took)
		case early:
			v.Logf("%s: streamed in %d pieces, the first after %d of %d ms", tt.stream, s.pieces,
				s.first.Milliseconds(), s.took.Milliseconds())
		}
	}
	v.want(200, "POST", "/v1/messages/count_tokens", token, `{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"Hello!"}]}`)
	v.want(200, "POST", "/v1/embeddings", token, `{"model":"text-embedding-3-small","input":"Hello!"}`)
	v.want(200, "GET", "/v1/models", token, "")
	v.want(200, "GET", "/v1/models/gpt-4o-mini", token, "")
	v.want(200, "GET", "/v1beta/models", token, "")
	v.want(200, "GET", "/v1beta/models/gpt-4o-mini", token, "")
	for _, base := range []string{"/openai/v1", "/api/v1", "/inference/v1", "/v1beta/openai", ""} {
		v.want(200, "POST", base+"/chat/completions", token, fmt.Sprintf(openAI, false))
		v.want(200, "GET", base+"/models/gpt-4o-mini", token, "")
	}
	for _, version := range []string{"/v1", "/v1alpha"} {
		v.want(200, "POST", version+"/models/gpt-4o-mini:generateContent", token, gemini)
		v.want(200, "POST", version+"/openai/gpt-4o-mini:generateContent", token, gemini)
	}
	v.want(400, "POST", "/api/chat", token, `{"messages":[]}`)
	v.want(400, "POST", "/v1/messages", token, `{"model":"gpt-4o-mini"}`)
	v.want(403, "GET", "/api/keys", token, "")
	v.want(204, "OPTIONS", "/v1/chat/completions", "", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST")
}

// stored sends requests to the routes of OpenAI's Responses beside the first, and to the older completions.
func (v *visit) stored(token string) {
	id := v.want(200, "POST", "/v1/responses", token, `{"model":"gpt-4o-mini","input":"echo: one"}`).text("id")
	next := v.want(200, "POST", "/v1/responses", token, `{"model":"gpt-4o-mini","input":"echo: two","previous_response_id":"`+id+`"}`)
	if next.status == 200 && next.text("previous_response_id") != id {
		v.Errorf("the response goes on with another: %.300s", next.body)
	}
	v.stays(200, "GET", "/v1/responses/", id, "", token)
	v.stays(200, "GET", "/v1/responses/", id, "/input_items", token)
	v.stays(400, "POST", "/v1/responses/", id, "/cancel", token)
	v.stays(200, "DELETE", "/v1/responses/", id, "", token)
	v.stays(404, "GET", "/v1/responses/", id, "", token)
	v.want(200, "POST", "/v1/responses/input_tokens", token, `{"model":"gpt-4o-mini","input":"Hello!"}`)
	v.want(200, "POST", "/v1/responses/compact", token, `{"model":"gpt-5-mini","input":"Hello!"}`)
	v.want(200, "POST", "/v1/completions", token, `{"model":"gpt-4o-mini","prompt":"Hello!"}`)
}

// stays is want for a path with an id that differs between platforms.
func (v *visit) stays(status int, method, before, id, after, bearer string) {
	v.Helper()
	a := v.send(method, before+id+after, bearer, "")
	v.note("%s %sID%s %d", method, before, after, a.status)
	if a.status != status {
		v.Errorf("%s %s%s%s: %d, want %d: %.300s", method, before, id, after, a.status, status, a.body)
	}
}

// limited makes, reads and ends a limit, and lists end users.
func (v *visit) limited(session, token string) {
	own := v.want(200, "GET", "/api/tokens", session, "").text("tokens", "0", "id")
	v.want(200, "PATCH", "/api/tokens/"+own, session, `{"endUsers":true}`)
	limit := v.want(201, "POST", "/api/limits", session,
		`{"subject":{"type":"token","id":"`+own+`"},"metric":"requests","window":"day","amount":1000}`).text("id")
	v.want(200, "POST", "/api/chat", token, `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}`, "X-LLM-End-User", "ann")
	if a := v.want(200, "GET", "/v1/limits", token, ""); !strings.Contains(a.body, `"used":1`) {
		v.Errorf("the request did not count: %s", a.body)
	}
	v.want(200, "GET", "/api/limits", session, "")
	v.want(200, "GET", "/api/limits/"+limit, session, "")
	v.want(200, "PATCH", "/api/limits/"+limit, session, `{"amount":2000}`)
	v.want(204, "POST", "/api/limits/"+limit+"/reset", session, `{"note":"a test"}`)
	v.want(204, "DELETE", "/api/limits/"+limit, session, "")
	v.want(200, "GET", "/api/tokens/"+own, session, "")
	if a := v.want(200, "GET", "/api/tokens/"+own+"/end-users", session, ""); !strings.Contains(a.body, `"ann"`) {
		v.Errorf("the end user is not listed: %s", a.body)
	}
	v.want(204, "DELETE", "/api/tokens/"+own+"/end-users?endUser=ann", session, "")
	v.want(200, "PATCH", "/api/tokens/"+own, session, `{"endUsers":false}`)
}

// aliases makes, uses, explains and deletes an alias.
func (v *visit) aliases(session, token string) {
	alias := v.want(201, "POST", "/api/aliases", session, `{"name":"best","targets":[{"model":"gpt-4o-mini"}]}`).text("id")
	v.want(200, "GET", "/api/aliases", session, "")
	v.want(200, "GET", "/api/aliases/"+alias, session, "")
	const chat = `{"model":"best","messages":[{"role":"user","content":"hi"}]}`
	if a := v.want(200, "POST", "/api/chat", token, chat); a.header.Get("X-Llm-Alias") != "best" {
		v.Errorf("headers %v", a.header)
	}
	v.want(200, "POST", "/api/route/explain", token, `{"endpoint":"/api/chat","body":`+chat+`}`)
	v.want(200, "PATCH", "/api/aliases/"+alias, session, `{"targets":[{"model":"gpt-4o"}]}`)
	v.want(204, "DELETE", "/api/aliases/"+alias, session, "")
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
	v.want(200, "PUT", "/api/keys/"+key, session, `{"provider":"gemini","name":"whole","dailyLimit":1000}`)
	v.want(200, "POST", "/api/keys/"+key+"/reset", session, "")
	v.want(200, "PATCH", "/api/admin/keys/"+key, session, `{"blocked":false}`)
	v.want(200, "POST", "/api/keys/"+key+"/models", session, "")
	for _, path := range []string{"/api/keys", "/api/keys/stats", "/api/keys/catalog", "/api/keys/models", "/api/keys/presets", "/api/queue/jobs?limit=3"} {
		v.want(200, "GET", path, session, "")
	}
	a := v.want(200, "GET", "/api/requests?limit=2&statusClass=2", session, "")
	if strings.Count(a.body, `"keyId"`) != 2 {
		v.Errorf("the query was not heeded: %s", a.body)
	}
	v.want(200, "GET", "/api/requests/"+a.text("requests", "0", "id"), session, "")
	if csv := v.want(200, "GET", "/api/requests.csv?statusClass=2", session,
		""); !strings.HasPrefix(csv.header.Get("Content-Disposition"), "attachment") || strings.Count(csv.body, "\n") < 3 {
		v.Errorf("%v %.300s", csv.header, csv.body)
	}
}

// accounts requests users and their objects.
func (v *visit) accounts(session string) {
	me := v.want(200, "GET", "/api/auth/me", session, "").text("user", "id")
	v.want(200, "PATCH", "/api/auth/me", session, `{"name":"Root"}`)
	v.want(200, "GET", "/api/auth/settings", session, "")
	v.want(200, "PUT", "/api/auth/settings", session, `{"registrationEnabled":true}`)
	const others = `{"email":"%s@example.com","password":"another passphrase"}`
	ann := v.want(201, "POST", "/api/auth/register", "", fmt.Sprintf(others, "ann"))
	bob := v.want(201, "POST", "/api/auth/register", "", fmt.Sprintf(others, "bob"))
	v.want(200, "POST", "/api/auth/revoke", ann.text("token"), `{"tokens":true}`)
	v.want(204, "POST", "/api/auth/me/delete", ann.text("token"), `{"password":"another passphrase"}`)
	v.want(204, "DELETE", "/api/users/"+bob.text("user", "id"), session, "")
	v.want(200, "PUT", "/api/auth/settings", session, `{"registrationEnabled":false}`)
	v.want(200, "GET", "/api/users?limit=1", session, "")
	v.want(200, "PATCH", "/api/users/"+me, session, `{"role":"admin"}`)
	v.want(409, "PATCH", "/api/users/"+me, session, `{"enabled":false}`)
	token := v.want(200, "GET", "/api/tokens", session, "").text("tokens", "0", "id")
	v.want(200, "PATCH", "/api/tokens/"+token, session, `{"name":"renamed"}`)
	v.want(200, "GET", "/api/admin/tokens", session, "")
	v.want(200, "PATCH", "/api/admin/tokens/"+token, session, `{"blocked":true}`)
	v.want(204, "DELETE", "/api/tokens/"+token, session, "")
}

// farewell deletes objects and ends sessions.
func (v *visit) farewell(session, key string) {
	v.want(204, "DELETE", "/api/keys/"+key, session, "")
	session = v.want(200, "PUT", "/api/auth/password", session,
		`{"currentPassword":"a long passphrase","newPassword":"a longer passphrase"}`).text("token")
	other := v.want(200, "POST", "/api/auth/login", "", `{"email":"root@example.com","password":"a longer passphrase"}`).text("token")
	id := v.want(200, "GET", "/api/auth/sessions", session, "").text("sessions", "0", "id")
	v.want(204, "DELETE", "/api/auth/sessions/"+id, session, "")
	for _, left := range []string{session, other} { // one of the two was deleted
		if a := v.send("GET", "/api/auth/me", left, ""); a.status == 200 {
			v.want(204, "POST", "/api/auth/logout", left, "")
			v.want(401, "GET", "/api/auth/me", left, "")
		}
	}
}

// later sends asynchronous requests. No platform has a worker here: polls run the jobs.
func (v *visit) later(token string) {
	const body = `{"model":"gpt-4o-mini","async":true,"requestId":"job-%d","messages":[{"role":"user","content":"echo: %d"}]}`
	const jobs = 20
	for i := range jobs {
		v.want(202, "POST", "/api/chat", token, fmt.Sprintf(body, i, i))
	}
	v.want(202, "POST", "/api/chat", token, fmt.Sprintf(body, 0, 0)) // the same job again
	v.want(409, "POST", "/api/chat", token, fmt.Sprintf(body, 0, 1))
	v.want(202, "GET", "/api/chat/job-1?timeout=0", token, "")
	v.want(200, "DELETE", "/api/chat/job-2", token, "")
	v.want(409, "GET", "/api/chat/job-2", token, "")
	v.pollAtOnce(token, 3, jobs)
	location := v.want(202, "POST", "/v1/messages", token,
		`{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user","content":"echo: later"}]}`,
		"Prefer", "respond-async", "Idempotency-Key", "by-header").header.Get("Location")
	if a := v.want(200, "GET", location, token, ""); a.text("type") != "message" || !strings.Contains(a.body, "later") {
		v.Errorf("%s: %.300s", location, a.body)
	}
	if a := v.want(200, "GET", "/api/queue/stats", token, ""); !strings.Contains(a.body, `"waiting":2`) {
		v.Errorf("two are left for the scheduler: %s", a.body)
	}
}

// pollAtOnce polls several jobs concurrently, each by two callers: one of them runs it, both get its answer.
func (v *visit) pollAtOnce(token string, first, jobs int) {
	v.Helper()
	before := len(v.emu.Requests())
	polls := make(chan int, 2*jobs)
	for i := first; i < jobs; i++ {
		polls <- i
		polls <- i
	}
	close(polls)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for i := range polls {
				a := v.send("GET", fmt.Sprintf("/api/chat/job-%d", i), token, "")
				if a.status != 200 || !strings.Contains(a.body, fmt.Sprintf(`"content":"%d"`, i)) ||
					a.header.Get("X-Llm-Provider") != "openai" {
					v.Errorf("job-%d: %d %v %.200s", i, a.status, a.header, a.body)
				}
			}
		})
	}
	all.Wait()
	if calls := len(v.emu.Requests()) - before; calls != jobs-first {
		v.Errorf("%d jobs cost %d calls", jobs-first, calls)
	}
	v.note("%d jobs polled at once", jobs-first)
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

// unknown requests unknown paths. Outside of the routes' folders the CDN of functions answers by itself.
func (v *visit) unknown(token string) {
	for _, path := range []string{"/api/nothing", "/api/nothing/here", "/api/keys/x/y/z", "/v1/nothing",
		"/v1beta/nothing", "/health/nothing", "/api/cron/x"} {
		if a := v.want(404, "GET", path, token, ""); !strings.Contains(a.body, `"error"`) {
			v.Errorf("%s: not the error shape: %.200s", path, a.body)
		}
	}
	for _, path := range []string{"/nothing", "/go.mod", "/api/chat.go", "/.env", "/public/index.html"} {
		if a := v.send("GET", path, "", ""); a.status != 404 {
			v.Errorf("%s: %d %.200s", path, a.status, a.body)
		}
	}
}

func (v *visit) cron() {
	v.want(401, "GET", "/api/cron", "", "")
	v.want(401, "GET", "/api/cron", "wrong", "")
	for _, path := range v.platform.crons() {
		if a := v.want(200, "GET", path, cronSecret, "", "User-Agent", "vercel-cron/1.0"); !strings.Contains(a.body, `"ran":2`) {
			v.Errorf("the requests that wait were not run: %s", a.body)
		}
		if a := v.want(200, "GET", path, cronSecret, ""); !strings.Contains(a.body, `"ran":0`) {
			v.Errorf("%s", a.body)
		}
	}
	if len(v.platform.crons()) == 0 {
		v.Error("no scheduled path")
	}
}

// files requests everything in public/: the same bytes, with the headers that vercel.json sets.
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
		a := v.send("GET", path, "", "")
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
