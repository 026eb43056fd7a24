// Package pgtest runs PostgreSQL for tests: one server per test process, started on first use and stopped with the
// process, and an empty database for each test.
//
// It needs the binaries of PostgreSQL (in PG_BIN, in Debian's place, or on the PATH) and, for
// [PgBouncer], pgbouncer. Where TEST_DATABASE_URL names a server (as a superuser), the
// databases are made there instead.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alicetears/llm-gateway/internal/testproc"
)

// Main is the body of TestMain in packages that use this one: it runs the tests and stops the servers.
func Main(m *testing.M) { testproc.Main(m) }

// New creates an empty database and returns its URL, by TCP on the loopback. The database is dropped when the test
// ends.
func New(t testing.TB) string {
	t.Helper()
	if base := os.Getenv("TEST_DATABASE_URL"); base != "" {
		return newDatabase(t, base)
	}
	return shared(t).New(t)
}

// Durability selects whether committed data survives a crash of the machine.
type Durability string

// The durabilities.
const (
	Fast    Durability = "off" // fsync off: what tests of anything but power cuts need
	Durable Durability = "on"
)

// Server is a PostgreSQL server of this process.
type Server struct {
	dir   string
	port  int
	fsync Durability
	runAs string
	proc  *testproc.Server
}

// The server of this process, started by the first test that needs it.
var (
	sharedOnce   sync.Once
	sharedServer *Server
	errShared    error
)

func shared(t testing.TB) *Server {
	t.Helper()
	requireBinaries(t)
	sharedOnce.Do(func() { sharedServer, errShared = start(Fast) })
	if errShared != nil {
		t.Fatalf("pgtest: %v", errShared)
	}
	return sharedServer
}

// Start starts a server for this test only, which the test may stop and start again.
func Start(t testing.TB, fsync Durability) *Server {
	t.Helper()
	requireBinaries(t)
	s, err := start(fsync)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(s.remove)
	return s
}

// Require skips a test that needs PostgreSQL if there is none, and fails it where CI is set. It is for tests that
// have slow steps before the first [New].
func Require(t testing.TB) {
	t.Helper()
	if os.Getenv("TEST_DATABASE_URL") == "" {
		requireBinaries(t)
	}
}

func requireBinaries(t testing.TB) {
	t.Helper()
	if binary("postgres") == "" || binary("initdb") == "" {
		testproc.Missing(t, "PostgreSQL")
	}
}

func binary(name string) string {
	if dir := os.Getenv("PG_BIN"); dir != "" {
		return filepath.Join(dir, name)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1]
	}
	path, _ := exec.LookPath(name)
	return path
}

func start(fsync Durability) (*Server, error) {
	s := &Server{fsync: fsync, runAs: testproc.Unprivileged("postgres", "nobody")}
	var err error
	if s.dir, err = testproc.Dir("pgtest", s.runAs); err != nil {
		return nil, err
	}
	testproc.AtExit(s.remove)
	initdb := exec.Command(binary("initdb"), "-D", filepath.Join(s.dir, "data"), "-U", "postgres",
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir = s.dir
	if err := testproc.Run(initdb, s.runAs); err != nil {
		return nil, err
	}
	// The port may be taken between our look and the server's.
	for range 5 {
		if s.port, err = testproc.FreePort(); err != nil {
			return nil, err
		}
		if err = s.Start(); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", err, s.log())
}

// Start starts the server again, at the same port.
func (s *Server) Start() error {
	args := []string{"-D", filepath.Join(s.dir, "data"), "-p", fmt.Sprint(s.port), "-k", s.dir}
	settings := []string{"listen_addresses=127.0.0.1", "fsync=" + string(s.fsync), "max_connections=200",
		"autovacuum_naptime=1h"}
	if s.fsync == Fast {
		settings = append(settings, "full_page_writes=off", "wal_level=minimal",
			"max_wal_senders=0")
	}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(binary("postgres"), args...)
	cmd.Dir = s.dir
	logFile, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	cmd.Stdout, cmd.Stderr = logFile, logFile
	// SIGQUIT: the server's immediate shutdown, which takes its children along.
	if s.proc, err = testproc.Start(cmd, s.runAs, syscall.SIGQUIT); err != nil {
		return err
	}
	return s.waitReady()
}

func (s *Server) waitReady() error {
	deadline := time.Now().Add(time.Minute)
	for {
		err := ping(s.URL("postgres"))
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-s.proc.Done():
			return fmt.Errorf("postgres ended at once")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func ping(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// Stop ends the server and all connections at once, as a crash would.
func (s *Server) Stop() { s.proc.Stop(syscall.SIGQUIT) }

// PID returns the id of the server's main process, the parent of all others.
func (s *Server) PID() int { return s.proc.PID() }

// New creates an empty database on this server, as the package's New does.
func (s *Server) New(t testing.TB) string {
	t.Helper()
	return newDatabase(t, s.URL("postgres"))
}

// URL is the address of a database of this server, for the superuser.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

func (s *Server) log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(b)
}

func (s *Server) remove() {
	if s.proc != nil {
		s.Stop()
	}
	os.RemoveAll(s.dir)
}

var databases atomic.Int64

func newDatabase(t testing.TB, base string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), databases.Add(1))
	if err := statement(base, "create database "+name); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		// A server that the test has stopped takes its databases with it.
		statement(base, "drop database if exists "+name+" with (force)")
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("pgtest: TEST_DATABASE_URL is not a URL")
	}
	u.Path = "/" + name
	return u.String()
}

func statement(url, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}
