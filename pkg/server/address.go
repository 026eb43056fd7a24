package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/config"
)

// proxies decides whom to believe about where a request comes from.
type proxies struct {
	platform config.Platform
	trusted  []netip.Prefix
}

// client is the address of the request's sender. trusted says that the peer may speak for it in headers,
// also about host and scheme.
//
// Vercel overwrites X-Forwarded-For with the sender's address
// (vercel.com/docs/headers/request-headers), and what its own proxies append comes after
// it, so there the first entry counts. Elsewhere the entries are read from the right, as long as
// each was written by a proxy that the operator trusts.
func (p proxies) client(r *http.Request) (addr netip.Addr, trusted bool) {
	peer := parseAddress(r.RemoteAddr)
	if p.platform == config.PlatformFunctions {
		first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
		if addr := parseAddress(first); addr.IsValid() {
			return addr, true
		}
		return peer, true
	}
	if !p.trusts(peer) {
		return peer, false
	}
	addr = peer
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next := parseAddress(hop)
		if !next.IsValid() {
			break
		}
		addr = next
		if !p.trusts(addr) {
			break
		}
	}
	return addr, true
}

// unlisted reports whether the request seems to come through a proxy that is not listed: its peer is not trusted, and
// headers speak for somebody else. They are ignored, so that all who come that way share one address.
func (p proxies) unlisted(r *http.Request) bool {
	if p.platform == config.PlatformFunctions || p.trusts(parseAddress(r.RemoteAddr)) {
		return false
	}
	for _, name := range [...]string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// warnOfUnlistedProxy logs, once in a process, that forwarding headers are ignored.
func (a *App) warnOfUnlistedProxy(r *http.Request) {
	if a.warnedOfProxy.Load() || !a.proxies.unlisted(r) || !a.warnedOfProxy.CompareAndSwap(false, true) {
		return
	}
	a.Log.Warn("headers that name another sender are ignored, because the peer is not in TRUSTED_PROXIES; if it is your proxy, list it there",
		"peer", parseAddress(r.RemoteAddr).String())
}

func (p proxies) trusts(addr netip.Addr) bool {
	return addr.IsValid() && slices.ContainsFunc(p.trusted, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}

// parseAddress reads an address with or without a port; the zero Addr if it is none.
func parseAddress(s string) netip.Addr {
	s = strings.TrimSpace(s)
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

// network is the address as throttles count it: whoever has an IPv6 address has its whole /64.
func network(addr netip.Addr) string {
	if addr.Is6() {
		prefix, err := addr.Prefix(64)
		if err == nil {
			return prefix.String()
		}
	}
	if !addr.IsValid() {
		return "unknown"
	}
	return addr.String()
}

// truncated is the address as logs show it: good for telling networks apart, not persons.
func truncated(addr netip.Addr) string {
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}

// tls says whether the client came by TLS.
func (c *call) tls() bool { return byTLS(c.r, c.proxied) }

func byTLS(r *http.Request, proxied bool) bool {
	return r.TLS != nil || proxied && strings.EqualFold(lastOf(r.Header.Get("X-Forwarded-Proto")), "https")
}

// SetHSTS sets Strict-Transport-Security if the request came by TLS, for what is served outside of an [App].
func SetHSTS(cfg *config.Config, h http.Header, r *http.Request) {
	if _, proxied := (proxies{platform: cfg.Platform, trusted: cfg.TrustedProxies}).client(r); byTLS(r, proxied) {
		h["Strict-Transport-Security"] = hsts
	}
}

// host is the host that the client asked for.
func (c *call) host() string {
	if c.proxied {
		if h := lastOf(c.r.Header.Get("X-Forwarded-Host")); h != "" {
			return h
		}
	}
	return c.r.Host
}

// lastOf is the entry of a list that the nearest proxy wrote.
func lastOf(list string) string {
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}
