// Package database opens the database that the configuration names, whichever engine it
// is. Only what runs as a process of its own uses it: functions do not link SQLite.
package database

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

// folderMode keeps other users of the machine out of a folder that is made for the database.
const folderMode = 0o700

// Open opens the database. It does not connect to PostgreSQL yet, so that a server that is still starting is no
// error; it creates SQLite's file if there is none, and migrates it to the current schema. The error contains no
// password.
func Open(d config.Database) (store.DB, error) {
	if d.Kind == config.Postgres {
		return postgres.Open(postgres.Options{
			URL: d.URL, MigrateURL: d.MigrationURL, MaxConns: d.Pool, Mode: postgres.ModePrepared,
			Timeout: d.Timeout,
		})
	}
	if err := os.MkdirAll(filepath.Dir(d.Path), folderMode); err != nil {
		return nil, fmt.Errorf("the folder of the database (DATA_DIR) cannot be made: %w", err)
	}
	db, err := sqlite.Open(sqlite.Options{Path: d.Path, Timeout: d.Timeout})
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened: %w", d.Path, err)
	}
	return db, nil
}
