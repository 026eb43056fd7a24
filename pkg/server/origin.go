package server

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
)

// crossSite says whether a web page of another origin made the browser send the request. Programs
// send neither header, and are no danger: they have no cookies of other people.
//
// Sec-Fetch-Site is the browser's own verdict and cannot be set by a page. Browsers send it
// only to trustworthy addresses (https, localhost), so Origin has to do elsewhere. Both are asked,
// because a wrong answer here is worth more to an attacker than a proxy that rewrites Host
// is to anyone: such a proxy has to say what Host was (TRUSTED_PROXIES).
func (c *call) crossSite() bool {
	switch c.r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return true
	}
	origin := c.r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return true // "null", too: a sandboxed or file page
	}
	if c.tls() && u.Scheme != "https" {
		return true // whoever can write into the plain page of the same name is not the gateway
	}
	return !sameHost(u, c.host())
}

// sameHost compares an origin with a Host header; either may leave out the scheme's port.
func sameHost(origin *url.URL, host string) bool {
	withPort := func(h string) string {
		h = strings.ToLower(h)
		if _, _, err := net.SplitHostPort(h); err == nil {
			return h
		}
		if origin.Scheme == "https" {
			return net.JoinHostPort(strings.Trim(h, "[]"), "443")
		}
		return net.JoinHostPort(strings.Trim(h, "[]"), "80")
	}
	return host != "" && withPort(origin.Host) == withPort(host)
}

// refuseCrossSite is for what changes state on a browser's own authority.
func (c *call) refuseCrossSite() error {
	if c.crossSite() {
		return fault.New(fault.Forbidden, "this request comes from a page of another site (its Origin is not this Host); "+
			"if a proxy stands before the gateway, list it in TRUSTED_PROXIES and have it send X-Forwarded-Host")
	}
	return nil
}

// safe says whether the method changes nothing.
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
