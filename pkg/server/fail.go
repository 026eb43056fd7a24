package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/redact"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// databaseRetry is when a caller may ask again after the database did not answer.
const databaseRetry = 5 * time.Second

// faultOf is what the caller is told of an error. It is the only place that decides it.
func (c *call) faultOf(err error) *fault.Error {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.NotFound, "there is no such object")
	case c.r.Context().Err() != nil && errors.Is(err, context.Canceled):
		return fault.Wrap(err, fault.Cancelled, "the caller left")
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable(err, "this took too long; try again shortly")
	}
	switch store.CodeOf(err) {
	case store.CodeUnavailable, store.CodeDeadlock:
		return unavailable(err, "the database does not answer; try again shortly")
	case store.CodeFull:
		return unavailable(err, "the database takes no more data")
	case store.CodeReference:
		// What the request was about was deleted at the same time.
		return fault.Wrap(err, fault.NotFound, "there is no such object any more")
	}
	return fault.From(err)
}

func unavailable(err error, message string) *fault.Error {
	f := fault.Wrap(err, fault.Unavailable, "%s", message)
	f.RetryAfter = databaseRetry
	return f
}

// fail answers with an error, unless the answer has begun.
func (a *App) fail(c *call, err error) {
	f := c.faultOf(err)
	a.logFault(c, f)
	if c.w.status != 0 {
		return
	}
	if a.Config.Platform == config.PlatformFunctions {
		c.drain()
	}
	if c.shared() && (f.RetryAfter <= 0 || f.RetryAfter > patienceOfSDKs) {
		// The gateway has tried what can be tried; SDKs that try again only wait longer.
		c.w.Header().Set("X-Should-Retry", "false")
	}
	writeFault(c.w, f, a.speaker(c), c.requestID())
}

// patienceOfSDKs is the longest Retry-After that the official SDKs heed.
const patienceOfSDKs = time.Minute

func (a *App) logFault(c *call, f *fault.Error) {
	if f.Err == nil {
		return
	}
	level := slog.LevelDebug
	switch {
	case f.Code == fault.Internal:
		level = slog.LevelError
	case f.Code == fault.Unavailable:
		level = slog.LevelWarn
	}
	if a.Log.Enabled(c.r.Context(), level) {
		a.Log.Log(c.r.Context(), level, "failed", "request", c.requestID(), "code", string(f.Code), "cause", causeOf(f.Err))
	}
}

func causeOf(err error) string {
	var failure *chat.Error
	if errors.As(err, &failure) {
		return redact.Text(failure.ForLog())
	}
	return redact.Text(err.Error())
}

// ownStatus is a dialect that has statuses of its own.
type ownStatus interface{ Status(*fault.Error) int }

// writeFault tells an error in the caller's dialect.
func writeFault(w http.ResponseWriter, f *fault.Error, speaker dialect.Server, requestID string) {
	h := w.Header()
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10))
	}
	if f.Code == fault.Unauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="llm-gateway"`)
	}
	if f.Code == fault.TooLarge || f.Code == fault.RequestTimeout {
		h.Set("Connection", "close") // the rest of the body is not worth reading
	}
	h["Content-Type"] = jsonType
	status := f.Code.Status()
	if own, ok := speaker.(ownStatus); ok {
		status = own.Status(f)
	}
	w.WriteHeader(status)
	w.Write(speaker.EncodeError(f, requestID))
}
