package bench

import (
	"os"
	"slices"
	"testing"

	"github.com/alicetears/llm-gateway/internal/pgtest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		play(role)
		return
	}
	pgtest.Main(m)
}

// concurrency is how many callers send at once.
const concurrency = 64

func BenchmarkSQLite(b *testing.B) {
	for _, kind := range []string{"whole", "stream"} {
		b.Run(kind, func(b *testing.B) {
			compare(b, kind, "DATA_DIR="+b.TempDir(), nil)
		})
	}
}

func BenchmarkPostgres(b *testing.B) {
	for _, kind := range []string{"whole", "stream"} {
		b.Run(kind, func(b *testing.B) {
			server := pgtest.Start(b, pgtest.Durable)
			compare(b, kind, "DATABASE_URL="+server.New(b), server)
		})
	}
}

// rounds is how often proxy and gateway take turns, so that other load on the machine affects both alike.
const rounds = 5

const warmUp = 200

func compare(b *testing.B, kind, database string, pg *pgtest.Server) {
	upstream := start(b, "upstream")
	proxy := start(b, "proxy", "UPSTREAM="+upstream.URL)
	gateway := start(b, "gateway", "UPSTREAM="+upstream.URL, database)
	toProxy := target{url: proxy.URL + "/v1/chat/completions", token: "sk-bench", stream: kind == "stream"}
	toGateway := target{url: gateway.URL + "/api/chat", token: gateway.Token, stream: kind == "stream"}
	toProxy.send(b, warmUp)
	toGateway.send(b, warmUp)

	n := max(b.N/rounds, concurrency)
	var ratios, cpus, bareCPUs, allocRatios, allocs, bareAllocs, db []float64
	for range rounds {
		p := proxy.during(b, func() { toProxy.send(b, n) })
		dbBefore := cpuOf(b, pg)
		g := gateway.during(b, func() { toGateway.send(b, n) })
		db = append(db, (cpuOf(b, pg)-dbBefore)/float64(n))
		cpus = append(cpus, g.CPUMicros/float64(n))
		bareCPUs = append(bareCPUs, p.CPUMicros/float64(n))
		ratios = append(ratios, g.CPUMicros/p.CPUMicros)
		allocs = append(allocs, g.Allocs/float64(n))
		bareAllocs = append(bareAllocs, p.Allocs/float64(n))
		allocRatios = append(allocRatios, g.Allocs/p.Allocs)
	}
	b.ReportMetric(0, "ns/op") // wall time is meaningless: everything shares the processors
	b.ReportMetric(median(cpus), "cpu-µs/req")
	b.ReportMetric(median(bareCPUs), "proxy-cpu-µs/req")
	b.ReportMetric(median(ratios), "cpu-ratio")
	b.ReportMetric(median(allocs), "allocs/req")
	b.ReportMetric(median(bareAllocs), "proxy-allocs/req")
	b.ReportMetric(median(allocRatios), "allocs-ratio")
	if pg != nil {
		b.ReportMetric(median(db), "db-cpu-µs/req")
	}
	if rows, want := gateway.stats(b).Rows, int64(warmUp+rounds*n); rows != want {
		b.Errorf("%d rows of usage for %d requests", rows, want)
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
