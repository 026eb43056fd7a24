package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/provider"
)

// lookupTime bounds the lookup of the host of a base URL.
const lookupTime = 2 * time.Second

// callsItself returns the providers whose base URL is an address of this machine with the port on which the gateway
// listens. Tools want a variable such as OPENAI_BASE_URL with the gateway's address; a gateway that is started with it
// has itself for a provider.
func callsItself(ctx context.Context, providers []*provider.Provider, port int) []*provider.Provider {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	var found []*provider.Provider
	for _, p := range providers {
		if p.Elsewhere() && leadsHere(ctx, p.BaseURL, port) {
			found = append(found, p)
		}
	}
	return found
}

func leadsHere(ctx context.Context, base string, port int) bool {
	u, err := url.Parse(base)
	if err != nil || portOf(u) != strconv.Itoa(port) {
		return false
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return false
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, addr := range addrs {
		if addr = addr.Unmap(); addr.IsLoopback() || addr.IsUnspecified() || contains(own, addr) {
			return true
		}
	}
	return false
}

func contains(own []net.Addr, addr netip.Addr) bool {
	for _, a := range own {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == addr {
			return true
		}
	}
	return false
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// ownAddressProblem says what is wrong with the base URL of a provider that is the gateway itself.
func ownAddressProblem(p *provider.Provider) string {
	name := strings.ToUpper(p.ID) + "_BASE_URL"
	return fmt.Sprintf("%s is the address of this gateway itself, so requests for %s come back to it and are refused: "+
		"unset it for the gateway, or set it to the provider's address", name, p.Name)
}
