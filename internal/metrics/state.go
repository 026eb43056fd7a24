package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// state are the metrics that are read when Prometheus asks. Those of the whole installation come from the database, at
// most once in stateAge, however many ask.
type state struct {
	Sources

	mu     sync.Mutex
	read   time.Time
	gauges store.Gauges
	err    error
}

const (
	stateAge  = 10 * time.Second
	stateTime = 3 * time.Second
)

func newState(s Sources) *state { return &state{Sources: s} }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
}

var (
	upstreamDesc      = desc("upstream_requests", "Requests that are with providers.")
	upstreamLimitDesc = desc("upstream_requests_limit", "UPSTREAM_REQUESTS.")
	backlogDesc       = desc("backlog_records", "Ends of requests that wait for the database.")
	backlogBytesDesc  = desc("backlog_bytes", "Memory of ends of requests that are not written.")
	poolDesc          = desc("database_connections", "Connections to the database by state.", "state")
	poolMaxDesc       = desc("database_connections_limit", "Maximum number of connections to the database.")
	poolWaitDesc      = desc("database_waiting", "Runs of statements that wait for a connection.")
	upDesc            = desc("database_up", "1 if the database answered the last reading of the installation's state.")
	cooldownDesc      = desc("cooldowns", "Cooldowns that have not ended, by error class. Of the installation.", "class")
	jobsDesc          = desc("jobs", "Asynchronous requests by state. Of the installation.", "state")
	oldestDesc        = desc("jobs_oldest_wait_seconds", "Time since the oldest asynchronous request that is due was submitted. Of the installation.")
	limitsDesc        = desc("limits", "Limits by subject and metric. Of the installation.", "subject", "metric")
	usedDesc          = desc("limit_windows_used", "Windows of limits whose use has reached that part of the amount. Of the installation.",
		"subject", "metric", "at_least")
)

// Describe implements [prometheus.Collector].
func (s *state) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{upstreamDesc, upstreamLimitDesc, backlogDesc, backlogBytesDesc, poolDesc, poolMaxDesc,
		poolWaitDesc, upDesc, cooldownDesc, jobsDesc, oldestDesc, limitsDesc, usedDesc} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (s *state) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	load := s.Load()
	gauge(upstreamDesc, float64(load.Upstream))
	gauge(upstreamLimitDesc, float64(load.UpstreamLimit))
	gauge(backlogDesc, float64(load.Backlog))
	gauge(backlogBytesDesc, float64(load.BacklogBytes))
	if pooled, ok := s.DB.(store.Pooled); ok {
		p := pooled.PoolStats()
		gauge(poolDesc, float64(p.InUse), "in_use")
		gauge(poolDesc, float64(max(0, p.Open-p.InUse)), "idle")
		gauge(poolMaxDesc, float64(p.Max))
		gauge(poolWaitDesc, float64(p.Waiting))
	}
	g, err := s.installation()
	if err != nil {
		gauge(upDesc, 0)
		return
	}
	gauge(upDesc, 1)
	for class, n := range g.Cooldowns {
		gauge(cooldownDesc, float64(n), class)
	}
	gauge(jobsDesc, float64(g.DueJobs), "due")
	gauge(jobsDesc, float64(g.LaterJobs), "later")
	gauge(jobsDesc, float64(g.RunningJobs), "running")
	gauge(oldestDesc, float64(g.OldestDue)/1000)
	for _, l := range g.Limits {
		subject, metric := subjects[l.Subject], counted[l.Metric]
		if subject == "" || metric == "" {
			continue // of a newer version
		}
		gauge(limitsDesc, float64(l.Limits), subject, metric)
		gauge(usedDesc, float64(l.Half), subject, metric, "50%")
		gauge(usedDesc, float64(l.MostlyUsed), subject, metric, "80%")
		gauge(usedDesc, float64(l.NearlySpent), subject, metric, "95%")
		gauge(usedDesc, float64(l.Spent), subject, metric, "100%")
	}
}

var (
	subjects = map[store.LimitSubject]string{store.LimitToken: "token", store.LimitKey: "key", store.LimitUser: "user",
		store.LimitEndUser: "end_user", store.LimitGateway: "gateway"}
	counted = map[store.Metric]string{store.MetricRequests: "requests", store.MetricTokens: "tokens", store.MetricCost: "cost"}
)

func (s *state) installation() (store.Gauges, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if age := now.Sub(s.read); age >= 0 && age < stateAge {
		return s.gauges, s.err
	}
	ctx, cancel := context.WithTimeout(store.Background(context.Background()), stateTime)
	defer cancel()
	s.gauges, s.err = store.ReadGauges(ctx, s.DB, now.UnixMilli())
	s.read = s.Now()
	if s.err != nil {
		s.Log.Warn("the database did not tell the state of the installation for metrics", "cause", s.err.Error())
	}
	return s.gauges, s.err
}
