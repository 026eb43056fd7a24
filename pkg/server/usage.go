package server

import (
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// countsView holds sums over requests as the API shows them.
type countsView struct {
	Requests         int64   `json:"requests"`
	Errors           int64   `json:"errors"`
	InputTokens      int64   `json:"inputTokens"`
	CachedTokens     int64   `json:"cachedTokens"`     // of input: read from the provider's cache
	CacheWriteTokens int64   `json:"cacheWriteTokens"` // of input: written to it
	OutputTokens     int64   `json:"outputTokens"`
	ReasoningTokens  int64   `json:"reasoningTokens"` // of output
	CostUSD          dollars `json:"costUsd"`
	Unpriced         int64   `json:"unpriced"` // requests whose cost is not in costUsd
}

func viewCounts(n store.Counts) countsView {
	return countsView{n.Requests, n.Errors, n.Input, n.Cached, n.CacheWrite, n.Output, n.Reasoning, dollars(n.Cost), n.Unpriced}
}

type usageView struct {
	Bucket any `json:"bucket"` // a time, a name, an id; null: no key, no provider, or the dashboard
	countsView
}

type percentilesView struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
}

func viewPercentiles(h *store.Histogram) percentilesView {
	round := func(ms float64) float64 { return float64(int64(ms*10+0.5)) / 10 }
	return percentilesView{h.Count(), round(h.Quantile(0.5)), round(h.Quantile(0.9)), round(h.Quantile(0.95)), round(h.Quantile(0.99))}
}

// The longest time of one answer, by the size of its buckets.
const (
	defaultSpan = 30 * day
	maxHours    = 92 * day
	maxSpan     = 3700 * day
)

// usage sums up the user's requests.
func (a *App) usage(c *call) error {
	q := c.query()
	by := store.By(q.text("by"))
	span := maxSpan
	switch by {
	case "":
		by = store.ByDay
	case store.ByHour:
		span = maxHours
	case store.ByDay, store.ByModel, store.ByProvider, store.ByKey, store.ByToken, store.ByUser, store.ByEndUser, store.ByTag:
	default:
		q.issues.Add("by", "must be hour, day, model, provider, key, token, user, endUser or tag")
	}
	user, err := c.whose(q)
	if err != nil {
		return err
	}
	split := store.By(q.text("split"))
	switch {
	case split == "":
	case by != store.ByHour && by != store.ByDay:
		q.issues.Add("split", "needs by to be hour or day")
	case split != store.ByModel && split != store.ByProvider && split != store.ByKey && split != store.ByToken:
		q.issues.Add("split", "must be model, provider, key or token")
	}
	to := q.time("to", c.now()+1)
	from := q.time("from", to-time.Duration(defaultSpan).Milliseconds())
	switch {
	case len(q.issues) > 0:
	case from >= to:
		q.issues.Add("from", "must be before to")
	case to-from > span.Milliseconds():
		q.issues.Add("from", "must be at most %d days before to", int(span/day))
	}
	if err := q.err(); err != nil {
		return err
	}
	if by == store.ByEndUser || by == store.ByTag {
		return a.usageByLabel(c, user, by, from, to)
	}
	report, err := store.UsageBetween(c.r.Context(), a.DB, user, from, to, by)
	if err != nil {
		return err
	}
	rows := make([]usageView, len(report.Usage))
	for i, u := range report.Usage {
		rows[i] = usageView{bucketOf(u, by), viewCounts(u.Counts)}
	}
	var parts []usagePartView
	if split != "" {
		if parts, err = a.usageParts(c, user, from, to, by, split); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, struct {
		Usage           []usageView     `json:"usage"`
		Parts           []usagePartView `json:"parts,omitempty"`
		Latency         percentilesView `json:"latency"`         // milliseconds, whole requests
		TimeToFirstByte percentilesView `json:"timeToFirstByte"` // milliseconds
		By              store.By        `json:"by"`
		From            timestamp       `json:"from"`
		To              timestamp       `json:"to"`
	}{rows, parts, viewPercentiles(&report.Latency), viewPercentiles(&report.FirstByte), by, timestamp(from), timestamp(to)})
}

// usagePartView is the part of one model, provider, key or token in a bucket.
type usagePartView struct {
	Bucket any `json:"bucket"`
	Part   any `json:"part"` // a name or an id; null as in usageView
	countsView
}

func (a *App) usageParts(c *call, user store.ID, from, to int64, per, split store.By) ([]usagePartView, error) {
	usage, err := store.UsageOver(c.r.Context(), a.DB, user, from, to, per, split)
	if err != nil {
		return nil, err
	}
	parts := make([]usagePartView, len(usage))
	for i, u := range usage {
		parts[i] = usagePartView{bucketOf(u, per), bucketOf(u, split), viewCounts(u.Counts)}
	}
	return parts, nil
}

func bucketOf(u store.Usage, by store.By) any {
	switch by {
	case store.ByHour:
		return timestamp(u.At)
	case store.ByDay:
		return dateOf(store.DayOf(u.At))
	case store.ByKey, store.ByToken, store.ByUser:
		if u.ID.IsZero() {
			return nil
		}
		return u.ID
	}
	if u.Text == "" {
		return nil
	}
	return u.Text
}
