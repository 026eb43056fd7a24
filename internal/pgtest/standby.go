package pgtest

import (
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/testproc"
)

// Standby starts a server that gets everything from s by streaming replication. From then on s acknowledges no commit
// that the standby does not have. s must be [Durable]. The standby ends with the test.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	standby := &Server{fsync: s.fsync, runAs: s.runAs}
	var err error
	if standby.dir, err = testproc.Dir("pgtest", s.runAs); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.remove)
	copyAll := exec.Command(binary("pg_basebackup"), "-D", filepath.Join(standby.dir, "data"), "-R", "-X", "stream",
		"--checkpoint=fast", "--no-sync", "-h", "127.0.0.1", "-p", fmt.Sprint(s.port), "-U", "postgres")
	copyAll.Dir = standby.dir
	if err := testproc.Run(copyAll, s.runAs); err != nil {
		t.Fatalf("pgtest: pg_basebackup: %v", err)
	}
	if standby.port, err = testproc.FreePort(); err == nil {
		err = standby.Start()
	}
	if err != nil {
		t.Fatalf("pgtest: the standby: %v: %s", err, standby.log())
	}
	for _, sql := range []string{"alter system set synchronous_standby_names = '*'", "select pg_reload_conf()"} {
		if err := statement(s.URL("postgres"), sql); err != nil {
			t.Fatalf("pgtest: %v", err)
		}
	}
	s.synchronous(t)
	return standby
}

// Promote makes a standby the primary. The server that it followed must have ended.
func (s *Server) Promote() error { return statement(s.URL("postgres"), "select pg_promote(true, 60)") }

// Both returns the address of a database of s that also names its standby.
func (s *Server) Both(t testing.TB, database string, standby *Server) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal("pgtest: not a URL")
	}
	u.Host = fmt.Sprintf("127.0.0.1:%d,127.0.0.1:%d", s.port, standby.port)
	return u.String()
}

// synchronous waits until a standby follows, without which no commit ends.
func (s *Server) synchronous(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := statement(s.URL("postgres"), "do $$ begin assert exists (select 1 from pg_stat_replication where sync_state = 'sync'); end $$")
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("pgtest: the standby does not follow: %v", err)
		}
	}
}
