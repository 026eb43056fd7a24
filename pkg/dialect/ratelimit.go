package dialect

import (
	"net/http"
	"strconv"
	"time"
)

// RateLimit is a limit of the caller's token.
type RateLimit struct {
	Metric           string // requests or tokens
	Limit, Remaining int64
	ResetsAt         time.Time // zero: never
	Reset            time.Duration
}

// XRateLimit sets the headers of a rate limit as OpenAI has them, such as x-ratelimit-remaining-requests. The reset is a
// time to wait, such as 6m0s (platform.openai.com, "Rate limits in headers", 2026-11).
func XRateLimit(h http.Header, l RateLimit) {
	h.Set("X-Ratelimit-Limit-"+l.Metric, strconv.FormatInt(l.Limit, 10))
	h.Set("X-Ratelimit-Remaining-"+l.Metric, strconv.FormatInt(l.Remaining, 10))
	if !l.ResetsAt.IsZero() {
		h.Set("X-Ratelimit-Reset-"+l.Metric, l.Reset.Round(time.Millisecond).String())
	}
}
