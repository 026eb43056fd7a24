package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// setup tells the operator of a gateway without accounts how to create the first one. It hands out the set-up token in
// a link and in a file until the first account exists.
type setup struct {
	*installation
	file string

	mu   sync.Mutex
	over bool // the first account exists
}

// newSetup must be called before the gateway serves.
func newSetup(in *installation) *setup {
	s := &setup{installation: in, file: setupTokenFile(in.cfg)}
	in.app.OnFirstAccount = s.end
	return s
}

func setupTokenFile(cfg *config.Config) string { return filepath.Join(cfg.DataDir, "setup-token") }

// databaseRetryInterval is the time between two attempts to read the accounts of a database that does not answer.
const databaseRetryInterval = 5 * time.Second

// run waits for the database to say whether there are accounts.
func (s *setup) run(ctx context.Context, t *terminal, url string) {
	for warned := false; ; warned = true {
		status, err := store.InstanceStatus(ctx, s.db)
		switch {
		case err == nil && status.SetUp:
			s.end() // removes what an earlier process left
			return
		case err == nil:
			s.offer(t, url)
			return
		case ctx.Err() != nil:
			return
		case !warned:
			s.log.Warn("the database does not answer yet; requests get 503 until it does", "cause", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(databaseRetryInterval):
		}
	}
}

// offer prints the link. A token that the operator chose (SETUP_TOKEN) is neither printed nor written.
func (s *setup) offer(t *terminal, url string) {
	if s.cfg.Secrets.Setup != "" {
		t.printf("  next  open %s and create the admin account; it asks for the set-up token, the value of SETUP_TOKEN\n", url)
		return
	}
	t.printf("  next  open %s/#setup=%s and create the admin account\n"+
		"        (the link carries the set-up token, and works with every address of this gateway)\n", url, s.app.Secrets.SetupToken())
	switch written, err := s.write(); {
	case err != nil:
		s.log.Warn("the set-up token cannot be written to DATA_DIR; use the link", "cause", err.Error())
	case written:
		t.printf("        (the token is also in the file %s)\n", s.file)
	}
}

// write writes the file, unless the first account was created meanwhile.
func (s *setup) write() (written bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false, nil
	}
	if err := os.MkdirAll(s.cfg.DataDir, 0o700); err != nil {
		return false, err
	}
	return true, writePrivate(s.file, s.app.Secrets.SetupToken()+"\n")
}

// end removes the file, which is useless once an account exists.
func (s *setup) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if err := removeSetupToken(s.cfg); err != nil {
		s.log.Warn("the file with the set-up token cannot be removed; the token is useless now", "cause", err.Error())
	}
}

func removeSetupToken(cfg *config.Config) error {
	err := os.Remove(setupTokenFile(cfg))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// writePrivate replaces a file whole or not at all. Only its owner can read it.
func writePrivate(path, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}
