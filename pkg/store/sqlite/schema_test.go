package sqlite_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
	"github.com/alicetears/llm-gateway/pkg/store/storetest"
)

const describe = `
select 'table ' || l.name || case when l.wr then ' without rowid' else '' end from pragma_table_list l where l.schema = 'main' and l.name not like 'sqlite_%'
union all
select 'column ' || l.name || '.' || c.name || ' ' || c.type || ' notnull ' || c."notnull" || ' default ' || coalesce(c.dflt_value, 'none') || ' pk ' || c.pk
from pragma_table_list l, pragma_table_xinfo(l.name) c where l.schema = 'main' and l.name not like 'sqlite_%'
union all
select 'index ' || l.name || ' ' || i.origin || i."unique" || i.partial || ' ' || c.seqno || ' ' || coalesce(c.name, '') || ' ' || c."desc" || ' ' || c.coll
 || case when i.origin = 'c' then ' ' || i.name else '' end
from pragma_table_list l, pragma_index_list(l.name) i, pragma_index_xinfo(i.name) c where l.schema = 'main' and l.name not like 'sqlite_%'
union all
select 'reference ' || l.name || ' ' || f."from" || ' ' || f."table" || '.' || f."to" || ' ' || f.on_delete || ' ' || f.on_update
from pragma_table_list l, pragma_foreign_key_list(l.name) f where l.schema = 'main'
union all
select 'other ' || type || ' ' || name from sqlite_schema where type not in ('table', 'index')
union all
select 'version ' || version from schema_version
union all
select 'instance ' || id || set_up || registration_enabled || updated_at from instance`

var check = regexp.MustCompile(`check \((?:[^()]|\([^()]*\))*\)`)

// shape describes everything in the database's schema, in an order of its own.
func shape(t *testing.T, path string) []string {
	t.Helper()
	db := connect(t, path)
	defer db.Close()
	lines := column(t, db, describe)
	for _, text := range column(t, db, "select name || ': ' || sql from sqlite_schema where type = 'table'") {
		lines = append(lines, check.FindAllString(text, -1)...)
	}
	slices.Sort(lines)
	return lines
}

func connect(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func column(t *testing.T, db *sql.DB, query string) (lines []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func wantShape(t *testing.T, got, want []string) {
	t.Helper()
	if len(want) < 100 {
		t.Fatalf("only %d lines of a schema", len(want))
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("too much: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

func migrated(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "migrated.db")
	db, err := sqlite.Open(sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// byHand makes a database of a text as the sqlite3 shell does.
func byHand(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "by hand.db")
	db := connect(t, path)
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
	return path
}

// schema.sql equals the result of the migrations, and is enough to set a database up by hand.
func TestSchemaFileIsWhatMigrationsMake(t *testing.T) {
	text, err := os.ReadFile("../../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	wantShape(t, shape(t, byHand(t, store.ForEngine(store.SQLite, string(text)))), shape(t, migrated(t)))
	storetest.Nouns(t, func(t *testing.T) store.DB {
		db := openAt(t, byHand(t, string(text)))
		if from, err := db.Migrate(t.Context()); err != nil || from != store.SchemaVersion {
			t.Errorf("from %d, %v", from, err)
		}
		return db
	})
}

func TestProcessesThatStartAtOnceMakeOneSchema(t *testing.T) {
	const processes = 8
	path := filepath.Join(t.TempDir(), "at once.db")
	storetest.AtOnce(t, path, processes)
	db := connect(t, path)
	defer db.Close()
	if users := column(t, db, "select count(*) from users"); users[0] != fmt.Sprint(processes) {
		t.Errorf("%s users, want one of each process", users)
	}
	if _, err := db.Exec("update instance set set_up = false, updated_at = 0"); err != nil {
		t.Fatal(err)
	}
	wantShape(t, shape(t, path), shape(t, migrated(t)))
}

func TestNewerSchemaServesAnOlderBinary(t *testing.T) {
	storetest.Nouns(t, func(t *testing.T) store.DB {
		path := filepath.Join(t.TempDir(), "newer.db")
		storetest.Newer(t, openAt(t, path))
		return openAt(t, path)
	})
}
