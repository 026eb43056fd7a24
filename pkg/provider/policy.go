package provider

import (
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// CooldownRule says for how long a key cools down after a failure.
type CooldownRule uint8

// The rules.
const (
	NoCooldown          CooldownRule = iota
	CooldownShort                    // the provider's hint, or ShortCooldown
	CooldownLong                     // until the provider's reset if known, or LongCooldown
	CooldownDay                      // until the provider's reset if known, or its next day
	CooldownUntilEdited              // until the key is edited
)

// Scope says what a failure is about.
type Scope uint8

// The scopes.
const (
	ScopeRequest Scope = iota // this request alone
	ScopeKey                  // the key, whatever the model
	ScopeModel                // the key together with the model; the key itself stays ready
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

// FailurePolicy says what the gateway does after a failure of one class.
type FailurePolicy struct {
	Failover bool // another candidate may do better
	Retry    RetryRule
	Cooldown CooldownRule
	Scope    Scope
}

// Durations of cooldowns that the provider does not name.
const (
	ShortCooldown = 5 * time.Second
	LongCooldown  = time.Hour
	// MaxHint bounds what a provider may ask for: a mistaken header must not disable a key
	// for good.
	MaxHint     = 24 * time.Hour
	maxCooldown = 32 * 24 * time.Hour // a month's limit, and a day for the clocks
)

// UntilEdited is the end, in Unix milliseconds, of the cooldown of a key that only its owner can
// repair: the last second of the year 9999, which RFC 3339 can still write.
const UntilEdited int64 = 253402300799000

// FailurePolicyOf returns the policy for failures of the class.
func FailurePolicyOf(class chat.Class) FailurePolicy {
	switch class {
	case chat.BadKey:
		return FailurePolicy{Failover: true, Cooldown: CooldownUntilEdited, Scope: ScopeKey}
	case chat.Forbidden, chat.OutOfMoney:
		return FailurePolicy{Failover: true, Cooldown: CooldownLong, Scope: ScopeKey}
	case chat.DailyQuota:
		return FailurePolicy{Failover: true, Cooldown: CooldownDay, Scope: ScopeKey}
	case chat.RateLimited:
		return FailurePolicy{Failover: true, Retry: RetryHint, Cooldown: CooldownShort, Scope: ScopeKey}
	case chat.Overloaded:
		return FailurePolicy{Failover: true, Retry: RetryBackoff}
	case chat.Transport, chat.Timeout:
		return FailurePolicy{Failover: true, Retry: RetryOnce}
	case chat.BadToolCall:
		return FailurePolicy{Failover: true, Retry: RetryOnce}
	case chat.ModelUnknown:
		return FailurePolicy{Failover: true, Scope: ScopeModel}
	}
	// Bad request, too long, too large, policy: every key would answer the same.
	return FailurePolicy{}
}

// AfterFailure says whether another candidate should be tried after the failure, and until when
// (Unix milliseconds; 0: not at all) the key cools down. The failure's Class, RetryAfter and
// ResetAt must be set; Classify sets them. A model that the provider does not know never cools the
// whole key down: the policy's Scope is then ScopeModel.
func (p *Provider) AfterFailure(err *chat.Error, nowMs int64) (failover bool, cooldownUntilMs int64) {
	policy := FailurePolicyOf(err.Class)
	switch policy.Cooldown {
	case CooldownUntilEdited:
		return policy.Failover, UntilEdited
	case CooldownShort:
		return policy.Failover, p.cooldownUntil(err, nowMs, nowMs+ShortCooldown.Milliseconds())
	case CooldownLong:
		return policy.Failover, p.cooldownUntil(err, nowMs, nowMs+LongCooldown.Milliseconds())
	case CooldownDay:
		return policy.Failover, p.cooldownUntil(err, nowMs, nextDay(nowMs, p.dayReset))
	}
	return policy.Failover, 0
}

// cooldownUntil prefers what the provider says over the fallback, within bounds.
func (p *Provider) cooldownUntil(err *chat.Error, nowMs, fallback int64) int64 {
	switch {
	case err.ResetAt > nowMs:
		return min(err.ResetAt, nowMs+maxCooldown.Milliseconds())
	case err.RetryAfter > 0:
		return nowMs + max(min(err.RetryAfter, MaxHint).Milliseconds(), 1)
	}
	return fallback
}

// nextDay returns the next time after nowMs at which the UTC clock shows the hour.
func nextDay(nowMs int64, hour int) int64 {
	const day = 24 * 60 * 60 * 1000
	offset := int64(hour) * 60 * 60 * 1000
	return ((nowMs-offset)/day+1)*day + offset
}

// nextMonth returns the first moment of the next month, UTC.
func nextMonth(nowMs int64) int64 {
	t := time.UnixMilli(nowMs).UTC()
	return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
}
