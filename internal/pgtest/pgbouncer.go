package pgtest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/alicetears/llm-gateway/internal/testproc"
)

// PgBouncer puts a PgBouncer in transaction mode in front of the database and returns the
// URL through it. It has three connections to the server, so that clients share them
// and statements of one client run on different ones. It ends with the test.
func PgBouncer(t testing.TB, database string) string {
	t.Helper()
	path := bouncerBinary()
	if path == "" {
		testproc.Missing(t, "PgBouncer")
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal("pgtest: not a URL")
	}
	runAs := testproc.Unprivileged("postgres", "nobody")
	dir, err := testproc.Dir("pgbouncertest", runAs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for try := 1; ; try++ {
		port, err := testproc.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		err = startBouncer(t, path, dir, runAs, u, port)
		if err == nil {
			u.Host = fmt.Sprintf("127.0.0.1:%d", port)
			return u.String()
		}
		if try == 5 {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("pgtest: pgbouncer: %v: %s", err, log)
		}
	}
}

func bouncerBinary() string {
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return path
	}
	const debian = "/usr/sbin/pgbouncer"
	if _, err := os.Stat(debian); err != nil {
		return ""
	}
	return debian
}

func startBouncer(t testing.TB, path, dir, runAs string, u *url.URL, port int) error {
	host, serverPort, err := net.SplitHostPort(u.Host)
	if err != nil {
		return err
	}
	auth := "user=" + u.User.Username()
	if password, ok := u.User.Password(); ok {
		auth += " password=" + password
	}
	config := fmt.Sprintf(`[databases]
* = host=%s port=%s %s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
`, host, serverPort, auth, port)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(path, file)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	proc, err := testproc.Start(cmd, runAs, syscall.SIGKILL)
	if err != nil {
		return err
	}
	if err := proc.WaitListening(port); err != nil {
		proc.Stop(syscall.SIGKILL)
		return err
	}
	t.Cleanup(func() { proc.Stop(syscall.SIGKILL) })
	return nil
}
