package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	kilobyte = int64(1) << 10
	megabyte = int64(1) << 20
	gigabyte = int64(1) << 30

	shortest = 10 * time.Millisecond
)

func (r *reader) limits() Limits {
	l := Limits{
		Request:             r.duration("REQUEST_TIMEOUT", shortest, 24*time.Hour),
		FirstEvent:          r.duration("FIRST_EVENT_TIMEOUT", shortest, time.Hour),
		ReasoningFirstEvent: r.duration("REASONING_FIRST_EVENT_TIMEOUT", shortest, 24*time.Hour),
		HeartbeatAfter:      r.duration("HEARTBEAT_AFTER", shortest, time.Hour),
		UpstreamIdle:        r.duration("UPSTREAM_IDLE_TIMEOUT", shortest, 24*time.Hour),
		Heartbeat:           r.duration("HEARTBEAT_INTERVAL", shortest, time.Hour),
		ReadHeader:          r.duration("READ_HEADER_TIMEOUT", shortest, time.Hour),
		BodyProgress:        r.duration("BODY_PROGRESS_TIMEOUT", shortest, time.Hour),
		Write:               r.duration("WRITE_TIMEOUT", shortest, time.Hour),
		Shutdown:            r.duration("SHUTDOWN_TIMEOUT", 0, time.Hour),

		MaxHeaderBytes:   int(r.size("MAX_HEADER_BYTES", kilobyte, 16*megabyte)),
		MaxBodyBytes:     r.size("MAX_BODY_BYTES", kilobyte, gigabyte),
		BodyBudgetBytes:  r.size("BODY_BUDGET_BYTES", kilobyte, 1024*gigabyte),
		MaxAttempts:      r.integer("MAX_ATTEMPTS", 1, 100),
		UpstreamRequests: r.integer("UPSTREAM_REQUESTS", 1, 1_000_000),
		MaxUpstreamBytes: r.size("MAX_UPSTREAM_BYTES", kilobyte, gigabyte),
		BacklogBytes:     r.size("BACKLOG_BYTES", megabyte, 16*gigabyte),
	}
	if l.BodyBudgetBytes > 0 && l.BodyBudgetBytes < l.MaxBodyBytes {
		r.problem("BODY_BUDGET_BYTES",
			"is less than MAX_BODY_BYTES, so that the largest bodies would never be accepted",
			"raise it, or lower MAX_BODY_BYTES")
	}
	return l
}

func (r *reader) jobs() Jobs {
	j := Jobs{
		Retention:   r.duration("JOB_RETENTION", time.Second, 30*24*time.Hour),
		Limit:       r.integer("JOB_LIMIT", 1, 1_000_000),
		LimitBytes:  r.size("JOB_LIMIT_BYTES", kilobyte, 1024*gigabyte),
		MaxBytes:    r.size("JOB_MAX_BYTES", kilobyte, gigabyte),
		Concurrency: r.integer("WORKER_CONCURRENCY", 1, 1000),
	}
	if j.LimitBytes > 0 && j.LimitBytes < 2*j.MaxBytes {
		r.problem("JOB_LIMIT_BYTES", "is less than twice JOB_MAX_BYTES, so that one large request would fill it",
			"raise it, or lower JOB_MAX_BYTES")
	}
	return j
}

func (r *reader) duration(name string, low, high time.Duration) time.Duration {
	d, ok := parseDuration(r.text(name))
	if !ok {
		r.problem(name, "is not a duration", "write it like 90s, 15m, or as plain seconds")
		return 0
	}
	if d < low || d > high {
		r.problem(name, "is out of range", fmt.Sprintf("set it to between %s and %s", low, high))
		return 0
	}
	return d
}

// parseDuration takes Go's syntax, or whole seconds.
func parseDuration(text string) (time.Duration, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(seconds) * time.Second, seconds >= 0 && seconds <= math.MaxInt64/int64(time.Second)
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

func (r *reader) size(name string, low, high int64) int64 {
	n, ok := parseSize(r.text(name))
	if !ok {
		r.problem(name, "is not a size", "write it as bytes, or like 64KB, 32MB, 1GB")
		return 0
	}
	if n < low || n > high {
		r.problem(name, "is out of range",
			fmt.Sprintf("set it to between %s and %s", formatSize(low), formatSize(high)))
		return 0
	}
	return n
}

// parseSize takes whole bytes, or whole KB, MB or GB, powers of 1024 (KiB, kb and K mean the same).
func parseSize(text string) (int64, bool) {
	digits := strings.TrimRight(text, "KMGBIkmgbi ")
	unit := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text[len(digits):])), "b")
	factor := int64(1)
	switch strings.TrimSuffix(unit, "i") {
	case "":
		if unit != "" { // a lone "i"
			return 0, false
		}
	case "k":
		factor = kilobyte
	case "m":
		factor = megabyte
	case "g":
		factor = gigabyte
	default:
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/factor {
		return 0, false
	}
	return int64(n) * factor, true
}

func formatSize(n int64) string {
	switch {
	case n >= gigabyte && n%gigabyte == 0:
		return strconv.FormatInt(n/gigabyte, 10) + "GB"
	case n >= megabyte && n%megabyte == 0:
		return strconv.FormatInt(n/megabyte, 10) + "MB"
	case n >= kilobyte && n%kilobyte == 0:
		return strconv.FormatInt(n/kilobyte, 10) + "KB"
	}
	return strconv.FormatInt(n, 10)
}
