package provider

import (
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// RestRule says for how long a key rests after a failure.
type RestRule uint8

// The rules.
const (
	NoRest          RestRule = iota
	RestShort                // the provider's hint, or CoolDown
	RestLong                 // until the provider's reset if known, or Park
	RestDay                  // until the provider's reset if known, or its next day
	RestUntilEdited          // until the key is edited
)

// Scope says what a failure speaks about.
type Scope uint8

// The scopes.
const (
	ScopeRequest Scope = iota // this request alone
	ScopeKey                  // the key, whatever the model
	ScopeModel                // the key together with the model; the key itself does not rest
)

// RetryRule says whether trying the same key again may help.
type RetryRule uint8

// The rules.
const (
	RetryNever   RetryRule = iota
	RetryOnce              // at once
	RetryBackoff           // after a pause that grows, with jitter
	RetryHint              // after the provider's hint
)

// Action is what a class of failure leads to.
type Action struct {
	Failover bool // another candidate may do better
	Retry    RetryRule
	Rest     RestRule
	Scope    Scope
}

// Durations of rests that the provider does not name.
const (
	CoolDown = 5 * time.Second
	Park     = time.Hour
	// MaxHint bounds what a provider may ask for: a mistaken header must not put a key
	// away for good.
	MaxHint = 24 * time.Hour
	maxRest = 32 * 24 * time.Hour // a month's limit, and a day for the clocks
)

// Edited is the time, in Unix milliseconds, until which a key rests that only its
// owner can mend: the last second of the year 9999, which RFC 3339 can still write.
const Edited int64 = 253402300799000

// ActionOf returns what follows from a failure of the class.
func ActionOf(class chat.Class) Action {
	switch class {
	case chat.BadKey:
		return Action{Failover: true, Rest: RestUntilEdited, Scope: ScopeKey}
	case chat.Forbidden, chat.OutOfMoney:
		return Action{Failover: true, Rest: RestLong, Scope: ScopeKey}
	case chat.DailyQuota:
		return Action{Failover: true, Rest: RestDay, Scope: ScopeKey}
	case chat.RateLimited:
		return Action{Failover: true, Retry: RetryHint, Rest: RestShort, Scope: ScopeKey}
	case chat.Overloaded:
		return Action{Failover: true, Retry: RetryBackoff}
	case chat.Transport, chat.Timeout:
		return Action{Failover: true, Retry: RetryOnce}
	case chat.BadToolCall:
		return Action{Failover: true, Retry: RetryOnce}
	case chat.ModelUnknown:
		return Action{Failover: true, Scope: ScopeModel}
	}
	// Bad request, too long, too large, policy: every key would answer the same.
	return Action{}
}

// Consequence says whether another candidate should be tried after the failure, and
// until when (Unix milliseconds; 0: not at all) the key rests. The failure's Class,
// RetryAfter and ResetAt must be set (Classify does). A model that the provider does
// not know never puts the whole key to rest: ActionOf(class).Scope is then ScopeModel.
func (p *Provider) Consequence(err *chat.Error, nowMs int64) (failover bool, restUntilMs int64) {
	a := ActionOf(err.Class)
	switch a.Rest {
	case RestUntilEdited:
		return a.Failover, Edited
	case RestShort:
		return a.Failover, p.restUntil(err, nowMs, nowMs+CoolDown.Milliseconds())
	case RestLong:
		return a.Failover, p.restUntil(err, nowMs, nowMs+Park.Milliseconds())
	case RestDay:
		return a.Failover, p.restUntil(err, nowMs, nextDay(nowMs, p.dayReset))
	}
	return a.Failover, 0
}

// restUntil prefers what the provider says over the fallback, within bounds.
func (p *Provider) restUntil(err *chat.Error, nowMs, fallback int64) int64 {
	switch {
	case err.ResetAt > nowMs:
		return min(err.ResetAt, nowMs+maxRest.Milliseconds())
	case err.RetryAfter > 0:
		return nowMs + max(min(err.RetryAfter, MaxHint).Milliseconds(), 1)
	}
	return fallback
}

// nextDay is the next time after nowMs at which the UTC clock shows the hour.
func nextDay(nowMs int64, hour int) int64 {
	const day = 24 * 60 * 60 * 1000
	offset := int64(hour) * 60 * 60 * 1000
	return ((nowMs-offset)/day+1)*day + offset
}

// nextMonth is the first moment of the next month, UTC.
func nextMonth(nowMs int64) int64 {
	t := time.UnixMilli(nowMs).UTC()
	return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
}
