package provider

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// limitHeader names a pair of rate-limit headers. Reset is a duration like Go's
// ("6m0s", OpenAI and Groq), a time (RFC 3339, Anthropic), or a number: seconds
// (Together), or a Unix time in seconds or milliseconds (OpenRouter).
type limitHeader struct{ remaining, reset string }

// hinted reads from a failure when the provider wants the next request. Only failures are read:
// Anthropic sends retry-after with answers of status 200, too.
func hinted(err *chat.Error, h http.Header, d details, limits []limitHeader, nowMs int64) {
	switch err.Class {
	case chat.RateLimited, chat.Overloaded, chat.DailyQuota, chat.OutOfMoney:
	default:
		return
	}
	if at := resetTime(d.reset); at > nowMs && err.Class != chat.Overloaded {
		err.ResetAt = at
	}
	if err.ResetAt > nowMs && (err.Class == chat.DailyQuota || err.Class == chat.RateLimited) {
		err.RetryAfter = until(err.ResetAt, nowMs)
		return
	}
	if err.RetryAfter <= 0 {
		err.RetryAfter = firstHint(h, d, err.Message, nowMs)
	}
	if err.RetryAfter <= 0 && (err.Class == chat.RateLimited || err.Class == chat.DailyQuota) {
		err.RetryAfter = windowHint(h, limits, nowMs)
	}
	err.RetryAfter = min(err.RetryAfter, MaxHint)
}

func firstHint(h http.Header, d details, message string, nowMs int64) time.Duration {
	if ms, e := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); e == nil {
		if v := seconds(ms / 1000); v > 0 {
			return v
		}
	}
	if v := retryAfter(h.Get("Retry-After"), nowMs); v > 0 {
		return v
	}
	if v := delay(d.delay); v > 0 {
		return v
	}
	return textHint(message)
}

// retryAfter reads the header: seconds, or an HTTP date.
func retryAfter(s string, nowMs int64) time.Duration {
	s = strings.TrimSpace(s)
	if v := delay(s); v > 0 {
		return v
	}
	if t, e := http.ParseTime(s); e == nil {
		return max(time.Duration(min(t.UnixMilli()-nowMs, MaxHint.Milliseconds()))*time.Millisecond, 0)
	}
	return 0
}

// delay reads "48", "34.4s", "6m0s" or "7.5ms". Anything else, and what is not positive, gives zero.
func delay(s string) time.Duration {
	if f, e := strconv.ParseFloat(s, 64); e == nil {
		return seconds(f)
	}
	if v, e := time.ParseDuration(s); e == nil && v > 0 {
		return min(v, MaxHint)
	}
	return 0
}

func seconds(f float64) time.Duration {
	if math.IsNaN(f) || f <= 0 {
		return 0
	}
	return time.Duration(math.Min(f, MaxHint.Seconds()) * float64(time.Second))
}

// textHint reads "Please try again in 5.289s", which Groq and OpenAI write, and
// Gemini's "Please retry in 48.939935699s."
func textHint(message string) time.Duration {
	for _, lead := range [...]string{"try again in ", "retry in "} {
		_, rest, ok := strings.Cut(message, lead)
		if !ok {
			continue
		}
		end := strings.IndexFunc(rest, func(r rune) bool {
			return !(r >= '0' && r <= '9' || r == '.' || strings.ContainsRune("hmsµu", r))
		})
		if end >= 0 {
			rest = rest[:end]
		}
		if v := delay(strings.TrimRight(rest, ".")); v > 0 {
			return v
		}
	}
	return 0
}

// windowHint returns the time until the reset of the limits that have nothing left. If none is spent (a
// request may need more tokens than are left), it is the latest reset, but at most a minute: Groq's
// window for requests is a day.
func windowHint(h http.Header, limits []limitHeader, nowMs int64) time.Duration {
	var spent, latest time.Duration
	for _, l := range limits {
		v := windowReset(h.Get(l.reset), nowMs)
		latest = max(latest, v)
		if strings.TrimSpace(h.Get(l.remaining)) == "0" {
			spent = max(spent, v)
		}
	}
	if spent > 0 {
		return spent
	}
	return min(latest, time.Minute)
}

func windowReset(s string, nowMs int64) time.Duration {
	s = strings.TrimSpace(s)
	if at := resetTime(s); at != 0 {
		return until(at, nowMs)
	}
	return delay(s)
}

// resetTime reads a time: RFC 3339, or seconds or milliseconds since 1970. It returns it in Unix
// milliseconds; 0 if it is none.
func resetTime(s string) int64 {
	if t, e := time.Parse(time.RFC3339, s); e == nil {
		return t.UnixMilli()
	}
	n, e := strconv.ParseInt(s, 10, 64)
	switch {
	case e != nil || n <= 1e9:
		return 0
	case n > 1e11: // milliseconds; as seconds it would be the year 5138
		return n
	}
	return n * 1000
}

func until(ms, nowMs int64) time.Duration {
	if ms <= nowMs {
		return 0
	}
	return time.Duration(min(ms-nowMs, MaxHint.Milliseconds())) * time.Millisecond
}
