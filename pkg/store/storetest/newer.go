package storetest

import (
	"fmt"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// tables are all that a schema of this version holds.
var tables = []string{"instance", "users", "sessions", "tokens", "provider_keys", "key_days", "cursors", "throttles", "requests",
	"request_traces", "usage_hours", "latency_hours", "turns", "jobs", "cooldowns", "limits", "limit_windows", "holds",
	"use_totals", "use_counted", "labels", "label_days", "responses", "response_items", "response_totals", "aliases", "conversations", "latencies"}

// every lists the tables that there are.
var every = map[store.Kind]string{
	store.Postgres: "information_schema.tables where table_schema = 'public'",
	store.SQLite:   "sqlite_schema where type = 'table'",
}

// Newer takes the database to the schema of a later version, which has added whatever
// migrations may add. What this version does must work as before.
func Newer(t *testing.T, db store.DB) {
	t.Helper()
	_, err := db.Migrate(ctx)
	must(t, err)
	if n := number(t, db, "select count(*) from "+every[db.Kind()]); n != int64(len(tables))+1 {
		t.Errorf("the schema has %d tables, and this test knows %d and schema_version", n, len(tables))
	}
	for _, table := range tables {
		exec(t, db, "alter table "+table+" add column added_later text", "alter table "+table+" add column added_with_default bigint not null default 7",
			"create index "+table+"_later on "+table+" (added_later)")
	}
	exec(t, db, "create table later (user_id bytea not null references users (id) on delete cascade)",
		fmt.Sprintf("update schema_version set version = %d", store.SchemaVersion+1))
	from, err := db.Migrate(ctx)
	if err != nil || from != store.SchemaVersion+1 {
		t.Errorf("a newer schema: %d, %v", from, err)
	}
	if n := number(t, db, "select version from schema_version"); n != store.SchemaVersion+1 {
		t.Errorf("the version is %d now", n)
	}
}
