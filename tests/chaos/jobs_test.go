package chaos

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/pgtest"
)

// The answers of jobs that come while the database is away are neither lost nor bought twice, also if the process ends
// meanwhile.
func TestJobs(t *testing.T) {
	for name, restart := range map[string]bool{"away": false, "restart": true} {
		t.Run(name, func(t *testing.T) {
			server := pgtest.Start(t, pgtest.Durable)
			address := server.New(t)
			w := newWorld(t, "DATABASE_URL="+address, address)
			w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 1500})
			const jobs = 8
			for i := range jobs {
				body := fmt.Sprintf(`{"async":true,"requestId":"job-%d","model":"gpt-4o-mini","messages":[{"role":"user","content":"echo: %d"}]}`, i, i)
				if status, text := w.call("POST", "/api/chat", body); status != http.StatusAccepted {
					t.Fatalf("submit: %d %s", status, text)
				}
			}
			wait(t, "all jobs to run", func() bool { return w.called(0) == jobs })
			server.Stop()
			time.Sleep(2*time.Second + duration(t)) // the answers have come
			if restart {
				for i := range processes {
					w.stopGently(i)
				}
			}
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			if restart {
				for i := range processes {
					w.start(i)
				}
			}
			w.emu.Set(emulator.Match{}, emulator.Behaviour{})
			w.serves()
			for i := range jobs {
				wait(t, "the result", func() bool {
					status, text := w.call("GET", fmt.Sprintf("/api/chat/job-%d", i), "")
					return status == http.StatusOK && strings.Contains(text, fmt.Sprint(i))
				})
			}
			if n := w.int("select count(*) from requests where attempts > 0"); n != w.called(0)+w.called(1) {
				t.Errorf("%d requests were accounted for, the provider was called %d times", n, w.called(0)+w.called(1))
			}
			if extra := w.called(0) + w.called(1) - int64(len(w.answered)) - jobs; extra != 0 {
				t.Errorf("the provider was called %d times more than there are answers", extra)
			}
		})
	}
}

func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s for a minute", what)
		}
	}
}

// call sends a request to the first process.
func (w *world) call(method, path, body string) (status int, text string) {
	w.t.Helper()
	req, _ := http.NewRequest(method, *w.procs[0].url.Load()+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}
