package server

import (
	"context"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// cronTime bounds the scheduled job, well within the 300 s that a function may take.
const cronTime = 2 * time.Minute

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

// cron is the scheduled job: it deletes what has passed retention. It may be called at any time and
// any number of times.
func (a *App) cron(c *call) error {
	ctx, cancel := context.WithTimeout(c.r.Context(), cronTime)
	defer cancel()
	deleted, err := newRetention(a.Config, a.DB, a.Log).purge(ctx, c.now())
	complete := err == nil
	if err != nil && ctx.Err() != context.DeadlineExceeded {
		return err
	}
	return c.reply(http.StatusOK, struct {
		Deleted  int64 `json:"deleted"`  // rows
		Complete bool  `json:"complete"` // false: the time was over, the next run goes on
	}{deleted, complete})
}
