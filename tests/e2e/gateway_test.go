package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/testproc"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "gateway")
	cmd := exec.Command("go", "build", "-o", file, "./cmd/gateway")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	return file, cmd.Run()
})

const setupToken = "for-the-first-account"

// startGateway runs the binary with an empty database and emulated providers, and returns its address.
func startGateway(t *testing.T, settings ...string) string {
	t.Helper()
	return runGateway(t, append(settings, "SETUP_TOKEN="+setupToken)...).Wait(t, `ready on (\S+)\n`)
}

// runGateway does the same, and returns what the binary prints.
func runGateway(t *testing.T, settings ...string) *testproc.Output {
	t.Helper()
	file, err := build()
	if err != nil {
		t.Fatal(err)
	}
	emu := emulator.New()
	origin, stop, err := emulator.Start(emu)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	dir := t.TempDir()
	cmd := exec.Command(file)
	cmd.Dir = dir
	cmd.Env = append([]string{"PORT=0", "LOG_LEVEL=error", "PATH=" + os.Getenv("PATH"), "HOME=" + dir}, settings...)
	for _, id := range emulator.Providers() {
		cmd.Env = append(cmd.Env, strings.ToUpper(id)+"_BASE_URL="+emulator.BaseURL(origin, id))
	}
	out := &testproc.Output{}
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	return out
}
