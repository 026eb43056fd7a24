// Package httpversion lets tests of the server run over HTTP/1.1 or HTTP/2, as the environment variable HTTP_VERSION
// says: 1, the default, or 2.
package httpversion

import (
	"net/http"
	"os"
)

// Is2 reports whether the tests run over HTTP/2.
func Is2() bool { return os.Getenv("HTTP_VERSION") == "2" }

// Server returns the protocols of a test's server. HTTP/2 goes without TLS, so that nothing else differs. Connections
// that a test writes to itself have HTTP/1.1.
func Server() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(Is2())
	return p
}

// Transport returns a transport for callers of the gateway.
func Transport() *http.Transport {
	p := new(http.Protocols)
	p.SetHTTP1(!Is2())
	p.SetUnencryptedHTTP2(Is2())
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Protocols = p
	return t
}
