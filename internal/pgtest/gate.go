package pgtest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Gate is a proxy in front of a PostgreSQL server that plays faults of the network.
type Gate struct {
	target   string
	listener net.Listener

	mu      sync.Mutex
	changed *sync.Cond
	blocked bool
	delay   time.Duration
	links   map[*link]bool
}

// link is one connection through a Gate.
type link struct {
	client, server net.Conn
	frozen         bool
}

// NewGate starts a Gate in front of the database and returns it with the URL through it. It ends with the test.
func NewGate(t testing.TB, database string) (*Gate, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal("pgtest: not a URL")
	}
	g := &Gate{target: u.Host, links: map[*link]bool{}}
	g.changed = sync.NewCond(&g.mu)
	if g.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.listener.Close()
		g.Cut()
	})
	go g.accept()
	u.Host = g.listener.Addr().String()
	return g, u.String()
}

func (g *Gate) accept() {
	for {
		client, err := g.listener.Accept()
		if err != nil {
			return
		}
		go g.open(client)
	}
}

func (g *Gate) open(client net.Conn) {
	g.mu.Lock()
	delay := g.delay
	g.mu.Unlock()
	time.Sleep(delay)
	server, err := net.Dial("tcp", g.target)
	if err != nil {
		client.Close()
		return
	}
	l := &link{client: client, server: server}
	g.mu.Lock()
	g.links[l] = true
	g.mu.Unlock()
	go g.pump(l, server, client)
	g.pump(l, client, server)
}

// pump passes bytes on while neither the gate is blocked nor the link frozen.
func (g *Gate) pump(l *link, from io.Reader, to io.Writer) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		g.mu.Lock()
		for (g.blocked || l.frozen) && g.links[l] {
			g.changed.Wait()
		}
		g.mu.Unlock()
		if n > 0 && err == nil {
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			g.end(l)
			return
		}
	}
}

func (g *Gate) end(l *link) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.links, l)
	g.changed.Broadcast()
	l.client.Close()
	l.server.Close()
}

// Freeze makes the connections that are open silent for ever, as a firewall that forgets them does. New ones work.
func (g *Gate) Freeze() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for l := range g.links {
		l.frozen = true
	}
}

// Block makes all connections silent, and new ones too, until Unblock. Then what was sent arrives.
func (g *Gate) Block() { g.set(func() { g.blocked = true }) }

// Unblock ends Block.
func (g *Gate) Unblock() { g.set(func() { g.blocked = false }) }

// Delay makes new connections wait before the server hears of them.
func (g *Gate) Delay(d time.Duration) { g.set(func() { g.delay = d }) }

func (g *Gate) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	g.changed.Broadcast()
}

// Cut closes all connections.
func (g *Gate) Cut() {
	g.mu.Lock()
	links := make([]*link, 0, len(g.links))
	for l := range g.links {
		links = append(links, l)
	}
	g.mu.Unlock()
	for _, l := range links {
		g.end(l)
	}
}
