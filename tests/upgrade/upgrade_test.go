// Package upgrade holds the gateway to databases of an earlier version: one that was made and filled by version 3 of the
// schema opens and serves, and processes of that version go on working beside today's.
//
// In testdata, schema.sql and data.sql are such a database, and older.jsonl holds the transactions of a process of that
// version, in their order: what it did for chats, failures, keys, tokens and jobs, with the rows that it wrote and read.
package upgrade

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// oldVersion is the version of the schema in testdata.
const oldVersion = 3

// names are the ids and secrets of the data.
type names struct {
	JWTSecret, Token, User, Session, KeyOne, KeyTwo, KeyBad string
}

func TestOlderDatabase(t *testing.T) {
	for engine, open := range map[string]func(t *testing.T) store.DB{"sqlite": olderSQLite, "postgres": olderPostgres} {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, open(t))
			w.wantVersion(store.SchemaVersion)
			w.serves()
			w.replay()
			w.serves()
			w.servesOlderJobs()
			w.wantVersion(store.SchemaVersion)
		})
	}
}

// olderSQLite is a database of the old version, opened by today's code.
func olderSQLite(t *testing.T) store.DB {
	path := filepath.Join(t.TempDir(), "older.db")
	raw, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = raw.Exec(store.ForEngine(store.SQLite, text(t, "schema.sql")) + text(t, "data.sql"))
	must(t, err)
	must(t, raw.Close())
	db, err := sqlite.Open(sqlite.Options{Path: path})
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

var blob = regexp.MustCompile(`x'([0-9a-f]*)'`)

func olderPostgres(t *testing.T) store.DB {
	url := pgtest.New(t)
	raw, err := pgx.Connect(t.Context(), url)
	must(t, err)
	_, err = raw.PgConn().Exec(t.Context(), text(t, "schema.sql")+blob.ReplaceAllString(text(t, "data.sql"), `'\x$1'`)).ReadAll()
	must(t, err)
	must(t, raw.Close(t.Context()))
	db, err := postgres.Open(postgres.Options{URL: url})
	must(t, err)
	t.Cleanup(func() { db.Close() })
	from, err := db.Migrate(t.Context())
	if err != nil || from != oldVersion {
		t.Fatalf("migrated from %d, %v", from, err)
	}
	return db
}

func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	return string(b)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is the current gateway on the database.
type world struct {
	*testing.T
	names
	db      store.DB
	url     string
	bearer  string // of the session
	log     testproc.Output
	answers int
}

func newWorld(t *testing.T, db store.DB) *world {
	w := &world{T: t, db: db}
	must(t, json.Unmarshal([]byte(text(t, "meta.json")), &w.names))
	origin, stop, err := emulator.Start(emulator.New())
	must(t, err)
	t.Cleanup(stop)
	env := map[string]string{"JWT_SECRET": w.JWTSecret}
	for _, id := range emulator.Providers() {
		env[strings.ToUpper(id)+"_BASE_URL"] = emulator.BaseURL(origin, id)
	}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, config.PlatformBinary)
	must(t, err)
	app, err := server.Assemble(cfg, db, slog.New(slog.NewTextHandler(&w.log, nil)))
	must(t, err)
	t.Cleanup(app.Close)
	gate := httptest.NewServer(app)
	t.Cleanup(gate.Close)
	w.url = gate.URL
	now := time.Now().UnixMilli()
	w.bearer, err = app.Secrets.SignSession(auth.Session{ID: w.Session, UserID: w.User, IssuedAt: now,
		ExpiresAt: now + time.Hour.Milliseconds()})
	must(t, err)
	t.Cleanup(func() {
		if log := w.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "msg=panic") {
			t.Errorf("the gateway logs errors:\n%s", log)
		}
	})
	return w
}

// call sends a request and decodes the answer.
func (w *world) call(bearer, method, path, body string, want int, into any) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	must(w.T, err)
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(w.T, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	must(w.T, err)
	if resp.StatusCode != want {
		w.Fatalf("%s %s: %d, want %d: %s", method, path, resp.StatusCode, want, answer)
	}
	must(w.T, json.Unmarshal(answer, into))
}

// serves checks that the current gateway shows the old data, and answers chats with the old token, session and keys.
func (w *world) serves() {
	w.Helper()
	const hello = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello?"}]}`
	before := w.used()
	for _, bearer := range []string{w.Token, w.bearer} { // two, so that the rotation is where it was
		w.call(bearer, "POST", "/api/chat", hello, 200, new(any))
		w.answers++
	}
	if n := w.used() - before; n != 2 {
		w.Errorf("%d requests of the keys' quotas are used, want 2", n)
	}
	var keys struct {
		Keys []struct {
			ID, State     string
			CooldownClass *string
			Cooldowns     []struct{ Since *string }
		}
	}
	w.call(w.bearer, "GET", "/api/keys", "", 200, &keys)
	got := map[string]string{}
	for _, k := range keys.Keys {
		got[k.ID] = k.State
		if k.ID == w.KeyBad &&
			(k.CooldownClass == nil || *k.CooldownClass != "bad_key" || len(k.Cooldowns) != 1 || k.Cooldowns[0].Since != nil) {
			w.Errorf("the rejected key: %+v", k)
		}
	}
	want := map[string]string{w.KeyOne: "ready", w.KeyTwo: "ready", w.KeyBad: "rejected"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.Errorf("the keys are %v, want %v", got, want)
	}
	var log struct {
		Requests []struct{ Status int }
	}
	w.call(w.bearer, "GET", "/api/requests?limit=200", "", 200, &log)
	if len(log.Requests) < 5+w.answers {
		w.Errorf("%d requests in the log, want the old ones and %d new", len(log.Requests), w.answers)
	}
}

// used returns the keys' used quota of all days.
func (w *world) used() (n int64) {
	w.Helper()
	must(w.T, w.db.Run(w.Context(),
		store.Stmt{SQL: "select cast(sum(used) as bigint) from key_days", Each: func(r store.Row) error { return r.Scan(&n) }}))
	return n
}

// servesOlderJobs finishes and shows the jobs that older processes accepted.
func (w *world) servesOlderJobs() {
	w.Helper()
	for _, name := range []string{"finished", "older", "queued"} {
		w.call(w.Token, "GET", "/api/chat/"+name+"?timeout=20000", "", 200, new(any))
	}
}

// transaction is one transaction of the older process.
type transaction []struct {
	SQL      string
	Args     []any
	Rows     *int   // that a reader saw
	Affected *int64 // of a statement that writes
}

// replay runs the statements of the older process. They write what they wrote then, and find at least what they found.
func (w *world) replay() {
	w.Helper()
	file, err := os.Open("testdata/older.jsonl")
	must(w.T, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		d := json.NewDecoder(strings.NewReader(lines.Text()))
		d.UseNumber()
		var tx transaction
		must(w.T, d.Decode(&tx))
		w.replayOne(tx)
	}
	if must(w.T, lines.Err()); n < 50 {
		w.Errorf("only %d transactions", n)
	}
}

func (w *world) replayOne(tx transaction) {
	w.Helper()
	stmts := make([]store.Stmt, len(tx))
	rows := make([]int, len(tx))
	affected := make([]int64, len(tx))
	for i, s := range tx {
		stmts[i] = store.Stmt{SQL: s.SQL, Affected: &affected[i]}
		for _, a := range s.Args {
			stmts[i].Args = append(stmts[i].Args, w.argument(a))
		}
		if s.Rows != nil {
			stmts[i].Each = func(store.Row) error { rows[i]++; return nil }
		}
	}
	if err := w.db.Run(context.Background(), stmts...); err != nil {
		w.Fatalf("%v: %+v", err, tx)
	}
	for i, s := range tx {
		if s.Affected != nil && affected[i] != *s.Affected {
			w.Errorf("%d rows written, want %d: %s", affected[i], *s.Affected, s.SQL)
		}
		if s.Rows != nil && rows[i] < *s.Rows {
			w.Errorf("%d rows read, want %d: %s", rows[i], *s.Rows, s.SQL)
		}
	}
}

// argument is a value of the file as a statement's argument. Bytes are {"hex": …}.
func (w *world) argument(v any) any {
	w.Helper()
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		must(w.T, err)
		return n
	case map[string]any:
		b, err := hex.DecodeString(v["hex"].(string))
		must(w.T, err)
		return b
	}
	return v
}

func (w *world) wantVersion(want int) {
	w.Helper()
	if got, err := store.CurrentSchema(w.Context(), w.db); err != nil || got != want {
		w.Errorf("the schema has version %d, %v, want %d", got, err, want)
	}
}
