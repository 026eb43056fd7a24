package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/internal/metrics"
	"github.com/alicetears/llm-gateway/internal/version"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
)

// metricsPath is where Prometheus asks.
const metricsPath = "/metrics"

// measure starts to count what the installation's App does.
func (in *installation) measure(m *metrics.Metrics) {
	in.app.Gateway.Observer = m
	in.app.OnServed = func(s server.Served) { m.Served(s.Route, s.Method, s.Status) }
	in.metrics = protected(m.Handler(), in.cfg.Metrics.Token)
}

// newMetrics returns nil where nobody can read metrics.
func (in *installation) newMetrics() *metrics.Metrics {
	if !in.cfg.Metrics.On() {
		return nil
	}
	return metrics.New(metrics.Sources{DB: in.db, Load: in.load, Now: time.Now, Log: in.log, Version: version.String()})
}

// protected asks for the token, if there is one.
func protected(next http.Handler, token string) http.Handler {
	want := "Bearer " + token
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "the method is not allowed here", http.StatusMethodNotAllowed)
		case token != "" && !auth.EqualSecret(r.Header.Get("Authorization"), want):
			h.Set("WWW-Authenticate", "Bearer")
			http.Error(w, "send the value of METRICS_TOKEN as Authorization: Bearer", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// serveMetrics serves the metrics at METRICS_ADDRESS, if it is set, until stop is called.
func (in *installation) serveMetrics(t *terminal) (stop func(), err error) {
	address := in.cfg.Metrics.Address
	if address == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (METRICS_ADDRESS): %w", address, err)
	}
	in.app.Guard.Listens(listener.Addr())
	mux := http.NewServeMux()
	mux.Handle(metricsPath, in.metrics)
	s := server.NewHTTPServer(config.Limits{ReadHeader: 10 * time.Second, Write: 30 * time.Second, MaxHeaderBytes: 16 << 10}, mux, in.log)
	go s.Serve(listener)
	t.printf("  metrics  http://%s%s\n", listener.Addr(), metricsPath)
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
	}, nil
}
