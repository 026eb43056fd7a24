package config

import (
	"net"
	"strconv"
)

// Metrics says where Prometheus finds metrics. The zero value: nowhere.
type Metrics struct {
	Address string // host:port of its own listener; empty: none
	Token   string // empty: the gateway's own port has no metrics, and its own listener asks for none
}

// On reports whether metrics can be read anywhere.
func (m Metrics) On() bool { return m.Address != "" || m.Token != "" }

func (r *reader) metrics() Metrics {
	m := Metrics{Token: r.header("METRICS_TOKEN", minCronSecretLength)}
	value, st := r.lookup("METRICS_ADDRESS")
	if st != set {
		return m
	}
	host, port, err := net.SplitHostPort(value)
	n, noNumber := strconv.Atoi(port)
	if err != nil || host == "" || noNumber != nil || n < 0 || n > 65535 {
		r.problem("METRICS_ADDRESS", "is not an address with a port", "set it to 127.0.0.1:9464, or to 0.0.0.0:9464 to listen everywhere")
	}
	m.Address = value
	return m
}
