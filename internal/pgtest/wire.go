package pgtest

import (
	endian "encoding/binary"
	"io"
	"net"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// Wire is a proxy that counts what clients send to a PostgreSQL server.
type Wire struct {
	connections, trips, bytes atomic.Int64
}

// Trips is how often a client has sent something and waited for the answer, apart from
// opening a connection. (https://www.postgresql.org/docs/current/protocol-flow.html)
func (w *Wire) Trips() int64 { return w.trips.Load() }

// Connections returns how many connections were opened.
func (w *Wire) Connections() int64 { return w.connections.Load() }

// Bytes returns how many bytes clients have sent.
func (w *Wire) Bytes() int64 { return w.bytes.Load() }

// Idle waits for d, or IDLE_TIME, while the gateway gets no request. It fails the test if anything is sent to the
// database or a connection is opened: a serverless database suspends only without traffic.
func (w *Wire) Idle(t testing.TB, d time.Duration) {
	t.Helper()
	if text := os.Getenv("IDLE_TIME"); text != "" {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			t.Fatalf("IDLE_TIME: %v", err)
		}
	}
	bytes, connections := w.Bytes(), w.Connections()
	time.Sleep(d)
	if sent, opened := w.Bytes()-bytes, w.Connections()-connections; sent != 0 || opened != 0 {
		t.Errorf("%d bytes were sent to the database and %d connections opened while nobody asked for anything for %v",
			sent, opened, d)
	}
}

// Count starts a Wire in front of the database and returns it with the URL through it.
func Count(t testing.TB, database string) (*Wire, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal("pgtest: not a URL")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	w, host := &Wire{}, u.Host
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go w.serve(client, host)
		}
	}()
	u.Host = l.Addr().String()
	return w, u.String()
}

func (w *Wire) serve(client net.Conn, host string) {
	defer client.Close()
	server, err := net.Dial("tcp", host)
	if err != nil {
		return
	}
	defer server.Close()
	w.connections.Add(1)
	go func() {
		io.Copy(client, server)
		client.Close()
	}()
	w.forward(server, client)
}

// forward passes the client's messages on, each counted before the server can answer it.
func (w *Wire) forward(server io.Writer, client io.Reader) {
	for started := false; ; {
		// The first message of a connection has no type.
		head := make([]byte, 5)
		if !started {
			head = head[:4]
		}
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		body := make([]byte, endian.BigEndian.Uint32(head[len(head)-4:])-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if started {
			w.count(head[0])
		} else {
			// A question about encryption comes before the first message proper.
			code := endian.BigEndian.Uint32(body)
			started = code != sslRequest && code != gssRequest
		}
		w.bytes.Add(int64(len(head) + len(body)))
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
	}
}

const (
	sslRequest = 80877103
	gssRequest = 80877104
)

func (w *Wire) count(message byte) {
	switch message {
	case 'S', 'Q', 'H', 'F': // Sync, Query, Flush, FunctionCall: what a client waits after
		w.trips.Add(1)
	}
}
