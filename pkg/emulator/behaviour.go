package emulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault names a failure that a provider answers with, in its own words.
type Fault string

// The faults.
const (
	RateLimit   Fault = "429"     // too fast; Behaviour.Hint says how the provider tells when to come back
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
	Overloaded  Fault = "503"
)

// Hint is the form in which a rate limit tells when to come back: in 7 seconds.
type Hint string

// The hints.
const (
	NoHint         Hint = ""
	RetryAfter     Hint = "seconds" // Retry-After: 7
	RetryAfterDate Hint = "date"    // Retry-After: an HTTP date
	RetryAfterMs   Hint = "ms"      // retry-after-ms: 7000
	ResetHeader    Hint = "reset"   // x-ratelimit-reset-requests: 7s
	InText         Hint = "text"    // "Please try again in 7s."
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
		return Behaviour{Fault: Fault(fault), Hint: RetryAfter}
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

// misbehave does what comes instead of, or before, an answer. It says whether the request is done with.
func (x *exchange) misbehave() bool {
	if !x.pause(x.do.FirstByteMs) {
		return true
	}
	switch {
	case x.do.Abort:
		panic(http.ErrAbortHandler)
	case x.do.Redirect != "":
		x.w.Header().Set("Location", x.do.Redirect)
		x.whole(302, "text/html", []byte("moved"))
		return true
	case x.do.Fault != "":
		x.fault()
		return true
	}
	return false
}

// pause waits. It is false if the caller left.
func (x *exchange) pause(ms int) bool {
	if ms <= 0 {
		return true
	}
	t := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

func (x *exchange) fault() {
	switch x.do.Fault {
	case HTMLError:
		x.whole(502, "text/html", []byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
	case EmptyError:
		x.whole(500, "", nil)
	case RateLimit:
		x.rateLimit()
	default:
		f, ok := x.p.faults(x)[x.do.Fault]
		if !ok {
			f = failure{500, x.p.errorBody("The server had an error while processing your request.", "server_error", "", "")}
		}
		x.fail(f)
	}
}

func (x *exchange) rateLimit() {
	h, text := x.w.Header(), "Rate limit reached."
	switch x.do.Hint {
	case RetryAfter:
		h.Set("Retry-After", strconv.Itoa(HintSeconds))
	case RetryAfterDate:
		h.Set("Retry-After", x.e.now().UTC().Add(HintSeconds*time.Second).Format(http.TimeFormat))
	case RetryAfterMs:
		h.Set("Retry-After-Ms", strconv.Itoa(HintSeconds*1000))
	case ResetHeader:
		h.Set("X-Ratelimit-Remaining-Requests", "0")
		h.Set("X-Ratelimit-Reset-Requests", strconv.Itoa(HintSeconds)+"s")
	case InText:
		text += " Please try again in " + strconv.Itoa(HintSeconds) + "s."
	}
	x.fail(failure{429, x.p.errorBody(text, "requests", "rate_limit_exceeded", "")})
}

// control serves /_emulator/: behaviours (POST one, DELETE all) and requests (GET what was counted).
func (e *Emulator) control(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/_emulator/") {
	case "POST behaviours":
		var s script
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		e.Set(s.Match, s.Behaviour)
		w.WriteHeader(http.StatusNoContent)
	case "DELETE behaviours":
		e.Clear()
		w.WriteHeader(http.StatusNoContent)
	case "GET requests":
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(e.Counts())
	default:
		http.NotFound(w, r)
	}
}
