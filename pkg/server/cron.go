package server

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// The bounds of the scheduled job: how long it deletes, and how long after its start it still begins to run requests where
// beginWithin sets no bound. The next run goes on.
const (
	cronPurge = 4 * time.Second
	cronBegin = 10 * time.Second
)

// authorizeScheduler admits the platform's scheduler, which sends CRON_SECRET as a bearer token
// (vercel.com/docs/cron-jobs/manage-cron-jobs). Without CRON_SECRET it admits no one.
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

// cron is the scheduled job: it deletes what is older than the retention, and runs asynchronous requests for which no client
// has polled. It may run at any time and any number of times.
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
		Complete bool  `json:"complete"` // false: the time ended, and the next run goes on
	}{deleted, ran, complete && begin.Err() == nil})
}
