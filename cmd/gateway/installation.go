package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"

	"github.com/alicetears/llm-gateway/internal/database"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// installation is a configured gateway with its database open.
type installation struct {
	cfg *config.Config
	db  store.DB
	app *server.App
	log *slog.Logger
	// metrics serves those of the process; nil: nobody can read them.
	metrics http.Handler
}

// dotEnv is the file in the working directory from which settings are read.
const dotEnv = ".env"

// configure reads the configuration. The error lists all its problems.
func configure(t *terminal) (*config.Config, error) {
	env, err := config.WithDotEnv(t.env, dotEnv)
	if err != nil {
		return nil, err
	}
	return config.Load(env, config.PlatformBinary)
}

// open reads the configuration and opens the database.
func open(t *terminal) (*installation, error) {
	cfg, err := configure(t)
	if err != nil {
		return nil, err
	}
	return install(cfg)
}

func install(cfg *config.Config) (*installation, error) {
	log := server.NewLogger(cfg)
	if cfg.Secrets.Local {
		if err := localSecret(cfg, log); err != nil {
			return nil, err
		}
	}
	db, err := database.Open(cfg.Database)
	if err != nil {
		return nil, err
	}
	in := &installation{cfg: cfg, db: db, log: log}
	m, used := in.newMetrics(), db
	if m != nil {
		used = m.Time(db)
	}
	if in.app, err = server.Assemble(cfg, used, log); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if m != nil {
		in.measure(m)
	}
	return in, nil
}

func (in *installation) load() gateway.Load { return in.app.Gateway.Load() }

// localSecret reads the secret of the default SQLite installation, and generates it at the first start.
func localSecret(cfg *config.Config, log *slog.Logger) error {
	_, err := os.Stat(cfg.Database.Path)
	hadData := !errors.Is(err, fs.ErrNotExist)
	secret, created, err := config.LoadOrCreateSecret(cfg.DataDir)
	if err != nil {
		return fmt.Errorf("the gateway's secret (DATA_DIR is %s): %w", cfg.DataDir, err)
	}
	if created && hadData {
		log.Warn("the secret of the database was missing, so a new one was generated: "+
			"provider keys must be entered and gateway tokens created again, unless you stop now and bring the old file back", "folder", cfg.DataDir)
	}
	cfg.Secrets.JWT = secret
	return nil
}

// close writes or saves what is still to be written, and closes the database. It waits for running writes.
func (in *installation) close() {
	in.flush()
	in.app.Close()
	if err := in.db.Close(); err != nil {
		in.log.Warn("the database was not closed cleanly", "cause", err.Error())
	}
}

// with opens the installation for the time of do.
func with(ctx context.Context, t *terminal, do func(ctx context.Context, in *installation) error) error {
	in, err := open(t)
	if err != nil {
		return err
	}
	defer in.close()
	return do(ctx, in)
}

// where describes the database, without a password.
func (in *installation) where() string {
	if in.cfg.Database.Kind == config.SQLite {
		return in.cfg.Database.Path + " (SQLite)"
	}
	return fmt.Sprint(in.cfg.Database) + " (PostgreSQL)"
}
