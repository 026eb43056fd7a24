package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func testExecutor(t *testing.T, open Open) {
	db := open(t)
	exec(t, db, `create table cells (
		id bigint not null primary key, big bigint, mid integer, small smallint,
		txt text, bin bytea, flag boolean, real double precision)`,
		"create table counts (name text not null primary key, n bigint not null)",
		"create table parents (id bigint not null primary key, name text not null unique)",
		"create table children (id bigint not null primary key, parent bigint not null references parents (id) on delete cascade)",
	)
	for name, test := range map[string]func(*testing.T, store.DB){
		"values":            testValues,
		"nulls":             testNulls,
		"null mixed in":     testNullsMixed,
		"narrow columns":    testNarrow,
		"ids":               testIDs,
		"bad text":          testBadText,
		"bad scan":          testBadScan,
		"big":               testBig,
		"many rows":         testManyRows,
		"atomic run":        testAtomicRun,
		"each after commit": testEachAfterCommit,
		"affected":          testAffected,
		"order":             testOrder,
		"tx commit":         testTxCommit,
		"tx rollback":       testTxRollback,
		"tx panic":          testTxPanic,
		"tx failed":         testTxFailed,
		"tx serial":         testTxSerial,
		"codes":             testCodes,
		"secrets":           testErrorsHideArguments,
		"cancelled":         testCancelled,
		"empty":             testEmpty,
		"upserts":           testParallelUpserts,
		"guarded":           testGuardedUpserts,
		"groups":            testParallelGroups,
		"reads beside":      testReadsBesideWrites,
		"ping":              testPing,
		"migrate":           testMigrateAgain,
	} {
		t.Run(name, func(t *testing.T) {
			exec(t, db, "delete from cells", "delete from counts", "delete from parents")
			test(t, db)
		})
	}
}

var ctx = context.Background()

func testValues(t *testing.T, db store.DB) {
	type row struct {
		big  int64
		txt  string
		bin  []byte
		flag bool
		real float64
	}
	for i, want := range []row{
		{0, "", []byte{}, false, 0},
		{math.MaxInt64, "héllo 世界 🜁 \u202e", []byte{0, 1, 255, '\\', 'x'}, true, -1.5},
		{math.MinInt64, `\x00 "quoted" 'text' ` + "\n\r\t", bytes.Repeat([]byte{0}, 300), false, math.MaxFloat64},
		{-1, "null", []byte("\\x414243"), true, math.SmallestNonzeroFloat64},
		{1, "1", []byte("1"), true, 1},
	} {
		flag := want.flag
		must(t, db.Run(ctx, store.Stmt{
			SQL:  "insert into cells (id, big, txt, bin, flag, real) values ($1, $2, $3, $4, $5, $6)",
			Args: []any{i, &want.big, want.txt, want.bin, &flag, want.real},
		}))
		var got row
		found := false
		must(t, db.Run(ctx, store.Stmt{
			SQL: `select big, txt, bin, flag, real from cells
				where id = $1 and big = $2 and txt = $3 and bin = $4 and flag = $5 and real = $6`,
			Args: []any{i, want.big, &want.txt, &want.bin, flag, &want.real},
			Each: store.First(&found, &got.big, &got.txt, &got.bin, &got.flag, &got.real),
		}))
		if !found || got.big != want.big || got.txt != want.txt || !bytes.Equal(got.bin, want.bin) || got.flag != want.flag || got.real != want.real {
			t.Errorf("row %d: got %v (%t), want %v", i, got, found, want)
		}
	}
}

func testNulls(t *testing.T, db store.DB) {
	for i, args := range [][]any{
		{1, nil, nil, nil, nil, nil, nil, nil},
		{2, (*int64)(nil), (*int)(nil), nil, (*string)(nil), []byte(nil), (*bool)(nil), (*float64)(nil)},
		{3, nil, nil, nil, nil, store.ID{}, nil, nil},
		{4, nil, nil, nil, nil, (*[]byte)(nil), nil, nil},
		{5, nil, nil, nil, nil, (*store.ID)(nil), nil, nil},
	} {
		must(t, db.Run(ctx, store.Stmt{SQL: "insert into cells values ($1, $2, $3, $4, $5, $6, $7, $8)", Args: args}))
		big, mid, txt, flag, real := new(int64), new(int), new(string), new(bool), new(float64)
		bin, id, found := []byte("x"), store.NewID(1), false
		must(t, db.Run(ctx, store.Stmt{
			SQL: "select big, mid, txt, bin, bin, flag, real, small from cells where id = $1", Args: []any{i + 1},
			Each: store.First(&found, &big, &mid, &txt, &bin, &id, &flag, &real, nil),
		}))
		if !found || big != nil || mid != nil || txt != nil || bin != nil || !id.IsZero() || flag != nil || real != nil {
			t.Errorf("row %d: %v %v %v %v %v %v %v", i+1, big, mid, txt, bin, id, flag, real)
		}
	}
	for _, dest := range []any{new(int64), new(int), new(string), new(bool), new(float64)} {
		err := db.Run(ctx, store.Stmt{SQL: "select big from cells where id = 1", Each: func(r store.Row) error { return r.Scan(dest) }})
		if err == nil || !strings.Contains(err.Error(), "null") {
			t.Errorf("null into %T: %v", dest, err)
		}
	}
	big, txt := new(int64), new(string)
	found := false
	must(t, db.Run(ctx, store.Stmt{SQL: "select 5, 'five'", Each: store.First(&found, &big, &txt)}))
	if *big != 5 || *txt != "five" {
		t.Errorf("got %d, %q", *big, *txt)
	}
}

// The same statement with and without nulls, in one run and on one connection, in every order.
func testNullsMixed(t *testing.T, db store.DB) {
	const insert = "insert into cells (id, big, mid, small, txt, bin, flag) values ($1, $2, $3, $4, $5, $6, $7)"
	full := []any{0, int64(1) << 40, 70000, 300, "t", []byte("b"), true}
	none := []any{0, nil, nil, nil, nil, nil, nil}
	some := []any{0, int64(7), nil, 7, nil, []byte("b"), nil}
	id := 0
	for _, order := range [][][]any{{none, full, some}, {full, none}, {some, full, none, none}, {full, full}} {
		var stmts []store.Stmt
		for _, args := range order {
			id++
			args = append([]any{id}, args[1:]...)
			stmts = append(stmts, store.Stmt{SQL: insert, Args: args})
		}
		must(t, db.Run(ctx, stmts...))
	}
	if n := number(t, db, "select count(*) from cells where small = 300 and mid = 70000 and big = 1099511627776"); n != 5 {
		t.Errorf("%d full rows, want 5", n)
	}
	if n := number(t, db, "select count(*) from cells where small is null and txt is null"); n != 4 {
		t.Errorf("%d empty rows, want 4", n)
	}
}

func testNarrow(t *testing.T, db store.DB) {
	exec(t, db, "insert into cells (id, mid, small, flag) values (1, 70000, 300, true)")
	for _, sql := range []string{
		"select count(*) from cells where mid = $1 and small = $2",
		"select count(*) from cells where mid between $1 and $1 and small <= $2",
		"select count(*) from cells where coalesce(mid, $1) = $1 and small + 0 = $2 and flag",
	} {
		if n := number(t, db, sql, int64(70000), 300); n != 1 {
			t.Errorf("%s: %d", sql, n)
		}
	}
	must(t, db.Run(ctx, store.Stmt{SQL: "update cells set mid = $1, small = $2 where id = $3", Args: []any{int64(-5), int64(-6), 1}}))
	var mid int
	var small int64
	found := false
	must(t, db.Run(ctx, store.Stmt{SQL: "select mid, small from cells limit $1", Args: []any{1}, Each: store.First(&found, &mid, &small)}))
	if mid != -5 || small != -6 {
		t.Errorf("got %d, %d", mid, small)
	}
	if n := number(t, db, "select cast(sum(mid) as bigint) from cells"); n != -5 {
		t.Errorf("sum %d", n)
	}
}

func testIDs(t *testing.T, db store.DB) {
	a, b := store.NewID(start), store.NewID(start+1)
	must(t, db.Run(ctx,
		store.Stmt{SQL: "insert into cells (id, bin) values (1, $1)", Args: []any{a}},
		store.Stmt{SQL: "insert into cells (id, bin) values (2, $1)", Args: []any{b.Arg()}},
		store.Stmt{SQL: "insert into cells (id, bin) values (3, $1)", Args: []any{store.ID{}.Arg()}},
	))
	var got []store.ID
	must(t, db.Run(ctx, store.Stmt{
		SQL: "select bin from cells where bin >= $1 order by bin desc", Args: []any{store.FirstID(start)},
		Each: func(r store.Row) error {
			var id store.ID
			err := r.Scan(&id)
			got = append(got, id)
			return err
		},
	}))
	if len(got) != 2 || got[0] != b || got[1] != a {
		t.Errorf("got %v, want %v %v", got, b, a)
	}
}

func testBadText(t *testing.T, db store.DB) {
	for _, s := range []string{"a\x00b", "\xff", "ok\xc3"} {
		err := db.Run(ctx, store.Stmt{SQL: "insert into cells (id, txt) values (1, $1)", Args: []any{s}})
		if store.CodeOf(err) != store.CodeOther {
			t.Errorf("%q: %v", s, err)
		}
	}
	err := db.Run(ctx, store.Stmt{SQL: "insert into cells (id, txt) values (1, $1)", Args: []any{struct{}{}}})
	if store.CodeOf(err) != store.CodeOther || !strings.Contains(err.Error(), "struct {}") {
		t.Errorf("struct: %v", err)
	}
	must(t, db.Ping(ctx))
}

func testBadScan(t *testing.T, db store.DB) {
	for _, dest := range [][]any{{new(int64)}, {new(int64), new(int64)}, {new(int64), new(string), new(string)}, {new(int64), new(store.ID)}, {new(bool), new(uint8)}} {
		err := db.Run(ctx, store.Stmt{SQL: "select 1, 'secret'", Each: func(r store.Row) error { return r.Scan(dest...) }})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%T: %v", dest, err)
		}
	}
}

func testBig(t *testing.T, db store.DB) {
	bin, txt := bytes.Repeat([]byte("0123456789abcdef"), 1<<18), strings.Repeat("ö", 1<<20)
	must(t, db.Run(ctx,
		store.Stmt{SQL: "insert into cells (id, bin, txt) values (1, $1, $2)", Args: []any{bin, txt}},
		store.Stmt{SQL: "insert into cells (id, bin, txt) values (2, $1, $2)", Args: []any{bin, txt}},
	))
	n := 0
	must(t, db.Run(ctx, store.Stmt{SQL: "select bin, txt from cells", Each: func(r store.Row) error {
		var b []byte
		var s string
		err := r.Scan(&b, &s)
		if bytes.Equal(b, bin) && s == txt {
			n++
		}
		return err
	}}))
	if n != 2 {
		t.Errorf("%d rows came back whole", n)
	}
}

func testManyRows(t *testing.T, db store.DB) {
	var stmts []store.Stmt
	for i := range 3000 {
		stmts = append(stmts, store.Stmt{SQL: "insert into cells (id, big) values ($1, $2)", Args: []any{i, i * i}})
	}
	must(t, db.Run(ctx, stmts...))
	next := int64(0)
	read := store.Stmt{SQL: "select id, big from cells order by id", Each: func(r store.Row) error {
		var id, big int64
		if err := r.Scan(&id, &big); err != nil {
			return err
		}
		if id != next%3000 || big != id*id {
			return fmt.Errorf("row %d: %d, %d", next, id, big)
		}
		next++
		return nil
	}}
	must(t, db.Run(ctx, read, store.Stmt{SQL: "select id from cells"}, read))
	if next != 6000 {
		t.Errorf("%d rows", next)
	}
}

func testAtomicRun(t *testing.T, db store.DB) {
	insert := func(id int) store.Stmt {
		return store.Stmt{SQL: "insert into cells (id) values ($1)", Args: []any{id}}
	}
	called := false
	returning := store.Stmt{SQL: "insert into cells (id) values (10) returning id", Each: func(store.Row) error { called = true; return nil }}
	err := db.Run(ctx, insert(1), returning, insert(2), insert(1), insert(3))
	if store.CodeOf(err) != store.CodeConflict {
		t.Fatalf("got %v", err)
	}
	if n := number(t, db, "select count(*) from cells"); n != 0 || called {
		t.Errorf("%d rows of a failed run, Each called: %t", n, called)
	}
	must(t, db.Run(ctx, insert(1), insert(2)))
	if err := db.Run(ctx, insert(3), store.Stmt{SQL: "insert into nowhere values (1)"}); store.CodeOf(err) != store.CodeOther {
		t.Errorf("got %v", err)
	}
	if n := number(t, db, "select count(*) from cells"); n != 2 {
		t.Errorf("%d rows", n)
	}
}

func testEachAfterCommit(t *testing.T, db store.DB) {
	stop := errors.New("stop")
	calls, seen := 0, int64(0)
	err := db.Run(ctx,
		store.Stmt{SQL: "insert into counts values ('a', 1)"},
		store.Stmt{SQL: "update counts set n = n + 1 returning n", Each: func(r store.Row) error {
			seen = number(t, db, "select n from counts")
			return stop
		}},
		store.Stmt{SQL: "select n from counts", Each: func(store.Row) error { calls++; return nil }},
	)
	if !errors.Is(err, stop) || calls != 0 || seen != 2 {
		t.Errorf("err %v, %d calls, saw %d", err, calls, seen)
	}
	if n := number(t, db, "select n from counts"); n != 2 {
		t.Errorf("the run was undone: %d", n)
	}
}

func testAffected(t *testing.T, db store.DB) {
	var inserted, updated, none, returned, selected int64 = -1, -1, -1, -1, -1
	must(t, db.Run(ctx,
		store.Stmt{SQL: "insert into cells (id, big) values (1, 1), (2, 2), (3, 3)", Affected: &inserted},
		store.Stmt{SQL: "update cells set big = 0 where id > 1", Affected: &updated},
		store.Stmt{SQL: "update cells set big = 0 where id > 10", Affected: &none},
		store.Stmt{SQL: "delete from cells where id > 2 returning id", Affected: &returned, Each: func(store.Row) error { return nil }},
		store.Stmt{SQL: "select id from cells", Affected: &selected, Each: func(store.Row) error { return nil }},
	))
	if inserted != 3 || updated != 2 || none != 0 || returned != 1 || selected != 2 {
		t.Errorf("got %d %d %d %d %d", inserted, updated, none, returned, selected)
	}
	must(t, db.Run(ctx, store.Stmt{SQL: "insert into cells (id) values (1) on conflict do nothing", Affected: &none}))
	if none != 0 {
		t.Errorf("got %d", none)
	}
}

// Statements of a run see what those before them did.
func testOrder(t *testing.T, db store.DB) {
	var got []int64
	each := func(r store.Row) error {
		var n int64
		err := r.Scan(&n)
		got = append(got, n)
		return err
	}
	const upsert = "insert into counts values ('a', 1) on conflict (name) do update set n = counts.n + 1 returning n"
	must(t, db.Run(ctx, store.Stmt{SQL: upsert, Each: each}, store.Stmt{SQL: upsert, Each: each}, store.Stmt{SQL: "select n * 10 from counts", Each: each}))
	if fmt.Sprint(got) != "[1 2 20]" {
		t.Errorf("got %v", got)
	}
}

func testTxCommit(t *testing.T, db store.DB) {
	must(t, db.Tx(ctx, func(tx store.Runner) error {
		exec(t, tx, "insert into counts values ('a', 1)")
		n := number(t, tx, "select n from counts where name = 'a'")
		return tx.Run(ctx, store.Stmt{SQL: "update counts set n = $1", Args: []any{n + 41}})
	}))
	if n := number(t, db, "select n from counts"); n != 42 {
		t.Errorf("got %d", n)
	}
	must(t, db.Tx(ctx, func(store.Runner) error { return nil }))
	must(t, db.Tx(ctx, func(tx store.Runner) error { return tx.Run(ctx) }))
}

func testTxRollback(t *testing.T, db store.DB) {
	stop := errors.New("stop")
	if err := db.Tx(ctx, func(tx store.Runner) error {
		exec(t, tx, "insert into counts values ('a', 1)")
		return stop
	}); err != stop {
		t.Errorf("got %v", err)
	}
	if err := db.Tx(ctx, func(store.Runner) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
	if n := number(t, db, "select count(*) from counts"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func testTxPanic(t *testing.T, db store.DB) {
	func() {
		defer func() { recover() }()
		db.Tx(ctx, func(tx store.Runner) error {
			exec(t, tx, "insert into counts values ('a', 1)")
			panic("boom")
		})
	}()
	if n := number(t, db, "select count(*) from counts"); n != 0 {
		t.Errorf("%d rows", n)
	}
	exec(t, db, "insert into counts values ('a', 1)")
}

func testTxFailed(t *testing.T, db store.DB) {
	err := db.Tx(ctx, func(tx store.Runner) error {
		exec(t, tx, "insert into counts values ('a', 1)")
		if err := tx.Run(ctx, store.Stmt{SQL: "insert into counts values ('a', 2)"}); store.CodeOf(err) != store.CodeConflict {
			t.Errorf("got %v", err)
		}
		if err := tx.Run(ctx, store.Stmt{SQL: "insert into counts values ('b', 2)"}); err == nil {
			t.Error("a failed transaction went on")
		}
		return nil
	})
	if store.CodeOf(err) != store.CodeOther {
		t.Errorf("commit of a failed transaction: %v", err)
	}
	if n := number(t, db, "select count(*) from counts"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// Transactions that first write the same row run one after another.
func testTxSerial(t *testing.T, db store.DB) {
	exec(t, db, "insert into counts values ('a', 0)")
	parallel(t, 16, func(int) error {
		return db.Tx(ctx, func(tx store.Runner) error {
			if err := tx.Run(ctx, store.Stmt{SQL: "update counts set n = n where name = 'a'"}); err != nil {
				return err
			}
			var n int64
			found := false
			if err := tx.Run(ctx, store.Stmt{SQL: "select n from counts", Each: store.First(&found, &n)}); err != nil {
				return err
			}
			return tx.Run(ctx, store.Stmt{SQL: "update counts set n = $1", Args: []any{n + 1}})
		})
	})
	if n := number(t, db, "select n from counts"); n != 16 {
		t.Errorf("got %d", n)
	}
}

func testCodes(t *testing.T, db store.DB) {
	exec(t, db, "insert into parents values (1, 'one')", "insert into children values (1, 1)")
	for sql, want := range map[string]store.Code{
		"insert into parents values (1, 'two')": store.CodeConflict,
		"insert into parents values (2, 'one')": store.CodeConflict,
		"insert into children values (2, 9)":    store.CodeReference,
		"update children set parent = 9":        store.CodeReference,
		"insert into parents (id) values (3)":   store.CodeNull,
		"selec 1":                               store.CodeOther,
	} {
		err := db.Run(ctx, store.Stmt{SQL: sql})
		var e *store.Error
		if !errors.As(err, &e) || e.Code != want {
			t.Errorf("%s: got %v, want %s", sql, err, want)
			continue
		}
		if want == store.CodeConflict && !strings.HasPrefix(e.Constraint, "parents") {
			t.Errorf("%s: constraint %q", sql, e.Constraint)
		}
	}
	exec(t, db, "delete from parents")
	if n := number(t, db, "select count(*) from children"); n != 0 {
		t.Error("the delete did not cascade")
	}
}

func testErrorsHideArguments(t *testing.T, db store.DB) {
	const secret = "sk-do-not-show-me"
	exec(t, db, "insert into counts values ('"+secret+"', 1)")
	for _, s := range []store.Stmt{
		{SQL: "insert into counts values ($1, 1)", Args: []any{secret}},
		{SQL: "insert into cells (id, small) values ($1, 1)", Args: []any{secret}},
		{SQL: "select cast($1 as bigint) / 0 + cast($2 as bigint) / 0 from nowhere", Args: []any{1, secret}},
		{SQL: "select 1 where $1", Args: []any{secret, secret}},
		{SQL: "insert into cells (id, big) values (1, cast($1 as bigint))", Args: []any{secret}},
		{SQL: "insert into cells (id, txt) values ($1, $2)", Args: []any{1}},
	} {
		if err := db.Run(ctx, s); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", s.SQL, err)
		}
	}
	must(t, db.Ping(ctx))
}

func testCancelled(t *testing.T, db store.DB) {
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := db.Run(gone, store.Stmt{SQL: "insert into counts values ('a', 1)"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := db.Tx(gone, func(tx store.Runner) error { return tx.Run(gone, store.Stmt{SQL: "select 1"}) }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// A transaction whose context ends half-way leaves nothing behind.
	half, cancel := context.WithCancel(ctx)
	err := db.Tx(half, func(tx store.Runner) error {
		if err := tx.Run(half, store.Stmt{SQL: "insert into counts values ('a', 1)"}); err != nil {
			return err
		}
		cancel()
		return tx.Run(half, store.Stmt{SQL: "insert into counts values ('b', 1)"})
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// A select without end.
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	err = db.Run(short, store.Stmt{SQL: `select count(*) from (
		with recursive up (n) as (select 1 union all select n + 1 from up where n < 2000000000) select n from up) as numbers`})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	if n := number(t, db, "select count(*) from counts"); n != 0 {
		t.Errorf("%d rows", n)
	}
	// Waiting for one's turn ends, too. (An update, because PostgreSQL may still be at it when the next test
	// begins, and that has deleted the row.)
	exec(t, db, "insert into counts values ('a', 1)")
	must(t, db.Tx(ctx, func(tx store.Runner) error {
		if err := tx.Run(ctx, store.Stmt{SQL: "update counts set n = 1"}); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		err := db.Run(short, store.Stmt{SQL: "update counts set n = 2"})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		return nil
	}))
}

func testEmpty(t *testing.T, db store.DB) {
	must(t, db.Run(ctx))
	calls := 0
	must(t, db.Run(ctx, store.Stmt{SQL: "select 1 from counts where name = $1", Args: []any{""}, Each: func(store.Row) error { calls++; return nil }}))
	if calls != 0 {
		t.Errorf("%d rows", calls)
	}
}

func testParallelUpserts(t *testing.T, db store.DB) {
	parallel(t, 64, func(int) error {
		return db.Run(ctx, store.Stmt{
			SQL: "insert into counts values ($1, 1) on conflict (name) do update set n = counts.n + 1", Args: []any{"a"},
		})
	})
	if n := number(t, db, "select n from counts"); n != 64 {
		t.Errorf("got %d", n)
	}
}

// The shape of a quota: no number of callers passes the limit.
func testGuardedUpserts(t *testing.T, db store.DB) {
	var lock sync.Mutex
	granted := map[int64]bool{}
	parallel(t, 64, func(int) error {
		var n int64
		found := false
		err := db.Run(ctx, store.Stmt{
			SQL: `insert into counts values ($1, 1) on conflict (name) do update set n = counts.n + 1
				where counts.n < $2 returning n`, Args: []any{"a", 20}, Each: store.First(&found, &n),
		})
		lock.Lock()
		defer lock.Unlock()
		if found {
			granted[n] = true
		}
		return err
	})
	if n := number(t, db, "select n from counts"); n != 20 || len(granted) != 20 {
		t.Errorf("%d used, %d different grants", n, len(granted))
	}
}

// Groups sorted by key neither deadlock nor lose anything.
func testParallelGroups(t *testing.T, db store.DB) {
	parallel(t, 16, func(g int) error {
		var stmts []store.Stmt
		for k := range 8 {
			stmts = append(stmts, store.Stmt{
				SQL:  "insert into counts values ($1, $2) on conflict (name) do update set n = counts.n + excluded.n",
				Args: []any{fmt.Sprintf("key %d", k), g},
			})
		}
		return db.Run(ctx, stmts...)
	})
	if n := number(t, db, "select cast(sum(n) as bigint) from counts"); n != 8*15*16/2 {
		t.Errorf("got %d", n)
	}
}

func testReadsBesideWrites(t *testing.T, db store.DB) {
	exec(t, db, "insert into counts values ('a', 0), ('b', 0)")
	must(t, db.Tx(ctx, func(tx store.Runner) error {
		if err := tx.Run(ctx, store.Stmt{SQL: "update counts set n = 1"}); err != nil {
			return err
		}
		if n := number(t, db, "select cast(sum(n) as bigint) from counts"); n != 0 {
			t.Errorf("saw %d before the commit", n)
		}
		return nil
	}))
	if n := number(t, db, "select cast(sum(n) as bigint) from counts"); n != 2 {
		t.Errorf("saw %d after the commit", n)
	}
}

func testPing(t *testing.T, db store.DB) { must(t, db.Ping(ctx)) }

func testMigrateAgain(t *testing.T, db store.DB) {
	from, err := db.Migrate(ctx)
	if err != nil || from != store.SchemaVersion {
		t.Errorf("got %d, %v", from, err)
	}
	if n := number(t, db, "select version from schema_version"); n != store.SchemaVersion {
		t.Errorf("version %d", n)
	}
}

// parallel runs f n times at once and reports the errors.
func parallel(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	must(t, errors.Join(errs...))
}
