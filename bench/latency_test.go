package bench

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// rate is the number of requests a second of the benchmarks of latency.
const rate = 200

// BenchmarkSQLiteLatency sends requests at a steady rate, however long each takes, and prints what the gateway adds to the
// latency of a bare proxy: the medians of the turns. With -benchtime 5000x it takes 50 s.
func BenchmarkSQLiteLatency(b *testing.B) {
	upstream := start(b, "upstream")
	proxy := start(b, "proxy", "UPSTREAM="+upstream.URL)
	gateway := start(b, "gateway", "UPSTREAM="+upstream.URL, "DATA_DIR="+b.TempDir())
	toProxy := target{url: proxy.URL + "/v1/chat/completions", token: "sk-bench"}
	toGateway := target{url: gateway.URL + "/api/chat", token: gateway.Token}
	toProxy.send(b, warmUp)
	toGateway.send(b, warmUp)
	n := max(b.N/rounds, rate)
	var p50, p99, bare50, bare99 []float64
	for range rounds {
		bare, with := toProxy.steady(b, n), toGateway.steady(b, n)
		bare50, bare99 = append(bare50, quantile(bare, 0.5)), append(bare99, quantile(bare, 0.99))
		p50, p99 = append(p50, quantile(with, 0.5)), append(p99, quantile(with, 0.99))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(bare50), "proxy-p50-ms")
	b.ReportMetric(median(bare99), "proxy-p99-ms")
	b.ReportMetric(median(p50)-median(bare50), "added-p50-ms")
	b.ReportMetric(median(p99)-median(bare99), "added-p99-ms")
	if rows, want := gateway.stats(b).Rows, int64(warmUp+rounds*n); rows != want {
		b.Errorf("%d rows of usage for %d requests", rows, want)
	}
}

func quantile(d []time.Duration, q float64) (ms float64) {
	slices.Sort(d)
	return float64(d[int(q*float64(len(d)-1))].Microseconds()) / 1000
}

// steady sends n requests at the rate and returns how long each took from the moment when it was due.
func (t target) steady(b *testing.B, n int) []time.Duration {
	b.Helper()
	const body = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say two hundred words."}]}`
	took := make([]time.Duration, n)
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		due := begun.Add(time.Duration(i) * time.Second / rate)
		time.Sleep(time.Until(due))
		wg.Go(func() {
			req, _ := http.NewRequest("POST", t.url, strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+t.token)
			req.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				b.Errorf("status %d, %v", resp.StatusCode, err)
			}
			took[i] = time.Since(due)
		})
	}
	wg.Wait()
	return took
}
