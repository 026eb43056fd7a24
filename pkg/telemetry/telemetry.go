// Package telemetry describes requests to those who count and trace them. A description has no prompt, no answer, no
// secret and nothing that names a person.
package telemetry

import "time"

// Observer is told of every request of a known credential. Its methods are called on the way of the request: they must
// neither wait nor panic. It is safe for concurrent use.
type Observer interface {
	// Ending is called once, when the end of a request is about to be written. The observer may keep r, which nobody
	// changes until written is called: that is when the end is written, or is going to be written later. Then Settled is
	// set.
	Ending(r *Request) (written func())
}

// Request is a request that has ended.
type Request struct {
	ID string
	// Traceparent is the header of that name (W3C Trace Context) as the caller sent it.
	Traceparent string
	// Arrived is when its header had come, zero if that is not known; Started when it was decoded; Ended when its answer
	// was whole, or had failed; Settled when its record was written.
	Arrived, Started, Ended, Settled time.Time
	// Endpoint is what was asked, one of a few names.
	Endpoint   string
	Embeddings bool
	Stream     bool
	// Outcome is how it ended, and Status what the caller got. Error is the code of the error, if that was the answer.
	Outcome Outcome
	Status  int
	Error   string
	// Provider and Model are those that answered, or else the last that were called; empty: none was.
	Provider, Model string
	Reserves        []Span
	Attempts        []Attempt
	Usage           Usage
	// FirstToken is when the first content of the answer came; zero: none did.
	FirstToken time.Time
	Finish     string
}

// Outcome is how a request ended.
type Outcome string

// The outcomes.
const (
	Answered       Outcome = "answered"
	Failed         Outcome = "failed"
	Broken         Outcome = "broken" // an error in the middle of a stream
	CallerLeft     Outcome = "caller_left"
	DeadlinePassed Outcome = "deadline_passed"
)

// Span is a piece of time.
type Span struct {
	Start, End time.Time
	Failed     bool
}

// Attempt is one call of a provider.
type Attempt struct {
	Span
	// Key is the id of the provider key. Provider is the id of the provider, or [Custom].
	Key, Provider, Model string
	// System is the provider's name in the semantic conventions.
	System string
	// Answered is the model that the provider says has answered.
	Answered string
	// FirstToken is when the first content came; zero: none did.
	FirstToken time.Time
	// Class and Status are of the failure; Class is empty if the attempt answered.
	Class  string
	Status int
	// RequestID is the provider's name for the call.
	RequestID string
}

// Custom stands for the providers that users name.
const Custom = "custom"

// Usage is what a request used.
type Usage struct {
	Known bool // a provider answered, at least in part
	// Cached and CacheWrite are parts of Input, Reasoning of Output.
	Input, Cached, CacheWrite, Output, Reasoning int64
	Estimated                                    bool
	Nanos                                        int64 // nano-dollars
	Priced                                       bool
}

// Dollars returns the cost.
func (u *Usage) Dollars() float64 { return float64(u.Nanos) / 1e9 }
