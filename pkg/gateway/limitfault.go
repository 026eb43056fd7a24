package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// The names of subjects, metrics and spans, as the API has them.
var (
	subjectNames = map[store.LimitSubject]string{store.LimitToken: "token", store.LimitKey: "key", store.LimitUser: "user",
		store.LimitEndUser: "endUser", store.LimitGateway: "gateway"}
	metricNames = map[store.Metric]string{store.MetricRequests: "requests", store.MetricTokens: "tokens", store.MetricCost: "cost",
		store.MetricConcurrent: "concurrent"}
	spanNames = map[store.Span]string{store.SpanMinute: "minute", store.SpanHour: "hour", store.SpanDay: "day", store.SpanWeek: "week",
		store.SpanMonth: "month", store.SpanTotal: "total"}
)

func metricName(m store.Metric) string { return metricNames[m] }

// LimitView is a limit as the API shows it.
type LimitView struct {
	ID        *store.ID      `json:"id,omitempty"`
	Subject   LimitSubject   `json:"subject"`
	Metric    string         `json:"metric"`
	Window    string         `json:"window"`
	Amount    *LimitAmount   `json:"amount,omitempty"`
	Models    []string       `json:"models,omitempty"`
	Strict    *bool          `json:"strict,omitempty"`
	OnReached *LimitFallback `json:"onReached,omitempty"`

	Used        *LimitAmount `json:"used,omitempty"`
	Held        *LimitAmount `json:"held,omitempty"`
	Remaining   *LimitAmount `json:"remaining,omitempty"`
	Unconfirmed *LimitAmount `json:"unconfirmed,omitempty"`
	ResetsAt    *string      `json:"resetsAt"` // null: never
	CreatedAt   *string      `json:"createdAt,omitempty"`
}

// LimitSubject is what a limit is about.
type LimitSubject struct {
	Type  string    `json:"type"`
	Token *store.ID `json:"token,omitempty"` // of an end user
	ID    any       `json:"id,omitempty"`    // of one end user the name
}

// LimitFallback is the model that serves once a limit is reached.
type LimitFallback struct {
	Model string `json:"model"`
}

// LimitAmount is an amount of a metric: a whole number, or dollars.
type LimitAmount struct {
	Metric store.Metric
	N      int64
}

// MarshalJSON writes nano-dollars as dollars, without loss.
func (a LimitAmount) MarshalJSON() ([]byte, error) {
	if a.Metric != store.MetricCost {
		return fmt.Appendf(nil, "%d", a.N), nil
	}
	return []byte(store.Dollars(a.N)), nil
}

// String is the amount for people.
func (a LimitAmount) String() string {
	if a.Metric == store.MetricCost {
		return "$" + store.Dollars(a.N)
	}
	return fmt.Sprintf("%d %s", a.N, metricName(a.Metric))
}

func limitSubject(l *store.Limit, named bool) LimitSubject {
	s := LimitSubject{Type: subjectNames[l.Subject]}
	switch {
	case !named || l.SubjectID.IsZero():
	case l.Subject == store.LimitEndUser:
		s.Token = &l.SubjectID
		if l.EndUser != nil {
			s.ID = *l.EndUser
		}
	default:
		s.ID = &l.SubjectID
	}
	return s
}

// ViewLimit shows a limit at now. Whoever may not know its amounts learns what it counts and when that starts again.
func ViewLimit(l *store.Limit, s store.LimitStatus, now int64, amounts bool) LimitView {
	v := LimitView{Subject: limitSubject(l, amounts), Metric: metricName(l.Metric), Window: spanNames[l.Span], ResetsAt: timeText(l.Span.End(now))}
	if !amounts {
		return v
	}
	amount := func(n int64) *LimitAmount { return &LimitAmount{l.Metric, n} }
	v.Amount, v.Used, v.Held, v.Unconfirmed = amount(l.Amount), amount(s.Used), amount(s.Held), amount(s.Unconfirmed)
	v.Remaining = amount(max(0, l.Amount-s.Used-s.Held))
	return v
}

func timeText(ms int64) *string {
	if ms == 0 {
		return nil
	}
	s := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	return &s
}

// showsAmounts reports whether the principal may know the amounts of the limit: its token's, and a session all that are
// about its user.
func (c *Call) showsAmounts(l *store.Limit) bool {
	return showsAmounts(l, !c.req.Principal.Session.IsZero())
}

func showsAmounts(l *store.Limit, session bool) bool {
	switch l.Subject {
	case store.LimitToken, store.LimitEndUser:
		return true
	case store.LimitKey, store.LimitUser:
		return session
	}
	return false
}

// limitFault returns the error for a request that a limit refuses.
func (c *Call) limitFault(b *limitBlock) error {
	v := ViewLimit(b.Limit, b.LimitStatus, c.nowMs(), c.showsAmounts(b.Limit))
	v.Remaining, v.Unconfirmed = nil, nil
	whose := map[store.LimitSubject]string{store.LimitToken: "this token", store.LimitKey: "the key", store.LimitUser: "the user",
		store.LimitEndUser: "the end user", store.LimitGateway: "the gateway"}[b.Subject]
	var msg string
	switch {
	case b.Metric == store.MetricConcurrent:
		msg = fmt.Sprintf("this token may have %d requests at the same time", b.Amount)
	case v.Amount == nil:
		msg = fmt.Sprintf("a limit of %s of %s is reached", metricName(b.Metric), whose)
	default:
		msg = fmt.Sprintf("the limit of %s of %s is reached: %s used, %s held by requests under way", *v.Amount, whose, *v.Used, *v.Held)
	}
	switch {
	case v.Amount != nil && b.needs > b.Amount:
		msg += fmt.Sprintf("; this request alone may need %s", LimitAmount{b.Metric, b.needs})
	case b.wait == heldWait:
		msg += "; try again when others have ended"
	case v.ResetsAt != nil:
		msg += "; it starts again at " + *v.ResetsAt
	}
	cause := &LimitedError{Limits: c.refusedRateLimits()}
	never := b.needs > b.Amount && b.Metric != store.MetricRequests
	if (b.resetsAt > 0 || b.wait == heldWait) && !never {
		cause.Until = c.nowMs() + b.wait.Milliseconds()
	}
	return &fault.Error{Code: fault.RateLimit, Message: msg, Details: map[string]any{"limit": v}, RetryAfter: b.wait, Err: cause}
}

// LimitedError is the cause of a refusal by a limit.
type LimitedError struct {
	// Until is when the limit lets requests pass again, in Unix milliseconds; 0: never.
	Until int64
	// Limits are those of requests and of tokens that leave the request's token least.
	Limits []dialect.RateLimit
}

func (e *LimitedError) Error() string { return "a limit is reached" }

// ParseLimitSubject reads the name of a subject that limits can be set for.
func ParseLimitSubject(name string) (store.LimitSubject, bool) {
	return keyOf(subjectNames, name)
}

// LimitSubjectName is the name of the subject.
func LimitSubjectName(s store.LimitSubject) string { return subjectNames[s] }

// ParseMetric reads the name of a metric that limits can be set for.
func ParseMetric(name string) (store.Metric, bool) {
	m, ok := keyOf(metricNames, name)
	return m, ok && m != store.MetricConcurrent
}

// ParseSpan reads the name of a window.
func ParseSpan(name string) (store.Span, bool) { return keyOf(spanNames, name) }

func keyOf[K comparable](names map[K]string, name string) (K, bool) {
	for k, n := range names {
		if n == name {
			return k, true
		}
	}
	var none K
	return none, false
}

// Limits lists the limits that bind the principal, as far as it may know them: all of the user's for a session; for a
// token its own, those of the keys, of the user and of the gateway. Errors: Unauthorized, Unavailable.
func (g *Gateway) Limits(ctx context.Context, p Principal) ([]LimitView, error) {
	e, status, err := g.admit(ctx, p)
	if err != nil {
		return nil, err
	}
	session, now, views := !p.Session.IsZero(), g.Now().UnixMilli(), []LimitView{}
	for i := range e.table.limits {
		l := &e.table.limits[i]
		others := (l.Subject == store.LimitToken || l.Subject == store.LimitEndUser) && l.SubjectID != e.token
		if l.Metric == store.MetricConcurrent || others && !session {
			continue
		}
		v := ViewLimit(l, status.Limits[l.ID], now, showsAmounts(l, session))
		if showsAmounts(l, session) {
			v.ID, v.Models = &l.ID, l.Models
		}
		views = append(views, v)
	}
	return views, nil
}
