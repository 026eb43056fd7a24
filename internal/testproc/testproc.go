// Package testproc starts the servers that tests need, and makes sure that none outlives the process that started
// it, even if that is killed.
package testproc

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a running child process.
type Server struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// Start starts cmd, as the user runAs if that is not empty. On Linux, cmd gets the signal onDeath if this process
// ends without stopping it.
func Start(cmd *exec.Cmd, runAs string, onDeath syscall.Signal) (*Server, error) {
	if err := prepare(cmd, runAs, onDeath); err != nil {
		return nil, err
	}
	started := make(chan error)
	s := &Server{cmd: cmd, done: make(chan struct{})}
	go func() {
		// The death signal is tied to the thread that starts the child, not the process: this
		// one must live as long as the child does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
			close(s.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return s, nil
}

// PID returns the process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Run runs cmd to its end. The error contains the output.
func Run(cmd *exec.Cmd, runAs string) error {
	if err := prepare(cmd, runAs, syscall.SIGKILL); err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, out)
	}
	return nil
}

func prepare(cmd *exec.Cmd, runAs string, onDeath syscall.Signal) error {
	attr := &syscall.SysProcAttr{}
	if runAs != "" {
		u, err := user.Lookup(runAs)
		if err != nil {
			return err
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	setDeathSignal(attr, onDeath)
	cmd.SysProcAttr = attr
	return nil
}

// Done is closed when the process has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop sends the signal and waits for the end. After 10 s it kills the process.
func (s *Server) Stop(sig syscall.Signal) {
	s.cmd.Process.Signal(sig)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
		<-s.done
	}
}

// Unprivileged returns the user for servers that refuse to run as root: "" unless this process is root, else the
// first of the names that exists.
func Unprivileged(names ...string) string {
	if os.Geteuid() != 0 {
		return ""
	}
	for _, name := range names {
		if _, err := user.Lookup(name); err == nil {
			return name
		}
	}
	return ""
}

// Dir creates a temporary folder that belongs to the user runAs, and removes those of processes that have ended.
func Dir(prefix, runAs string) (string, error) {
	sweep(prefix)
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s-%d-", prefix, os.Getpid()))
	if err != nil || runAs == "" {
		return dir, err
	}
	u, err := user.Lookup(runAs)
	if err != nil {
		return dir, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return dir, os.Chown(dir, uid, gid)
}

func sweep(prefix string) {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"-*-*"))
	for _, dir := range dirs {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix+"-"), "-")
		n, err := strconv.Atoi(pid)
		if err == nil && errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
			os.RemoveAll(dir)
		}
	}
}

// FreePort returns a TCP port of the loopback on which nothing listens at the moment.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// WaitListening waits up to a minute until the server accepts connections at the port.
func (s *Server) WaitListening(port int) error {
	deadline := time.Now().Add(time.Minute)
	for {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
		select {
		case <-s.done:
			return errors.New(filepath.Base(s.cmd.Path) + " ended at once")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Missing skips a test whose server is not installed, and fails it where CI is set, so that no run there passes for
// lack of a server.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", what)
	}
	t.Skipf("%s is not installed", what)
}

// oldestNode is the oldest major version of Node.js that the Vercel CLI and the SDKs run on.
const oldestNode = 20

// Node calls Missing unless there is Node.js, new enough and with npm.
func Node(t testing.TB) {
	t.Helper()
	out, err := exec.Command("node", "--version").Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	n, _ := strconv.Atoi(major)
	if err == nil {
		_, err = exec.LookPath("npm")
	}
	if err != nil || n < oldestNode {
		Missing(t, fmt.Sprintf("Node.js %d or newer with npm", oldestNode))
	}
}

var (
	cleanupLock sync.Mutex
	cleanups    []func()
)

// AtExit runs f when Main ends.
func AtExit(f func()) {
	cleanupLock.Lock()
	defer cleanupLock.Unlock()
	cleanups = append(cleanups, f)
}

// Main is the body of a TestMain: it runs the tests, stops what they started, and exits.
func Main(m *testing.M) {
	code := m.Run()
	cleanupLock.Lock()
	for i := len(cleanups) - 1; i >= 0; i-- {
		cleanups[i]()
	}
	os.Exit(code)
}
