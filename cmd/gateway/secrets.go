package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// initSecrets writes the secrets of a new installation into files, for the variables that end in _FILE. It keeps existing
// files, so it can run at every start.
func initSecrets(_ context.Context, t *terminal, args []string) error {
	flags := noFlags("init-secrets")
	host := flags.String("postgres", "", "")
	operands, err := parse(flags, args, "DIR")
	if err != nil {
		return err
	}
	dir := operands[0]
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the folder for the secrets cannot be created: %w", err)
	}
	names := []string{"jwt-secret", "encryption-key", "cron-secret"}
	if *host != "" {
		names = append(names, "postgres-password")
	}
	for _, name := range names {
		if err := createSecret(t, dir, name, func() (string, error) { return rand.Text() + rand.Text(), nil }); err != nil {
			return err
		}
	}
	if *host == "" {
		return nil
	}
	// The password consists of letters and digits, which need no escaping in a URL.
	return createSecret(t, dir, "database-url", func() (string, error) {
		password, err := os.ReadFile(filepath.Join(dir, "postgres-password"))
		return fmt.Sprintf("postgres://gateway:%s@%s/gateway?sslmode=disable", password, *host), err
	})
}

// createSecret writes a file that only its owner can read, unless it exists.
func createSecret(t *terminal, dir, name string, text func() (string, error)) error {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Size() > 0:
		t.printf("%s exists\n", path)
		return nil
	case err == nil:
		return fmt.Errorf("%s is empty: bring it back from a backup, or delete it so that a new one is generated", path)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	value, err := text()
	if err != nil {
		return err
	}
	if err := writePrivate(path, value); err != nil {
		return fmt.Errorf("the secrets cannot be written: %w", err)
	}
	t.printf("%s is created\n", path)
	return nil
}
