package trips

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// do sends a request and returns its status and the number of trips.
func (w *world) do(p *person, method, path, body string) (status int, trips int64) {
	w.Helper()
	before := w.wire.Trips()
	req, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	w.must(err)
	req.Header.Set("Authorization", "Bearer "+p.bearer)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	w.must(err)
	return resp.StatusCode, w.wire.Trips() - before
}

func TestRoundTripsOfJobs(t *testing.T) {
	onEveryPlatform(t, func(w *world) {
		p := w.person()
		w.key(p, 1, 1000)
		w.send(p, whole)
		submit := func(name string) (int, int64) {
			return w.do(p, "POST", "/api/chat",
				fmt.Sprintf(`{"async":true,"requestId":%q,"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello?"}]}`, name))
		}
		want := func(what string, status, wantStatus int, trips, most int64) {
			w.Helper()
			if status != wantStatus || trips > most {
				w.Errorf("%s: %d with %d trips, want %d with at most %d", what, status, trips, wantStatus, most)
			}
		}
		for i := range 3 {
			status, trips := submit(fmt.Sprint(i))
			want("submit", status, 202, trips, 1)
		}
		status, trips := w.do(p, "GET", "/api/chat/0?timeout=0", "")
		want("a look", status, 202, trips, 1)
		status, trips = w.do(p, "GET", "/api/chat/0", "") // this process does not have the token by its id yet
		want("a poll that runs its job, cold", status, 200, trips, 2+3)
		status, trips = w.do(p, "GET", "/api/chat/1", "")
		want("a poll that runs its job", status, 200, trips, 2+2) // the call's own two, the claim, and the lookup of the result
		status, trips = w.do(p, "GET", "/api/chat/1", "")
		want("the answer again", status, 200, trips, 1)
		status, trips = w.do(p, "DELETE", "/api/chat/2", "")
		want("cancel", status, 200, trips, 1)

		now := time.Now().UnixMilli()
		before := w.wire.Trips()
		c, err := store.ClaimJob(w.Context(), w.app.DB, store.JobClaim{Now: now, Lease: now + 1000, Keep: now})
		if n := w.wire.Trips() - before; n != 1 || err != nil || c.Found || c.More {
			w.Errorf("an empty tick of a worker: %d trips, %+v, %v", n, c, err)
		}
		bytes := w.wire.Bytes()
		time.Sleep(1500 * time.Millisecond)
		if n := w.wire.Bytes() - bytes; n != 0 {
			w.Errorf("%d bytes were sent to the database although no worker was started", n)
		}
	})
}
