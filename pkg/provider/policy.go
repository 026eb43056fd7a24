package provider

import (
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// FailoverRule says which other candidates may do better after a failure.
type FailoverRule uint8

// The rules.
const (
	NoFailover            FailoverRule = iota
	FailoverAny                        // every other candidate
	FailoverLargerContext              // those whose model takes more tokens
)

// RetryRule says whether trying the same key again may help.
type RetryRule uint8

// The rules.
const (
	RetryNever   RetryRule = iota
	RetryOnce              // at once
	RetryBackoff           // after a pause that grows, with jitter
	RetryHint              // after the provider's hint
	RetryLater             // not for the same request, which may be billed each time; a job may, later
)

// Policy says what the gateway does after a failure.
type Policy struct {
	Failover FailoverRule
	Retry    RetryRule
	Cooldown CooldownRule
}

// CooldownRule says what cools down after a failure, and for how long.
type CooldownRule struct {
	// Scope is what cools down. Requests and attempts cool nothing down: then the rule is zero.
	//
	// A host, or a model at a host, cools down only if HostKeys different keys of it fail in the same way
	// at the same moment. After fewer, each of them cools down in the scope Alone; nothing does if that is
	// empty.
	Scope, Alone chat.Scope
	// Requests, if it is not zero, is how many different requests in a row have to fail in the same way
	// before the host cools down, whatever the number of keys.
	Requests int
	// Until is when the provider says the cooldown ends, in Unix milliseconds; 0 if it names no time.
	Until int64
	// Steps are how long the first cooldown lasts, the second in a row, and so on, the last for all that
	// follow, if Until is 0. Those of a host want jitter.
	Steps Steps
	// HalfOpen says that after the cooldown one request at a time probes, until one succeeds.
	HalfOpen bool
}

// None reports whether nothing cools down.
func (r *CooldownRule) None() bool { return r.Scope == "" }

// End returns the end of a cooldown that begins now, in Unix milliseconds. Repetition counts from 0.
func (r *CooldownRule) End(nowMs int64, repetition int) int64 {
	if r.Until > nowMs {
		return r.Until
	}
	return nowMs + r.Steps[min(max(repetition, 0), len(r.Steps)-1)].Milliseconds()
}

// HostKeys is how many different keys of a host have to fail in the same way at the same moment before it
// is the host's fault, not the keys'.
const HostKeys = 3

// Steps are the durations of cooldowns that follow each other.
type Steps [5]time.Duration

// The durations of cooldowns for which the provider names no time.
var (
	rejectedSteps = Steps{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour}
	noAccessSteps = Steps{10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour}
	spentSteps    = Steps{time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour}
	rateSteps     = Steps{ShortCooldown, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute}
	hostSteps     = Steps{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 3 * time.Minute}
)

const (
	// ShortCooldown is the first cooldown after a rate limit without a hint.
	ShortCooldown = 5 * time.Second
	// MaxHint bounds what a provider may ask for: a mistaken header must not disable a key
	// for good.
	MaxHint     = 24 * time.Hour
	maxCooldown = 32 * 24 * time.Hour // a month's limit, and a day for the clocks
	// maxHostHint bounds the hint of a host that is overloaded.
	maxHostHint = 10 * time.Minute
	// pageRequests is how many requests in a row have to meet a page of status 4xx before the host cools
	// down: a firewall may dislike one prompt.
	pageRequests = 3
)

// FailurePolicy returns what to do after the failure. Classify has filled it, or it is one of the
// connection. Nothing that it returns lasts for ever: whatever exceeds 6 hours wants a probe meanwhile.
func FailurePolicy(err *chat.Error, nowMs int64) Policy {
	p := Policy{Failover: failoverOf(err), Retry: retryOf(err)}
	scope := err.ScopeOf()
	switch scope {
	case chat.ScopeRequest, chat.ScopeAttempt:
		return p
	}
	p.Cooldown = CooldownRule{Scope: scope, Until: untilOf(err, nowMs), Steps: stepsOf(err),
		HalfOpen: err.Class != chat.RateLimited}
	if scope == chat.ScopeHost || scope == chat.ScopeHostModel {
		p.Cooldown.Alone = chat.ScopeModel
		if !err.Evidence && err.Status >= 300 && err.Status < 500 {
			p.Cooldown.Alone, p.Cooldown.Requests = "", pageRequests
		}
	}
	return p
}

func failoverOf(err *chat.Error) FailoverRule {
	switch {
	case err.Class == chat.ContextLength:
		return FailoverLargerContext
	case err.ScopeOf() == chat.ScopeRequest: // also an answer that is too large, which would be bought again
		return NoFailover
	}
	return FailoverAny
}

func retryOf(err *chat.Error) RetryRule {
	switch err.Class {
	case chat.RateLimited:
		return RetryHint
	case chat.Overloaded:
		return RetryBackoff
	case chat.Transport:
		switch {
		case err.Scope == chat.ScopeRequest:
			return RetryNever
		case err.Status == 500:
			return RetryLater
		}
		return RetryOnce
	case chat.Timeout, chat.BadToolCall:
		return RetryOnce
	}
	return RetryNever
}

// untilOf returns when the provider says that the failure ends, within bounds; 0 if it does not.
func untilOf(err *chat.Error, nowMs int64) int64 {
	bound := MaxHint
	switch err.Class {
	case chat.OutOfMoney, chat.DailyQuota, chat.RateLimited:
	case chat.Overloaded, chat.Transport:
		bound = maxHostHint
	default:
		return 0
	}
	switch {
	case err.ResetAt > nowMs:
		return min(err.ResetAt, nowMs+maxCooldown.Milliseconds())
	case err.RetryAfter > 0:
		return nowMs + max(min(err.RetryAfter, bound).Milliseconds(), 1)
	}
	return 0
}

func stepsOf(err *chat.Error) Steps {
	switch err.Class {
	case chat.BadKey:
		return rejectedSteps
	case chat.Forbidden:
		if err.ScopeOf() == chat.ScopeKey {
			return rejectedSteps
		}
		return noAccessSteps
	case chat.ModelUnknown:
		return noAccessSteps
	case chat.OutOfMoney, chat.DailyQuota:
		return spentSteps
	case chat.RateLimited:
		return rateSteps
	}
	return hostSteps
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
