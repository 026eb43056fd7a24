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

// initSecrets writes the secrets of a new installation into files, for the variables that end in _FILE. What is there
// already stays: it may run at every start.
func initSecrets(_ context.Context, t *terminal, args []string) error {
	flags := noFlags("init-secrets")
	host := flags.String("postgres", "", "")
	rest, err := parse(flags, args, "DIR")
	if err != nil {
		return err
	}
	dir := rest[0]
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the folder for the secrets cannot be made: %w", err)
	}
	names := []string{"jwt-secret", "encryption-key", "cron-secret"}
	if *host != "" {
		names = append(names, "postgres-password")
	}
	for _, name := range names {
		if err := keep(t, dir, name, func() (string, error) { return rand.Text() + rand.Text(), nil }); err != nil {
			return err
		}
	}
	if *host == "" {
		return nil
	}
	// The password is letters and digits alone, which a URL takes as they are.
	return keep(t, dir, "database-url", func() (string, error) {
		password, err := os.ReadFile(filepath.Join(dir, "postgres-password"))
		return fmt.Sprintf("postgres://gateway:%s@%s/gateway?sslmode=disable", password, *host), err
	})
}

// keep writes a file once, readable by its owner alone, whole or not at all.
func keep(t *terminal, dir, name string, text func() (string, error)) error {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Size() > 0:
		t.printf("%s is there\n", path)
		return nil
	case err == nil:
		return fmt.Errorf("%s is empty: bring it back from a backup, or delete it to have a new one made", path)
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
	t.printf("%s is made\n", path)
	return nil
}
