// Command server is the gateway on Vercel: it serves the route table on PORT, and only the environment configures it.
// Vercel's CDN serves the dashboard's files.
package main

import (
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/alicetears/llm-gateway/internal/mount"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
)

func main() {
	// The process serves with an invalid configuration too: every answer then names the problem, which a process that
	// does not start cannot do.
	limits := config.Limits{ReadHeader: 10 * time.Second, Write: time.Minute, MaxHeaderBytes: 64 << 10}
	if app, err := server.Default(); err == nil {
		limits = app.Config.Limits
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "3000"
	}
	srv := server.NewHTTPServer(limits, mount.API(), slog.Default())
	srv.Addr = net.JoinHostPort("127.0.0.1", port)
	err := srv.ListenAndServe()
	slog.Error("the server stopped", "cause", err)
	os.Exit(1)
}
