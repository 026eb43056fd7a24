package postgres_test

import (
	"os"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/storetest"
)

const describe = `
select concat('column ', c.relname, '.', a.attname, ' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' end,
 ' ' || pg_get_expr(d.adbin, d.adrelid))
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
union all
select concat('constraint ', conrelid::regclass, ' ', conname, ' ', pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'public'::regnamespace
union all
select concat('index ', indexdef) from pg_indexes where schemaname = 'public'
union all
select concat('other ', relkind, ' ', relname) from pg_class where relnamespace = 'public'::regnamespace and relkind not in ('r', 'i')
union all
select concat('version ', version) from schema_version
union all
select concat('instance ', id, set_up, registration_enabled, updated_at) from instance`

// shape describes everything in the database's schema, in an order of its own.
func shape(t *testing.T, url string) []string {
	t.Helper()
	c := connect(t, url)
	rows, err := c.Query(t.Context(), describe)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(t.Context()) })
	return c
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
	url := pgtest.New(t)
	if from, err := open(t, postgres.Options{URL: url}).Migrate(t.Context()); err != nil || from != 0 {
		t.Fatalf("from %d, %v", from, err)
	}
	return url
}

// schema.sql is enough to set a database up by hand.
func TestSchemaFileIsWhatMigrationsMake(t *testing.T) {
	text, err := os.ReadFile("../../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	byHand := pgtest.New(t)
	if _, err := connect(t, byHand).PgConn().Exec(t.Context(), string(text)).ReadAll(); err != nil {
		t.Fatal(err)
	}
	wantShape(t, shape(t, byHand), shape(t, migrated(t)))
	if from, err := open(t, postgres.Options{URL: byHand}).Migrate(t.Context()); err != nil || from != store.SchemaVersion {
		t.Errorf("from %d, %v", from, err)
	}
}

func TestProcessesThatStartAtOnceMakeOneSchema(t *testing.T) {
	const processes = 8
	want := shape(t, migrated(t))
	for name, through := range map[string]func(testing.TB, string) string{
		"direct":    func(_ testing.TB, url string) string { return url },
		"pgbouncer": pgtest.PgBouncer,
	} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.New(t)
			storetest.AtOnce(t, through(t, url), processes)
			c := connect(t, url)
			var users int
			if err := c.QueryRow(t.Context(), "select count(*) from users").Scan(&users); err != nil || users != processes {
				t.Errorf("%d users, %v, want one of each process", users, err)
			}
			if _, err := c.Exec(t.Context(), "update instance set set_up = false, updated_at = 0"); err != nil {
				t.Fatal(err)
			}
			wantShape(t, shape(t, url), want)
		})
	}
}

func TestNewerSchemaServesAnOlderBinary(t *testing.T) {
	storetest.Nouns(t, func(t *testing.T) store.DB {
		url := pgtest.New(t)
		storetest.Newer(t, open(t, postgres.Options{URL: url}))
		return open(t, postgres.Options{URL: url, Mode: postgres.ModePrepared})
	})
}

// The check of a current schema costs no trip of its own.
func TestColdStartCostsNoTripOfItsOwn(t *testing.T) {
	for _, mode := range []postgres.Mode{postgres.ModeExec, postgres.ModePrepared} {
		t.Run(string(mode), func(t *testing.T) {
			wire, url := pgtest.Count(t, migrated(t))
			spent := func(what string, want int64, do func() error) {
				t.Helper()
				before := wire.Trips()
				if err := do(); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if n := wire.Trips() - before; n != want {
					t.Errorf("%s: %d round trips, want %d", what, n, want)
				}
			}
			db := open(t, postgres.Options{URL: url, Mode: mode})
			if wire.Connections() != 0 {
				t.Error("it connected before it was asked for anything")
			}
			several := []store.Stmt{{SQL: "select 1"}, {SQL: "update instance set updated_at = $1", Args: []any{7}}, {SQL: "select $1", Args: []any{"x"}}}
			spent("the first run", 1, func() error { return db.Run(t.Context(), several...) })
			spent("the second run", 1, func() error { return db.Run(t.Context(), several...) })
			spent("a new statement", 1, func() error { return db.Run(t.Context(), store.Stmt{SQL: "select 2"}) })

			// A transaction costs one more, the commit's.
			cold := open(t, postgres.Options{URL: url, Mode: mode})
			tx := func(r store.Runner) error { return r.Run(t.Context(), several...) }
			spent("the first transaction", 2, func() error { return cold.Tx(t.Context(), tx) })
			spent("an empty transaction", 0, func() error { return cold.Tx(t.Context(), func(store.Runner) error { return nil }) })
			if n := wire.Connections(); n != 2 {
				t.Errorf("%d connections, want one of each process", n)
			}
		})
	}
}
