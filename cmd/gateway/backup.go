package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/alicetears/llm-gateway/internal/database"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

// backup copies the SQLite database, as it is at one moment, into a file. The gateway may serve meanwhile.
func backup(ctx context.Context, t *terminal, args []string) error {
	operands, err := parse(noFlags("backup"), args, "FILE")
	if err != nil {
		return err
	}
	cfg, err := sqliteOnly(t, "pg_dump makes a backup of it (and your host may make backups by itself)")
	if err != nil {
		return err
	}
	if _, err := os.Stat(cfg.Database.Path); err != nil {
		return fmt.Errorf("there is no database at %s (DATA_DIR, DATABASE_URL): %w", cfg.Database.Path, err)
	}
	db, err := database.Open(cfg.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	path := operands[0]
	err = db.(*sqlite.DB).Backup(ctx, path) // database.Open returns this type for SQLite
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s exists already, and a backup overwrites nothing: choose another file", path)
	case store.CodeOf(err) == store.CodeFull:
		return fmt.Errorf("there is no room for the backup at %s: %w", path, err)
	case err != nil:
		return err
	}
	t.printf("%s is a copy of %s\n%s", path, cfg.Database.Path, secretNote(cfg))
	return nil
}

// secretNote reminds the operator of the secret, which a backup does not hold.
func secretNote(cfg *config.Config) string {
	where := "the values of JWT_SECRET and ENCRYPTION_KEY"
	if cfg.Secrets.Local {
		where = filepath.Join(cfg.DataDir, "secret")
	}
	return fmt.Sprintf("It does not hold the secret that decrypts its provider keys. Keep a copy of that too, in another place: %s\n", where)
}

func sqliteOnly(t *terminal, instead string) (*config.Config, error) {
	cfg, err := configure(t)
	if err == nil && cfg.Database.Kind != config.SQLite {
		err = fmt.Errorf("this is for SQLite, and the gateway is configured for PostgreSQL: %s", instead)
	}
	return cfg, err
}

// restore replaces the database by a backup. The database must not be in use.
func restore(ctx context.Context, t *terminal, args []string) error {
	flags := noFlags("restore")
	replace := flags.Bool("replace", false, "")
	operands, err := parse(flags, args, "FILE")
	if err != nil {
		return err
	}
	cfg, err := sqliteOnly(t, "psql or pg_restore restore a dump")
	if err != nil {
		return err
	}
	path := cfg.Database.Path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("the folder of the database (DATA_DIR) cannot be made: %w", err)
	}
	_, err = os.Stat(path)
	replaces := err == nil
	if replaces && !*replace {
		return fmt.Errorf("there is a database at %s already: add --replace to replace it by the backup; it is kept under another name", path)
	}
	// Everything that can fail comes before the old database is moved, in the same folder so that a rename suffices.
	fresh := fmt.Sprintf("%s.restored-%d", path, os.Getpid())
	if err := sqlite.Copy(ctx, operands[0], fresh); err != nil {
		return fmt.Errorf("%s is not a backup that can be restored: %w", operands[0], err)
	}
	defer os.Remove(fresh)
	if err := hasSchema(ctx, fresh); err != nil {
		return fmt.Errorf("%s is not a backup that can be restored: %w", operands[0], err)
	}
	if replaces {
		kept, err := moveAway(ctx, path)
		if err != nil {
			return err
		}
		t.printf("the database that was there is now %s\n", kept)
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	t.printf("%s is restored from %s\n", path, operands[0])
	return reportRestored(ctx, t, cfg)
}

// hasSchema refuses what is not a gateway's database, before a gateway opens it and adds its schema.
func hasSchema(ctx context.Context, path string) error {
	version, err := sqlite.Version(ctx, path)
	if err == nil && version == 0 {
		err = errors.New("it is empty, or the database of another program")
	}
	return err
}

func moveAway(ctx context.Context, path string) (kept string, err error) {
	if err := sqlite.Release(ctx, path); errors.Is(err, sqlite.ErrInUse) {
		return "", fmt.Errorf("%s is in use: stop the gateway first", path)
	} else if err != nil {
		return "", fmt.Errorf("%s cannot be moved away: %w; move it and its -wal and -shm files away yourself", path, err)
	}
	kept = fmt.Sprintf("%s.replaced-%s", path, time.Now().UTC().Format("20060102-150405.000"))
	return kept, os.Rename(path, kept)
}

// reportRestored prints what the restored database holds, and whether the configured secret decrypts it.
func reportRestored(ctx context.Context, t *terminal, cfg *config.Config) error {
	if cfg.Secrets.Local {
		path := filepath.Join(cfg.DataDir, "secret")
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			t.printf("Its secret is missing. Put your copy at %s before the gateway starts: otherwise it makes a new one, which decrypts none of the provider keys.\n", path)
			return nil
		}
	}
	in, err := install(cfg)
	if err != nil {
		return err
	}
	defer in.close()
	return in.reportKeys(ctx, t)
}

func (in *installation) reportKeys(ctx context.Context, t *terminal) error {
	keys, undecryptable, err := in.countKeys(ctx)
	if err != nil {
		return err
	}
	switch {
	case keys == 0:
		t.printf("it holds no provider keys\n")
		return nil
	case undecryptable == 0:
		t.printf("it holds %d provider keys, and the secret decrypts them all\n", keys)
		return nil
	}
	t.printf("it holds %d provider keys\n", keys)
	return fmt.Errorf("%d of them cannot be decrypted with the configured secrets: bring back the secret that belongs to the backup, "+
		"or list it in JWT_SECRET_PREVIOUS or ENCRYPTION_KEY_PREVIOUS", undecryptable)
}
