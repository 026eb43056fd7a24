package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
	"github.com/alicetears/llm-gateway/pkg/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.Process(func(path string) (store.DB, error) { return sqlite.Open(sqlite.Options{Path: path}) })
	os.Exit(m.Run())
}

func open(t testing.TB) *sqlite.DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "gate way?#%.db"))
}

func openAt(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.DB { return open(t) })
}
