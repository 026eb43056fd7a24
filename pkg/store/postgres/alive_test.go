package postgres

import (
	"net"
	"testing"
	"time"
)

// A connection on which something reads (pgx's background reader does, after a slow
// write) must be judged without waiting for that read to end.
func TestAliveDoesNotWaitForAReader(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if !alive(client) {
		t.Error("a quiet connection is not alive")
	}
	go client.Read(make([]byte, 1))
	time.Sleep(20 * time.Millisecond)
	judged := make(chan bool, 1)
	go func() { judged <- alive(client) }()
	select {
	case ok := <-judged:
		if !ok {
			t.Error("a quiet connection with a reader is not alive")
		}
	case <-time.After(time.Minute):
		t.Fatal("alive waits for the reader")
	}
	other, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if s, err := listener.Accept(); err == nil {
		s.Close()
	}
	for deadline := time.Now().Add(time.Minute); alive(other); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a connection that the server closed is alive")
		}
	}
}
