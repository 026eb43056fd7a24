// Package quotaproof lets many callers spend against limits of every kind, at several processes on one database, while the
// provider fails, callers leave and a process is killed. The provider's own journal says what was spent.
//
//	make proof                        10,000 calls
//	make proof PROOF_CALLS=1000       fewer
//
// Without PROOF_CALLS the test is short.
package quotaproof

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

const (
	processes = 3
	callers   = 96
)

// calls is how many requests are sent.
func calls(t *testing.T) int {
	text := os.Getenv("PROOF_CALLS")
	if text == "" {
		return 300
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < callers {
		t.Fatalf("PROOF_CALLS must be a number of at least %d", callers)
	}
	return n
}

func TestProof(t *testing.T) {
	n := calls(t)
	w := newWorld(t)
	// A quarter of the calls is each token's. Every cap is reached, and leaves room for the others.
	first, second := &w.accounts[0], &w.accounts[1]
	amount := func(perCent int64, each int64) int64 { return int64(n) * perCent * each / 100 }
	limits := []struct {
		name   string
		counts func(entry) bool
		store.Limit
	}{
		{"key, strict", func(e entry) bool { return e.account == 0 && e.key == 0 },
			store.Limit{Subject: store.LimitKey, SubjectID: first.keys[0], Metric: store.MetricCost, Amount: amount(5, 19_000), Strict: true}},
		{"another key", func(e entry) bool { return e.account == 0 && e.key == 1 },
			store.Limit{Subject: store.LimitKey, SubjectID: first.keys[1], Metric: store.MetricRequests, Amount: amount(5, 1)}},
		{"token", func(e entry) bool { return e.account == 0 && e.token == 0 },
			store.Limit{Subject: store.LimitToken, SubjectID: first.tokens[0], Metric: store.MetricRequests, Amount: amount(10, 1)}},
		{"user, strict", func(e entry) bool { return e.account == 0 },
			store.Limit{Subject: store.LimitUser, SubjectID: first.user, Metric: store.MetricTokens, Amount: amount(20, 32), Strict: true}},
		{"another user", func(e entry) bool { return e.account == 1 },
			store.Limit{User: second.user, Subject: store.LimitUser, SubjectID: second.user, Metric: store.MetricTokens, Amount: amount(15, 32)}},
		{"an end user", func(e entry) bool { return e.account == 1 && e.token == 0 && e.endUser == 1 },
			store.Limit{User: second.user, Subject: store.LimitEndUser, SubjectID: second.tokens[0], Metric: store.MetricRequests, Amount: amount(2, 1)}},
		{"gateway", func(entry) bool { return true }, store.Limit{Subject: store.LimitGateway, Metric: store.MetricRequests, Amount: amount(34, 1)}},
	}
	for i := range limits {
		l := &limits[i].Limit
		l.ID, l.Span, l.CreatedAt = store.NewID(time.Now().UnixMilli()), store.SpanTotal, time.Now().UnixMilli()
		if l.Subject != store.LimitGateway && l.User.IsZero() {
			l.User = first.user
		}
		if err := store.CreateLimit(t.Context(), w.db, *l); err != nil {
			t.Fatal(err)
		}
	}
	for i := range processes {
		w.start(i)
	}

	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for c := range callers {
		rng := rand.New(rand.NewPCG(1, uint64(c)))
		wg.Go(func() {
			for i := range work {
				if i == n/4 {
					w.kill(1)
					w.start(1)
				}
				ctx, cancel := context.WithCancel(context.Background())
				if rng.IntN(20) == 0 { // a caller that leaves
					time.AfterFunc(time.Duration(rng.IntN(60))*time.Millisecond, cancel)
				}
				status := w.send(ctx, i, rng)
				cancel()
				mu.Lock()
				statuses[status]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	w.settled()

	out := &strings.Builder{}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "limit\tcap\tprovider's journal\tovershoot\tcounted\tunconfirmed\theld")
	for _, l := range limits {
		status := w.status(l.ID)
		spent := w.journal.spent(l.Metric, l.counts)
		overshoot := max(0, spent-l.Amount)
		metric := map[store.Metric]string{store.MetricRequests: "requests", store.MetricTokens: "tokens", store.MetricCost: "nano-dollars"}[l.Metric]
		fmt.Fprintf(table, "%s, %s\t%d\t%d\t%d\t%d\t%d\t%d\n", l.name, metric, l.Amount, spent, overshoot, status.Used, status.Unconfirmed, status.Held)
		if status.Held != 0 {
			t.Errorf("%s: %d are held and nothing runs", l.name, status.Held)
		}
		if spent > status.Used {
			t.Errorf("%s: the provider was asked for %d %s, and %d are counted", l.name, spent, metric, status.Used)
		}
		switch {
		case l.Metric == store.MetricRequests, l.Strict:
			if overshoot > 0 {
				t.Errorf("%s: %d %s beyond the cap", l.name, overshoot, metric)
			}
		case l.Metric == store.MetricTokens:
			if most := int64(callers) * maxTokensOfCall; overshoot > most {
				t.Errorf("%s: %d tokens beyond the cap, more than %d in flight", l.name, overshoot, most)
			}
		case l.Metric == store.MetricCost:
			if most := int64(callers) * maxTokensOfCall * 600; overshoot > most {
				t.Errorf("%s: %d nano-dollars beyond the cap, more than %d in flight", l.name, overshoot, most)
			}
		}
	}
	table.Flush()
	t.Logf("%d calls by %d callers to %d processes, one killed; statuses %v; %d calls of the provider\n%s",
		n, callers, processes, statuses, w.journal.calls(), out)
	if statuses[200] == 0 || statuses[429] == 0 {
		t.Error("nothing was answered, or nothing refused")
	}
}

// kill ends a process as a crash does.
func (w *world) kill(i int) { w.procs[i].Stop(syscall.SIGKILL) }
