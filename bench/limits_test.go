package bench

import (
	"testing"

	"github.com/alicetears/llm-gateway/internal/pgtest"
)

func BenchmarkSQLiteLimits(b *testing.B) {
	compareLimits(b, "DATA_DIR="+b.TempDir(), "DATA_DIR="+b.TempDir(), nil)
}

func BenchmarkPostgresLimits(b *testing.B) {
	server := pgtest.Start(b, pgtest.Durable)
	compareLimits(b, "DATABASE_URL="+server.New(b), "DATABASE_URL="+server.New(b), server)
}

// BenchmarkMetrics measures the process's time for a request that metrics count against that of one without.
func BenchmarkMetrics(b *testing.B) {
	compareGateways(b, [2]string{"DATA_DIR=" + b.TempDir(), "METRICS=off"}, [2]string{"DATA_DIR=" + b.TempDir(), "METRICS=on"}, nil)
}

// compareLimits measures the process's time for a request with four limits against that of one without any.
func compareLimits(b *testing.B, without, with string, pg *pgtest.Server) {
	compareGateways(b, [2]string{without, "LIMITS=none"}, [2]string{with, "LIMITS=four"}, pg)
}

// compareGateways measures the time of a gateway's process with some settings against that of one without.
func compareGateways(b *testing.B, without, with [2]string, pg *pgtest.Server) {
	upstream := start(b, "upstream")
	var targets [2]target
	var gateways [2]*part
	for i, env := range [2][2]string{without, with} {
		gateways[i] = start(b, "gateway", "UPSTREAM="+upstream.URL, env[0], env[1])
		targets[i] = target{url: gateways[i].URL + "/api/chat", token: gateways[i].Token}
		targets[i].send(b, warmUp)
	}
	n := max(b.N/rounds, concurrency)
	var cpus, db [2][]float64
	var ratios []float64
	for range rounds {
		var cpu [2]float64
		for i, g := range gateways {
			before := cpuOf(b, pg)
			cpu[i] = g.during(b, func() { targets[i].send(b, n) }).CPUMicros / float64(n)
			cpus[i], db[i] = append(cpus[i], cpu[i]), append(db[i], (cpuOf(b, pg)-before)/float64(n))
		}
		ratios = append(ratios, cpu[1]/cpu[0])
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(cpus[0]), "without-cpu-µs/req")
	b.ReportMetric(median(cpus[1]), "with-cpu-µs/req")
	b.ReportMetric(median(ratios), "cpu-ratio")
	if pg != nil {
		b.ReportMetric(median(db[0]), "without-db-cpu-µs/req")
		b.ReportMetric(median(db[1]), "with-db-cpu-µs/req")
	}
}
