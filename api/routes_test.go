package handler

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// maxFunctions is what Vercel's free plan allows a deployment.
const maxFunctions = 12

// Vercel's builder finds the handler of each file by its text: exactly one exported
// function, with these two types spelled like this.
func TestEachFileIsAFunction(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	functions := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		functions++
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Name.Name != "handler" {
			t.Errorf("%s: package %s", file, parsed.Name.Name)
		}
		var exported []string
		for name := range parsed.Scope.Objects {
			if ast.IsExported(name) {
				exported = append(exported, name)
			}
		}
		if len(exported) != 1 {
			t.Errorf("%s exports %v, want one handler", file, exported)
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "func "+exported[0]+"(w http.ResponseWriter, r *http.Request)") {
			t.Errorf("%s: %s is not spelled as the builder wants it", file, exported[0])
		}
		for _, spec := range parsed.Imports {
			if strings.Contains(spec.Path.Value, "/internal/") {
				t.Errorf("%s imports %s", file, spec.Path.Value)
			}
		}
	}
	if functions == 0 || functions > maxFunctions {
		t.Errorf("%d functions, want 1 to %d", functions, maxFunctions)
	}
}

type rewrite struct{ Source, Destination string }

// matches reads the part of Vercel's patterns that the file uses: a final :path*, which
// stands for any number of segments.
func (r rewrite) matches(path string) bool {
	prefix, any := strings.CutSuffix(r.Source, "/:path*")
	return path == prefix || any && strings.HasPrefix(path, prefix+"/")
}

// Vercel asks the file system first, so /api/keys needs no rewrite; all other routes
// have to be led to the file of their group.
func TestFunctionsServeEveryRoute(t *testing.T) {
	var config struct {
		Framework       *string
		OutputDirectory string
		Rewrites        []rewrite
	}
	readJSON(t, "../vercel.functions.json", &config)
	if config.Framework != nil || config.OutputDirectory != "public" {
		t.Error("without these, the whole repository would be published")
	}
	for _, r := range config.Rewrites {
		if strings.ContainsAny(strings.TrimSuffix(r.Source, "/:path*"), ":*()") {
			t.Errorf("%s is a pattern that this test does not read", r.Source)
		}
	}
	lead := func(path string) string {
		if _, err := os.Stat(".." + path + ".go"); err == nil {
			return path
		}
		for _, r := range config.Rewrites {
			if r.matches(path) {
				return r.Destination
			}
		}
		return ""
	}
	id := regexp.MustCompile(`\{[a-z.]+\}`)
	for _, route := range server.Routes() {
		path := id.ReplaceAllString(route.Pattern, "0190a5f0-0000-7000-8000-000000000000")
		if got, want := lead(path), "/api/"+string(route.Group); got != want {
			t.Errorf("%s goes to %q, want %q", route.Pattern, got, want)
		}
	}
	// The functions of dialects serve each other's routes.
	ofDialects := []string{"/api/" + string(server.OpenAI), "/api/" + string(server.Anthropic), "/api/" + string(server.Gemini)}
	for alias := range server.Aliases() {
		path := id.ReplaceAllString(alias, "a/b:generateContent")
		if got := lead(path); !slices.Contains(ofDialects, got) {
			t.Errorf("%s goes to %q", alias, got)
		}
	}
	for _, path := range []string{"/api/v1/nothing", "/openai/v1/files", "/v1beta/openai/files", "/v1/a/b:generateContent", "/v1alpha/m:countTokens"} {
		if got := lead(path); !slices.Contains(ofDialects, got) {
			t.Errorf("%s goes to %q", path, got)
		}
	}
	// What nobody serves is answered in the error shape, not by the platform's page.
	if got := lead("/api/nothing/here"); got == "" {
		t.Error("an unknown route goes nowhere")
	}
}

// Both deployments send the dashboard's files with the same headers, and call the same path once a day, which is as
// often as the free plan allows.
func TestSameHeadersAndCrons(t *testing.T) {
	type settings struct {
		Headers json.RawMessage
		Crons   []struct{ Path, Schedule string }
	}
	var one, two settings
	readJSON(t, "../vercel.json", &one)
	readJSON(t, "../vercel.functions.json", &two)
	if string(one.Headers) != string(two.Headers) || len(one.Headers) == 0 {
		t.Error("vercel.json and vercel.functions.json differ in headers")
	}
	if len(one.Crons) != 1 || !slices.Equal(one.Crons, two.Crons) {
		t.Fatalf("the scheduled jobs are %v and %v, want one and the same", one.Crons, two.Crons)
	}
	if !regexp.MustCompile(`^\d+ \d+ \* \* \*$`).MatchString(one.Crons[0].Schedule) {
		t.Errorf("%q is not once a day", one.Crons[0].Schedule)
	}
	if !slices.ContainsFunc(server.Routes(), func(r server.Route) bool {
		return r.Method == "GET" && r.Pattern == one.Crons[0].Path && r.Access == server.AccessScheduler
	}) {
		t.Errorf("%s is no route of the scheduler's", one.Crons[0].Path)
	}
}

// The headers of the dashboard's files are those of no route. Vercel's pattern excludes the routes by how they begin.
func TestHeadersAreOfFilesAlone(t *testing.T) {
	var config struct{ Headers []struct{ Source string } }
	readJSON(t, "../vercel.json", &config)
	source, ok1 := strings.CutPrefix(config.Headers[0].Source, "/((?!")
	source, ok2 := strings.CutSuffix(source, ").*)")
	if len(config.Headers) != 1 || !ok1 || !ok2 {
		t.Fatalf("%+v is not read by this test", config.Headers)
	}
	route := regexp.MustCompile("^/(" + source + ")")
	hole := regexp.MustCompile(`\{[a-z.]+\}`)
	for _, r := range server.Routes() {
		if path := hole.ReplaceAllString(r.Pattern, "x"); !route.MatchString(path) && !strings.HasPrefix(path, "/.well-known/") {
			t.Errorf("%s has the headers of a page", path)
		}
	}
	for alias := range server.Aliases() {
		if path := hole.ReplaceAllString(alias, "x"); !route.MatchString(path) {
			t.Errorf("%s has the headers of a page", path)
		}
	}
	err := filepath.WalkDir("../public", func(name string, entry fs.DirEntry, err error) error {
		if path := strings.TrimPrefix(filepath.ToSlash(name), "../public"); err == nil && !entry.IsDir() && route.MatchString(path) {
			t.Errorf("%s has no headers of a page", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
