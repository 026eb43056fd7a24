package main

import (
	"context"
	"flag"

	"github.com/alicetears/llm-gateway/pkg/jobs"
)

// worker runs asynchronous requests, without serving any, until ctx ends.
func worker(ctx context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("worker"), args); err != nil {
		return err
	}
	return with(ctx, t, func(ctx context.Context, in *installation) error {
		t.printf("LLM Gateway %s: the worker is ready\n  data  %s\n", versionText(), in.where())
		in.worker().Work(ctx)
		return nil
	})
}

func (in *installation) worker() *jobs.Worker {
	return &jobs.Worker{Queue: in.app.Jobs, Concurrency: in.cfg.Jobs.Concurrency, StopTimeout: in.cfg.Limits.Shutdown, Purge: in.app.Purge}
}

// serveFlags are those of serve; also says whether it runs a worker, too.
func serveFlags() (flags *flag.FlagSet, also *bool) {
	flags = noFlags("serve")
	return flags, flags.Bool("worker", false, "")
}

// workBeside runs a worker until ctx ends, if there is to be one; ended is closed when its jobs are done or given back.
func (in *installation) workBeside(ctx context.Context, wanted bool) (ended <-chan struct{}) {
	done := make(chan struct{})
	if !wanted {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		in.worker().Work(ctx)
	}()
	return done
}
