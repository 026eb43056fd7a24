package config

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func noLinks(string, string) error { return errors.ErrUnsupported }

func TestSecretIsMadeOnceAndKept(t *testing.T) {
	for name, link := range map[string]func(string, string) error{"links": os.Link, "no links": noLinks} {
		dir := filepath.Join(t.TempDir(), "new", "data")
		secret, created, err := loadOrCreateSecret(dir, link)
		if err != nil || !created || weakness(secret) != "" || len(secret) != 64 {
			t.Fatalf("%s: created=%v %d characters, %v", name, created, len(secret), err)
		}
		again, created, err := loadOrCreateSecret(dir, link)
		if err != nil || created || again != secret {
			t.Errorf("%s: the second start: created=%v same=%v %v", name, created, again == secret, err)
		}
		entries, _ := os.ReadDir(dir)
		if len(entries) != 1 || entries[0].Name() != secretFile {
			t.Errorf("%s: %v is left behind", name, entries)
		}
		if runtime.GOOS == "windows" {
			continue
		}
		for path, want := range map[string]os.FileMode{filepath.Join(dir, secretFile): 0o600, dir: 0o700} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %s has mode %v", name, path, info.Mode())
			}
		}
	}
}

func TestConcurrentCreatorsGetTheSameSecret(t *testing.T) {
	for name, link := range map[string]func(string, string) error{"links": os.Link, "no links": noLinks} {
		for range 20 {
			dir := t.TempDir()
			const creators = 16
			secrets := make([]string, creators)
			made := make([]bool, creators)
			start := make(chan struct{})
			var group sync.WaitGroup
			for i := range creators {
				group.Go(func() {
					<-start
					var err error
					if secrets[i], made[i], err = loadOrCreateSecret(dir, link); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			close(start)
			group.Wait()
			makers := 0
			for i := range creators {
				if secrets[i] != secrets[0] || secrets[i] == "" {
					t.Fatalf("%s: two secrets", name)
				}
				if made[i] {
					makers++
				}
			}
			if makers != 1 {
				t.Fatalf("%s: %d of them say that they made it", name, makers)
			}
		}
	}
}

// Two real processes; the test binary runs itself.
func TestTwoProcessesGetTheSameSecret(t *testing.T) {
	const marker = "CONFIG_TEST_SECRET_DIR"
	if dir := os.Getenv(marker); dir != "" {
		secret, _, err := LoadOrCreateSecret(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(os.Getenv(marker+"_OUT"), []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir, out := filepath.Join(t.TempDir(), "data"), t.TempDir()
	var group sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		group.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTwoProcessesGetTheSameSecret$", "-test.timeout=30s")
			cmd.Env = append(os.Environ(), marker+"="+dir, marker+"_OUT="+filepath.Join(out, name))
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
	group.Wait()
	a, _ := os.ReadFile(filepath.Join(out, "a"))
	b, _ := os.ReadFile(filepath.Join(out, "b"))
	if len(a) != 64 || string(a) != string(b) {
		t.Errorf("%d and %d characters, same=%v", len(a), len(b), string(a) == string(b))
	}
}

func TestSecretFileOpenToOthersIsClosed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	path := filepath.Join(t.TempDir(), secretFile)
	if err := os.WriteFile(path, []byte(goodSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	secret, created, err := LoadOrCreateSecret(filepath.Dir(path))
	if err != nil || created || secret != goodSecret {
		t.Errorf("created=%v %v", created, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestDamagedSecretFile(t *testing.T) {
	for name, text := range map[string]string{"short": "leak\n", "weak": strings.Repeat("leak", 20) + "\n", "blank": "\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, secretFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		secret, _, err := LoadOrCreateSecret(dir)
		if err == nil || secret != "" || strings.Contains(err.Error(), "leak") || !strings.Contains(err.Error(), "backup") {
			t.Errorf("%s: %q %v", name, secret, err)
		}
		if kept, _ := os.ReadFile(filepath.Join(dir, secretFile)); string(kept) != text {
			t.Errorf("%s: the damaged file was changed", name)
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, secretFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadOrCreateSecret(dir); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a folder: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadOrCreateSecret(file); err == nil {
		t.Error("a file was taken for the data folder")
	}
}

// A file that another process has created but not yet written is waited for.
func TestHalfMadeSecretIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, secretFile)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		time.Sleep(30 * time.Millisecond)
		written <- os.WriteFile(path, []byte(goodSecret+"\n"), 0o600)
	}()
	secret, created, err := LoadOrCreateSecret(dir)
	if err != nil || created || secret != goodSecret {
		t.Errorf("created=%v %v", created, err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}
