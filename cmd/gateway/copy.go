package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alicetears/llm-gateway/internal/database"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
	"github.com/alicetears/llm-gateway/pkg/store/transfer"
)

// copyAll copies a gateway's database into an empty one, of the same engine or of the other one.
func copyAll(ctx context.Context, t *terminal, args []string) (err error) {
	flags := noFlags("copy")
	from := flags.String("from", "", "")
	to := flags.String("to", "", "")
	if _, err := parse(flags, args); err != nil {
		return err
	}
	source, err := databaseOf("--from", *from)
	if err != nil {
		return err
	}
	target, err := databaseOf("--to", *to)
	if err != nil {
		return err
	}
	if source == target {
		return wrongUsage("--from and --to name the same database")
	}
	src, done, err := openSource(ctx, source)
	if err != nil {
		return err
	}
	defer done()
	dst, err := database.Open(target)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	counts, err := transfer.Copy(ctx, src, dst)
	if errors.Is(err, transfer.ErrNotEmpty) {
		return fmt.Errorf("%w: nothing was written; choose an empty database", err)
	}
	if err != nil {
		return fmt.Errorf("nothing was written to the target: %w", err)
	}
	var sum int64
	for _, c := range counts {
		t.printf("  %-15s %d\n", c.Table, c.Rows)
		sum += c.Rows
	}
	t.printf("%d rows were copied from %v to %v, and counted on both sides.\n"+
		"Run the gateway on the copy with the same JWT_SECRET and ENCRYPTION_KEY (the default SQLite installation keeps the former in DATA_DIR/secret), which decrypt the provider keys.\n",
		sum, source, target)
	return nil
}

// databaseOf parses a flag as DATABASE_URL is parsed, without the rest of the configuration.
func databaseOf(flag, value string) (config.Database, error) {
	if value == "" {
		return config.Database{}, wrongUsage("%s is missing: postgres://user:password@host/database, or sqlite:/path/to/file", flag)
	}
	d, err := config.LoadDatabase(value)
	if err != nil {
		return d, wrongUsage("%s %s", flag, err)
	}
	return d, nil
}

// openSource opens the database to read. It copies a SQLite database first, so that it does not block a gateway that
// writes to it.
func openSource(ctx context.Context, d config.Database) (db store.DB, done func(), err error) {
	cleanUp := func() {}
	if d.Kind == config.SQLite {
		if _, err := os.Stat(d.Path); err != nil {
			return nil, nil, fmt.Errorf("--from: there is no database at %s", d.Path)
		}
		dir, err := os.MkdirTemp(filepath.Dir(d.Path), ".copy-")
		if err != nil {
			return nil, nil, fmt.Errorf("--from: %w", err)
		}
		cleanUp = func() { os.RemoveAll(dir) }
		snapshot := filepath.Join(dir, "gateway.db")
		if err := sqlite.Copy(ctx, d.Path, snapshot); err != nil {
			cleanUp()
			return nil, nil, fmt.Errorf("--from: %w", err)
		}
		d.Path = snapshot
	}
	if db, err = database.Open(d); err != nil {
		cleanUp()
		return nil, nil, fmt.Errorf("--from: %w", err)
	}
	return db, func() { db.Close(); cleanUp() }, nil
}
