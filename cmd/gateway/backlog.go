package main

import (
	"context"
	"os"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store/saved"
)

// flushTime is how long a process that ends tries to write what it owes to the database.
const flushTime = 5 * time.Second

// flush writes the usage that is still to be written: to the database or, if that is away, to a file in DATA_DIR, or if
// that is not possible either, to the log.
func (in *installation) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	rest := in.app.Gateway.Flush(ctx)
	if len(rest) == 0 {
		return
	}
	path, err := saved.Write(in.cfg.DataDir, rest)
	if err == nil {
		in.log.Warn("the database is away: usage was saved, and the next start with this DATA_DIR writes it",
			"file", path, "requests", len(rest))
		return
	}
	in.log.Error("usage could neither be written nor saved in DATA_DIR; \"gateway import-rows\" reads these lines",
		"requests", len(rest), "cause", err.Error())
	for _, r := range rest {
		in.log.Error("usage was not written", "requestId", r.ID.String(), "row", saved.Token(r, in.app.Secrets))
	}
}

// restore writes the usage that earlier processes have saved, until ctx ends. It closes done at the end.
func (in *installation) restore(ctx context.Context) (done <-chan struct{}) {
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for in.restoreFile(ctx) {
		}
	}()
	return finished
}

// restoreFile reports whether there may be another file. A file that was not written whole stays, for the next start.
func (in *installation) restoreFile(ctx context.Context) bool {
	path, records, err := saved.Claim(in.cfg.DataDir)
	if path == "" && err == nil {
		return false
	}
	if err != nil {
		// What could be read is written all the same.
		in.log.Error("saved usage cannot be read", "file", path, "cause", err.Error())
	}
	if in.app.Gateway.Restore(ctx, records) != nil {
		return false
	}
	in.log.Info("saved usage was written", "file", path, "requests", len(records))
	if err != nil {
		return path != "" && saved.SetAside(path) == nil
	}
	if err := os.Remove(path); err != nil {
		in.log.Warn("a file of saved usage was not removed: its rows are written once, however often it is read",
			"file", path, "cause", err.Error())
		return false
	}
	return true
}
