package provider

import (
	"net/http"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

func TestRetryAfter(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"7": 7 * time.Second, " 7 ": 7 * time.Second, "0.5": 500 * time.Millisecond, "0": 0, "": 0, "-3": 0, "soon": 0, "NaN": 0,
		"Inf": MaxHint, "1e300": MaxHint, "999999999999": MaxHint,
		"Tue, 24 Nov 2026 12:01:00 GMT": time.Minute, "Tue, 24 Nov 2026 11:00:00 GMT": 0, "Fri, 24 Nov 2999 12:00:00 GMT": MaxHint,
	} {
		if got := retryAfter(s, noon); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

func TestTextHint(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"Please try again in 5.289s. Visit":   5289 * time.Millisecond,
		"Please try again in 7m12s":           7*time.Minute + 12*time.Second,
		"Please try again in 820ms.":          820 * time.Millisecond,
		"Please retry in 48.939935699s.":      48939935699,
		"Please try again in a while":         0,
		"try again in 99999999h":              0, // overflows a duration
		"try again in 30":                     30 * time.Second,
		"try again in -5s":                    0,
		"Limit 5.289s":                        0,
		"try again in soon, or retry in 2.0s": 2 * time.Second,
	} {
		if got := textHint(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

func TestWindowReset(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"6ms": 6 * time.Millisecond, "1s": time.Second, "6m0s": 6 * time.Minute, "": 0, "4": 4 * time.Second, "-4": 0,
		"2026-11-24T12:00:30Z": 30 * time.Second, "2026-11-24T11:00:00Z": 0, "2999-01-01T00:00:00Z": MaxHint,
		"1795521660": time.Minute, "1795521660000": time.Minute, "1795521600": 0,
	} {
		if got := windowReset(s, noon); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

// Anthropic sends retry-after with answers of status 200, and with errors that do not go away by waiting.
func TestHintsCountOnlyWhereWaitingHelps(t *testing.T) {
	p := table(t, nil).ByID("anthropic")
	h := http.Header{"Retry-After": {"59"}}
	for status, want := range map[int]time.Duration{429: 59 * time.Second, 529: 59 * time.Second, 400: 0, 401: 0, 404: 0, 500: 0} {
		err := &chat.Error{}
		p.Classify(err, Answer{Status: status, Header: h, Body: []byte(`{"type":"error","error":{"type":"api_error","message":"x"}}`)}, noon)
		if err.RetryAfter != want {
			t.Errorf("%d: %v, want %v", status, err.RetryAfter, want)
		}
	}
}

// If no window is reported as spent, the longest counts, up to a minute.
func TestWindowWithoutRemaining(t *testing.T) {
	limits := []limitHeader{{"a-left", "a-reset"}, {"b-left", "b-reset"}}
	h := http.Header{"A-Left": {"5"}, "A-Reset": {"6h"}, "B-Left": {"100"}, "B-Reset": {"2s"}}
	if got := windowHint(h, limits, noon); got != time.Minute {
		t.Errorf("%v", got)
	}
	h.Set("B-Left", "0")
	if got := windowHint(h, limits, noon); got != 2*time.Second {
		t.Errorf("%v", got)
	}
}
