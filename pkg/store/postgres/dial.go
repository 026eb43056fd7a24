package postgres

import (
	"net"
	"time"
)

// newDialer returns a dialer whose connections end when the peer is dead: TCP alone would wait for a quarter of an hour
// for a lost packet, and for ever on an idle connection.
func newDialer(connectTimeout, answerTimeout time.Duration) *net.Dialer {
	return &net.Dialer{
		Timeout:         connectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control:         controlUserTimeout(answerTimeout),
	}
}
