package config

import (
	"net/netip"

	"github.com/alicetears/llm-gateway/pkg/outbound"
)

// customEndpoints reads where custom endpoints may be. A gateway that only its own machine can call is a developer's: the
// servers of models are there, too.
func (r *reader) customEndpoints(host string) outbound.Policy {
	const name = outbound.Variable
	policy := outbound.Policy{Admins: outbound.Public, Users: outbound.Public}
	switch value, st := r.lookup(name); {
	case st == set:
		var ok bool
		if policy, ok = outbound.ParsePolicy(value); !ok {
			r.problem(name, "is not one of its values", "set it to off, public, loopback, private, loopback:users or private:users")
		} else if r.platform == PlatformFunctions && policy.Admins > outbound.Public {
			r.problem(name, "allows addresses that functions do not have", "set it to public, or to off")
		}
	case r.platform == PlatformBinary && isLoopback(host):
		policy.Admins = outbound.Loopback
	}
	policy.ViaProxy = r.choice("CUSTOM_ENDPOINTS_VIA_PROXY", "false", "true") == "true"
	return policy
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}
