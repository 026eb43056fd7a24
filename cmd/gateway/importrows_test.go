package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/saved"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

// inDatabase opens the shell's database and its secrets.
func (s *shell) inDatabase(do func(in *installation)) {
	s.t.Helper()
	in, err := open(s.terminal(io.Discard))
	if err != nil {
		s.t.Fatal(err)
	}
	defer in.close()
	do(in)
}

func (in *installation) number(t *testing.T, sql string) (n int64) {
	t.Helper()
	err := in.db.Run(t.Context(), store.Stmt{SQL: sql, Each: func(r store.Row) error { return r.Scan(&n) }})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestImportRows(t *testing.T) {
	s := newShell(t)
	s.want(0, `can log in`, "user", "create", "ann@example.com")
	var first, second string
	s.inDatabase(func(in *installation) {
		user, _, err := store.UserByEmail(t.Context(), in.db, "ann@example.com")
		if err != nil {
			t.Fatal(err)
		}
		row := func(n int64) string {
			return saved.Token(store.Record{ID: store.NewID(n), User: user.ID, Provider: "openai", Model: "m", Status: 200,
				Outcome: store.Answered, Output: 3}, in.app.Secrets)
		}
		first, second = row(1), row(2)
	})
	log := filepath.Join(t.TempDir(), "log")
	write := func(text string) {
		if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a line\nlevel=ERROR row=" + first + "\n{\"row\":\"" + second + "\"}\n")
	s.want(0, `^2 requests were written, 0 had been written before`, "import-rows", log)
	s.want(0, `^0 requests were written, 2 had been written before`, "import-rows", log)
	write(second[:len(second)-2] + "\n")
	s.want(1, `(?s)not signed.*0 requests were written`, "import-rows", log)
	s.want(1, `no such file`, "import-rows", log+"x")
}

// What a process cannot write before it ends, the next one writes.
func TestUsageIsSavedAtTheEnd(t *testing.T) {
	s := newShell(t, "DATABASE_TIMEOUT=1s", "SHUTDOWN_TIMEOUT=100ms")
	w := s.visit(t)
	w.key(t, "sk-emulator-1234567890")
	w.emu.Set(emulator.Match{}, emulator.Behaviour{EventMs: 20})
	answer := w.stream(t)
	other, err := sqlite.Open(sqlite.Options{Path: filepath.Join("data", "gateway.db")})
	if err != nil {
		t.Fatal(err)
	}
	locked, release, released := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		released <- other.Tx(t.Context(), func(store.Runner) error {
			close(locked)
			<-release
			return nil
		})
	}()
	<-locked
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Errorf("the answer: %v", err)
	}
	if code := w.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	close(release)
	if err := <-released; err != nil {
		t.Error(err)
	}
	other.Close()
	files, _ := filepath.Glob("data/usage-*.rows")
	if len(files) != 1 {
		t.Fatalf("files: %v", files)
	}
	s.inDatabase(func(in *installation) {
		if n := in.number(t, "select count(*) from requests"); n != 0 {
			t.Errorf("%d rows already", n)
		}
	})
	out, stop := s.start("serve")
	out.Wait(t, `ready on (\S+)\n`)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		files, _ = filepath.Glob("data/usage-*")
		if len(files) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("still there: %v", files)
		}
	}
	stop()
	s.inDatabase(func(in *installation) {
		if n := in.number(t, "select count(*) from requests"); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}
