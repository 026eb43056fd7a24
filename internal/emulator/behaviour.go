package emulator

import "strings"

// Fault names a failure that a provider answers with, in its own words.
type Fault string

// The faults.
const (
	RateLimit   Fault = "429"     // too fast; Behaviour.Hint says how the provider tells when to come back
	DailyQuota  Fault = "daily"   // the day's requests are used up
	SpendLimit  Fault = "spend"   // a limit that the account's owner has set
	NoCredit    Fault = "credit"  // 402, or 429 with a code, as the provider does
	BadKey      Fault = "401"     // the key is not known
	Forbidden   Fault = "403"     // the key may not
	NoModel     Fault = "model"   // the model is not known
	TooLong     Fault = "context" // the prompt does not fit
	Policy      Fault = "policy"  // the content is refused
	TooLarge    Fault = "413"
	ServerError Fault = "500"
	HTMLError   Fault = "html" // 502 from a proxy in between
	EmptyError  Fault = "empty"
	Overloaded  Fault = "503" // or 529, as the provider does
	Timeout     Fault = "504"
	BadToolCall Fault = "toolcall" // the model called a tool badly
)

// Hint is the form in which a rate limit tells when to come back: in 7 seconds.
type Hint string

// The hints.
const (
	NoHint         Hint = ""
	RetryAfter     Hint = "seconds" // Retry-After: 7
	RetryAfterDate Hint = "date"    // Retry-After: an HTTP date
	RetryAfterMs   Hint = "ms"      // retry-after-ms: 7000
	ResetHeader    Hint = "reset"   // the provider's own header: x-ratelimit-reset-requests: 7s
	InBody         Hint = "body"    // in the error, apart from its text: Google's RetryInfo
	InText         Hint = "text"    // "Please try again in 7s."
	OwnHint        Hint = "own"     // the form that the provider uses most
)

// HintSeconds is the time that every hint tells.
const HintSeconds = 7

// Cut is a way in which an answer ends too early.
type Cut string

// The ways.
const (
	CutReset Cut = "reset" // the connection breaks
	CutEOF   Cut = "eof"   // the answer ends as if it were complete
)

// Behaviour is how a provider behaves. The zero value is good behaviour; fields may be combined.
// Times are milliseconds.
type Behaviour struct {
	Fault Fault `json:"fault,omitempty"`
	Hint  Hint  `json:"hint,omitempty"`

	Text string `json:"text,omitempty"` // the answer's text

	FirstByteMs int  `json:"firstByteMs,omitempty"` // before anything, headers included
	SilentMs    int  `json:"silentMs,omitempty"`    // between headers and body
	EventMs     int  `json:"eventMs,omitempty"`     // before each event of a stream
	Endless     bool `json:"endless,omitempty"`     // a stream without end

	Cut        Cut  `json:"cut,omitempty"`        // a stream after After events, a whole answer in its middle
	ErrorEvent bool `json:"errorEvent,omitempty"` // an error in the provider's form after After events
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
	Unknown     bool   `json:"unknown,omitempty"`    // fields and events that nobody knows
	HugeBytes   int    `json:"hugeBytes,omitempty"`  // one field of the first event is this long
	ChunkBytes  int    `json:"chunkBytes,omitempty"` // everything is sent in pieces of this size
	ContentType string `json:"contentType,omitempty"`
}

// Match says which requests a behaviour is for. Empty fields match all.
type Match struct {
	Provider string `json:"provider,omitempty"`
	Key      string `json:"key,omitempty"`
	Model    string `json:"model,omitempty"`
	// Times is how often it is used; 0: always.
	Times int `json:"times,omitempty"`
}

type script struct {
	Match     Match     `json:"match"`
	Behaviour Behaviour `json:"behaviour"`
}

// Set makes the requests that match behave so. A later one goes before an earlier one.
func (e *Emulator) Set(m Match, b Behaviour) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scripts = append([]*script{{m, b}}, e.scripts...)
}

// Clear ends all that was set.
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
		if m.Provider != "" && m.Provider != provider || m.Key != "" && m.Key != key || m.Model != "" && m.Model != model {
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
