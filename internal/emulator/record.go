package emulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Recorded is a request that arrived.
type Recorded struct {
	Provider, Method, Path string
	Key                    string // as sent, whichever header carried it
	Header                 http.Header
	Body                   []byte
	At                     time.Time
	Status                 int  // 0: no answer began
	Left                   bool // the client disconnected before the end
}

// Count says how many requests of one kind arrived.
type Count struct {
	Provider string `json:"provider"`
	Key      string `json:"key"`
	Status   int    `json:"status"`
	Requests int64  `json:"requests"`
}

// maxRecorded limits how many requests are kept whole. The counts have no limit.
const maxRecorded = 1000

func (x *exchange) record() {
	rec := Recorded{
		Provider: x.p.id, Method: x.r.Method, Path: x.r.URL.Path, Key: x.key, Header: x.r.Header.Clone(),
		Body: x.body, At: x.began, Status: x.status, Left: x.r.Context().Err() != nil,
	}
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	if len(x.e.seen) == maxRecorded {
		x.e.seen = slices.Delete(x.e.seen, 0, maxRecorded/2)
	}
	x.e.seen = append(x.e.seen, rec)
	x.e.counts[Count{Provider: x.p.id, Key: x.key, Status: x.status}]++
}

// Requests returns the last requests, at most 1000, oldest first.
func (e *Emulator) Requests() []Recorded {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.seen)
}

// Counts counts all requests by provider, key and status.
func (e *Emulator) Counts() []Count {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Count, 0, len(e.counts))
	for c, n := range e.counts {
		c.Requests = n
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Count) int {
		if n := strings.Compare(a.Provider+" "+a.Key, b.Provider+" "+b.Key); n != 0 {
			return n
		}
		return a.Status - b.Status
	})
	return out
}
