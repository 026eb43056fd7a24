// Package storetest is the one suite of tests that every executor of package store,
// with the repositories on top of it, has to pass.
package storetest

import (
	"context"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Open opens a new, empty database; the test's end closes and drops it.
type Open func(t *testing.T) store.DB

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Run("executor", func(t *testing.T) { testExecutor(t, open) })
}

// start is the time at which the tests' clock stands: 2026-02-03 04:05:06.789 UTC.
const start int64 = 1770091506789

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// exec runs statements without rows.
func exec(t *testing.T, db store.Runner, sqls ...string) {
	t.Helper()
	for _, sql := range sqls {
		must(t, db.Run(context.Background(), store.Stmt{SQL: sql}))
	}
}

// number runs a statement that returns one number.
func number(t *testing.T, db store.Runner, sql string, args ...any) (n int64) {
	t.Helper()
	found := false
	must(t, db.Run(context.Background(), store.Stmt{SQL: sql, Args: args, Each: store.First(&found, &n)}))
	if !found {
		t.Fatalf("no row: %s", sql)
	}
	return n
}
