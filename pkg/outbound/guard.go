// Package outbound keeps connections to URLs that a user has named from reaching what the user may not reach: the machine
// of the gateway, its network, the metadata services of clouds. The address is checked when the connection is made, after
// its name was resolved, so that no spelling of a URL and no change of a name's addresses gets around the check.
package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Reach is which addresses connections may go to. Each includes those before it.
type Reach uint8

// The reaches.
const (
	Off Reach = iota
	Public
	Loopback
	Private
)

// The values of CUSTOM_ENDPOINTS, beside those that end in UsersSuffix.
var names = [...]string{Off: "off", Public: "public", Loopback: "loopback", Private: "private"}

func (r Reach) String() string { return names[r] }

// UsersSuffix, after loopback and private, says that the keys of all users reach them.
const UsersSuffix = ":users"

// Variable is the environment variable that holds the policy.
const Variable = "CUSTOM_ENDPOINTS"

// Policy says who reaches what.
type Policy struct {
	Admins, Users Reach
	// ViaProxy sends requests through the proxy of the environment, which resolves names itself: it has to keep
	// connections from where they may not go.
	ViaProxy bool
}

// ParsePolicy reads a value of CUSTOM_ENDPOINTS.
func ParsePolicy(s string) (p Policy, ok bool) {
	for reach, name := range names {
		r := Reach(reach)
		switch {
		case s == name:
			return Policy{Admins: r, Users: min(r, Public)}, true
		case s == name+UsersSuffix && r > Public:
			return Policy{Admins: r, Users: r}, true
		}
	}
	return Policy{}, false
}

// String returns the value of CUSTOM_ENDPOINTS.
func (p Policy) String() string {
	if p.Users > Public {
		return p.Users.String() + UsersSuffix
	}
	return p.Admins.String()
}

// Of returns what the keys of an admin, or of another user, reach.
func (p Policy) Of(admin bool) Reach {
	if admin {
		return p.Admins
	}
	return p.Users
}

// RefusedError says that an address may not be connected to. It does not tell the address: a user could learn from it
// how names resolve in the network of the gateway.
type RefusedError struct {
	Problem string // what the address is
	Fix     string // what to set; empty: nothing allows it
}

func (e *RefusedError) Error() string {
	if e.Fix == "" {
		return e.Problem + ", to which no setting allows custom endpoints to connect"
	}
	return e.Problem + ": " + e.Fix
}

// Guard checks addresses. It is safe for concurrent use.
type Guard struct {
	mu  sync.RWMutex
	own []netip.AddrPort
	// local returns the addresses of this machine.
	local func() ([]net.Addr, error)
}

// NewGuard returns a Guard.
func NewGuard() *Guard { return &Guard{local: net.InterfaceAddrs} }

// Listens says that the process listens at the address: no connection may go there.
func (g *Guard) Listens(addr net.Addr) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return
	}
	a := tcp.AddrPort()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.own = append(g.own, netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port()))
}

// Dialer returns a dialer whose connections stay within the reach.
func (g *Guard) Dialer(reach Reach, timeout, keepAlive time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, KeepAlive: keepAlive,
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return g.check(reach, network, address)
		}}
}

func (g *Guard) check(reach Reach, network, address string) error {
	if network != "tcp4" && network != "tcp6" {
		return &RefusedError{Problem: "the connection is none of TCP"}
	}
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return &RefusedError{Problem: "the address cannot be read"}
	}
	if err := Check(reach, a.Addr()); err != nil {
		return err
	}
	if g.isOwn(a) {
		return &RefusedError{Problem: "the endpoint is this gateway itself"}
	}
	return nil
}

// isOwn reports whether the process itself listens at the address, which is of this machine.
func (g *Guard) isOwn(a netip.AddrPort) bool {
	addr := a.Addr().Unmap().WithZone("")
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, own := range g.own {
		switch {
		case own.Port() != a.Port():
		case own.Addr() == addr, addr.IsLoopback() && own.Addr().IsLoopback():
			return true
		case own.Addr().IsUnspecified() && (addr.IsLoopback() || g.isLocal(addr)):
			return true
		}
	}
	return false
}

func (g *Guard) isLocal(addr netip.Addr) bool {
	list, err := g.local()
	if err != nil {
		return true
	}
	for _, l := range list {
		if p, err := netip.ParsePrefix(l.String()); err == nil && p.Addr().Unmap().WithZone("") == addr {
			return true
		}
	}
	return false
}

// Check returns a *RefusedError if addresses like this one are beyond the reach.
func Check(reach Reach, a netip.Addr) error {
	if reach == Off {
		return &RefusedError{Problem: "custom endpoints are turned off", Fix: "the operator can set " + Variable + "=public"}
	}
	switch kindOf(a) {
	case public:
		return nil
	case loopback:
		if reach >= Loopback {
			return nil
		}
		return beyond("a loopback address", Loopback)
	case private:
		if reach >= Private {
			return nil
		}
		return beyond("an address of a private network", Private)
	}
	return &RefusedError{Problem: "the endpoint has a link-local, metadata or otherwise reserved address"}
}

func beyond(what string, needed Reach) error {
	return &RefusedError{Problem: "the endpoint has " + what,
		Fix: fmt.Sprintf("the operator can set %s=%s for keys of admins, or %s=%s%s for those of all users",
			Variable, needed, Variable, needed, UsersSuffix)}
}
