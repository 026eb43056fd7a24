package server

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// The scheduled job's bounds: how long it deletes, and how long after its start it still begins to run requests where beginWithin
// has no say. What is left over is the next run's.
const (
	cronPurge = 4 * time.Second
	cronBegin = 10 * time.Second
)

// authorizeScheduler lets the platform's scheduler in, which sends CRON_SECRET as a bearer
// (vercel.com/docs/cron-jobs/manage-cron-jobs). Nobody is let in where it is not set.
func (a *App) authorizeScheduler(c *call) error {
	want := a.Config.Secrets.Cron
	if want == "" {
		return fault.New(fault.Unauthorized, "the scheduled job is switched off: set the environment variable CRON_SECRET")
	}
	bearer, ok := bearerOf(c.r.Header.Values("Authorization"))
	if !ok || !auth.EqualSecret(bearer, want) {
		return fault.New(fault.Unauthorized, "this is for the scheduler: send the value of CRON_SECRET as Authorization: Bearer")
	}
	return nil
}

// cron is the scheduled job: it deletes what has passed retention, and runs asynchronous requests that nobody has polled for. It
// may be called at any time and any number of times.
func (a *App) cron(c *call) error {
	begin, stop := context.WithTimeout(c.r.Context(), cmp.Or(beginWithin(a.Config), cronBegin))
	defer stop()
	purge, cancel := context.WithTimeout(begin, cronPurge)
	defer cancel()
	deleted, err := newRetention(a.Config, a.DB, a.Log).purge(purge, c.now())
	complete := err == nil
	if err != nil && purge.Err() != context.DeadlineExceeded {
		return err
	}
	ran, err := a.Jobs.Drain(begin)
	if err != nil && begin.Err() != context.DeadlineExceeded {
		return err
	}
	return c.reply(http.StatusOK, struct {
		Deleted  int64 `json:"deleted"`  // rows
		Ran      int   `json:"ran"`      // asynchronous requests
		Complete bool  `json:"complete"` // false: the time was over, the next run goes on
	}{deleted, ran, complete && begin.Err() == nil})
}
