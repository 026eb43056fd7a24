package gateway

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// trace records the failed attempts of a request and the keys that it skipped.
type trace struct {
	attempts []*attempt // that failed
	took     []time.Duration
	skipped  []skippedKey
	alias    string
}

func (t *trace) addFailed(a *attempt, took time.Duration) {
	t.attempts, t.took = append(t.attempts, a), append(t.took, took)
}

func (t *trace) setSkipped(skipped []skippedKey) { t.skipped = skipped }

// Trace is the stored form of a trace.
type Trace struct {
	Alias    string         `json:"alias,omitempty"` // by which the served model was chosen
	Attempts []TraceAttempt `json:"attempts,omitempty"`
	Skipped  []SkippedKey   `json:"passed,omitempty"`
}

// TraceAttempt is one call that failed.
type TraceAttempt struct {
	KeyID    store.ID   `json:"keyId"`
	Provider string     `json:"provider"`
	Model    string     `json:"model"`
	Class    chat.Class `json:"class"`
	// Scope says what the failure is about: the request, the attempt, the model, the key or the host.
	Scope  chat.Scope `json:"scope"`
	Status int        `json:"status,omitempty"` // the provider's
	Ms     int64      `json:"ms"`
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
		out.Attempts = append(out.Attempts, TraceAttempt{
			KeyID: a.key.id, Provider: a.key.providerID, Model: clip(a.key.model, maxModel),
			Class: a.failure.Class, Scope: a.failure.ScopeOf(), Status: a.failure.Status, Message: clip(a.failure.Message, maxMessage),
			Ms: t.took[i].Milliseconds(), RequestID: clip(a.requestID, maxModel), Released: !a.keepsReservation(),
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
