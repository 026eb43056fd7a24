package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/testproc"
)

// TestNode runs the tests of the SDKs for Node.js, which are in the folder node.
func TestNode(t *testing.T) {
	testproc.Node(t)
	if err := installPackages(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("node/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: controls(), ReadHeaderTimeout: 10 * time.Second}
	go srv.Serve(control)
	t.Cleanup(func() { srv.Close() })

	cmd := exec.Command("node", append([]string{"--test", "--test-reporter=spec"}, files...)...)
	cmd.Env = append(os.Environ(), "GATEWAY_URL="+gate.url, "GATEWAY_TOKEN="+gate.token, "CONTROL_URL=http://"+control.Addr().String())
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	proc, err := testproc.Start(cmd, "", syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-proc.Done():
	case <-time.After(5 * time.Minute):
		proc.Stop(syscall.SIGKILL)
		t.Errorf("they do not end")
	}
	if !cmd.ProcessState.Success() {
		t.Errorf("%v\n%s", cmd.ProcessState, said.Bytes())
	}
}

// installPackages installs what package-lock.json names, unless just that is installed.
func installPackages() error {
	const kept = "node_modules/.lock-of-the-tests"
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(kept); err == nil && bytes.Equal(have, lock) {
		return nil
	}
	if out, err := exec.Command("npm", "ci", "--ignore-scripts").CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return os.WriteFile(kept, lock, 0o644)
}

// controls is what the tests for Node.js may do besides being clients: POST /key adds a key with which a provider
// behaves as the body says and answers its priority, GET /left?marker= waits until the client of the request with the
// marker has left its provider.
func controls() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /key", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Provider  string
			Behaviour emulator.Behaviour
		}
		err := json.NewDecoder(r.Body).Decode(&body)
		if err == nil {
			var priority string
			if priority, err = gate.key(body.Provider, body.Behaviour); err == nil {
				fmt.Fprint(w, priority)
				return
			}
		}
		http.Error(w, err.Error(), http.StatusBadRequest)
	})
	mux.HandleFunc("GET /left", func(w http.ResponseWriter, r *http.Request) {
		if err := gate.left(r.URL.Query().Get("marker")); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
		}
	})
	return mux
}
