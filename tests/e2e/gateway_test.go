package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/pgtest"
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

// startGateway runs the binary, empty, with emulated providers, and gives its address.
func startGateway(t *testing.T, settings ...string) string {
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
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	ready := make(chan string, 1)
	go func() {
		address := regexp.MustCompile(`ready on (\S+)`)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := address.FindStringSubmatch(lines.Text()); m != nil {
				ready <- m[1]
			}
		}
	}()
	select {
	case base := <-ready:
		return base
	case <-time.After(time.Minute):
		t.Fatal("the gateway did not start")
		return ""
	}
}
