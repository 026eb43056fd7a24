package gateway

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// TraceMode says of which requests a trace is kept.
type TraceMode string

// The modes. The zero value is TraceAll.
const (
	TraceAll     TraceMode = "on"
	TraceSampled TraceMode = "sampled" // those that failed or failed over, and a share of the others
	TraceFailed  TraceMode = "failed"  // those that failed or failed over
	TraceOff     TraceMode = "off"
)

// TraceModes returns all modes.
func TraceModes() []TraceMode { return []TraceMode{TraceAll, TraceSampled, TraceFailed, TraceOff} }

// keepsTrace reports whether the trace of the request is kept. plain: its first attempt answered.
func (s *Settings) keepsTrace(id store.ID, plain bool) bool {
	switch s.Trace {
	case TraceOff:
		return false
	case TraceFailed:
		return !plain
	case TraceSampled:
		// The end of an id is random.
		return !plain || binary.BigEndian.Uint32(id[12:])%100 < uint32(s.TraceSamplePercent)
	}
	return true
}

// trace records the failed attempts of a request and the keys that it skipped.
type trace struct {
	began    time.Time  // the request
	attempts []*attempt // that failed
	took     []time.Duration
	skipped  []skippedKey
	alias    string
}

func (t *trace) addFailed(a *attempt, took time.Duration) {
	t.attempts, t.took = append(t.attempts, a), append(t.took, took)
}

func (t *trace) setSkipped(skipped []skippedKey) { t.skipped = skipped }

// Trace tells how a request was routed. Stored are the attempts that failed; the one that answered follows from the row of
// the request, see [ReadTrace].
type Trace struct {
	// Strategy is the one that ordered the keys; not stored here.
	Strategy Strategy `json:"strategy,omitempty"`

	Alias    string         `json:"alias,omitempty"` // by which the served model was chosen
	Attempts []TraceAttempt `json:"attempts,omitempty"`
	Skipped  []SkippedKey   `json:"passed,omitempty"`
}

// TraceAttempt is one call of a provider.
type TraceAttempt struct {
	KeyID    store.ID `json:"keyId"`
	Provider string   `json:"provider"`
	Model    string   `json:"model"`
	// Outcome is "answered", "failed", or how an answer ended that had begun: "broken", "caller_left", "deadline_passed". It
	// is not stored.
	Outcome string `json:"outcome,omitempty"`
	// Class is that of the failure, empty if there is none.
	Class chat.Class `json:"class,omitempty"`
	// Scope says what the failure is about: the request, the attempt, the model, the key or the host.
	Scope  chat.Scope `json:"scope,omitempty"`
	Status int        `json:"status,omitempty"` // the provider's
	// StartMs is when it began, after the request; nil: it was not kept.
	StartMs *int64 `json:"startMs,omitempty"`
	Ms      int64  `json:"ms"`
	// FirstByteMs is when the first piece of the answer came, after the attempt's beginning. It is not stored.
	FirstByteMs *int64 `json:"firstByteMs,omitempty"`
	// RequestID is the provider's name for the call.
	RequestID string `json:"providerRequestId,omitempty"`
	// Message is what the provider said, or what failed, without credentials.
	Message  string `json:"message,omitempty"`
	Released bool   `json:"givenBack,omitempty"`
}

// SkippedKey is a key that was considered and not used.
type SkippedKey struct {
	ID       store.ID `json:"id"`
	Name     string   `json:"name"`
	Provider string   `json:"provider"`
	Model    string   `json:"model,omitempty"` // for which, if the request has several
	Reason   string   `json:"reason"`
}

// maxSkipped bounds how many skipped keys are shown and stored.
const maxSkipped = 20

func describeSkipped(skipped []skippedKey) []SkippedKey {
	out := make([]SkippedKey, 0, min(len(skipped), maxSkipped))
	for _, s := range skipped[:min(len(skipped), maxSkipped)] {
		out = append(out, SkippedKey{s.key.id, s.key.name, s.key.providerID, clip(s.model, maxModel), s.reason})
	}
	return out
}

func (t *trace) json() string {
	out := Trace{Alias: t.alias, Skipped: describeSkipped(t.skipped)}
	for i, a := range t.attempts {
		start := a.started.Sub(t.began).Milliseconds()
		out.Attempts = append(out.Attempts, TraceAttempt{
			KeyID: a.key.id, Provider: a.key.providerID, Model: clip(a.key.model, maxModel),
			Class: a.failure.Class, Scope: a.failure.ScopeOf(), Status: a.failure.Status, Message: clip(a.failure.Message, maxMessage),
			StartMs: &start, Ms: t.took[i].Milliseconds(), RequestID: clip(a.requestID, maxModel), Released: !a.keepsReservation(),
		})
	}
	if len(out.Attempts) == 0 && len(out.Skipped) == 0 {
		return ""
	}
	b, err := json.Marshal(out)
	if err != nil {
		return "" // it holds nothing that cannot be encoded
	}
	return string(b)
}

// strategyNumbers are the numbers of strategies in rows of requests: each is its place. Only append.
var strategyNumbers = []Strategy{"", ExhaustFirst, RoundRobin, Cheapest, Weighted, LeastLatency}

// addTrace adds what is kept of how the request was routed.
func (c *Call) addTrace(r *store.Record) {
	if a := c.current; a != nil {
		c.trace.setSkipped(c.before(a.key))
		c.trace.alias = c.Alias()
	}
	answered := r.Outcome == store.Answered
	if !c.g.settings.keepsTrace(r.ID, answered && c.attempts == 1) {
		return
	}
	if a := c.current; a != nil && answered {
		start := a.started.Sub(c.started).Milliseconds()
		r.StartedMs = &start
	}
	if a := c.booked(); a != nil {
		r.Flags |= max(0, slices.Index(strategyNumbers, a.key.strategy)) << store.StrategyShift
	}
	c.trace.began = c.started
	if !answered || c.attempts > 1 || len(c.trace.skipped) > 0 {
		r.Trace = c.trace.json()
	}
}

// ReadTrace returns the trace of a request from its row and what is stored beside it, nil if none was kept.
func ReadTrace(q *store.Request, stored string) (*Trace, error) {
	if stored == "" && (q.StartedMs == nil || q.Attempts != 1) {
		return nil, nil // if there were several attempts, what was stored has expired
	}
	var t Trace
	if stored != "" {
		if err := json.Unmarshal([]byte(stored), &t); err != nil {
			return nil, fmt.Errorf("the stored trace of request %v: %w", q.ID, err)
		}
	}
	if n := q.Strategy(); n < len(strategyNumbers) {
		t.Strategy = strategyNumbers[n]
	}
	for i := range t.Attempts {
		t.Attempts[i].Outcome = attemptFailed
	}
	switch {
	case q.StartedMs != nil:
		a := TraceAttempt{KeyID: q.KeyID, Provider: q.Provider, Model: q.Model, Outcome: attemptAnswered, Status: http.StatusOK,
			StartMs: q.StartedMs, Ms: max(0, q.LatencyMs-*q.StartedMs)}
		if q.FirstByteMs != nil {
			first := max(0, *q.FirstByteMs-*q.StartedMs)
			a.FirstByteMs = &first
		}
		t.Attempts = append(t.Attempts, a)
	case len(t.Attempts) > 0 && q.Status == http.StatusOK: // the caller got the beginning of its answer
		last := &t.Attempts[len(t.Attempts)-1]
		switch store.Outcome(q.Outcome) {
		case store.Broken:
			last.Outcome = "broken"
		case store.CallerLeft:
			last.Outcome = "caller_left"
		case store.DeadlinePassed:
			last.Outcome = "deadline_passed"
		}
		if q.FirstByteMs != nil && last.StartMs != nil {
			first := max(0, *q.FirstByteMs-*last.StartMs)
			last.FirstByteMs = &first
		}
	}
	return &t, nil
}

const (
	attemptAnswered = "answered"
	attemptFailed   = "failed"
)

// clip cuts a text to at most n bytes, between characters, and drops invalid UTF-8 and zero bytes, which databases reject.
func clip(s string, n int) string {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	}
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
