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
// sizes and idle connections are bounded here; bodies and writes by the App, request by request.
// The caller sets Addr, or serves a listener.
func NewHTTPServer(limits config.Limits, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: limits.ReadHeader,
		// The App extends it with every write. Set here because only then each request on a
		// connection starts afresh.
		WriteTimeout: limits.Write,
		IdleTimeout:  idleTimeout,
		// net/http allows 4 kB more than this.
		MaxHeaderBytes: max(1, limits.MaxHeaderBytes-4<<10),
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
