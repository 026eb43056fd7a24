package storetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Recorder is a database that notes the statements it is given.
type Recorder struct {
	store.DB
	mu   sync.Mutex
	seen map[string]store.Stmt
}

// Run implements [store.Runner].
func (r *Recorder) Run(ctx context.Context, stmts ...store.Stmt) error {
	r.note(stmts)
	return r.DB.Run(ctx, stmts...)
}

// Tx implements [store.DB].
func (r *Recorder) Tx(ctx context.Context, fn func(store.Runner) error) error {
	return r.DB.Tx(ctx, func(tx store.Runner) error { return fn(&recordedTx{tx, r}) })
}

type recordedTx struct {
	store.Runner
	recorder *Recorder
}

func (tx *recordedTx) Run(ctx context.Context, stmts ...store.Stmt) error {
	tx.recorder.note(stmts)
	return tx.Runner.Run(ctx, stmts...)
}

func (r *Recorder) note(stmts []store.Stmt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]store.Stmt{}
	}
	for _, s := range stmts {
		r.seen[s.SQL] = s
	}
}

// WantIndexes fails the test if the database would read a table from end to end for one of
// the statements noted so far. It needs a database with rows, see [Fill].
func (r *Recorder) WantIndexes(t *testing.T) {
	t.Helper()
	if len(r.seen) == 0 {
		t.Error("no statement was noted")
	}
	for sql, s := range r.seen {
		plan := r.plan(t, s)
		if len(plan) == 0 && !strings.HasPrefix(sql, "insert") { // SQLite has no plan for values
			t.Errorf("no plan: %s", sql)
		}
		for _, line := range plan {
			if readsAll(line) {
				t.Errorf("a table is read from end to end: %s\n%s", sql, strings.Join(plan, "\n"))
				break
			}
		}
	}
}

func (r *Recorder) plan(t *testing.T, s store.Stmt) (lines []string) {
	t.Helper()
	s.Affected = nil
	s.SQL = "explain " + s.SQL
	s.Each = func(row store.Row) error {
		var line string
		err := row.Scan(&line)
		lines = append(lines, line)
		return err
	}
	if r.Kind() == store.SQLite {
		s.SQL = strings.Replace(s.SQL, "explain", "explain query plan", 1)
		s.Each = func(row store.Row) error {
			var line string
			err := row.Scan(nil, nil, nil, &line)
			lines = append(lines, line)
			return err
		}
	}
	must(t, r.DB.Run(ctx, s))
	return lines
}

// derived are names of rows that no table holds.
var derived = []string{"CONSTANT", "claims", "rooms", "leaves", "asked", "admitted", "uses"}

// readsAll tells it by a line of a plan: PostgreSQL's "Seq Scan on users u …" and SQLite's "SCAN u".
// The table instance has one row.
func readsAll(line string) bool {
	line = strings.TrimLeft(line, " ->")
	for _, scan := range []string{"Seq Scan on ", "Parallel Seq Scan on ", "SCAN "} {
		if table, ok := strings.CutPrefix(line, scan); ok {
			name, _, _ := strings.Cut(table, " ")
			return name != "instance" && !slices.Contains(derived, name) && !strings.HasPrefix(name, "(") && !strings.HasSuffix(table, "VALUES CLAUSE")
		}
	}
	return false
}
