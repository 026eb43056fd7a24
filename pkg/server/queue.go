package server

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// queueStats answers GET /api/queue/stats: the counts of the principal's jobs, or with scope=all, for an admin, of all
// jobs.
func (a *App) queueStats(c *call) error {
	q := c.query()
	scope := q.text("scope")
	if scope != "" && scope != "own" && scope != "all" {
		q.issues.Add("scope", "must be own or all")
	}
	if err := q.err(); err != nil {
		return err
	}
	var n store.JobCounts
	var err error
	if scope == "all" {
		if c.who.digests != nil || c.who.user.Role != store.RoleAdmin {
			return fault.New(fault.Forbidden, "everybody's requests are counted for the admin only")
		}
		n, err = store.CountAllJobs(c.r.Context(), a.DB, c.now())
	} else {
		n, err = a.countJobs(c)
	}
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, struct {
		Waiting   int64 `json:"waiting"`
		Active    int64 `json:"active"`
		Completed int64 `json:"completed"`
		Failed    int64 `json:"failed"`
		Delayed   int64 `json:"delayed"`
	}{n.Waiting, n.Active, n.Completed, n.Failed, n.Delayed})
}

func (a *App) countJobs(c *call) (store.JobCounts, error) {
	who, err := a.jobCaller(c)
	if err != nil {
		return store.JobCounts{}, err
	}
	n, access, err := store.CountJobs(c.r.Context(), a.DB, who, c.now())
	if err == nil && !access {
		err = gateway.NoAccess()
	}
	return n, err
}

// jobView is an asynchronous request without its request and result.
type jobView struct {
	RequestID string     `json:"requestId"`
	Status    string     `json:"status"`
	CreatedAt timestamp  `json:"createdAt"`
	EndedAt   *timestamp `json:"endedAt"`
	Attempts  int        `json:"attempts"`
	TokenID   *store.ID  `json:"tokenId"` // null: sent from the dashboard
}

// listJobs answers GET /api/queue/jobs: the user's jobs, newest first.
func (a *App) listJobs(c *call) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	list, err := store.Jobs(c.r.Context(), a.DB, c.who.user.ID, page.more())
	if err != nil {
		return err
	}
	list, next := cut(list, page, func(j store.Job) store.ID { return j.ID })
	views := make([]jobView, len(list))
	for i, j := range list {
		views[i] = jobView{RequestID: j.Name, Status: jobStatus(j.State), CreatedAt: timestamp(j.ID.Time()), EndedAt: (*timestamp)(j.EndedAt),
			Attempts: j.Attempt - j.Released}
		if !j.Token.IsZero() {
			views[i].TokenID = &list[i].Token
		}
	}
	return c.reply(http.StatusOK, struct {
		Jobs       []jobView `json:"jobs"`
		NextCursor *store.ID `json:"nextCursor"`
	}{views, next})
}
