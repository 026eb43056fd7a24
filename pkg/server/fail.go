package server

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/redact"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// databaseRetry is the Retry-After of an answer that fails because the database does not answer.
const databaseRetry = 5 * time.Second

// faultOf returns what the caller is told of an error. It is the only place that decides it.
func (c *call) faultOf(err error) *fault.Error {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.NotFound, "there is no such object")
	case c.r.Context().Err() != nil && errors.Is(err, context.Canceled):
		return fault.Wrap(err, fault.Cancelled, "the caller left")
	case store.CodeOf(err) == store.CodeReference:
		// Another request deleted the object at the same time.
		return fault.Wrap(err, fault.NotFound, "there is no such object any more")
	}
	if condition := store.Condition(err); condition != "" {
		return unavailable(err, condition)
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
	if c.shared() && (f.RetryAfter <= 0 || f.RetryAfter > maxSDKRetryAfter) {
		// The gateway has retried already: another attempt of an SDK's own is of no use.
		c.w.Header().Set("X-Should-Retry", "false")
	}
	var limited *gateway.LimitedError
	if errors.As(f, &limited) {
		c.tellRateLimits(limited.Limits)
	}
	writeFault(c.w, f, c.dialect, c.requestID())
}

// maxSDKRetryAfter is the longest Retry-After that the official SDKs obey.
const maxSDKRetryAfter = time.Minute

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

// writeFault answers with an error in the dialect.
func writeFault(w *response, f *fault.Error, d *dialect.Dialect, requestID string) {
	h := w.Header()
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10))
	}
	if f.Code == fault.Unauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="llm-gateway"`)
	}
	if f.Code == fault.TooLarge || f.Code == fault.RequestTimeout {
		w.closeAfter()
	}
	h["Content-Type"] = jsonType
	status := f.Code.Status()
	if d.Status != nil {
		status = d.Status(f)
	}
	w.WriteHeader(status)
	w.Write(d.Errors.EncodeError(f, requestID))
}
