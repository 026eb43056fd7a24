package server_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/httpversion"
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// mark is part of every secret of these tests. An answer or a log line that contains it leaks a secret and
// fails the test.
const mark = "s3cr3t"

// The secrets of these tests.
const (
	jwtSecret   = "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-" + mark
	nextSecret  = "Zq8Lw2Nf5Rb7Tx4Hk9Vd3Mc6Jp1Gy0Su-" + mark
	thirdSecret = "Bn4Xs9Ke2Wc7Qh5Ua8Lt3Pv6Rd1Fj0Mi-" + mark
	password    = mark + " of the owner"
	setupToken  = mark + "-for-the-first"
	apiKey      = "sk-" + mark + "-0001"
)

// world is a gateway over HTTP with the whole route table, emulated providers, and a clock that tests can move.
type world struct {
	t   testing.TB
	cfg *config.Config
	app *server.App
	db  *spyDB
	emu *emulator.Emulator
	url string
	log *logbook
	// ahead is how far the gateway's clock is before the real one, or before frozen, in nanoseconds.
	ahead  *atomic.Int64
	frozen *atomic.Pointer[time.Time] // holds nil while the clock runs
}

// newWorld makes a gateway without users on SQLite. Settings are "NAME=value".
func newWorld(t testing.TB, settings ...string) *world {
	t.Helper()
	return newWorldOn(t, openSQLite(t, t.TempDir()), settings...)
}

func openSQLite(t testing.TB, dir string) store.DB {
	t.Helper()
	db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(dir, "gateway.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func openPostgres(t testing.TB, url string) store.DB {
	t.Helper()
	db, err := postgres.Open(postgres.Options{URL: url, Mode: postgres.ModePrepared})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// onBoth runs a test on an empty database of each engine.
func onBoth(t *testing.T, test func(t *testing.T, db store.DB)) {
	t.Run("sqlite", func(t *testing.T) { test(t, openSQLite(t, t.TempDir())) })
	t.Run("postgres", func(t *testing.T) { test(t, openPostgres(t, pgtest.New(t))) })
}

// functions is a setting of newWorldOn: the gateway runs as on Vercel functions.
const functions = "HOME=functions"

func newWorldOn(t testing.TB, db store.DB, settings ...string) *world {
	t.Helper()
	w := &world{t: t, emu: emulator.New(), db: &spyDB{DB: db}, log: &logbook{}, ahead: &atomic.Int64{}, frozen: &atomic.Pointer[time.Time]{}}
	origin, stop, err := emulator.Start(w.emu)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	env := map[string]string{"JWT_SECRET": jwtSecret}
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range table.IDs() { // no request leaves the machine
		env[strings.ToUpper(id)+"_BASE_URL"] = cmp.Or(emulator.BaseURL(origin, id), origin+"/not-emulated")
	}
	platform := config.PlatformBinary
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		if s == functions {
			platform, name, value = config.PlatformFunctions, "DATABASE_URL", "postgres://127.0.0.1/unused"
		}
		env[name] = value
	}
	if w.cfg, err = config.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, platform); err != nil {
		t.Fatal(err)
	}
	w.assemble()
	w.listen()
	t.Cleanup(w.checkLog)
	return w
}

// assemble makes the App as the binary does, but with the world's clock.
func (w *world) assemble() {
	w.t.Helper()
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	app, err := server.Assemble(w.cfg, w.db, log)
	if err != nil {
		w.t.Fatal(err)
	}
	if t, ok := app.Throttle.(*quota.RedisThrottle); ok {
		w.t.Cleanup(func() { t.Close() })
	}
	deps, inner := app.Deps, app.Gateway.Deps
	deps.Now, inner.Now = w.now, w.now
	deps.Gateway = gateway.New(inner, gateway.Settings{Strategy: gateway.Strategy(w.cfg.Strategy), Timeout: w.cfg.Limits.Request,
		FirstEvent: w.cfg.Limits.FirstEvent, ReasoningFirstEvent: w.cfg.Limits.ReasoningFirstEvent,
		HeartbeatAfter: w.cfg.Limits.HeartbeatAfter, MaxAttempts: w.cfg.Limits.MaxAttempts, IdleTimeout: w.cfg.Limits.UpstreamIdle, UpstreamRequests: w.cfg.Limits.UpstreamRequests})
	if w.app, err = server.New(deps); err != nil {
		w.t.Fatal(err)
	}
}

// Headers that stand for facts of the network.
const (
	peerHeader = "Test-Peer" // the peer's address
	tlsHeader  = "Test-Tls"  // the request came by TLS
)

func (w *world) listen() {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if peer := r.Header.Get(peerHeader); peer != "" {
			r.RemoteAddr = peer
		}
		if r.Header.Get(tlsHeader) != "" {
			r.TLS = &tls.ConnectionState{}
		}
		r.Header.Del(peerHeader)
		r.Header.Del(tlsHeader)
		w.app.ServeHTTP(rw, r)
	}))
	srv.Config = server.NewHTTPServer(w.cfg.Limits, srv.Config.Handler, w.app.Log)
	srv.Config.Protocols = httpversion.Server()
	srv.Start()
	w.t.Cleanup(srv.Close)
	w.url = srv.URL
}

// now is the gateway's clock.
func (w *world) now() time.Time {
	return w.base().Add(time.Duration(w.ahead.Load()))
}

func (w *world) base() time.Time {
	if at := w.frozen.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// wait moves the gateway's clock forward.
func (w *world) wait(d time.Duration) { w.ahead.Add(int64(d)) }

// setClock sets the gateway's clock.
func (w *world) setClock(at time.Time) { w.ahead.Store(int64(at.Sub(w.base()))) }

// freeze stops the gateway's clock: from now on only wait and setClock move it, however slow the machine is.
func (w *world) freeze() *world {
	now := time.Now()
	w.frozen.Store(&now)
	return w
}

var credential = regexp.MustCompile(`llm_[0-9A-Za-z]{12,}|eyJ[0-9A-Za-z_-]{8,}\.`)

// checkLog checks at the end of every test that the log has no secret.
func (w *world) checkLog() {
	log := w.log.String()
	for line := range strings.Lines(log) {
		if strings.Contains(line, mark) || credential.MatchString(line) {
			w.t.Errorf("a secret in the log: %s", line)
		}
	}
	if w.log.panics.Load() > 0 {
		w.t.Errorf("a panic: %s", log[strings.Index(log, "msg=panic"):])
	}
}

// logbook is a log that can be read while it is written.
type logbook struct {
	testproc.Output
	panics atomic.Int64
}

func (l *logbook) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("msg=panic")) {
		l.panics.Add(1)
	}
	return l.Output.Write(p)
}

// spyDB counts statements and lets a test intervene.
type spyDB struct {
	store.DB
	runs atomic.Int64
	// before, if set, is called with each statement's text before it runs; its error is the database's.
	before atomic.Pointer[func(sql string) error]
}

func (db *spyDB) Run(ctx context.Context, stmts ...store.Stmt) error {
	db.runs.Add(1)
	if err := db.look(stmts); err != nil {
		return err
	}
	return db.DB.Run(ctx, stmts...)
}

func (db *spyDB) Tx(ctx context.Context, fn func(store.Runner) error) error {
	db.runs.Add(1)
	return db.DB.Tx(ctx, func(r store.Runner) error { return fn(spyRunner{db, r}) })
}

type spyRunner struct {
	db *spyDB
	store.Runner
}

func (r spyRunner) Run(ctx context.Context, stmts ...store.Stmt) error {
	if err := r.db.look(stmts); err != nil {
		return err
	}
	return r.Runner.Run(ctx, stmts...)
}

func (db *spyDB) look(stmts []store.Stmt) error {
	before := db.before.Load()
	if before == nil {
		return nil
	}
	for _, s := range stmts {
		if err := (*before)(s.SQL); err != nil {
			return err
		}
	}
	return nil
}

// once calls do before the next statement with the prefix.
func (db *spyDB) once(sql string, do func()) {
	var done atomic.Bool
	before := func(text string) error {
		if strings.HasPrefix(text, sql) && done.CompareAndSwap(false, true) {
			do()
		}
		return nil
	}
	db.before.Store(&before)
}

// broken makes the database fail until repair is called.
func (db *spyDB) broken() (repair func()) {
	return db.failing(&store.Error{Code: store.CodeUnavailable, Err: fmt.Errorf("no connection to postgres://gateway:%s@db", mark)})
}

// failing makes the database fail with err until repair is called.
func (db *spyDB) failing(err error) (repair func()) {
	before := func(string) error { return err }
	db.before.Store(&before)
	return func() { db.before.Store(nil) }
}

// person is a user, with a client that sends a session as the bearer token.
type person struct {
	client
	id      store.ID
	email   string
	session string
}

// user creates an account and a session with a cheap password hash.
func (w *world) user(name string) *person { return w.account(name, store.RoleUser) }

func (w *world) admin(name string) *person { return w.account(name, store.RoleAdmin) }

func (w *world) account(name string, role store.Role) *person {
	w.t.Helper()
	now := w.now().UnixMilli()
	p := &person{id: store.NewID(now), email: name + "@example.com"}
	err := store.AddUser(w.t.Context(), w.db.DB, store.User{ID: p.id, Email: p.email, Name: name, Role: role, PasswordHash: cheapHash(password),
		Enabled: true, CreatedAt: now, UpdatedAt: now})
	if err != nil {
		w.t.Fatal(err)
	}
	p.session = w.openSession(p.id)
	p.client = w.anyone().with("Authorization", "Bearer "+p.session)
	return p
}

// cheapHash returns an argon2id hash at a thousandth of the gateway's cost.
func cheapHash(password string) string {
	salt := make([]byte, 16)
	rand.Read(salt)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=8,t=1,p=1$%s$%s", encode(salt), encode(argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)))
}

func (w *world) anyone() client { return client{w: w, header: http.Header{}} }
