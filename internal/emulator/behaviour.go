package emulator

import "strings"

// Fault names an error that a provider answers with, in its own words.
type Fault string

// The faults.
const (
	RateLimit   Fault = "429"     // too many requests; Behaviour.Hint selects how the provider states the retry time
	DailyQuota  Fault = "daily"   // the day's requests are used up
	SpendLimit  Fault = "spend"   // a limit that the account's owner set
	NoCredit    Fault = "credit"  // 402, or 429 with a code, as the provider does
	BadKey      Fault = "401"     // unknown key
	Forbidden   Fault = "403"     // the key lacks the permission
	NoModel     Fault = "model"   // unknown model
	TooLong     Fault = "context" // the prompt does not fit
	Policy      Fault = "policy"  // content policy
	TooLarge    Fault = "413"
	ServerError Fault = "500"
	HTMLError   Fault = "html" // 502 from a proxy in between
	EmptyError  Fault = "empty"
	Overloaded  Fault = "503" // or 529, as the provider does
	Timeout     Fault = "504"
	BadToolCall Fault = "toolcall" // the model wrote an invalid tool call
)

// Hint is how a rate limit states when to retry: in 7 seconds.
type Hint string

// The hints.
const (
	NoHint         Hint = ""
	RetryAfter     Hint = "seconds" // Retry-After: 7
	RetryAfterDate Hint = "date"    // Retry-After: an HTTP date
	RetryAfterMs   Hint = "ms"      // retry-after-ms: 7000
	ResetHeader    Hint = "reset"   // the provider's own header: x-ratelimit-reset-requests: 7s
	InBody         Hint = "body"    // in the error, outside of its text: Google's RetryInfo
	InText         Hint = "text"    // "Please try again in 7s."
	OwnHint        Hint = "own"     // the hint that the provider uses most
)

// HintSeconds is the retry time of every hint.
const HintSeconds = 7

// Cut is how an answer ends too early.
type Cut string

// The cuts.
const (
	CutReset Cut = "reset" // the connection breaks
	CutEOF   Cut = "eof"   // the answer ends as if it were complete
)

// Behaviour is how a provider behaves. The zero value is normal behaviour; fields may be combined.
type Behaviour struct {
	Fault Fault `json:"fault,omitempty"`
	Hint  Hint  `json:"hint,omitempty"`

	Text string `json:"text,omitempty"` // the answer's text

	FirstByteMs int  `json:"firstByteMs,omitempty"` // before anything, headers included
	BodyDelayMs int  `json:"silentMs,omitempty"`    // between headers and body
	EventMs     int  `json:"eventMs,omitempty"`     // before each event of a stream
	Endless     bool `json:"endless,omitempty"`     // a stream without end

	Cut        Cut  `json:"cut,omitempty"`        // a stream after After events, a whole answer in its middle
	ErrorEvent bool `json:"errorEvent,omitempty"` // an error in the provider's format after After events
	After      int  `json:"after,omitempty"`
	Abort      bool `json:"abort,omitempty"` // the connection breaks before any byte

	Garbage    bool   `json:"garbage,omitempty"`    // half a JSON document; in a stream after After events
	ErrorIn200 bool   `json:"errorIn200,omitempty"` // status 200, and an error inside
	Redirect   string `json:"redirect,omitempty"`   // 302 to there

	CRLF        bool   `json:"crlf,omitempty"`
	Comments    bool   `json:"comments,omitempty"`
	BlankLines  bool   `json:"blankLines,omitempty"` // before a whole answer, and between events
	Padding     bool   `json:"padding,omitempty"`    // spaces after the JSON of each event
	NoSpace     bool   `json:"noSpace,omitempty"`    // "data:" without a space
	Unknown     bool   `json:"unknown,omitempty"`    // unknown fields and events
	HugeBytes   int    `json:"hugeBytes,omitempty"`  // one field of the first event is this long
	ChunkBytes  int    `json:"chunkBytes,omitempty"` // everything is sent in pieces of this size
	ContentType string `json:"contentType,omitempty"`
}

// Match selects the requests that a behaviour applies to. Empty fields match all.
type Match struct {
	Provider string `json:"provider,omitempty"`
	Key      string `json:"key,omitempty"`
	Model    string `json:"model,omitempty"`
	// Times is how often the behaviour applies; 0: always.
	Times int `json:"times,omitempty"`
}

type script struct {
	Match     Match     `json:"match"`
	Behaviour Behaviour `json:"behaviour"`
}

// Set applies the behaviour to the requests that match. A later call precedes an earlier one.
func (e *Emulator) Set(m Match, b Behaviour) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scripts = append([]*script{{m, b}}, e.scripts...)
}

// Clear removes all behaviours.
func (e *Emulator) Clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scripts = nil
}

func (e *Emulator) behaviour(provider, key, model string) Behaviour {
	if _, fault, ok := strings.Cut(key, "-fault-"); ok {
		return Behaviour{Fault: Fault(fault), Hint: OwnHint}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, s := range e.scripts {
		m := &s.Match
		if m.Provider != "" && m.Provider != provider || m.Key != "" && m.Key != key || m.Model != "" &&
			m.Model != model {
			continue
		}
		if m.Times == 1 {
			e.scripts = append(append([]*script{}, e.scripts[:i]...), e.scripts[i+1:]...)
		} else if m.Times > 1 {
			m.Times--
		}
		return s.Behaviour
	}
	return Behaviour{}
}
