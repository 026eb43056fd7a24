// Command server is what Vercel runs: the route table on PORT, configured by the
// environment alone. The dashboard's files come from Vercel's CDN.
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
	// With a wrong configuration the process serves all the same: every answer says
	// what is wrong, which is more than a function that does not start can tell.
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
	slog.Error("the server ended", "cause", err)
	os.Exit(1)
}
