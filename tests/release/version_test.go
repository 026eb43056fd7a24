package release

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"syscall"
	"testing"

	"github.com/alicetears/llm-gateway/internal/testproc"
)

// sameVersion runs the binary and compares the version that it prints, the one in the dashboard, and the one in the
// User-Agent towards providers.
func sameVersion(t *testing.T, binary, want string) {
	t.Helper()
	agents := make(chan string, 10)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agents <- r.UserAgent()
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"object":"list","data":[]}`))
	}))
	defer upstream.Close()
	cmd := exec.Command(binary, "serve")
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PORT=0", "OPENAI_BASE_URL=" + upstream.URL}
	var out testproc.Output
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}()
	if got := out.Wait(t, `LLM Gateway (\S+) is ready`); got != want {
		t.Errorf("it prints %s at its start", got)
	}
	base := out.Wait(t, `ready on (\S+)\n`)
	session := ""
	call := func(method, path string, body, out any) {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(method, base+path, bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if session != "" {
			req.Header.Set("Authorization", "Bearer "+session)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil || resp.StatusCode/100 != 2 {
			t.Fatalf("%s %s: %d, %v", method, path, resp.StatusCode, err)
		}
	}
	var account struct{ Token string }
	call(
		"POST",
		"/api/auth/register",
		map[string]string{
			"email":      "a@example.com",
			"password":   "a long passphrase",
			"setupToken": out.Wait(t, `/#setup=(\S+)`),
		},
		&account,
	)
	session = account.Token
	var settings struct{ Version string }
	if call("GET", "/api/auth/settings", nil, &settings); settings.Version != want {
		t.Errorf("the dashboard shows %s", settings.Version)
	}
	var key struct{ ID string }
	call("POST", "/api/keys", map[string]string{"provider": "openai", "apiKey": "sk-of-the-test-0001"}, &key)
	var result struct{}
	call("POST", "/api/keys/"+key.ID+"/test", nil, &result)
	if agent := <-agents; agent != "llm-gateway/"+want {
		t.Errorf("the provider sees the User-Agent %q", agent)
	}
}
