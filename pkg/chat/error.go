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

// Scope says what a failure is about, and so what may cool down after it.
type Scope string

// The scopes, the narrowest first.
const (
	ScopeRequest   Scope = "request"    // the caller's request: every key would answer the same
	ScopeAttempt   Scope = "attempt"    // this request on this key: other keys may take it, and the key other requests
	ScopeModel     Scope = "model"      // this model on this key
	ScopeKey       Scope = "key"        // the key, whatever the model
	ScopeHostModel Scope = "host_model" // this model at the provider's host, whatever the key
	ScopeHost      Scope = "host"       // the provider's host, whatever the key and the model
)

// Scope returns the narrowest scope that a failure of the class may have. It is that of a failure
// about which nothing else is known.
func (c Class) Scope() Scope {
	switch c {
	case BadKey, OutOfMoney:
		return ScopeKey
	case Forbidden, DailyQuota, RateLimited, ModelUnknown:
		return ScopeModel
	case Overloaded:
		return ScopeHostModel
	case BadToolCall:
		return ScopeAttempt
	case ContextLength, TooLarge, BadRequest, ContentPolicy:
		return ScopeRequest
	}
	return ScopeHost
}

// Error is a failure that a provider reported, or that kept it from reporting.
type Error struct {
	Class Class
	// Scope is what the failure is about. An empty Scope stands for that of the class: see ScopeOf.
	Scope  Scope
	Status int // the provider's HTTP status; 0 if there was none
	// Evidence says that the provider itself reported the failure, in its own error format. Without it
	// the failure says nothing about a key, a model or the request.
	Evidence bool
	// Code, Type and Param are the provider's own words.
	Code, Type, Param string
	// Message is the provider's text with secrets redacted. It may be shown to the
	// caller only if CallerCaused, and is not for logs: it may quote what was sent.
	Message string
	// RetryAfter is the provider's hint; 0 if it gave none.
	RetryAfter time.Duration
	// ResetAt is when the provider says the quota comes back, in Unix milliseconds; 0 if unknown.
	ResetAt int64
	// Limit is how many tokens the model's context or the key's limit has, and Requested how many the
	// request asks for, as the provider says; 0 if unknown.
	Limit, Requested int64
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

// ScopeOf returns the scope of the failure: its own, or that of its class.
func (e *Error) ScopeOf() Scope {
	if e.Scope != "" {
		return e.Scope
	}
	return e.Class.Scope()
}

// CallerCaused reports whether the fault is in the caller's request, so that every
// key of the provider would answer the same.
func (e *Error) CallerCaused() bool {
	return e.ScopeOf() == ScopeRequest && e.Class.Scope() == ScopeRequest
}
