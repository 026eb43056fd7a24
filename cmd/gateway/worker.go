package main

import (
	"context"
	"time"
)

// purgeEvery is how often a worker deletes what has passed its retention.
const purgeEvery = time.Hour

// worker does what no request should wait for, until ctx ends. Any number of them may share a database.
func worker(ctx context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("worker"), args); err != nil {
		return err
	}
	return with(ctx, t, func(ctx context.Context, in *installation) error {
		t.printf("LLM Gateway %s is at work\n  data  %s\n", versionText(), in.where())
		in.purgeUntil(ctx)
		return nil
	})
}

// purgeUntil purges now and then. While the database does not answer it tries again after a short time.
func (in *installation) purgeUntil(ctx context.Context) {
	for {
		pause := purgeEvery
		if n, err := in.app.Purge(ctx); err != nil {
			in.log.Warn("old rows could not be deleted; the next try is soon", "cause", err.Error())
			pause = askAgain
		} else {
			in.log.Info("what has passed its retention is deleted", "rows", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
