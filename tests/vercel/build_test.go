//go:build !windows

package vercel

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/testproc"
)

const root = "../.."

// command runs a program to its end and returns what it printed.
func command(t testing.TB, dir string, env []string, name string, args ...string) string {
	t.Helper()
	out, err := try(t, dir, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func try(t testing.TB, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(t.Context(), name, args...) // go test's own timeout is the only limit
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// cli is the Vercel CLI that package-lock.json pins. It is kept in the user's cache: 360 MB need not
// be installed for every checkout.
func cli(t *testing.T) string {
	t.Helper()
	testproc.Node(t)
	digest := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		digest.Write(text)
	}
	caches, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(caches, "llm-gateway-tests", fmt.Sprintf("vercel-%x", digest.Sum(nil)[:6]))
	program := filepath.Join(dir, "node_modules", ".bin", "vercel")
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	half, err := os.MkdirTemp(filepath.Dir(dir), "half-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(half)
	for _, name := range []string{"package.json", "package-lock.json"} {
		copyFile(t, name, filepath.Join(half, name))
	}
	// Not npm ci, which insists on the optional packages of other systems, and some mirrors lack those.
	command(t, half, nil, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	if err := os.Rename(half, dir); err != nil {
		if _, other := os.Stat(program); other != nil { // nobody else was faster
			t.Fatal(err)
		}
	}
	return program
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
}

// checkout copies the files that git knows or would add into a folder: the builder rewrites go.mod and the handlers.
func checkout(t *testing.T, to string) {
	t.Helper()
	for name := range strings.SplitSeq(command(t, root, nil, "git", "ls-files", "-z", "--cached", "--others",
		"--exclude-standard"), "\x00") {
		if info, err := os.Stat(filepath.Join(root, name)); err == nil && info.Mode().IsRegular() && !strings.HasPrefix(name, "tests/") {
			copyFile(t, filepath.Join(root, name), filepath.Join(to, name))
		}
	}
}

// bridge returns which go-bridge classic functions are linked with.
func bridge(t *testing.T) string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "github.com/vercel/go-bridge@latest")
	cmd.Dir = t.TempDir()
	if cmd.Run() == nil {
		return "real"
	}
	return "stand-in"
}

// build checks out into dir and builds with the real CLI under a configuration file, as Vercel does. It returns the
// output's folder.
func build(t *testing.T, dir, config string) string {
	t.Helper()
	program := cli(t)
	checkout(t, dir)
	copyFile(t, filepath.Join(root, config), filepath.Join(dir, "vercel.json"))
	if err := os.MkdirAll(filepath.Join(dir, ".vercel"), 0o755); err != nil {
		t.Fatal(err)
	}
	const project = `{"projectId":"prj_test","orgId":"team_test","settings":{"framework":null}}`
	if err := os.WriteFile(filepath.Join(dir, ".vercel", "project.json"), []byte(project), 0o644); err != nil {
		t.Fatal(err)
	}
	linked := "none"
	if config != "vercel.json" {
		if linked = bridge(t); linked == "stand-in" {
			stub, err := filepath.Abs("testdata/bridge")
			if err != nil {
				t.Fatal(err)
			}
			command(t, dir, nil, "go", "mod", "edit", "-replace", "github.com/vercel/go-bridge="+stub)
		}
	}
	var caches struct{ GOPATH, GOMODCACHE, GOCACHE, GOPROXY, GOFLAGS string }
	if err := json.Unmarshal([]byte(command(t, root, nil, "go", "env", "-json", "GOPATH", "GOMODCACHE", "GOCACHE",
		"GOPROXY", "GOFLAGS")), &caches); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	out, err := try(t, dir, []string{
		// A separate HOME: no login and no settings of the user. Go's caches are shared.
		"HOME=" + t.TempDir(), "VERCEL_TOKEN=", "CI=1", "VERCEL_TELEMETRY_DISABLED=1", "NO_UPDATE_NOTIFIER=1", "GOTOOLCHAIN=local",
		"GOPATH=" + caches.GOPATH, "GOMODCACHE=" + caches.GOMODCACHE, "GOCACHE=" + caches.GOCACHE,
		"GOPROXY=" + caches.GOPROXY, "GOFLAGS=" + caches.GOFLAGS,
	}, program, "build", "--yes", "--standalone")
	if err != nil {
		t.Fatalf("vercel build: %v\n%s", err, out)
	}
	t.Logf("%s: built by the Vercel CLI in %.0f s, go-bridge: %s", config, time.Since(begun).Seconds(), linked)
	return filepath.Join(dir, ".vercel", "output")
}

// buildBinary builds the gateway as one binary, the third platform of the comparison.
func buildBinary(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "gateway")
	command(t, root, nil, "go", "build", "-o", program, "./cmd/gateway")
	return program
}
