package provider

import (
	"slices"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

func TestFailurePolicy(t *testing.T) {
	const s = int64(1000)
	const day = 24 * 3600 * s
	tests := []struct {
		name     string
		err      chat.Error
		failover FailoverRule
		retry    RetryRule
		scope    chat.Scope
		first    int64 // how long the first cooldown lasts, in milliseconds; 0: none
	}{
		{"bad key", chat.Error{Class: chat.BadKey}, FailoverAny, RetryNever, chat.ScopeKey, 60 * s},
		{"bad key, hint", chat.Error{Class: chat.BadKey, RetryAfter: time.Hour}, FailoverAny, RetryNever, chat.ScopeKey, 60 * s},
		{"forbidden", chat.Error{Class: chat.Forbidden}, FailoverAny, RetryNever, chat.ScopeModel, 600 * s},
		{"forbidden key", chat.Error{Class: chat.Forbidden, Scope: chat.ScopeKey}, FailoverAny, RetryNever, chat.ScopeKey, 60 * s},
		{"no money", chat.Error{Class: chat.OutOfMoney}, FailoverAny, RetryNever, chat.ScopeKey, 3600 * s},
		{"no money this month", chat.Error{Class: chat.OutOfMoney, ResetAt: noon + 6*day}, FailoverAny, RetryNever, chat.ScopeKey, 6 * day},
		{"absurd reset", chat.Error{Class: chat.OutOfMoney, ResetAt: noon + 4000*day}, FailoverAny, RetryNever, chat.ScopeKey, 32 * day},
		{"reset in the past", chat.Error{Class: chat.OutOfMoney, ResetAt: noon - 1}, FailoverAny, RetryNever, chat.ScopeKey, 3600 * s},
		{"day", chat.Error{Class: chat.DailyQuota}, FailoverAny, RetryNever, chat.ScopeModel, 3600 * s},
		{"day, reset whatever the hint", chat.Error{Class: chat.DailyQuota, RetryAfter: 34 * time.Second, ResetAt: noon + 20*3600*s}, FailoverAny, RetryNever, chat.ScopeModel, 20 * 3600 * s},
		{"day, hint", chat.Error{Class: chat.DailyQuota, RetryAfter: time.Minute}, FailoverAny, RetryNever, chat.ScopeModel, 60 * s},
		{"rate", chat.Error{Class: chat.RateLimited}, FailoverAny, RetryHint, chat.ScopeModel, ShortCooldown.Milliseconds()},
		{"rate of the account", chat.Error{Class: chat.RateLimited, Scope: chat.ScopeKey}, FailoverAny, RetryHint, chat.ScopeKey, ShortCooldown.Milliseconds()},
		{"rate, hint", chat.Error{Class: chat.RateLimited, RetryAfter: 90 * time.Second}, FailoverAny, RetryHint, chat.ScopeModel, 90 * s},
		{"rate, tiny hint", chat.Error{Class: chat.RateLimited, RetryAfter: time.Microsecond}, FailoverAny, RetryHint, chat.ScopeModel, 1},
		{"rate, absurd hint", chat.Error{Class: chat.RateLimited, RetryAfter: 1 << 62}, FailoverAny, RetryHint, chat.ScopeModel, day},
		{"overloaded", chat.Error{Class: chat.Overloaded, Evidence: true, Status: 529}, FailoverAny, RetryBackoff, chat.ScopeHostModel, 2 * s},
		{"overloaded, absurd hint", chat.Error{Class: chat.Overloaded, RetryAfter: time.Hour}, FailoverAny, RetryBackoff, chat.ScopeHostModel, 600 * s},
		{"transport", chat.Error{Class: chat.Transport}, FailoverAny, RetryOnce, chat.ScopeHost, 2 * s},
		{"page of a gateway", chat.Error{Class: chat.Transport, Status: 502}, FailoverAny, RetryOnce, chat.ScopeHost, 2 * s},
		{"internal error", chat.Error{Class: chat.Transport, Status: 500, Evidence: true}, FailoverAny, RetryLater, chat.ScopeHost, 2 * s},
		{"oversized answer", chat.Error{Class: chat.Transport, Scope: chat.ScopeRequest, Cause: ErrTooLarge}, NoFailover, RetryNever, "", 0},
		{"timeout", chat.Error{Class: chat.Timeout}, FailoverAny, RetryOnce, chat.ScopeHost, 2 * s},
		{"model", chat.Error{Class: chat.ModelUnknown}, FailoverAny, RetryNever, chat.ScopeModel, 600 * s},
		{"tool call", chat.Error{Class: chat.BadToolCall}, FailoverAny, RetryOnce, "", 0},
		{"bad request", chat.Error{Class: chat.BadRequest, RetryAfter: time.Hour}, NoFailover, RetryNever, "", 0},
		{"too long", chat.Error{Class: chat.ContextLength}, FailoverLargerContext, RetryNever, "", 0},
		{"too large", chat.Error{Class: chat.TooLarge}, NoFailover, RetryNever, "", 0},
		{"too large for the key", chat.Error{Class: chat.TooLarge, Scope: chat.ScopeAttempt}, FailoverAny, RetryNever, "", 0},
		{"policy", chat.Error{Class: chat.ContentPolicy}, NoFailover, RetryNever, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := FailurePolicy(&tt.err, noon)
			if p.Failover != tt.failover || p.Retry != tt.retry || p.Cooldown.Scope != tt.scope {
				t.Errorf("got %+v", p)
			}
			if p.Cooldown.None() != (tt.first == 0) || tt.first != 0 && p.Cooldown.End(noon, 0) != noon+tt.first {
				t.Errorf("cools down for %d ms, want %d", p.Cooldown.End(noon, 0)-noon, tt.first)
			}
		})
	}
}

// Every scope but that of a request and an attempt leaves a cooldown that ends, and without the provider's word within 6 hours.
func TestCooldownsGrowAndEnd(t *testing.T) {
	for _, class := range allClasses {
		for _, scope := range []chat.Scope{"", chat.ScopeRequest, chat.ScopeAttempt, chat.ScopeModel, chat.ScopeKey, chat.ScopeHostModel, chat.ScopeHost} {
			err := &chat.Error{Class: class, Scope: scope}
			rule := FailurePolicy(err, noon).Cooldown
			narrow := err.ScopeOf() == chat.ScopeRequest || err.ScopeOf() == chat.ScopeAttempt
			if rule.None() != narrow {
				t.Errorf("%s, %s: %+v", class, scope, rule)
			}
			if rule.None() {
				continue
			}
			if !slices.IsSorted(rule.Steps[:]) || rule.Steps[0] <= 0 || rule.Steps[4] > 6*time.Hour || rule.Until != 0 {
				t.Errorf("%s, %s: %+v", class, scope, rule)
			}
			if last := rule.End(noon, 4); rule.End(noon, 99) != last || rule.End(noon, -1) != rule.End(noon, 0) {
				t.Errorf("%s: the last step is not the last", class)
			}
			if !rule.HalfOpen && class != chat.RateLimited {
				t.Errorf("%s is not probed", class)
			}
		}
	}
}

var allClasses = []chat.Class{chat.BadKey, chat.Forbidden, chat.OutOfMoney, chat.DailyQuota, chat.RateLimited, chat.Overloaded,
	chat.Transport, chat.Timeout, chat.ModelUnknown, chat.ContextLength, chat.TooLarge, chat.BadRequest, chat.BadToolCall, chat.ContentPolicy}

func TestCallersErrorsDoNotFailOver(t *testing.T) {
	for _, class := range allClasses {
		err := &chat.Error{Class: class}
		if (FailurePolicy(err, noon).Failover != FailoverAny) != err.CallerCaused() {
			t.Errorf("%s: failover to any, caused by the caller %v", class, err.CallerCaused())
		}
	}
	tooMuch := &chat.Error{Class: chat.Transport, Cause: ErrTooLarge, Scope: chat.ScopeRequest}
	if tooMuch.CallerCaused() {
		t.Error("an oversized answer is blamed on the caller")
	}
}

// One page of status 4xx cools nothing down, the third in a row the host; pages of other statuses cool down this model on the key.
func TestPagesOfStatus4xx(t *testing.T) {
	for status, want := range map[int]int{0: 0, 302: 3, 401: 3, 403: 3, 407: 3, 429: 3, 500: 0, 502: 0, 503: 0} {
		rule := FailurePolicy(&chat.Error{Class: chat.Transport, Status: status}, noon).Cooldown
		if rule.Scope != chat.ScopeHost || rule.Requests != want || (rule.Alone == "") != (want > 0) {
			t.Errorf("%d: %+v", status, rule)
		}
	}
}

// Only a failure of the key cools the whole key down.
func TestAfterFailure(t *testing.T) {
	for _, scope := range []chat.Scope{chat.ScopeRequest, chat.ScopeAttempt, chat.ScopeModel, chat.ScopeKey, chat.ScopeHostModel, chat.ScopeHost} {
		_, until := afterFailure(&chat.Error{Class: chat.OutOfMoney, Scope: scope}, noon)
		if (until > noon) != (scope == chat.ScopeKey) {
			t.Errorf("%s: the key cools down until %d", scope, until)
		}
	}
}

func TestEdges(t *testing.T) {
	dec31 := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC).UnixMilli()
	if got := time.UnixMilli(nextMonth(dec31)).UTC(); got != time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) {
		t.Error(got)
	}
	eight := time.Date(2026, 12, 31, 8, 0, 0, 0, time.UTC).UnixMilli()
	if nextDay(eight, 8) != eight+24*3600*1000 || nextDay(eight-1, 8) != eight {
		t.Error("the day does not begin at its hour")
	}
}

// afterFailure says whether any other candidate should be tried after the failure, and until when (Unix milliseconds; 0: not
// at all) the whole key cools down.
func afterFailure(err *chat.Error, nowMs int64) (failover bool, cooldownUntilMs int64) {
	policy := FailurePolicy(err, nowMs)
	if policy.Cooldown.Scope == chat.ScopeKey {
		cooldownUntilMs = policy.Cooldown.End(nowMs, 0)
	}
	return policy.Failover == FailoverAny, cooldownUntilMs
}
