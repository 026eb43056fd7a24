package agents

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

// gate is the gateway that the agents use.
var gate struct{ url, token string }

func TestMain(m *testing.M) {
	if os.Getenv(stampServer) != "" {
		serveStamps()
		return
	}
	if os.Getenv("AGENTS") != "" {
		if err := start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	testproc.Main(m)
}

// start starts a gateway on SQLite with a user who has a key of each emulated provider.
func start() error {
	dir, err := testproc.Dir("agenttest", "")
	if err != nil {
		return err
	}
	testproc.AtExit(func() { os.RemoveAll(dir) })
	origin, stop, err := emulator.Start(emulator.New())
	if err != nil {
		return err
	}
	testproc.AtExit(stop)
	const setupToken = "for-the-first-account"
	env := map[string]string{"JWT_SECRET": rand.Text() + rand.Text(), "SETUP_TOKEN": setupToken}
	for _, id := range emulator.Providers() {
		env[strings.ToUpper(id)+"_BASE_URL"] = emulator.BaseURL(origin, id)
	}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, config.PlatformBinary)
	if err != nil {
		return err
	}
	db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(dir, "gateway.db")})
	if err != nil {
		return err
	}
	app, err := server.Assemble(cfg, db, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	srv := httptest.NewUnstartedServer(app)
	srv.Config = server.NewHTTPServer(cfg.Limits, http.Handler(app), app.Log)
	srv.Start()
	testproc.AtExit(srv.Close)
	gate.url = srv.URL
	return furnish(setupToken)
}
