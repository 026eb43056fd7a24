package server

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
)

// crossSite reports whether a web page of another origin made the browser send the request. Programs send neither of the
// two headers, and hold no cookies of other people.
//
// A page cannot set Sec-Fetch-Site. Browsers send it only to trustworthy addresses (https, localhost:
// w3.org/TR/fetch-metadata), so that Origin has to suffice elsewhere. Both must agree, although a proxy that rewrites Host
// then has to send the original in X-Forwarded-Host (TRUSTED_PROXIES): a false negative would be worse.
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
		return true // also "null", the origin of a sandboxed page or a file
	}
	if c.tls() && u.Scheme != "https" {
		return true // an attacker on the network can change a page of the same name that comes without TLS
	}
	return !sameHost(u, c.host())
}

// sameHost compares an origin with a Host header. Either may omit the default port of the scheme.
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

// refuseCrossSite protects requests that change state and that a browser authenticates by itself.
func (c *call) refuseCrossSite() error {
	if c.crossSite() {
		return fault.New(fault.Forbidden, "this request comes from a page of another site (its Origin is not this Host); "+
			"if a proxy stands before the gateway, list it in TRUSTED_PROXIES and have it send X-Forwarded-Host")
	}
	return nil
}

// safe reports whether the method changes no state (RFC 9110, 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
