// Package metrics keeps the metrics of a process in the form of Prometheus. Every label has a bounded number of values,
// and none of them names a person: docs/observability.md lists them.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/telemetry"
)

const namespace = "llm_gateway"

// Sources are what is read when Prometheus asks.
type Sources struct {
	DB      store.DB
	Load    func() gateway.Load
	Now     func() time.Time
	Log     *slog.Logger
	Version string
}

// Metrics are those of a process. It implements [telemetry.Observer].
type Metrics struct {
	registry *prometheus.Registry
	models   labels
	keys     labels

	served    *prometheus.CounterVec
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	first     *prometheus.HistogramVec
	attempts  *prometheus.CounterVec
	attempt   *prometheus.HistogramVec
	tokens    *prometheus.CounterVec
	cost      *prometheus.CounterVec
	unpriced  *prometheus.CounterVec
	reserve   prometheus.Observer
	settle    prometheus.Observer
	database  *prometheus.HistogramVec
	dbFailure *prometheus.CounterVec
}

// The bounds of labels. What comes after the last of them counts as "other".
const (
	maxModels = 200 // pairs of provider and model
	maxKeys   = 500
)

// answerTimes are the buckets of answers, and shortTimes those of the database, in seconds.
var (
	answerTimes = []float64{.1, .25, .5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600}
	shortTimes  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
)

// New returns the metrics of a process.
func New(s Sources) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), models: newLabels(maxModels), keys: newLabels(maxKeys)}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
		m.registry.MustRegister(h)
		return h
	}
	m.served = counter("http_requests_total", "Answers by route, method and status.", "route", "method", "status")
	m.requests = counter("requests_total", "Requests for a model that have ended. error is the code that the caller got.",
		"provider", "model", "outcome", "error")
	m.duration = histogram("request_duration_seconds", "Time from a request's arrival to the end of its answer.",
		answerTimes, "provider", "model")
	m.first = histogram("time_to_first_token_seconds", "Time from a request's arrival to the first content of its answer.",
		answerTimes, "provider", "model")
	m.attempts = counter("attempts_total", "Calls of providers by provider key. class is the failure's error class, or ok.",
		"provider", "key", "class")
	m.attempt = histogram("attempt_duration_seconds", "Time of a call of a provider.", answerTimes, "provider", "result")
	m.tokens = counter("tokens_total",
		"Tokens. input contains cached and cache_write, and output contains reasoning.", "provider", "model", "kind")
	m.cost = counter("cost_dollars_total", "Cost of requests whose price is known, in US dollars.", "provider", "model")
	m.unpriced = counter("unpriced_requests_total", "Requests with usage whose price is not known.", "provider", "model")
	m.reserve = histogram("reserve_seconds", "Time of a reservation.", shortTimes).WithLabelValues()
	m.settle = histogram("settle_seconds", "Time until a request's record is written or queued.", shortTimes).WithLabelValues()
	m.database = histogram("database_seconds", "Time of runs of statements, the wait for a connection included.",
		shortTimes, "kind")
	m.dbFailure = counter("database_errors_total", "Runs of statements that failed, by code.", "code")
	build := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info", Help: "1, with the version.",
		ConstLabels: prometheus.Labels{"version": s.Version}})
	build.Set(1)
	m.registry.MustRegister(build, collectors.NewGoCollector(), newState(s),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics. It does not authorize.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Served counts an answer.
func (m *Metrics) Served(route, method string, status int) {
	m.served.WithLabelValues(route, method, statusText(status)).Inc()
}

// Ending implements [telemetry.Observer].
func (m *Metrics) Ending(r *telemetry.Request) (written func()) {
	return func() { m.count(r) }
}

func (m *Metrics) count(r *telemetry.Request) {
	provider, model := m.models.pair(r.Provider, r.Model)
	m.requests.WithLabelValues(provider, model, string(r.Outcome), r.Error).Inc()
	begun := r.Started
	if !r.Arrived.IsZero() {
		begun = r.Arrived
	}
	m.duration.WithLabelValues(provider, model).Observe(r.Ended.Sub(begun).Seconds())
	if !r.FirstToken.IsZero() {
		m.first.WithLabelValues(provider, model).Observe(r.FirstToken.Sub(begun).Seconds())
	}
	for i := range r.Reserves {
		m.reserve.Observe(r.Reserves[i].End.Sub(r.Reserves[i].Start).Seconds())
	}
	for i := range r.Attempts {
		m.countAttempt(&r.Attempts[i])
	}
	m.settle.Observe(r.Settled.Sub(r.Ended).Seconds())
	u := &r.Usage
	if !u.Known {
		return
	}
	for _, t := range [...]struct {
		kind string
		n    int64
	}{{"input", u.Input}, {"cached", u.Cached}, {"cache_write", u.CacheWrite}, {"output", u.Output}, {"reasoning", u.Reasoning}} {
		if t.n > 0 {
			m.tokens.WithLabelValues(provider, model, t.kind).Add(float64(t.n))
		}
	}
	if u.Priced {
		m.cost.WithLabelValues(provider, model).Add(max(0, u.Dollars()))
	} else {
		m.unpriced.WithLabelValues(provider, model).Inc()
	}
}

func (m *Metrics) countAttempt(a *telemetry.Attempt) {
	class, result := a.Class, "failed"
	if class == "" {
		class, result = "ok", "ok"
	}
	m.attempts.WithLabelValues(a.Provider, m.keys.one(a.Key), class).Inc()
	m.attempt.WithLabelValues(a.Provider, result).Observe(a.End.Sub(a.Start).Seconds())
}

// Time returns db, timed.
func (m *Metrics) Time(db store.DB) store.DB {
	return &timed{DB: db, metrics: m, run: m.database.WithLabelValues("run"), tx: m.database.WithLabelValues("transaction")}
}

type timed struct {
	store.DB
	metrics *Metrics
	run, tx prometheus.Observer
}

func (d *timed) Run(ctx context.Context, stmts ...store.Stmt) error {
	begun := time.Now()
	err := d.DB.Run(ctx, stmts...)
	return d.done(d.run, begun, err)
}

func (d *timed) Tx(ctx context.Context, fn func(store.Runner) error) error {
	begun := time.Now()
	err := d.DB.Tx(ctx, fn)
	return d.done(d.tx, begun, err)
}

func (d *timed) done(kind prometheus.Observer, begun time.Time, err error) error {
	kind.Observe(time.Since(begun).Seconds())
	if code := store.CodeOf(err); code != "" {
		d.metrics.dbFailure.WithLabelValues(string(code)).Inc()
	}
	return err
}
