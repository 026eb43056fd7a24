package version

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	build := func(version string, settings ...string) *debug.BuildInfo {
		info := &debug.BuildInfo{Main: debug.Module{Path: "github.com/alicetears/llm-gateway", Version: version}}
		for _, s := range settings {
			key, value, _ := strings.Cut(s, "=")
			info.Settings = append(info.Settings, debug.BuildSetting{Key: key, Value: value})
		}
		return info
	}
	const revision = "vcs.revision=5ebd596a1b2c3d4e5f60718293a4b5c6d7e8f901"
	for name, tt := range map[string]struct {
		release string
		info    *debug.BuildInfo
		want    string
	}{
		"a release":                 {"v1.2.3", build("(devel)"), "v1.2.3"},
		"a release from a checkout": {"v1.2.3", build("v1.2.4-0.20261130212351-5ebd596a1b2c+dirty", revision), "v1.2.3"},
		"go install @v1.2.3":        {"", build("v1.2.3"), "v1.2.3"},
		"a checkout": {"", build("v1.2.4-0.20261130212351-5ebd596a1b2c", revision),
			"v1.2.4-0.20261130212351-5ebd596a1b2c"},
		"a changed checkout": {"", build("v1.2.4-0.20261130212351-5ebd596a1b2c+dirty", revision),
			"v1.2.4-0.20261130212351-5ebd596a1b2c+dirty"},
		"a revision alone":            {"", build("(devel)", revision, "vcs.modified=false"), "devel-5ebd596a1b2c"},
		"a changed revision alone":    {"", build("(devel)", revision, "vcs.modified=true"), "devel-5ebd596a1b2c+dirty"},
		"a short revision":            {"", build("", "vcs.revision=42"), "devel-42"},
		"no version control":          {"", build("(devel)"), "devel"},
		"no version":                  {"", build(""), "devel"},
		"no build information at all": {"", nil, "devel"},
	} {
		if got := of(tt.release, tt.info); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

var token = regexp.MustCompile(`^[-!#$%&'*+.^_|~0-9A-Za-z` + "`" + `]+$`) // RFC 9110, 5.6.2

// The go command stamps a build in a Git checkout, and the linker a release.
func TestBuilds(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	source, err := os.ReadFile("version.go")
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"go.mod":                      "module github.com/alicetears/llm-gateway\n\ngo 1.26\n",
		"main.go":                     "package main\n\nimport \"github.com/alicetears/llm-gateway/internal/version\"\n\nfunc main() { println(version.String()) }\n",
		"internal/version/version.go": string(source),
		".gitignore":                  "program\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	version := func(args ...string) string {
		t.Helper()
		run("go", append(append([]string{"build"}, args...), "-o", "program", ".")...)
		v := run("./program")
		if !token.MatchString(v) {
			t.Errorf("%q cannot stand in a User-Agent", v)
		}
		return v
	}
	run("git", "init", "-q")
	run("git", "add", ".")
	run("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x")
	revision := run("git", "rev-parse", "HEAD")[:12]
	if v := version("-buildvcs=true"); !strings.Contains(v, revision) || strings.Contains(v, "dirty") {
		t.Errorf("a checkout of %s is %s", revision, v)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"),
		[]byte("module github.com/alicetears/llm-gateway\n\ngo 1.26.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v := version("-buildvcs=true"); !strings.Contains(v, revision) || !strings.HasSuffix(v, "+dirty") {
		t.Errorf("a changed checkout of %s is %s", revision, v)
	}
	if v := version("-buildvcs=false"); v != "devel" {
		t.Errorf("a build without version control is %s", v)
	}
	run("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qam", "y")
	run("git", "tag", "v1.2.3")
	if v := version("-buildvcs=true"); v != "v1.2.3" {
		t.Errorf("the tag v1.2.3 is %s", v)
	}
	if v := version("-ldflags", "-X github.com/alicetears/llm-gateway/internal/version.release=v9.8.7"); v != "v9.8.7" {
		t.Errorf("the release v9.8.7 is %s", v)
	}
}
