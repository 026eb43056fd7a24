// Package fault defines the error that clients of the gateway see: a code, a status and
// a safe message. The cause is for the log alone.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Code is the error code of the gateway's own interface.
type Code string

// The codes.
const (
	Validation       Code = "VALIDATION_ERROR"
	Unauthorized     Code = "UNAUTHORIZED"
	Forbidden        Code = "FORBIDDEN"
	NotFound         Code = "NOT_FOUND"
	MethodNotAllowed Code = "METHOD_NOT_ALLOWED"
	Conflict         Code = "CONFLICT"
	Gone             Code = "GONE"
	TooLarge         Code = "PAYLOAD_TOO_LARGE"
	UnsupportedMedia Code = "UNSUPPORTED_MEDIA_TYPE"
	HeadersTooLarge  Code = "HEADERS_TOO_LARGE"
	RequestTimeout   Code = "REQUEST_TIMEOUT"
	RateLimit        Code = "RATE_LIMIT_EXCEEDED"
	NoEligibleKey    Code = "NO_ELIGIBLE_KEY"
	LoopDetected     Code = "LOOP_DETECTED" // the gateway called itself
	Provider         Code = "PROVIDER_ERROR"
	ProviderTimeout  Code = "PROVIDER_TIMEOUT"
	Unavailable      Code = "UNAVAILABLE"
	Internal         Code = "INTERNAL"
	Cancelled        Code = "CANCELLED" // the caller left; nobody reads it
)

// Status returns the HTTP status of the code.
func (c Code) Status() int {
	switch c {
	case Validation, NoEligibleKey, LoopDetected: // SDKs and other gateways try again after 508
		return 400
	case Unauthorized:
		return 401
	case Forbidden:
		return 403
	case NotFound:
		return 404
	case MethodNotAllowed:
		return 405
	case RequestTimeout:
		return 408
	case Conflict:
		return 409
	case Gone:
		return 410
	case TooLarge:
		return 413
	case UnsupportedMedia:
		return 415
	case RateLimit:
		return 429
	case HeadersTooLarge:
		return 431
	case Cancelled:
		return 499
	case Provider:
		return 502
	case Unavailable:
		return 503
	case ProviderTimeout:
		return 504
	}
	return 500
}

// Error is what went wrong. Everything but Err may be shown to the caller.
type Error struct {
	Code    Code
	Message string
	// Details is encoded as JSON beside the message; nil leaves it out.
	Details any
	// RetryAfter, if positive, becomes the Retry-After header, rounded up to seconds.
	RetryAfter time.Duration
	// Err is the cause, for the log alone.
	Err error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Err.Error()
	}
	return string(e.Code) + ": " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error with a message for the caller.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an error as New does, with a cause for the log.
func Wrap(err error, code Code, format string, args ...any) *Error {
	e := New(code, format, args...)
	e.Err = err
	return e
}

// From returns the Error in err's chain; any other error becomes Internal with a
// message without details.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Wrap(err, Internal, "something went wrong inside the gateway; the request id finds it in the log")
}

// Issue is one thing wrong with a request's body.
type Issue struct {
	Path    string `json:"path"` // such as "messages[2].content"; empty for the body itself
	Message string `json:"message"`
}

// Issues collects what is wrong with a body; the zero value is ready.
type Issues []Issue

// Add notes one issue.
func (is *Issues) Add(path, format string, args ...any) {
	*is = append(*is, Issue{path, fmt.Sprintf(format, args...)})
}

// Err returns nil if there are no issues, else a Validation error whose details are
// {"issues": [...]} and whose message names the first.
func (is Issues) Err() error {
	if len(is) == 0 {
		return nil
	}
	msg := is[0].Message
	if is[0].Path != "" {
		msg = is[0].Path + ": " + msg
	}
	if n := len(is) - 1; n > 0 {
		msg += fmt.Sprintf(" (and %d more)", n)
	}
	return &Error{Code: Validation, Message: msg, Details: map[string]any{"issues": []Issue(is)}}
}
