package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/saved"
)

// awayDB is a database that may be away.
type awayDB struct {
	store.DB
	away atomic.Bool
	lost atomic.Bool // what is run is done, but its answer is lost
}

var errAway = &store.Error{Code: store.CodeUnavailable, Err: errors.New("no connection")}

func (db *awayDB) Run(ctx context.Context, stmts ...store.Stmt) error {
	if db.away.Load() {
		return errAway
	}
	err := db.DB.Run(ctx, stmts...)
	if err == nil && db.lost.Swap(false) {
		return errAway
	}
	return err
}

// outage is a world whose database goes away while a provider works on an answer.
type outage struct {
	*world
	away *awayDB
	key  store.ID
	hook atomic.Pointer[func()] // called by the provider before it answers
}

func newOutage(t *testing.T, backlog int64) *outage {
	t.Helper()
	db := &awayDB{DB: openSQLite(t)}
	o := &outage{world: newWorldOn(t, db), away: db}
	o.g = o.newGateway(gateway.Settings{Timeout: time.Minute, FirstEvent: time.Minute, IdleTimeout: time.Minute, Backlog: backlog})
	o.key = o.add(key{limit: 100, answer: func(rw http.ResponseWriter, r *http.Request) {
		if hook := o.hook.Load(); hook != nil {
			(*hook)()
		}
		answerText("hi")(rw, r)
	}})
	o.chat()
	return o
}

func (o *outage) chat() {
	o.t.Helper()
	o.mustServe(o.request("gpt-4o-mini"), o.key)
}

// number reads one number, also while the database is away.
func (o *outage) number(sql string) (n int64) {
	o.t.Helper()
	err := o.away.DB.Run(o.t.Context(), store.Stmt{SQL: sql, Each: func(r store.Row) error { return r.Scan(&n) }})
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

func (o *outage) rows() int64 { return o.number("select count(*) from requests") }
func (o *outage) sums() int64 {
	return o.number("select cast(sum(requests) as bigint) from usage_hours")
}
func (o *outage) used() int64 { return o.number("select cast(sum(used) as bigint) from key_days") }

// eventually waits for the condition.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after a minute", what)
		}
	}
}

// during lets the database go away when the provider has n requests, and only then answers them.
func (o *outage) during(n int) {
	var reached sync.WaitGroup
	reached.Add(n)
	go func() {
		reached.Wait()
		o.away.away.Store(true)
	}()
	hook := func() {
		reached.Done()
		for !o.away.away.Load() {
			time.Sleep(time.Millisecond)
		}
	}
	o.hook.Store(&hook)
}

func (o *outage) end() {
	o.hook.Store(nil)
	o.away.away.Store(false)
}

func TestAnswersDuringAnOutageAreWrittenLater(t *testing.T) {
	o := newOutage(t, 1<<20)
	const n = 20
	o.during(n)
	var wg sync.WaitGroup
	for range n {
		wg.Go(o.chat)
	}
	wg.Wait()
	if rows := o.rows(); rows != 1 {
		t.Errorf("%d rows during the outage", rows)
	}
	o.end()
	eventually(t, "all rows", func() bool { return o.rows() == n+1 })
	if sums, used := o.sums(), o.used(); sums != n+1 || used != n+1 {
		t.Errorf("the sums count %d requests, the quota %d", sums, used)
	}
	o.chat()
	if rows := o.rows(); rows != n+2 {
		t.Errorf("%d rows after the outage: an answer came before its row", rows)
	}
}

// A row whose commit was not acknowledged is written once.
func TestLostAcknowledgement(t *testing.T) {
	o := newOutage(t, 1<<20)
	hook := func() { o.away.lost.Store(true) }
	o.hook.Store(&hook)
	o.chat()
	o.hook.Store(nil)
	o.chat()
	if rows, sums := o.rows(), o.sums(); rows != 3 || sums != 3 {
		t.Errorf("%d rows, %d in the sums", rows, sums)
	}
}

// A full backlog refuses new requests, and what a process cannot write at its end the next one writes.
func TestBacklogIsBoundedAndHandedOver(t *testing.T) {
	o := newOutage(t, 1)
	o.during(1)
	o.chat()
	_, err := o.do(o.request("gpt-4o-mini"))
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("a full backlog: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	rest := o.g.Flush(ctx)
	if len(rest) != 1 {
		t.Fatalf("%d records are left", len(rest))
	}
	folder := t.TempDir()
	if _, err := saved.Write(folder, rest); err != nil {
		t.Fatal(err)
	}
	o.end()
	for range 2 { // the second time after a process that ended before it removed the file
		path, records, err := saved.Claim(folder)
		if err != nil || path == "" {
			t.Fatal(path, err)
		}
		next := o.newGateway(gateway.Settings{Timeout: time.Minute, Backlog: 1 << 20})
		if err := next.Restore(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		if rows, sums := o.rows(), o.sums(); rows != 2 || sums != 2 {
			t.Errorf("%d rows, %d in the sums", rows, sums)
		}
	}
}

// A process that does not run between requests logs the row.
func TestRowsOfFunctionsAreLogged(t *testing.T) {
	o := newOutage(t, 0)
	var log bytes.Buffer
	o.g.Log = slog.New(slog.NewTextHandler(&log, nil))
	o.during(1)
	o.chat()
	o.end()
	found := saved.FindTokens(log.String())
	if len(found) != 1 || strings.Contains(log.String(), "sk-") {
		t.Fatalf("log: %s", log.String())
	}
	r, err := saved.ParseToken(found[0], o.secrets)
	if err != nil || r.User != o.user || r.Key != o.key || r.Status != 200 || r.Output == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := o.db.Run(t.Context(), store.Settle([]store.Record{r}, 0)...); err != nil {
		t.Error(err)
	}
	if o.rows() != 2 || o.used() != 2 {
		t.Error("the row does not count")
	}
}
