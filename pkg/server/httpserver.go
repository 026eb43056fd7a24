package server

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
)

// idleTimeout is how long a connection may wait for its next request. Longer than the 60 s of
// most load balancers, which must be the ones to close.
const idleTimeout = 120 * time.Second

// NewHTTPServer is the http.Server for the handler that Mount returns. Reading headers, header
// sizes, writes and idle connections are bounded here; bodies by the App, request by request.
// The caller sets Addr, or serves a listener.
func NewHTTPServer(limits config.Limits, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           timeWrites(handler, limits.Write),
		ReadHeaderTimeout: limits.ReadHeader,
		// For what net/http writes before the handler begins.
		WriteTimeout: limits.Write,
		IdleTimeout:  idleTimeout,
		// Ends an HTTP/2 connection whose peer takes no bytes at all. Deadlines of streams cannot see that.
		HTTP2: &http.HTTP2Config{WriteByteTimeout: limits.Write},
		// net/http allows 4 kB more than this.
		MaxHeaderBytes: max(1, limits.MaxHeaderBytes-4<<10),
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// timeWrites gives each write of the handler, and what net/http writes after it, the timeout. Time in which the
// handler writes nothing does not count.
func timeWrites(handler http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timed := newResponse(w, r, timeout)
		timed.wait()
		defer timed.extend()
		handler.ServeHTTP(timed, r)
	})
}
