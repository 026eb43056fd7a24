package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/pgtest"
)

// setupFile is the file with the set-up token, as newShell sets DATA_DIR.
const setupFile = "data/setup-token"

// firstAccount registers with the token, and returns the error of a refusal.
func firstAccount(t *testing.T, base, token string) error {
	t.Helper()
	v := &client{base: base}
	body := map[string]any{"email": "a@example.com", "password": "a long passphrase"}
	if token != "" {
		body["setupToken"] = token
	}
	return v.post(t.Context(), "/api/auth/register", body, nil, nil)
}

// gone waits until the set-up token's file is removed.
func gone(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", path)
		}
	}
}

// The link and the file carry the set-up token until the first account exists.
func TestSetupTokenEndsWithTheFirstAccount(t *testing.T) {
	for name, settings := range map[string]func(testing.TB) []string{
		"sqlite":   func(testing.TB) []string { return nil },
		"postgres": func(t testing.TB) []string { return []string{"DATABASE_URL=" + pgtest.New(t), firstSecret} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t, settings(t)...)
			out, stop := s.start("serve")
			base, token := out.Wait(t, `ready on (\S+)\n`), out.Wait(t, `/#setup=(\S+)`)
			out.Wait(t, setupFile)
			text, err := os.ReadFile(setupFile)
			if err != nil || strings.TrimSpace(string(text)) != token {
				t.Errorf("the file holds %q, the link %q: %v", text, token, err)
			}
			if info, err := os.Stat(setupFile); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
			if info, err := os.Stat("data"); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%v, %v", info, err)
			}
			if err := firstAccount(t, base, ""); err == nil || !strings.Contains(err.Error(), "403") ||
				!strings.Contains(err.Error(), "set-up token") {
				t.Errorf("without the token: %v", err)
			}
			stop()
			out, stop = s.start("serve")
			base = out.Wait(t, `ready on (\S+)\n`)
			if again := out.Wait(t, `/#setup=(\S+)`); again != token {
				t.Errorf("after a restart the token is %s, before it was %s", again, token)
			}
			if err := firstAccount(t, base, token); err != nil {
				t.Fatal(err)
			}
			gone(t, setupFile)
			stop()
			if err := os.WriteFile(setupFile, []byte(token), 0o600); err != nil { // another process wrote it
				t.Fatal(err)
			}
			out, _ = s.start("serve")
			out.Wait(t, "ready on")
			gone(t, setupFile)
		})
	}
}

func TestAccountFromTheShellEndsTheSetup(t *testing.T) {
	s := newShell(t)
	out, stop := s.start("serve")
	out.Wait(t, `/#setup=\S+`)
	out.Wait(t, setupFile)
	stop()
	s.want(0, `log in now`, "user", "create", "--admin", "a@example.com")
	if _, err := os.Stat(setupFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the set-up token is still there: %v", err)
	}
}

// The operator knows SETUP_TOKEN; it is neither printed nor written.
func TestConfiguredSetupTokenIsNotPrinted(t *testing.T) {
	const token = "for-the-first-account"
	s := newShell(t, "SETUP_TOKEN="+token)
	out, stop := s.start("serve")
	base := out.Wait(t, `next  open (\S+) and create .*SETUP_TOKEN`)
	if err := firstAccount(t, base, token); err != nil {
		t.Error(err)
	}
	stop()
	if strings.Contains(out.String(), token) || strings.Contains(out.String(), "#setup") {
		t.Errorf("the token is in:\n%s", out)
	}
	if _, err := os.Stat(setupFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the token is in %s: %v", setupFile, err)
	}
}

// The link is enough where DATA_DIR cannot be written, as in a container without a volume.
func TestSetupTokenWithoutAFolder(t *testing.T) {
	s := newShell(t, "DATABASE_URL="+pgtest.New(t), firstSecret)
	if err := os.WriteFile("data", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := s.start("serve")
	base, token := out.Wait(t, `ready on (\S+)\n`), out.Wait(t, `/#setup=(\S+)`)
	if err := firstAccount(t, base, token); err != nil {
		t.Error(err)
	}
	if strings.Contains(out.String(), "also in the file") {
		t.Errorf("it names a file that it cannot write:\n%s", out)
	}
}
