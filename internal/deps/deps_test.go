// Package deps tests which package may import which, what functions link, and where the names of dialects and
// providers, and SQL, may stand.
package deps

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/alicetears/llm-gateway"

// graph returns, for each of the repository's packages without its tests, the packages that it imports, and all
// that it links.
type graph struct{ imports, reach map[string][]string }

func load(t *testing.T) graph {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} [{{join .Imports \" \"}}] {{join .Deps \" \"}}", module+"/...").Output()
	if err != nil {
		if e, ok := err.(*exec.ExitError); ok {
			t.Fatalf("go list: %s", e.Stderr)
		}
		t.Fatal(err)
	}
	g := graph{map[string][]string{}, map[string][]string{}}
	for line := range strings.Lines(string(out)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " [")
		imports, reach, _ := strings.Cut(rest, "]")
		short := strings.TrimPrefix(strings.TrimPrefix(name, module), "/")
		g.imports[short] = strings.Fields(imports)
		g.reach[short] = strings.Fields(reach)
	}
	return g
}

// under reports whether an import path is the package, or lies below it.
func under(path, of string) bool { return path == of || strings.HasPrefix(path, of+"/") }

// may lists, for each package, which of the repository's packages it may import directly. A package stands for
// those below it. A package that is not listed may import none.
var may = map[string][]string{
	"api":                  {"pkg/server"},
	"cmd/server":           {"internal/mount", "pkg/config", "pkg/server"},
	"internal/mount":       {"api", "pkg/server"},
	"internal/memory":      {},
	"internal/version":     {},
	"internal/database":    {"pkg/config", "pkg/store"},
	"internal/dialecttest": {"pkg/chat", "pkg/dialect", "pkg/sse"},
	"pkg/dialect":          {"pkg/chat", "pkg/fault", "pkg/jsonx", "pkg/sse", "pkg/dialect"},
	"pkg/catalog":          {"pkg/chat"},
	"pkg/provider": {"pkg/chat", "pkg/catalog", "pkg/dialect", "pkg/fault", "pkg/jsonx", "pkg/outbound", "pkg/redact",
		"pkg/sse"},
	"pkg/outbound": {},
	"pkg/store":    {"pkg/contain", "pkg/store"},
	"pkg/quota":    {"pkg/store"},
	"pkg/auth":     {"pkg/redact", "pkg/store"},
	"pkg/gateway": {"pkg/auth", "pkg/catalog", "pkg/chat", "pkg/contain", "pkg/dialect", "pkg/fault", "pkg/jsonx", "pkg/outbound", "pkg/provider", "pkg/quota", "pkg/share", "pkg/sse",
		"pkg/store", "pkg/gateway", "pkg/telemetry"},
	"pkg/server": {"internal/version", "pkg/auth", "pkg/catalog", "pkg/chat", "pkg/config", "pkg/contain", "pkg/dialect", "pkg/fault", "pkg/gateway",
		"pkg/jobs", "pkg/jsonx", "pkg/outbound", "pkg/provider", "pkg/quota", "pkg/redact", "pkg/share", "pkg/sse", "pkg/store",
		"pkg/telemetry"},
	"pkg/jobs":          {"pkg/auth", "pkg/chat", "pkg/contain", "pkg/fault", "pkg/gateway", "pkg/provider", "pkg/store"},
	"internal/emulator": {"internal/emulator"},
	"internal/metrics":  {"pkg/catalog", "pkg/config", "pkg/gateway", "pkg/store", "pkg/telemetry"},
	"pkg/telemetry":     {},
	"pkg/chat":          {},
	"pkg/fault":         {},
	"pkg/jsonx":         {"pkg/fault"},
	"pkg/contain":       {},
	"pkg/redact":        {},
	"pkg/share":         {},
	"pkg/sse":           {},
	"pkg/config":        {"pkg/catalog", "pkg/outbound", "pkg/provider"},
}

// anything lists the packages that may import all others: programs and tests.
var anything = []string{"", "cmd/gateway", "bench", "tests", "internal/pgtest", "internal/redistest",
	"internal/testproc", "internal/httpversion", "internal/deps", "internal/docs",
	"pkg/store/storetest"}

func TestDependencies(t *testing.T) {
	g := load(t)
	if len(g.imports) < 10 {
		t.Fatalf("go list named only %d packages", len(g.imports))
	}
	for name, imports := range g.imports {
		if slices.ContainsFunc(anything, func(top string) bool { return name == top || top != "" && under(name, top) }) {
			continue
		}
		allowed, known := rule(name)
		if !known {
			t.Errorf("%s: say in this test what it may import", name)
		}
		for _, path := range imports {
			ours, isOurs := strings.CutPrefix(path, module+"/")
			if path == module {
				ours, isOurs = "", true
			}
			if isOurs && !slices.ContainsFunc(allowed, func(a string) bool { return under(ours, a) }) {
				t.Errorf("%s imports %q", name, ours)
			}
		}
	}
}

func rule(name string) ([]string, bool) {
	for {
		if allowed, known := may[name]; known {
			return allowed, true
		}
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return nil, false
		}
		name = name[:i]
	}
}

// Functions are small and start fast, and what runs there has no disk.
func TestFunctionsLinkLittle(t *testing.T) {
	g := load(t)
	for _, name := range []string{"api", "cmd/server"} {
		if len(g.reach[name]) == 0 {
			t.Fatalf("%s was not listed", name)
		}
		for _, path := range g.reach[name] {
			for _, wrong := range []string{
				"modernc.org", "github.com/prometheus", "go.opentelemetry.io", "google.golang.org", "testing", "net/http/httptest", "net/http/pprof",
				module + "/cmd", module + "/internal/emulator", module + "/pkg/store/sqlite", module + "/pkg/store/storetest",
				module + "/internal/pgtest", module + "/internal/testproc", module + "/internal/httpversion", module + "/internal/redistest",
				module + "/internal/dialecttest", module + "/internal/metrics",
			} {
				if under(path, wrong) {
					t.Errorf("%s links %s", name, path)
				}
			}
			if path == module {
				t.Errorf("%s links the root package, whose files come from the CDN there", name)
			}
		}
	}
}

// Dialects translate, and do nothing else: the same input always gives the same output.
func TestDialectsDoNoIO(t *testing.T) {
	g := load(t)
	for name, imports := range g.imports {
		if !under(name, "pkg/dialect") && !under(name, "pkg/chat") && !under(name, "pkg/fault") {
			continue
		}
		for _, path := range imports {
			switch path {
			case "os", "net", "os/exec", "io/fs", "database/sql", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand":
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
