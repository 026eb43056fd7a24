package bench

import (
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alicetears/llm-gateway/internal/pgtest"
)

// target is an address for requests. Both parts take the same body, whose field names are common to OpenAI's and
// the gateway's own format.
type target struct {
	url, token string
	stream     bool
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * concurrency}}

// send sends n requests from all callers concurrently and checks that each answer is complete.
func (t target) send(b *testing.B, n int) {
	b.Helper()
	body := `{"model":"gpt-4o-mini","stream":` + strconv.FormatBool(t.stream) +
		`,"messages":[{"role":"user","content":"Say two hundred words."}]}`
	end := "usage"
	if t.stream {
		end = "data: [DONE]"
	}
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range concurrency {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				req, _ := http.NewRequest("POST", t.url, strings.NewReader(body))
				req.Header.Set("Authorization", "Bearer "+t.token)
				req.Header.Set("Content-Type", "application/json")
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				answer, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != 200 || !strings.Contains(string(answer), end) {
					b.Errorf("%s: status %d, %v: %.300s", t.url, resp.StatusCode, err, answer)
					return
				}
			}
		})
	}
	wg.Wait()
}

// cpuOf returns the CPU time in microseconds that a PostgreSQL server and its children have used; 0 without one.
func cpuOf(b *testing.B, pg *pgtest.Server) (micros float64) {
	b.Helper()
	if pg == nil {
		return 0
	}
	main := pg.PID()
	stats, err := os.ReadDir("/proc")
	if err != nil {
		b.Skip("no /proc here: the server's time cannot be read")
	}
	for _, e := range stats {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it has just ended; its parent counts it
		}
		// proc(5): the fields after the name, which stands in parentheses: state, ppid, ... utime (14), stime, cutime, cstime.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		ticks := func(i int) float64 { v, _ := strconv.ParseFloat(fields[i-3], 64); return v }
		switch {
		case pid == main:
			micros += (ticks(14) + ticks(15) + ticks(16) + ticks(17)) * tick
		case fields[1] == strconv.Itoa(main):
			micros += (ticks(14) + ticks(15)) * tick
		}
	}
	return micros
}

// tick is the unit of proc(5)'s times in microseconds: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10_000
