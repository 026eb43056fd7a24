package chat

import (
	"encoding/json"
	"math"
)

// Response is a whole answer.
type Response struct {
	ID      string
	Model   string // as the provider names what answered
	Created int64  // Unix seconds; 0 if the provider does not say
	Choices []Choice
	Usage   *Usage // nil if the provider reported none

	ServiceTier       string
	SystemFingerprint string
}

// Choice is one of the answers; usually there is one.
type Choice struct {
	Index   int
	Message Message // role assistant
	Finish  FinishReason
	// StopSequence is the sequence of Request.Stop that ended the text; empty if none did, or
	// the provider does not say which.
	StopSequence string          `json:",omitempty"`
	Logprobs     json.RawMessage // OpenAI's shape
}

// FinishReason is why an answer ended.
type FinishReason string

// The reasons.
const (
	FinishStop          FinishReason = "stop"
	FinishLength        FinishReason = "length"
	FinishToolCalls     FinishReason = "tool_calls"
	FinishContentFilter FinishReason = "content_filter"
)

// Usage counts tokens by class and the money that the provider says they cost.
type Usage struct {
	Input        int64 // all input, the next three included
	Cached       int64 // read from the provider's cache
	CacheWrite   int64 // written to it, kept for the provider's default time (Anthropic: 5 minutes)
	CacheWrite1h int64 // written to it, kept for an hour
	InputAudio   int64 // of Input
	Output       int64 // all output, the next three included
	Reasoning    int64
	OutputAudio  int64
	OutputImage  int64
	WebSearches  int64 // calls of the provider's web search that are paid for one by one
	// Tier is the service tier or the speed that the usage itself names, if its prices differ from the standard ones.
	Tier string
	// Percent is what the provider charges of its list prices, such as 110 for a region; 0 means all of them.
	Percent int64
	// CostNanos is the cost in nano-dollars that the provider reports (OpenRouter, xAI), if HasCost.
	CostNanos int64
	HasCost   bool
	// Estimated marks counts that the gateway made up because the provider reported none, and those from which the
	// cost does not follow exactly, such as beside a web search that is paid for by the call.
	Estimated bool
}

// Total is Input + Output, at most the largest number that there is.
func (u *Usage) Total() int64 { return u.Input + min(u.Output, math.MaxInt64-max(u.Input, 0)) }

// EventKind is which fields of an Event are used.
type EventKind uint8

// The kinds of events. A stream is: one EventStart; then for each choice content
// events in order and one EventFinish; EventUsage once, anywhere after the start, the
// last one counting; then EventEnd. EventError may come instead of the rest at any place.
const (
	EventStart    EventKind = iota + 1 // ID, Model, Created, ServiceTier, SystemFingerprint
	EventText                          // Text: to append; Phase
	EventReason                        // Text: reasoning to append; State when it is known, in the same or a later event
	EventRefusal                       // Text: to append
	EventCall                          // Call (0, 1, ...), ToolCall with ID and Name; Arguments holds a first piece, usually empty
	EventCallArgs                      // Call, Text: piece of the arguments to append
	EventMedia                         // Media, whole; Part: Image, Audio or File
	EventCitation                      // Citation
	EventLogprobs                      // Raw, OpenAI's shape
	EventFinish                        // Finish; Text: the stop sequence that was met, if known
	EventUsage                         // Usage, the total so far; ServiceTier and Model if they are only known now
	EventEnd                           // nothing: the answer is complete
	EventError                         // Err
)

// Event is one step of a streamed answer.
type Event struct {
	Kind   EventKind
	Choice int
	Text   string

	Call     int // the position of the tool call within the choice
	ToolCall *ToolCall
	Media    *Media
	Part     PartKind // what Media is
	State    *ReasoningState
	Citation *Citation
	Raw      json.RawMessage
	Finish   FinishReason
	Usage    *Usage
	Err      *Error

	Phase                                     string // of the part that the text belongs to
	ID, Model, ServiceTier, SystemFingerprint string
	Created                                   int64
}

// Substantive reports whether the event is part of an answer, so that the key that
// gave it is committed: the start of a stream alone is not, nor is an error.
func (e *Event) Substantive() bool { return e.Kind >= EventText && e.Kind <= EventEnd }
