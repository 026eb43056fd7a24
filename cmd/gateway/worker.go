package main

import (
	"context"
	"flag"

	"github.com/alicetears/llm-gateway/internal/version"
	"github.com/alicetears/llm-gateway/pkg/jobs"
)

// worker runs asynchronous requests until ctx ends. It serves no requests.
func worker(ctx context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("worker"), args); err != nil {
		return err
	}
	return with(ctx, t, func(ctx context.Context, in *installation) error {
		t.printf("LLM Gateway %s: the worker is ready\n  data  %s\n", version.String(), in.where())
		stopMetrics, err := in.serveMetrics(t)
		if err != nil {
			return err
		}
		defer stopMetrics()
		restored := in.restore(ctx)
		in.worker().Work(ctx)
		<-restored
		return nil
	})
}

func (in *installation) worker() *jobs.Worker {
	return &jobs.Worker{
		Queue: in.app.Jobs, Concurrency: in.cfg.Jobs.Concurrency, StopTimeout: in.cfg.Limits.Shutdown,
		Purge: in.app.Purge,
	}
}

// serveFlags returns the flags of serve. withWorker is --worker.
func serveFlags() (flags *flag.FlagSet, withWorker *bool) {
	flags = noFlags("serve")
	return flags, flags.Bool("worker", false, "")
}

// startWorker starts a worker, if enabled, that runs until ctx ends. It closes done when the jobs are completed or
// released.
func (in *installation) startWorker(ctx context.Context, enabled bool) (done <-chan struct{}) {
	stopped := make(chan struct{})
	if !enabled {
		close(stopped)
		return stopped
	}
	go func() {
		defer close(stopped)
		in.worker().Work(ctx)
	}()
	return stopped
}
