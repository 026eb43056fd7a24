package transfer_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
	"github.com/alicetears/llm-gateway/pkg/store/transfer"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func onSQLite(t *testing.T) store.DB {
	t.Helper()
	db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func onPostgres(t *testing.T) store.DB {
	t.Helper()
	db, err := postgres.Open(postgres.Options{URL: pgtest.New(t), Mode: postgres.ModePrepared})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// column finds the columns of a table in schema.sql's own words.
var (
	createTable = regexp.MustCompile(`(?ms)^create table (\w+) \((.*?)^\)`)
	columnLine  = regexp.MustCompile(`(?m)^  (\w+) +(bytea|text|boolean|bigint|integer|smallint)\b(.*)$`)
)

// fill writes n rows into every table, with values in every column, and nulls in every second
// row where they may be.
func fill(t *testing.T, db store.DB, n int) (rows int64) {
	t.Helper()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for v := 1; v <= store.SchemaVersion; v++ {
		for _, table := range createTable.FindAllStringSubmatch(store.Migration(store.Postgres, v), -1) {
			if table[1] == "schema_version" || table[1] == "instance" {
				continue
			}
			for i := range n {
				if err := db.Run(t.Context(), row(table[1], table[2], i)); err != nil {
					t.Fatalf("%s: %v", table[1], err)
				}
				rows++
			}
		}
	}
	if err := db.Run(t.Context(), store.Stmt{SQL: "update instance set set_up = true, updated_at = 5"}); err != nil {
		t.Fatal(err)
	}
	return rows + 1
}

func row(table, body string, i int) store.Stmt {
	var names, places []string
	var args []any
	for _, c := range columnLine.FindAllStringSubmatch(body, -1) {
		names = append(names, c[1])
		places = append(places, fmt.Sprintf("$%d", len(places)+1))
		required := strings.Contains(c[3], "not null") || strings.Contains(c[3], "primary key")
		var arg any
		switch {
		case i%2 == 1 && !required:
		case c[1] == "role":
			arg = "user"
		case c[2] == "bytea":
			arg = []byte(fmt.Sprintf("%016d", i)) // whatever refers to a row finds the one of its own number
		case c[2] == "text":
			arg = fmt.Sprintf("%s of %d: ß 你好 '\"\n", c[1], i)
		case c[2] == "boolean":
			arg = i%3 == 0
		case c[2] == "bigint":
			arg = int64(i)<<40 - 1
		default:
			arg = i
		}
		args = append(args, arg)
	}
	return store.Stmt{SQL: fmt.Sprintf("insert into %s (%s) values (%s)", table, strings.Join(names, ", "), strings.Join(places, ", ")), Args: args}
}

// dump is the whole database as text, in an order that both engines share.
func dump(t *testing.T, db store.DB) string {
	t.Helper()
	var b strings.Builder
	for v := 1; v <= store.SchemaVersion; v++ {
		for _, table := range createTable.FindAllStringSubmatch(store.Migration(store.Postgres, v), -1) {
			for _, c := range columnLine.FindAllStringSubmatch(table[2], -1) {
				var values []string
				var kind any
				each := func(r store.Row) (err error) {
					switch c[2] {
					case "bytea":
						v := []byte(nil)
						err, kind = r.Scan(&v), v
					case "text":
						v := (*string)(nil)
						if err = r.Scan(&v); v != nil {
							kind = *v
						} else {
							kind = nil
						}
					case "boolean":
						v := (*bool)(nil)
						if err = r.Scan(&v); v != nil {
							kind = *v
						} else {
							kind = nil
						}
					default:
						v := (*int64)(nil)
						if err = r.Scan(&v); v != nil {
							kind = *v
						} else {
							kind = nil
						}
					}
					values = append(values, fmt.Sprintf("%#v", kind))
					return err
				}
				key := "updated_at" // instance
				if !strings.Contains(table[2], "set_up") {
					key = columnLine.FindStringSubmatch(table[2])[1]
				}
				if err := db.Run(t.Context(), store.Stmt{SQL: "select " + c[1] + " from " + table[1] + " order by " + key, Each: each}); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintln(&b, table[1], c[1], values)
			}
		}
	}
	return b.String()
}

func TestThereAndBack(t *testing.T) {
	source, middle, end := onSQLite(t), onPostgres(t), onSQLite(t)
	want := fill(t, source, 7)
	before := dump(t, source)
	for _, step := range []struct{ from, to store.DB }{{source, middle}, {middle, end}} {
		counts, err := transfer.Copy(t.Context(), step.from, step.to)
		if err != nil {
			t.Fatal(err)
		}
		var n int64
		for _, c := range counts {
			n += c.Rows
		}
		if n != want {
			t.Errorf("%d rows were copied, want %d: %v", n, want, counts)
		}
		if after := dump(t, step.to); after != before {
			t.Errorf("to %s:\n%s\nwant\n%s", step.to.Kind(), after, before)
		}
	}
}

func TestManyPages(t *testing.T) {
	source, target := onPostgres(t), onSQLite(t)
	fill(t, source, 1)
	err := source.Run(t.Context(), store.Stmt{SQL: "insert into throttles (bucket, failures, free_at) select 'b' || cast(n as text), n, 0 from generate_series(1, 2600) n"})
	if err != nil {
		t.Fatal(err)
	}
	counts, err := transfer.Copy(t.Context(), source, target)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		if c.Table == "throttles" && c.Rows != 2601 {
			t.Errorf("%d throttles", c.Rows)
		}
	}
}

func TestTargetWithDataIsRefused(t *testing.T) {
	for name, to := range map[string]store.DB{"SQLite": onSQLite(t), "PostgreSQL": onPostgres(t)} {
		source := onSQLite(t)
		fill(t, source, 2)
		fill(t, to, 1)
		before := dump(t, to)
		if _, err := transfer.Copy(t.Context(), source, to); !errors.Is(err, transfer.ErrNotEmpty) || !strings.Contains(err.Error(), "instance, users") {
			t.Errorf("%s: %v", name, err)
		}
		if dump(t, to) != before {
			t.Errorf("%s: the target was changed", name)
		}
	}
}

// A row that the target cannot take ends it, and leaves nothing behind.
func TestFailureLeavesTheTargetEmpty(t *testing.T) {
	source, target := onSQLite(t), onPostgres(t)
	fill(t, source, 3)
	if err := source.Run(t.Context(), store.Stmt{SQL: "update requests set latency_ms = 3000000000"}); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Copy(t.Context(), source, target); err == nil || !strings.Contains(err.Error(), "table requests: writing") {
		t.Fatal(err)
	}
	if err := source.Run(t.Context(), store.Stmt{SQL: "update requests set latency_ms = 3"}); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Copy(t.Context(), source, target); err != nil {
		t.Errorf("the second try: %v", err)
	}
}

func TestNewerSourceIsRefused(t *testing.T) {
	source := onSQLite(t)
	if err := source.Run(t.Context(), store.Stmt{SQL: "update schema_version set version = version + 1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Copy(t.Context(), source, onSQLite(t)); !errors.Is(err, transfer.ErrNewer) {
		t.Error(err)
	}
}
