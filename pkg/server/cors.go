package server

import (
	"net/http"
	"slices"
	"strings"
)

// sharing writes the CORS headers (fetch.spec.whatwg.org, 3.2). Routes of AnyOrigin are for
// bearer tokens: credentials are never allowed, so a page of another site can use no cookie.
type sharing struct {
	origins []string // empty or "*": any
}

// exposed are the headers that a page may read.
const exposed = "X-Request-ID, Request-ID, X-LLM-Provider, X-LLM-Model, X-LLM-Key-ID, X-LLM-Latency-Ms, X-LLM-Warnings, X-LLM-Steered-From, X-LLM-Alias, X-LLM-Attempts, " +
	"X-Should-Retry, Retry-After, Location, Preference-Applied"

const exposeHeader = "Access-Control-Expose-Headers"

// preflightAge is how long browsers may remember a preflight, in seconds.
const preflightAge = "7200"

// head sets the headers that every answer of a shared route needs, errors included.
func (s sharing) head(c *call) {
	if !c.shared() {
		return
	}
	origin := c.r.Header.Get("Origin")
	allowed := s.allowed(origin)
	h := c.w.Header()
	if allowed != "*" {
		h.Add("Vary", "Origin")
	}
	if origin == "" || allowed == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", allowed)
	h.Set(exposeHeader, exposed)
}

// allowed returns the value of Access-Control-Allow-Origin, empty if the origin may not read the answer.
func (s sharing) allowed(origin string) string {
	if len(s.origins) == 0 || s.origins[0] == "*" {
		return "*"
	}
	if slices.Contains(s.origins, strings.ToLower(origin)) {
		return origin
	}
	return ""
}

// shared says whether pages of other sites may read the answer.
func (c *call) shared() bool {
	if c.endpoint == nil {
		return c.claimed // so that a page can read the error
	}
	return c.endpoint.sharing == AnyOrigin
}

// preflight answers OPTIONS.
func preflight(c *call) error {
	e, h := c.endpoint, c.w.Header()
	h.Set("Allow", e.allow)
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", e.allow)
		h.Add("Vary", "Access-Control-Request-Headers")
		if asked := headerNames(strings.Join(c.r.Header.Values("Access-Control-Request-Headers"), ",")); asked != "" {
			h.Set("Access-Control-Allow-Headers", asked)
		}
		h.Set("Access-Control-Max-Age", preflightAge)
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// headerNames returns a list of header names as it may be reflected, or "" if it is something else.
func headerNames(list string) string {
	if len(list) > 4096 {
		return ""
	}
	for _, r := range list {
		if !(r == ',' || r == ' ' || isTokenRune(r)) {
			return ""
		}
	}
	return list
}

// isTokenRune says whether r may stand in a header's name (RFC 9110, 5.6.2).
func isTokenRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
