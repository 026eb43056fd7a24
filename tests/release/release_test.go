// Package release builds the release twice, compares the builds, and runs one.
package release

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// checkout copies the files that Git knows or would add to a temporary folder.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const script = `git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\n" "$f"; done' sh | tar -cf - -T - | tar -xf - -C "$1"`
	cmd := exec.Command("sh", "-ec", script, "sh", dir)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func TestTwoBuildsAreIdentical(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the script needs a POSIX shell")
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	name := fmt.Sprintf("llm-gateway_v1.2.3_%s_%s", runtime.GOOS, runtime.GOARCH)
	var sums [2]string
	for i := range sums {
		dir := checkout(t)
		cmd := exec.Command("scripts/release", "v1.2.3")
		cmd.Dir, cmd.Path = dir, filepath.Join(dir, "scripts/release")
		cmd.Env = append(os.Environ(), "PLATFORMS="+platform)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		binary, err := os.ReadFile(filepath.Join(dir, "dist", name))
		if err != nil {
			t.Fatal(err)
		}
		list, err := os.ReadFile(filepath.Join(dir, "dist/SHA256SUMS"))
		if err != nil || !strings.Contains(string(list), fmt.Sprintf("%x  %s\n", sha256.Sum256(binary), name)) {
			t.Errorf("%v: the checksums are\n%s", err, list)
		}
		sums[i] = string(list)
		if strings.Contains(string(binary), dir) {
			t.Error("the binary holds the path of the folder in which it was built")
		}
		out, err := exec.Command(filepath.Join(dir, "dist", name), "version").CombinedOutput()
		if err != nil || string(out) != "llm-gateway v1.2.3\n" {
			t.Errorf("%v: %s", err, out)
		}
		bill(t, filepath.Join(dir, "dist", name+".cdx.json"))
		if i == 0 {
			sameVersion(t, filepath.Join(dir, "dist", name), "v1.2.3")
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds differ:\n%s%s", sums[0], sums[1])
	}
}

func bill(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b struct {
		BOMFormat string
		Metadata  struct {
			Component struct{ Name, Version string }
			Timestamp string
		}
		SerialNumber string
		Components   []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal(text, &b); err != nil || b.BOMFormat != "CycloneDX" {
		t.Fatalf("%v: %s", err, b.BOMFormat)
	}
	if c := b.Metadata.Component; c.Name != "github.com/alicetears/llm-gateway" || c.Version != "v1.2.3" ||
		b.Metadata.Timestamp+b.SerialNumber != "" {
		t.Errorf("it describes %s %s, made at %q with the serial number %q", c.Name, c.Version, b.Metadata.Timestamp,
			b.SerialNumber)
	}
	found := map[string]bool{}
	for _, c := range b.Components {
		found[c.Name] = c.Version != "" && strings.HasPrefix(c.PURL, "pkg:golang/"+c.Name+"@")
	}
	for _, name := range []string{"std", "modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/gomodule/redigo"} {
		if !found[name] {
			t.Errorf("the bill of materials lacks %s", name)
		}
	}
}
