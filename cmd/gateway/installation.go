package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/alicetears/llm-gateway/internal/database"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// installation is a configured gateway with its database open.
type installation struct {
	cfg *config.Config
	db  store.DB
	app *server.App
	log *slog.Logger
}

// dotEnv is read in the folder in which the gateway is started.
const dotEnv = ".env"

// configure reads the configuration. The error lists all that is wrong with it at once.
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
		if err := ownSecret(cfg, log); err != nil {
			return nil, err
		}
	}
	db, err := database.Open(cfg.Database)
	if err != nil {
		return nil, err
	}
	app, err := server.Assemble(cfg, db, log)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &installation{cfg, db, app, log}, nil
}

// ownSecret is the secret that the local SQLite default makes and keeps.
func ownSecret(cfg *config.Config, log *slog.Logger) error {
	_, err := os.Stat(cfg.Database.Path)
	hadData := !errors.Is(err, fs.ErrNotExist)
	secret, created, err := config.LoadOrCreateSecret(cfg.DataDir)
	if err != nil {
		return fmt.Errorf("the gateway's secret (DATA_DIR is %s): %w", cfg.DataDir, err)
	}
	if created && hadData {
		log.Warn("there is a database but its secret was gone, so a new one was made: provider keys must be entered and gateway tokens made again, "+
			"unless you stop now and bring the old file back", "folder", cfg.DataDir)
	}
	cfg.Secrets.JWT = secret
	return nil
}

// close ends it. It waits for what is being written.
func (in *installation) close() {
	in.app.Close()
	if err := in.db.Close(); err != nil {
		in.log.Warn("the database was not closed cleanly", "cause", err.Error())
	}
}

// with runs a command on an installation.
func with(ctx context.Context, t *terminal, do func(ctx context.Context, in *installation) error) error {
	in, err := open(t)
	if err != nil {
		return err
	}
	defer in.close()
	return do(ctx, in)
}

// where tells people where the data is, without a password.
func (in *installation) where() string {
	if in.cfg.Database.Kind == config.SQLite {
		return in.cfg.Database.Path + " (SQLite)"
	}
	return fmt.Sprint(in.cfg.Database) + " (PostgreSQL)"
}
