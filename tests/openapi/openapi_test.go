// Package openapi holds public/openapi.yaml to the route table, and to what the tests of
// pkg/server send and get. It is a module of its own, so that the gateway's stays small.
package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/server"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../../public/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// pathOf is a route's pattern as OpenAPI writes it.
func pathOf(r server.Route) string { return strings.ReplaceAll(r.Pattern, "...}", "}") }

func TestEveryRouteIsDescribed(t *testing.T) {
	doc := load(t)
	left := map[string]*openapi3.Operation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			left[method+" "+path] = op
		}
	}
	security := map[server.Access]string{server.AccessPublic: "", server.AccessSession: "cookie session",
		server.AccessAdmin: "cookie session", server.AccessScheduler: "scheduler"}
	for _, r := range server.Routes() {
		name := r.Method + " " + pathOf(r)
		op := left[name]
		if op == nil {
			t.Errorf("%s is not described", name)
			continue
		}
		delete(left, name)
		if op.Responses.Default() == nil {
			t.Errorf("%s says nothing of errors", name)
		}
		var ways []string
		for _, requirement := range *op.Security {
			for way := range requirement {
				ways = append(ways, way)
			}
		}
		slices.Sort(ways)
		want, fixed := security[r.Access]
		if got := strings.Join(ways, " "); fixed && got != want || !fixed && !slices.Contains(ways, "gatewayToken") {
			t.Errorf("%s: %q may call it, want %q", name, got, want)
		}
	}
	for name := range left {
		t.Errorf("%s is described and no route", name)
	}
}

// The description has exactly what the code lists.
func TestListsAreWhole(t *testing.T) {
	doc := load(t)
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	codes := []string{}
	for _, c := range []fault.Code{fault.Validation, fault.Unauthorized, fault.Forbidden, fault.NotFound,
		fault.MethodNotAllowed, fault.Conflict, fault.TooLarge,
		fault.UnsupportedMedia, fault.HeadersTooLarge, fault.RequestTimeout, fault.RateLimit, fault.NoEligibleKey, fault.LoopDetected,
		fault.Provider, fault.ProviderTimeout,
		fault.Unavailable, fault.Internal, fault.Cancelled, fault.Gone} {
		codes = append(codes, string(c))
	}
	var strategies []string
	for _, s := range gateway.Strategies() {
		strategies = append(strategies, string(s))
	}
	for name, want := range map[string][]string{"Provider": table.IDs(), "Code": codes,
		"Strategy": strategies} {
		var got []string
		for _, v := range doc.Components.Schemas[name].Value.Enum {
			got = append(got, v.(string))
		}
		slices.Sort(got)
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(got, want) {
			t.Errorf("%s lists %v, want %v", name, got, want)
		}
	}
}

// exchange is what pkg/server's tests write of each request, a line each.
type exchange struct {
	Method, URL          string
	Header, AnswerHeader http.Header
	Body, AnswerBody     string
	Status               int
}

// exchanges reads the folder in EXCHANGES, where a run of pkg/server's tests has left them. Without the variable
// it runs those tests.
func exchanges(t *testing.T) []exchange {
	t.Helper()
	folder := os.Getenv("EXCHANGES")
	if folder == "" {
		folder = t.TempDir()
		cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "./pkg/server")
		cmd.Dir, cmd.Env = "../..", append(os.Environ(), "EXCHANGES="+folder)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("pkg/server: %v\n%s", err, out)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []exchange
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for in := json.NewDecoder(file); ; {
			var x exchange
			if err := in.Decode(&x); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, x)
		}
		file.Close()
	}
	return all
}

func TestExchangesAreAsDescribed(t *testing.T) {
	doc := load(t)
	patterns := map[string]*regexp.Regexp{} // of paths
	hole := regexp.MustCompile(`\\\{(id|model)(\\\.\\\.\\\.)?\\\}`)
	for _, r := range server.Routes() {
		patterns[pathOf(r)] = regexp.MustCompile("^" + hole.ReplaceAllStringFunc(regexp.QuoteMeta(r.Pattern), func(m string) string {
			if strings.Contains(m, "model") {
				return "(?P<model>.+)"
			}
			return "(?P<id>[^/]+)"
		}) + "$")
	}
	seen, preflights := map[string]bool{}, 0
	for _, x := range exchanges(t) {
		v := &validation{T: t, doc: doc, exchange: x}
		if v.find(patterns) {
			v.headers(v.described(v.input.Route.Operation))
			v.answer()
			seen[fmt.Sprintf("%s %s %d", x.Method, v.path, x.Status)] = true
			if x.Status < 400 {
				seen[x.Method+" "+v.path] = true
				v.request()
			}
		} else if x.Method == http.MethodOptions && x.Status == http.StatusNoContent {
			v.headers(doc.Components.Responses["Preflight"].Value)
			preflights++
		}
	}
	neverSeen(t, doc, seen)
	if preflights == 0 {
		t.Error("no test of pkg/server asks with OPTIONS")
	}
	for _, r := range server.Routes() {
		// No response is made in the background, so none can be cancelled.
		if name := r.Method + " " + pathOf(r); !seen[name] && name != "POST /v1/responses/{id}/cancel" {
			t.Errorf("no test of pkg/server has a good answer of %s", name)
		}
	}
}

// validation checks one exchange against the description.
type validation struct {
	*testing.T
	exchange
	doc   *openapi3.T
	path  string
	input *openapi3filter.RequestValidationInput
}

// find looks the operation up; paths without braces go first.
func (v *validation) find(patterns map[string]*regexp.Regexp) bool {
	u, err := url.Parse(v.URL)
	if err != nil {
		return false
	}
	params := map[string]string{}
	for path, pattern := range patterns {
		m := pattern.FindStringSubmatch(u.EscapedPath())
		if m == nil || v.path != "" && strings.Contains(path, "{") {
			continue
		}
		v.path, params = path, map[string]string{}
		for i, name := range pattern.SubexpNames() {
			if name != "" {
				params[name] = m[i]
			}
		}
	}
	if v.path == "" {
		return false
	}
	item := v.doc.Paths.Value(v.path)
	op := item.GetOperation(v.Method)
	if op == nil {
		return false // a method that is not allowed
	}
	req, err := http.NewRequest(v.Method, v.URL, bytes.NewReader([]byte(v.Body)))
	if err != nil {
		v.Error(err)
		return false
	}
	req.Header = v.Header
	if v.Body != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json") // the gateway takes it for granted
	}
	v.input = &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, QueryParams: u.Query(),
		Route: &routers.Route{Spec: v.doc, Path: v.path, PathItem: item, Method: v.Method, Operation: op},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true, MultiError: true},
	}
	return true
}

func (v *validation) request() {
	if err := openapi3filter.ValidateRequest(v.Context(), v.input); err != nil {
		v.Errorf("the request of %s %s is served and not described so: %v", v.Method, v.path, err)
	}
}

func (v *validation) answer() {
	mediaType, _, _ := mime.ParseMediaType(v.AnswerHeader.Get("Content-Type"))
	if mediaType != "application/json" && v.AnswerBody != "" && v.Status < 400 {
		r := v.input.Route.Operation.Responses.Status(v.Status)
		if r == nil || r.Value.Content[mediaType] == nil {
			v.Errorf("%s %s answers with %s", v.Method, v.path, v.AnswerHeader.Get("Content-Type"))
		}
		return
	}
	err := openapi3filter.ValidateResponse(v.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: v.input, Status: v.Status, Header: v.AnswerHeader, Body: io.NopCloser(strings.NewReader(v.AnswerBody)),
		Options: v.input.Options,
	})
	if err != nil {
		v.Errorf("%s %s: the answer %d is not described so: %v\n%.400s", v.Method, v.path, v.Status, err, v.AnswerBody)
	}
}

// general are the headers that the description lists once for all answers. Whatever else an answer has, it must describe.
var general = []string{"Cache-Control", "Connection", "Content-Length", "Content-Security-Policy", "Content-Type",
	"Date", "Strict-Transport-Security", "Vary",
	"X-Content-Type-Options"}

// everywhere are the errors that any path may answer, likewise.
var everywhere = []int{http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusRequestHeaderFieldsTooLarge,
	http.StatusInternalServerError}

// headers checks the answer's headers against the description. Any route may replace a cookie signed under a previous
// secret.
func (v *validation) headers(described *openapi3.Response) {
	for name := range v.AnswerHeader {
		if slices.Contains(general, name) || name == "Set-Cookie" && v.Header.Get("Cookie") != "" && v.Status < 300 {
			continue
		}
		found := false
		for documented := range described.Headers {
			found = found || strings.EqualFold(documented, name)
		}
		if !found {
			v.Errorf("%s %s: the answer %d has the header %s, which is not described", v.Method, v.path, v.Status, name)
		}
	}
}

// described returns the operation's answer with the status.
func (v *validation) described(op *openapi3.Operation) *openapi3.Response {
	if r := op.Responses.Status(v.Status); r != nil {
		return r.Value
	}
	if !slices.Contains(everywhere, v.Status) {
		v.Errorf("%s %s answers %d, which is not described", v.Method, v.path, v.Status)
	}
	return op.Responses.Default().Value
}

// provoked are the errors that only the caller's request can cause, so that a test of pkg/server can, too.
var provoked = []int{400, 401, 403, 404, 409, 410, 413, 415}

// Every described error occurs: a test has seen each of the callers' errors at each route.
func neverSeen(t *testing.T, doc *openapi3.T, seen map[string]bool) {
	t.Helper()
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for _, status := range provoked {
				if name := fmt.Sprintf("%s %s %d", method, path, status); op.Responses.Status(status) != nil && !seen[name] {
					t.Errorf("%s is described, and no test of pkg/server has it", name)
				}
			}
		}
	}
}
