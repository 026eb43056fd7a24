//go:build unix

package postgres

import (
	"crypto/tls"
	"net"
	"syscall"
)

// alive says whether an idle connection looks usable, without a round trip: the
// server has neither closed it nor said anything. A server that shuts down or a pooler that drops
// an idle client is noticed here rather than by the request that would
// have used the connection, which could not be retried safely.
func alive(c net.Conn) bool {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	// Not raw.Read: it waits for a Read in progress, and after a slow write pgx leaves one
	// behind (its background reader) that ends only with the server's next word.
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK || err == syscall.EINTR
	})
	return err == nil && quiet
}
