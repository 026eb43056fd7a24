package sqlite_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// The log stays short though no commit copies it.
func TestLogStaysShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db := openAt(t, path)
	if err := db.Run(t.Context(), store.Stmt{SQL: "create table filler (b blob)"}); err != nil {
		t.Fatal(err)
	}
	const writers, each, bytes = 4, 8000, 4000
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				err := db.Run(t.Context(), store.Stmt{SQL: "insert into filler values (zeroblob($1))", Args: []any{bytes}})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	// With whole pages, some hundred MB were written.
	if info.Size() > 150<<20 {
		t.Errorf("the log has %d MB", info.Size()>>20)
	}
	t.Logf("the log has %d MB", info.Size()>>20)
}
