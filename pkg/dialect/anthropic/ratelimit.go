package anthropic

import (
	"net/http"
	"strconv"
	"time"

	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// rateLimit sets Anthropic's headers of a rate limit, such as anthropic-ratelimit-requests-remaining. The reset is a time
// (docs.anthropic.com, "Rate limits", 2026-11).
func rateLimit(h http.Header, l dialect.RateLimit) {
	prefix := "Anthropic-Ratelimit-" + l.Metric
	h.Set(prefix+"-Limit", strconv.FormatInt(l.Limit, 10))
	h.Set(prefix+"-Remaining", strconv.FormatInt(l.Remaining, 10))
	if !l.ResetsAt.IsZero() {
		h.Set(prefix+"-Reset", l.ResetsAt.UTC().Format(time.RFC3339))
	}
}
