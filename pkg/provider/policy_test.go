package provider

import (
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

func TestAfterFailure(t *testing.T) {
	const s = int64(1000)
	const day = 24 * 3600 * s
	tests := []struct {
		name     string
		provider string
		err      chat.Error
		failover bool
		cooldown int64 // milliseconds from noon; 0: none
	}{
		{"bad key", "openai", chat.Error{Class: chat.BadKey}, true, UntilEdited - noon},
		{"forbidden", "openai", chat.Error{Class: chat.Forbidden}, true, 3600 * s},
		{"no money", "openai", chat.Error{Class: chat.OutOfMoney}, true, 3600 * s},
		{"no money this month", "anthropic", chat.Error{Class: chat.OutOfMoney, ResetAt: noon + 6*day}, true, 6 * day},
		{"absurd reset", "anthropic", chat.Error{Class: chat.OutOfMoney, ResetAt: noon + 4000*day}, true, 32 * day},
		{"reset in the past", "anthropic", chat.Error{Class: chat.OutOfMoney, ResetAt: noon - 1}, true, 3600 * s},
		{"day", "groq", chat.Error{Class: chat.DailyQuota}, true, 12 * 3600 * s},
		{"day, Pacific", "gemini", chat.Error{Class: chat.DailyQuota}, true, 20 * 3600 * s},
		{"day, Pacific, whatever the hint", "gemini", chat.Error{Class: chat.DailyQuota, RetryAfter: 34 * time.Second, ResetAt: noon + 20*3600*s}, true, 20 * 3600 * s},
		{"day, hint", "groq", chat.Error{Class: chat.DailyQuota, RetryAfter: time.Minute}, true, 60 * s},
		{"rate", "groq", chat.Error{Class: chat.RateLimited}, true, ShortCooldown.Milliseconds()},
		{"rate, hint", "groq", chat.Error{Class: chat.RateLimited, RetryAfter: 90 * time.Second}, true, 90 * s},
		{"rate, tiny hint", "groq", chat.Error{Class: chat.RateLimited, RetryAfter: time.Microsecond}, true, 1},
		{"rate, absurd hint", "groq", chat.Error{Class: chat.RateLimited, RetryAfter: 1 << 62}, true, day},
		{"overloaded", "groq", chat.Error{Class: chat.Overloaded, RetryAfter: time.Hour}, true, 0},
		{"transport", "groq", chat.Error{Class: chat.Transport}, true, 0},
		{"timeout", "groq", chat.Error{Class: chat.Timeout}, true, 0},
		{"model", "groq", chat.Error{Class: chat.ModelUnknown}, true, 0},
		{"tool call", "groq", chat.Error{Class: chat.BadToolCall}, true, 0},
		{"bad request", "groq", chat.Error{Class: chat.BadRequest, RetryAfter: time.Hour}, false, 0},
		{"too long", "groq", chat.Error{Class: chat.ContextLength}, false, 0},
		{"too large", "groq", chat.Error{Class: chat.TooLarge}, false, 0},
		{"policy", "groq", chat.Error{Class: chat.ContentPolicy}, false, 0},
	}
	tab := table(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			failover, until := tab.ByID(tt.provider).AfterFailure(&tt.err, noon)
			want := noon + tt.cooldown
			if tt.cooldown == 0 {
				want = 0
			}
			if failover != tt.failover || until != want {
				t.Errorf("got %v, %d; want %v, %d", failover, until, tt.failover, want)
			}
		})
	}
}

func TestCallersErrorsDoNotFailOver(t *testing.T) {
	for _, class := range []chat.Class{chat.BadKey, chat.Forbidden, chat.OutOfMoney, chat.DailyQuota, chat.RateLimited, chat.Overloaded,
		chat.Transport, chat.Timeout, chat.ModelUnknown, chat.ContextLength, chat.TooLarge, chat.BadRequest, chat.BadToolCall, chat.ContentPolicy} {
		a := FailurePolicyOf(class)
		caused := (&chat.Error{Class: class}).CallerCaused()
		if a.Failover == caused {
			t.Errorf("%s: failover is %v, caused by the caller %v", class, a.Failover, caused)
		}
		if (a.Cooldown != NoCooldown) != (a.Scope == ScopeKey) {
			t.Errorf("%s: cooldown %d in scope %d", class, a.Cooldown, a.Scope)
		}
	}
}

func TestEdges(t *testing.T) {
	if got := time.UnixMilli(UntilEdited).UTC().Format(time.RFC3339); got != "9999-12-31T23:59:59Z" {
		t.Error(got)
	}
	dec31 := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC).UnixMilli()
	if got := time.UnixMilli(nextMonth(dec31)).UTC(); got != time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) {
		t.Error(got)
	}
	eight := time.Date(2026, 12, 31, 8, 0, 0, 0, time.UTC).UnixMilli()
	if nextDay(eight, 8) != eight+24*3600*1000 || nextDay(eight-1, 8) != eight {
		t.Error("the day does not begin at its hour")
	}
}
