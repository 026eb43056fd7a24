// Package redistest runs a Redis server for a test. It needs redis-server.
package redistest

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/alicetears/llm-gateway/internal/testproc"
)

// Server is a Redis server without persistence.
type Server struct {
	// URL is its address, "redis://127.0.0.1:port/0".
	URL string

	path, dir string
	port      int
	proc      *testproc.Server
}

// New starts a server for this test.
func New(t testing.TB) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		testproc.Missing(t, "Redis")
	}
	s := &Server{path: path}
	if s.dir, err = testproc.Dir("redistest", ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.remove)
	for try := 1; ; try++ {
		if s.port, err = testproc.FreePort(); err != nil {
			t.Fatal(err)
		}
		if err = s.Start(); err == nil {
			break
		}
		if try == 5 {
			t.Fatalf("redistest: %v", err)
		}
	}
	s.URL = fmt.Sprintf("redis://127.0.0.1:%d/0", s.port)
	return s
}

// Start starts the server again after Stop, empty, at the same port.
func (s *Server) Start() error {
	cmd := exec.Command(s.path, "--bind", "127.0.0.1", "--port", fmt.Sprint(s.port),
		"--save", "", "--appendonly", "no", "--dir", s.dir)
	var err error
	if s.proc, err = testproc.Start(cmd, "", syscall.SIGKILL); err != nil {
		return err
	}
	if err := s.proc.WaitListening(s.port); err != nil {
		s.Stop()
		return err
	}
	return nil
}

// Stop kills the server.
func (s *Server) Stop() { s.proc.Stop(syscall.SIGKILL) }

func (s *Server) remove() {
	if s.proc != nil {
		s.Stop()
	}
	os.RemoveAll(s.dir)
}
