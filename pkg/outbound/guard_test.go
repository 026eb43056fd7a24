package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// spellings are URLs of addresses that a user without special rights must not reach.
var spellings = []string{
	// This machine.
	"http://127.0.0.1", "http://127.0.0.1:80", "http://127.1", "http://127.0.1", "http://127.255.255.254", "http://127.0.0.1.",
	"http://2130706433", "http://0x7f000001", "http://0x7f.0.0.1", "http://0177.0.0.1", "http://017700000001", "http://0x7f.1",
	"http://127.0x0.0.1", "http://localhost", "http://LOCALHOST", "http://localhost.", "http://foo.localhost",
	"http://[::1]", "http://[0:0:0:0:0:0:0:1]", "http://[0000::0001]", "http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]",
	"http://[::127.0.0.1]", "http://[::ffff:0:127.0.0.1]", "http://[64:ff9b::127.0.0.1]", "http://[64:ff9b::7f00:1]",
	"http://[64:ff9b:1::7f00:1]", "http://[2002:7f00:1::]", "http://[2002:7f00:0001::1]", "http://[::1%25lo]",
	"http://①②⑦.⓪.⓪.①", "http://127。0。0。1", "http://１２７.0.0.1",
	// Any address, which is this machine.
	"http://0.0.0.0", "http://0", "http://0.1.2.3", "http://[::]", "http://[::ffff:0.0.0.0]", "http://00000000",
	// Metadata and link-local.
	"http://169.254.169.254", "http://169.254.169.254:80", "http://2852039166", "http://0xa9fea9fe", "http://0xa9.254.169.254",
	"http://0251.0376.0251.0376", "http://[::ffff:169.254.169.254]", "http://[::ffff:a9fe:a9fe]", "http://[::169.254.169.254]",
	"http://[64:ff9b::a9fe:a9fe]", "http://[2002:a9fe:a9fe::]", "http://[fd00:ec2::254]", "http://[fd20:ce::254]",
	"http://[fe80::a9fe:a9fe]", "http://[fe80::1%25eth0]", "http://169.254.170.2", "http://100.100.100.200", "http://192.0.0.192",
	"http://168.63.129.16", "http://[2001:4860:0:0:0:5efe:169.254.169.254]",
	// Private networks, and what is nobody's.
	"http://10.0.0.1", "http://10.1", "http://172.16.0.1", "http://172.31.255.255", "http://192.168.1.1", "http://192.168.257",
	"http://3232235777", "http://[::ffff:10.0.0.1]", "http://[fc00::1]", "http://[fd12:3456::1]", "http://[fec0::1]",
	"http://100.64.0.1", "http://100.127.255.254", "http://198.18.0.1", "http://192.0.2.1", "http://203.0.113.9",
	"http://224.0.0.1", "http://239.255.255.250", "http://255.255.255.255", "http://240.0.0.1", "http://[ff02::1]",
	"http://[2001:db8::1]", "http://[2001:0:7f00:1::]", "http://[100::1]", "http://[3fff::1]", "http://[5f00::1]", "http://[4000::1]",
}

// No spelling gets a connection: either the address is refused, or nothing resolves it. A listener on the loopback would
// answer, so that a hole would be a success.
func TestNoSpellingReachesAForbiddenAddress(t *testing.T) {
	if len(spellings) < 60 {
		t.Fatalf("only %d spellings", len(spellings))
	}
	var reached atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) })}
	go server.Serve(l)
	defer server.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	transport := &http.Transport{DialContext: NewGuard().Dialer(Public, time.Second, time.Second).DialContext, DisableKeepAlives: true}
	for _, s := range spellings {
		url := s
		if host := strings.TrimPrefix(s, "http://"); !strings.HasSuffix(host, ":80") {
			url += ":" + port
		}
		req, err := http.NewRequest(http.MethodGet, url+"/", nil)
		if err != nil {
			continue // no URL at all
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		resp, err := transport.RoundTrip(req.WithContext(ctx))
		cancel()
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			t.Errorf("%s was reached", s)
			continue
		}
		var refused *RefusedError
		var lookup *net.DNSError
		var address *net.AddrError
		if !errors.As(err, &refused) && !errors.As(err, &lookup) && !errors.As(err, &address) {
			t.Errorf("%s: neither refused nor unknown: %v", s, err)
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("the loopback got %d requests", n)
	}
}

// Whatever the resolver makes of a name, the address counts.
func TestKinds(t *testing.T) {
	for address, want := range map[string]kind{
		"8.8.8.8": public, "2606:4700::1111": public, "::ffff:8.8.8.8": public, "172.15.0.1": public, "172.32.0.1": public,
		"100.63.255.255": public, "100.128.0.1": public, "11.0.0.1": public, "169.253.0.1": public, "223.255.255.254": public,
		"127.0.0.1": loopback, "127.9.9.9": loopback, "::1": loopback, "::ffff:127.0.0.1": loopback,
		"10.0.0.1": private, "172.16.0.1": private, "192.168.0.1": private, "fd00::1": private, "::ffff:10.1.1.1": private,
		"0.0.0.0": never, "0.255.1.1": never, "::": never, "100.64.0.1": never, "169.254.169.254": never, "fe80::1%eth0": never,
		"64:ff9b::808:808": never, "2002:808:808::": never, "::8.8.8.8": never, "ff02::1": never, "224.0.0.1": never,
		"255.255.255.255": never, "fd00:ec2::254": never, "fd20:ce::254": never, "168.63.129.16": never, "192.0.0.192": never,
		"2001::1": never, "4000::1": never, "fec0::1": never, "2606::5efe:a00:1": never, "2606::200:5efe:a00:1": never,
	} {
		if got := kindOf(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: kind %d, want %d", address, got, want)
		}
	}
	if kindOf(netip.Addr{}) != never {
		t.Error("no address is allowed")
	}
}

func TestReach(t *testing.T) {
	for _, test := range []struct {
		reach   Reach
		allowed string
	}{{Off, ""}, {Public, "p"}, {Loopback, "pl"}, {Private, "plr"}} {
		for letter, address := range map[string]string{"p": "9.9.9.9", "l": "127.0.0.1", "r": "192.168.0.1", "n": "169.254.169.254"} {
			err := Check(test.reach, netip.MustParseAddr(address))
			if want := strings.Contains(test.allowed, letter); (err == nil) != want {
				t.Errorf("%s at %s: %v", address, test.reach, err)
			}
			if err != nil && (strings.Contains(err.Error(), address) || letter != "n" && !strings.Contains(err.Error(), "CUSTOM_ENDPOINTS=")) {
				t.Errorf("%s at %s: the error tells the address, or not what to set: %v", address, test.reach, err)
			}
		}
	}
}

func TestParsePolicy(t *testing.T) {
	for value, want := range map[string]Policy{
		"off": {Admins: Off, Users: Off}, "public": {Admins: Public, Users: Public},
		"loopback": {Admins: Loopback, Users: Public}, "private": {Admins: Private, Users: Public},
		"loopback:users": {Admins: Loopback, Users: Loopback}, "private:users": {Admins: Private, Users: Private},
	} {
		got, ok := ParsePolicy(value)
		if !ok || got != want || got.String() != value {
			t.Errorf("%s: %+v, %q", value, got, got.String())
		}
	}
	for _, wrong := range []string{"", "all", "Public", "public:users", "off:users", "private:admins"} {
		if _, ok := ParsePolicy(wrong); ok {
			t.Errorf("%q is taken", wrong)
		}
	}
}

// A name that resolves to an allowed address when it is looked at, and to another one when it is dialled, is refused:
// nothing but the address of the connection counts.
func TestRebinding(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	var lookups atomic.Int64
	dns := dnsServer(t, func() netip.Addr {
		if lookups.Add(1) <= 2 {
			return netip.MustParseAddr("93.184.216.34")
		}
		return netip.MustParseAddr("127.0.0.1")
	})
	dialer := NewGuard().Dialer(Public, time.Second, time.Second)
	dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", dns)
	}}
	for lookups.Load() < 2 { // an earlier check of the name would pass
		if _, err := dialer.Resolver.LookupNetIP(t.Context(), "ip4", "rebind.example"); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := dialer.DialContext(t.Context(), "tcp4", net.JoinHostPort("rebind.example", port))
	var refused *RefusedError
	if conn != nil || !errors.As(err, &refused) {
		t.Errorf("connected: %v, error: %v", conn != nil, err)
	}
}

// dnsServer answers every question with the address, and returns where it listens.
func dnsServer(t *testing.T, address func() netip.Addr) string {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			end := 12
			for end < n && buf[end] != 0 {
				end += int(buf[end]) + 1
			}
			end += 5 // the root, type and class
			if end > n {
				continue
			}
			a := address().As4()
			answer := append([]byte{buf[0], buf[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0}, buf[12:end]...)
			answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, a[0], a[1], a[2], a[3])
			conn.WriteTo(answer, from)
		}
	}()
	return conn.LocalAddr().String()
}

// The process does not call itself, whatever the address of this machine is by which it is named.
func TestOwnListeners(t *testing.T) {
	for _, listens := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		l, err := net.Listen("tcp", listens)
		if err != nil {
			t.Log(listens, err) // a machine without IPv6
			continue
		}
		defer l.Close()
		g := NewGuard()
		g.Listens(l.Addr())
		_, port, _ := net.SplitHostPort(l.Addr().String())
		hosts := []string{"127.0.0.1", "localhost"}
		if listens != "127.0.0.1:0" {
			addrs, _ := net.InterfaceAddrs()
			for _, a := range addrs {
				if p := netip.MustParsePrefix(a.String()).Addr(); p.Is4() {
					hosts = append(hosts, p.String())
				}
			}
		}
		for _, host := range hosts {
			conn, err := g.Dialer(Private, time.Second, time.Second).DialContext(t.Context(), "tcp4", net.JoinHostPort(host, port))
			if conn != nil {
				conn.Close()
				t.Errorf("%s: connected to %s", listens, host)
			}
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Errorf("%s: %s: %v", listens, host, err)
			}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g := NewGuard()
	g.Listens(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1})
	conn, err := g.Dialer(Loopback, time.Second, time.Second).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal("another listener of the machine: ", err)
	}
	conn.Close()
}
