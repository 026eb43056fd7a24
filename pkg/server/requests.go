package server

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// requestView is an entry of the request log. The log holds nothing of the conversation.
type requestView struct {
	ID               store.ID  `json:"id"`
	CreatedAt        timestamp `json:"createdAt"`
	Status           int       `json:"status"`
	Outcome          string    `json:"outcome"`
	Provider         *string   `json:"provider"`
	Model            string    `json:"model"`
	AskedModel       *string   `json:"askedModel"` // null: the model is the one that was asked for
	KeyID            *store.ID `json:"keyId"`      // null: no key was called
	TokenID          *store.ID `json:"tokenId"`    // null: sent from the dashboard
	Stream           bool      `json:"stream"`
	Attempts         int       `json:"attempts"`
	LatencyMs        int64     `json:"latencyMs"`
	FirstByteMs      *int64    `json:"firstByteMs"`
	InputTokens      int64     `json:"inputTokens"`
	CachedTokens     int64     `json:"cachedTokens"`
	CacheWriteTokens int64     `json:"cacheWriteTokens"`
	OutputTokens     int64     `json:"outputTokens"`
	ReasoningTokens  int64     `json:"reasoningTokens"`
	Estimated        bool      `json:"estimated"` // the provider reported no usage, or the usage does not determine the cost
	Steered          bool      `json:"steered"`   // a limit was reached, and its onReached model served
	CostUSD          *dollars  `json:"costUsd"`   // null: unpriced
}

func viewRequest(q store.Request) requestView {
	v := requestView{
		ID: q.ID, CreatedAt: timestamp(q.ID.Time()), Status: q.Status, Outcome: outcomeText(store.Outcome(q.Outcome)), Model: q.Model,
		Stream: q.Flags&store.FlagStreamed != 0, Estimated: q.Flags&store.FlagEstimated != 0, Steered: q.Flags&store.FlagSteered != 0,
		Attempts: q.Attempts, LatencyMs: q.LatencyMs, FirstByteMs: q.FirstByteMs,
		InputTokens: q.Input, CachedTokens: q.Cached, CacheWriteTokens: q.CacheWrite, OutputTokens: q.Output, ReasoningTokens: q.Reasoning,
		CostUSD: (*dollars)(q.Cost),
	}
	if q.Asked != "" {
		v.AskedModel = &q.Asked
	}
	if q.Provider != "" {
		v.Provider = &q.Provider
	}
	if !q.KeyID.IsZero() {
		v.KeyID = &q.KeyID
	}
	if !q.TokenID.IsZero() {
		v.TokenID = &q.TokenID
	}
	return v
}

func outcomeText(o store.Outcome) string {
	switch o {
	case store.Answered:
		return "answered"
	case store.Failed:
		return "failed"
	case store.Broken:
		return "broken"
	case store.CallerLeft:
		return "caller_left"
	case store.DeadlinePassed:
		return "deadline_passed"
	}
	return "unknown"
}

// requestFilter reads one entry more than the page has.
func (q *query) requestFilter(p page) store.RequestFilter {
	return store.RequestFilter{
		Before: p.after, Limit: p.limit + 1,
		StatusClass: int(q.integer("statusClass", 2, 5, 0)), Status: int(q.integer("status", 100, 599, 0)),
		Provider: q.text("provider"), Model: q.text("model"),
		KeyID: q.id("keyId"), TokenID: q.id("tokenId"),
		From: q.time("from", 0), To: q.time("to", 0),
	}
}

// listRequests lists the user's requests, newest first.
func (a *App) listRequests(c *call) error {
	q := c.query()
	page := q.page()
	filter := q.requestFilter(page)
	if err := q.err(); err != nil {
		return err
	}
	requests, err := store.Requests(c.r.Context(), a.DB, c.who.user.ID, filter)
	if err != nil {
		return err
	}
	requests, next := cut(requests, page, func(q store.Request) store.ID { return q.ID })
	views := make([]requestView, len(requests))
	for i, q := range requests {
		views[i] = viewRequest(q)
	}
	return c.reply(http.StatusOK, struct {
		Requests   []requestView `json:"requests"`
		NextCursor *store.ID     `json:"nextCursor"`
	}{views, next})
}

// getRequest answers one request, with the trace of its attempts.
func (a *App) getRequest(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	q, trace, err := store.RequestByID(c.r.Context(), a.DB, c.who.user.ID, id)
	if err != nil {
		return err
	}
	view, err := gateway.ReadTrace(&q, trace)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, struct {
		requestView
		Trace *gateway.Trace `json:"trace"` // null: none was kept
	}{viewRequest(q), view})
}
