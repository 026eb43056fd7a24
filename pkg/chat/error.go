package chat

import (
	"strconv"
	"time"
)

// Class is the kind of a failure of a provider or of the connection to it. It decides
// whether the next key is tried, whether the key cools down, and what the caller is told.
type Class string

// The classes.
const (
	BadKey        Class = "bad_key"          // the provider does not know the key
	Forbidden     Class = "forbidden"        // the key may not do this
	OutOfMoney    Class = "out_of_money"     // credit or spending limit is used up
	DailyQuota    Class = "daily_quota"      // the provider's quota for the day is used up
	RateLimited   Class = "rate_limited"     // too fast
	Overloaded    Class = "overloaded"       // the provider cannot take more now
	Transport     Class = "transport"        // no connection, broken answer, 5xx
	Timeout       Class = "timeout"          // no answer in time
	ModelUnknown  Class = "model_unknown"    // this key's provider does not serve the model
	ContextLength Class = "context_too_long" // the input does not fit the model
	TooLarge      Class = "too_large"        // the body is larger than the provider takes
	BadRequest    Class = "bad_request"      // the provider refuses the request as such
	BadToolCall   Class = "bad_tool_call"    // the model wrote a tool call that the provider could not read
	ContentPolicy Class = "content_policy"   // the provider refuses the content
)

// Error is a failure that a provider reported, or that kept it from reporting.
type Error struct {
	Class  Class
	Status int // the provider's HTTP status; 0 if there was none
	// Code, Type and Param are the provider's own words.
	Code, Type, Param string
	// Message is the provider's text with secrets redacted. It may be shown to the
	// caller only if CallerCaused, and is not for logs: it may quote what was sent.
	Message string
	// RetryAfter is the provider's hint; 0 if it gave none.
	RetryAfter time.Duration
	// ResetAt is when the provider says the quota comes back, in Unix milliseconds; 0 if unknown.
	ResetAt int64
	// Cause is for the log; it never holds a secret.
	Cause error
}

func (e *Error) Error() string {
	s := string(e.Class)
	if e.Message != "" {
		return s + ": " + e.Message
	}
	if e.Cause != nil {
		return s + ": " + e.Cause.Error()
	}
	return s
}

// ForLog returns the error without the provider's message, which may quote the request.
func (e *Error) ForLog() string {
	s := "provider: " + string(e.Class)
	if e.Status != 0 {
		s += ", status " + strconv.Itoa(e.Status)
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns Cause.
func (e *Error) Unwrap() error { return e.Cause }

// CallerCaused reports whether the fault is in the caller's request, so that every
// key of the provider would answer the same.
func (e *Error) CallerCaused() bool {
	switch e.Class {
	case BadRequest, ContextLength, TooLarge, ContentPolicy:
		return true
	}
	return false
}
