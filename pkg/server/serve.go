package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Handler serves the routes of one group, and answers 404 to everything else.
func (a *App) Handler(group Group) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.Serve(group, w, r) })
}

// ServeHTTP serves the whole route table.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var group Group
	if e, _, _ := a.table.findOf(a.dialects, r.URL.EscapedPath()); e != nil {
		group = e.group
	}
	a.Serve(group, w, r)
}

// Serve answers a request whose route has to be in the group. It panics only to abort an answer that has
// begun and cannot be finished.
func (a *App) Serve(group Group, w http.ResponseWriter, r *http.Request) {
	e, rest, path := a.table.findOf(a.dialects, r.URL.EscapedPath())
	c := a.newCall(w, r, path)
	if e != nil && group.serves(e.group) {
		c.endpoint, c.path = e, rest
	}
	defer a.finish(c)
	defer a.recover(c)

	c.secure()
	a.sharing.head(c)
	if err := a.dispatch(c); err != nil {
		a.fail(c, err)
	}
}

// newCall returns the call of a request; path is the canonical one.
func (a *App) newCall(w http.ResponseWriter, r *http.Request, path string) *call {
	begun := a.Now()
	c := &call{
		w: newResponse(w, r, a.Config.Limits.Write), r: r, id: store.NewID(begun.UnixMilli()), begun: begun,
		budget: a.budget, bodyTimeout: a.Config.Limits.BodyProgress,
	}
	c.dialect, c.claimed = a.dialects.of(path, r.Header)
	c.client, c.proxied = a.proxies.client(r)
	a.warnOfUnlistedProxy(r)
	if r.ContentLength != 0 {
		// For the rest of a body that no handler reads: the server reads it before the next request.
		c.w.control.SetReadDeadline(time.Now().Add(c.bodyTimeout))
	}
	return c
}

// dispatch answers requests without a route, and preflights; other requests it authorizes and passes to the
// handler of their route.
func (a *App) dispatch(c *call) error {
	if err := a.checkVia(c); err != nil {
		return err
	}
	e := c.endpoint
	if e == nil {
		return a.unknown(c)
	}
	if c.r.Method == http.MethodOptions {
		return preflight(c)
	}
	route := e.route(c.r.Method)
	if route == nil && c.r.Method == http.MethodPost && c.dialect != a.dialects.own && e.group == Chat {
		// An SDK with a wrong base URL: /api/chat/completions could be the name of a job, but there is no POST to those.
		return a.unknown(c)
	}
	if route == nil {
		c.w.Header().Set("Allow", e.allow)
		return fault.New(fault.MethodNotAllowed, "the method %s is not allowed here; these are: %s",
			printable(c.r.Method), e.allow)
	}
	if background(e.group) {
		c.r = c.r.WithContext(store.Background(c.r.Context()))
	}
	if err := a.authorize(c, route); err != nil {
		return err
	}
	if err := a.checkParameters(c, route); err != nil {
		return err
	}
	return route.handle(a, c)
}

// background reports whether requests of the group leave connections of the database to those of callers.
func background(g Group) bool {
	switch g {
	case Keys, Tokens, Auth, Usage:
		return true
	}
	return false
}

// secure sets the headers that every answer carries.
func (c *call) secure() {
	h := c.w.Header()
	id := []string{c.requestID()}
	h["X-Request-Id"] = id
	if name := c.dialect.RequestIDHeader; name != "" {
		h[name] = id
	}
	h["X-Content-Type-Options"] = nosniff
	h["Cache-Control"] = noStore
	h["Content-Security-Policy"] = noFrames
	if c.tls() {
		h["Strict-Transport-Security"] = hsts
	}
}

// recover answers 500, without details, after a panic.
func (a *App) recover(c *call) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	a.Log.Error("panic", "request", c.requestID(), "what", fmt.Sprint(v), "stack", string(debug.Stack()))
	if c.w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	a.fail(c, fault.From(fmt.Errorf("panic: %v", v)))
}

// finish releases what the call holds, and writes the access log. The log has no bodies, query strings, paths
// that are not the table's, or whole addresses.
func (a *App) finish(c *call) {
	c.releaseBody()
	level, pattern := slog.LevelInfo, "unknown"
	if c.endpoint != nil {
		pattern = c.endpoint.routes[0].Pattern
		if c.endpoint.group == Health {
			level = slog.LevelDebug
		}
	}
	if a.OnServed != nil {
		a.OnServed(Served{Route: pattern, Method: printable(c.r.Method), Status: c.w.status})
	}
	ctx := c.r.Context()
	if !a.Log.Enabled(ctx, level) {
		return
	}
	a.Log.LogAttrs(ctx, level, "request",
		slog.String("request", c.requestID()),
		slog.String("method", printable(c.r.Method)),
		slog.String("route", pattern),
		slog.Int("status", c.w.status),
		slog.Int64("bytes", c.w.bytes),
		slog.Int64("ms", a.Now().Sub(c.begun).Milliseconds()),
		slog.String("client", truncated(c.client)),
	)
}

// Served describes an answer.
type Served struct {
	Route  string // the first pattern of the route, or "unknown"
	Method string // "other" for an unknown one
	Status int    // 0: the connection was closed instead
}

// printable returns a method as it may be logged: a caller may send any word.
func printable(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT":
		return method
	}
	return "other"
}
