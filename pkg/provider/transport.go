package provider

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/alicetears/llm-gateway/pkg/outbound"
)

// maxCustomIdle is how many idle connections are kept for each custom endpoint.
const maxCustomIdle = 16

// customTransports are those of custom endpoints. Each reach has its own, so that a connection that one user may open is
// never used for another who may not.
type customTransports struct {
	direct  map[outbound.Reach]*http.Transport
	proxied *http.Transport // nil: there is no proxy for them
}

func newCustomTransports(cfg *ClientConfig, plain *net.Dialer) customTransports {
	custom := *cfg
	custom.IdleConns = maxCustomIdle
	t := customTransports{direct: map[outbound.Reach]*http.Transport{}}
	for _, reach := range []outbound.Reach{outbound.Public, outbound.Loopback, outbound.Private} {
		dialer := cfg.Guard.Dialer(reach, cfg.ConnectTimeout, keepAlive)
		t.direct[reach] = newTransport(&custom, dialer, nil)
		t.direct[reach].MaxIdleConns = 256 // users name as many hosts as they like
	}
	if cfg.CustomViaProxy {
		t.proxied = newTransport(&custom, plain, http.ProxyFromEnvironment)
		t.proxied.MaxIdleConns = 256
	}
	return t
}

func (t *customTransports) close() {
	for _, direct := range t.direct {
		direct.CloseIdleConnections()
	}
	if t.proxied != nil {
		t.proxied.CloseIdleConnections()
	}
}

// of returns the transport for a request to a custom endpoint.
func (t *customTransports) of(reach outbound.Reach, target *url.URL) (*http.Transport, error) {
	direct := t.direct[reach]
	if direct == nil {
		return nil, outbound.Check(outbound.Off, netip.Addr{})
	}
	if t.proxied == nil {
		return direct, nil
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: target})
	if err != nil || proxy == nil { // NO_PROXY, or localhost
		return direct, err
	}
	if a, err := netip.ParseAddr(target.Hostname()); err == nil {
		if err := outbound.Check(reach, a); err != nil {
			return nil, err
		}
	}
	return t.proxied, nil
}

func (c *Client) roundTrip(p *Provider, req *http.Request) (*http.Response, error) {
	if !p.custom {
		return c.transport.RoundTrip(req)
	}
	transport, err := c.custom.of(p.reach, req.URL)
	if err != nil {
		return nil, err
	}
	return transport.RoundTrip(req)
}
