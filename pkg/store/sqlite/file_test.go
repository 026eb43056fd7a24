package sqlite_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

func registration(t *testing.T, db *sqlite.DB) bool {
	t.Helper()
	i, err := store.InstanceStatus(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return i.RegistrationEnabled
}

func register(t *testing.T, db *sqlite.DB, enabled bool) {
	t.Helper()
	if err := store.SetRegistration(t.Context(), db, enabled, 1); err != nil {
		t.Fatal(err)
	}
}

// noticed is longer than a process that is used may take to look at its file.
func noticed() { time.Sleep(600 * time.Millisecond) }

func TestDeletedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db := openAt(t, path)
	register(t, db, true)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	noticed()
	for range 2 {
		if _, err := store.ProveWriting(t.Context(), db); store.CodeOf(err) != store.CodeMissing {
			t.Errorf("without its file: %v", err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an empty database was made")
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if !registration(t, db) {
		t.Error("another database")
	}
}

func TestReplacedFile(t *testing.T) {
	folder := t.TempDir()
	path, other := filepath.Join(folder, "test.db"), filepath.Join(folder, "other.db")
	replacement := openAt(t, other)
	register(t, replacement, false)
	replacement.Close()
	db := openAt(t, path)
	for range 100 { // a write-ahead log that would be taken for that of the new file
		register(t, db, true)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	noticed()
	if registration(t, db) {
		t.Error("the replaced file is still in use")
	}
	register(t, db, true)
	var result string
	check := store.Stmt{SQL: "select integrity_check from pragma_integrity_check", Each: func(r store.Row) error { return r.Scan(&result) }}
	if err := db.Run(t.Context(), check); err != nil || result != "ok" {
		t.Errorf("%s, %v", result, err)
	}
	db.Close()
	if !registration(t, openAt(t, path)) {
		t.Error("the write went elsewhere")
	}
}

// An emptied database is migrated and serves.
func TestEmptiedDatabase(t *testing.T) {
	db := open(t)
	register(t, db, true)
	if _, err := store.PurgeCooldowns(t.Context(), db, 1, 1); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"cooldowns", "instance", "schema_version"} {
		if err := db.Run(t.Context(), store.Stmt{SQL: "drop table " + table}); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	list := store.Stmt{SQL: "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'", Each: func(r store.Row) error {
		names = append(names, "")
		return r.Scan(&names[len(names)-1])
	}}
	if err := db.Run(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	drop := []store.Stmt{{SQL: "pragma defer_foreign_keys = 1"}}
	for _, name := range slices.Backward(names) { // those that refer to others first
		drop = append(drop, store.Stmt{SQL: "drop table " + name})
	}
	if err := db.Run(t.Context(), drop...); err != nil {
		t.Fatal(err)
	}
	if registration(t, db) {
		t.Error("not empty")
	}
	if version, err := store.ProveWriting(t.Context(), db); err != nil || version != store.SchemaVersion {
		t.Errorf("version %d, %v", version, err)
	}
}

func TestReadOnlyFile(t *testing.T) {
	db := open(t)
	if err := db.Run(t.Context(), store.Stmt{SQL: "pragma query_only = 1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.ProveWriting(t.Context(), db); store.CodeOf(err) != store.CodeReadOnly {
		t.Errorf("%v", err)
	}
	if err := db.Run(t.Context(), store.Stmt{SQL: "pragma query_only = 0"}); err != nil {
		t.Fatal(err)
	}
}

func TestFullFile(t *testing.T) {
	db := open(t)
	for _, sql := range []string{"create table filler (b blob)", "pragma max_page_count = 1"} {
		if err := db.Run(t.Context(), store.Stmt{SQL: sql}); err != nil {
			t.Fatal(err)
		}
	}
	err := db.Run(t.Context(), store.Stmt{SQL: "insert into filler values (zeroblob(1000000))"})
	if store.CodeOf(err) != store.CodeFull {
		t.Errorf("%v", err)
	}
}
