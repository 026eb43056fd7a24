// Package bench compares the gateway with a bare reverse proxy, in one run and with the same
// upstream, callers and machine:
//
//	go test ./bench -bench . -benchtime 5000x
//
// Each benchmark runs the upstream, a bare httputil.ReverseProxy and the gateway as processes of
// their own, sends the same number of requests through both in turns, and prints
//
//	cpu-µs/req        CPU time of the gateway's process a request
//	proxy-cpu-µs/req  CPU time of the proxy's
//	cpu-ratio         the one by the other: the figure to compare between machines
//	allocs/req        heap allocations of the gateway's process a request
//	proxy-allocs/req  those of the proxy's
//	allocs-ratio      the one by the other
//	db-cpu-µs/req     CPU time of PostgreSQL's processes
//
// each the median of the turns, and fails if a row of usage is missing afterwards. The gateway
// authenticates, reserves quota, translates and accounts for every request; the proxy copies bytes.
//
// BenchmarkSQLiteLatency sends 200 requests a second and prints what the gateway adds to the proxy's latency:
// added-p50-ms and added-p99-ms.
package bench
