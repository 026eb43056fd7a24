package outbound

import (
	"net/netip"
	"slices"
)

// kind is what an address is, as far as it matters who may be connected to it.
type kind uint8

const (
	never    kind = iota // no setting allows it
	public               // of the Internet
	loopback             // of this machine
	private              // of a private network: RFC 1918, RFC 4193
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

var (
	loopbacks = prefixes("127.0.0.0/8", "::1/128")
	privates  = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
	// forbidden are the ranges of IANA's special-purpose registries that no endpoint has, and the addresses at which
	// clouds tell machines their credentials, where those are not link-local.
	forbidden = prefixes(
		"0.0.0.0/8", // connects to this machine on Linux
		"100.64.0.0/10", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"168.63.129.16/32",  // Azure
		"fd00:ec2::/32",     // AWS
		"fd20:ce::/32",      // Google Cloud
		"fd00:42::/32",      // Scaleway
		"64:ff9b::/96",      // IPv4 behind NAT64
		"64:ff9b:1::/48",    // the same, of a local network
		"2001::/23",         // Teredo, benchmarks and other protocols
		"2001:db8::/32",     // documentation
		"2002::/16",         // IPv4 behind 6to4
		"3fff::/20",         // documentation
		"fe80::/10",         // link-local
		"fec0::/10",         // site-local
		"ff00::/8",          // multicast
		"::ffff:0:0:0/96",   // IPv4 behind SIIT
		"::/96", "100::/64", // IPv4-compatible, with the unspecified address; discarded
		"5f00::/16", // segment routing
	)
	unicast6 = netip.MustParsePrefix("2000::/3") // all that is assigned for the Internet
)

// kindOf returns the kind of an address in any of its forms.
func kindOf(a netip.Addr) kind {
	a = a.Unmap().WithZone("")
	within := func(list []netip.Prefix) bool {
		return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	switch {
	case !a.IsValid():
		return never
	case within(loopbacks): // before ::/96, which has ::1
		return loopback
	case within(forbidden), isISATAP(a):
		return never
	case within(privates):
		return private
	case a.Is6() && !unicast6.Contains(a):
		return never
	}
	return public
}

// isISATAP reports whether the interface identifier holds an IPv4 address (RFC 5214).
func isISATAP(a netip.Addr) bool {
	b := a.As16()
	return a.Is6() && b[8]&^3 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
