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
// files, so it can run at every start. What PostgreSQL and Redis themselves read goes into the folder of --services, which
// has none of the gateway's own secrets and is made again from DIR.
func initSecrets(_ context.Context, t *terminal, args []string) error {
	flags := noFlags("init-secrets")
	postgres := flags.String("postgres", "", "")
	redis := flags.String("redis", "", "")
	services := flags.String("services", "", "")
	operands, err := parse(flags, args, "DIR")
	if err != nil {
		return err
	}
	own := operands[0]
	for _, dir := range []string{own, *services} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("the folder for the secrets cannot be created: %w", err)
		}
	}
	// A password consists of letters and digits, which need no escaping in a URL and no quotes in a file of Redis.
	generated := func(string) string { return rand.Text() + rand.Text() }
	files := []secretFile{
		{dir: own, name: "jwt-secret", text: generated},
		{dir: own, name: "encryption-key", text: generated},
		{dir: own, name: "cron-secret", text: generated},
	}
	if *postgres != "" {
		files = append(files, secretFile{own, "postgres-password", "", generated}, secretFile{own, "database-url", "postgres-password",
			func(password string) string {
				return fmt.Sprintf("postgres://gateway:%s@%s/gateway?sslmode=disable", password, *postgres)
			}},
			secretFile{*services, "postgres-password", "postgres-password", unchanged})
	}
	if *redis != "" {
		files = append(files, secretFile{own, "redis-password", "", generated}, secretFile{own, "redis-url", "redis-password",
			func(password string) string { return fmt.Sprintf("redis://:%s@%s", password, *redis) }},
			secretFile{*services, "redis-password", "redis-password", unchanged},
			secretFile{*services, "redis.conf", "redis-password", func(password string) string {
				return fmt.Sprintf("requirepass %s\nsave \"\"\nappendonly no\n", password)
			}})
	}
	for _, f := range files {
		if f.dir == "" {
			continue // without --services
		}
		err := createSecret(t, f.dir, f.name, func() (string, error) {
			if f.from == "" {
				return f.text(""), nil
			}
			value, err := os.ReadFile(filepath.Join(own, f.from))
			return f.text(string(value)), err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// secretFile is a file that initSecrets writes: text of the value in the file from, or of "" if from is "".
type secretFile struct {
	dir, name, from string
	text            func(value string) string
}

func unchanged(value string) string { return value }

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
