package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

func throttles(t *testing.T, db store.Runner) (n, sum int) {
	t.Helper()
	err := db.Run(t.Context(), store.Stmt{SQL: "select count(*), coalesce(sum(failures), 0) from throttles",
		Each: func(r store.Row) error { return r.Scan(&n, &sum) }})
	if err != nil {
		t.Fatal(err)
	}
	return n, sum
}

// Each transaction writes two rows whose sum is 0, so that half a transaction would be visible.
func TestBackupWhileWritingIsOneMoment(t *testing.T) {
	db := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			const sql = "insert into throttles (bucket, failures, free_at) values ($1, $2, 0)"
			a, b := store.NewID(int64(i)), store.NewID(int64(i))
			if err := db.Run(context.Background(), store.Stmt{SQL: sql, Args: []any{a.String(), i}}, store.Stmt{SQL: sql, Args: []any{b.String(), -i}}); err != nil {
				t.Error(err)
			}
		}
	})
	last := 0
	for i := range 5 {
		path := filepath.Join(t.TempDir(), "copy")
		if err := db.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		n, sum := throttles(t, openAt(t, path))
		if n < last || n%2 != 0 || sum != 0 {
			t.Errorf("backup %d has %d rows of sum %d, the one before %d", i, n, sum, last)
		}
		last = n
	}
	cancel()
	writer.Wait()
}

func TestBackupOverwritesNothing(t *testing.T) {
	db := open(t)
	path := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Error("the file was overwritten")
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCopyRefusesWhatIsNoDatabase(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := filepath.Join(dir, "good")
	db := open(t)
	for i := range 500 {
		if err := db.Run(t.Context(), store.Stmt{SQL: "insert into throttles (bucket, failures, free_at) values ($1, 1, 0)", Args: []any{store.NewID(int64(i)).String()}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Backup(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Copy(t.Context(), good, filepath.Join(dir, "copy")); err != nil {
		t.Error(err)
	}
	if after, _ := os.ReadFile(good); string(after) != string(before) {
		t.Error("copying changed the file")
	}
	torn := []byte(strings.Clone(string(before)))
	for i := 4096 * 3; i < len(torn); i++ {
		torn[i] = 0xff
	}
	for name, path := range map[string]string{
		"missing": filepath.Join(dir, "nothing"), "text": write("text", []byte(strings.Repeat("no database ", 1000))), "damaged": write("torn", torn),
		"cut off": write("cut", before[:len(before)/2]),
	} {
		if err := sqlite.Copy(t.Context(), path, filepath.Join(dir, "of "+name)); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := os.Stat(filepath.Join(dir, "of "+name)); err == nil {
			t.Errorf("%s: a copy was made", name)
		}
	}
}

func TestReleaseWaitsForNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	db := openAt(t, path)
	throttles(t, db)
	if err := sqlite.Release(t.Context(), path); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("open: %v", err)
	}
	db.Close()
	if err := sqlite.Release(t.Context(), path); err != nil {
		t.Errorf("closed: %v", err)
	}
	if left, _ := filepath.Glob(path + "-*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
