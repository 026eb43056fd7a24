package provider

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/outbound"
)

// UnreachableError is the cause of a failure that kept a request from its provider.
type UnreachableError struct {
	// Problem says what failed on the way, in words that help to repair it.
	Problem string
	Err     error
}

func (e *UnreachableError) Error() string { return e.Problem + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *UnreachableError) Unwrap() error { return e.Err }

// connectionFailure returns the failure of a request that did not reach its provider, or whose connection broke.
func connectionFailure(err error) *chat.Error {
	var refused *outbound.RefusedError
	if errors.As(err, &refused) { // says nothing about the host, and costs nothing to find out again
		return &chat.Error{Class: chat.Transport, Scope: chat.ScopeAttempt, Message: "the endpoint may not be called: " + refused.Error(),
			Cause: &UnreachableError{Problem: refused.Error(), Err: refused}}
	}
	problem := connectionProblem(err)
	if problem == "" {
		return &chat.Error{Class: chat.Transport, Message: "the connection to the provider broke", Cause: err}
	}
	return &chat.Error{Class: chat.Transport, Message: "the provider could not be reached: " + problem,
		Cause: &UnreachableError{Problem: problem, Err: err}}
}

// connectionProblem says what kept a request from its provider: which part of the way failed, and why. It returns an
// empty text for a connection that broke later.
func connectionProblem(err error) string {
	var op *net.OpError
	errors.As(err, &op)
	dialing := op != nil && (op.Op == "dial" || op.Op == "proxyconnect")
	problem := innermost(err)
	if problem == "" && dialing {
		problem = dialProblem(op)
	}
	if problem != "" && (isProxyAnswer(err) || op != nil && op.Op == "proxyconnect") {
		return "the proxy (HTTPS_PROXY, HTTP_PROXY) failed: " + problem
	}
	return problem
}

// isProxyAnswer reports whether err is a proxy's answer to CONNECT. The transport makes it a plain error of the status
// text, such as "Proxy Authentication Required".
func isProxyAnswer(err error) bool {
	for _, text := range [...]string{"Proxy Authentication Required", "Forbidden", "Bad Gateway", "Service Unavailable", "Gateway Timeout"} {
		if err.Error() == text {
			return true
		}
	}
	return false
}

// innermost returns what is wrong with TLS, DNS or the proxy; empty if it is none of these.
func innermost(err error) string {
	var (
		certificate *tls.CertificateVerificationError
		unknown     x509.UnknownAuthorityError
		name        x509.HostnameError
		invalid     x509.CertificateInvalidError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		lookup      *net.DNSError
	)
	switch {
	case errors.As(err, &unknown):
		return "certificate signed by unknown authority: " + issuer(unknown.Cert) +
			"; if a firewall or a proxy inspects TLS, the gateway needs its certificate (SSL_CERT_FILE)"
	case errors.As(err, &name):
		return "the certificate is for another name: " + plain(name.Error())
	case errors.As(err, &invalid):
		return "the certificate is not valid: " + plain(invalid.Error())
	case errors.As(err, &certificate):
		return "the certificate cannot be verified: " + plain(certificate.Err.Error())
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "what answers does not speak TLS; look at the base URL (http or https) and the port"
	case errors.As(err, &alert):
		return "the TLS handshake failed: " + plain(alert.Error())
	case strings.Contains(err.Error(), "TLS handshake timeout"):
		return "the TLS handshake took too long"
	case errors.As(err, &lookup):
		return lookupProblem(lookup)
	case isProxyAnswer(err):
		return plain(err.Error())
	}
	return ""
}

// dialProblem returns why no connection could be opened.
func dialProblem(op *net.OpError) string {
	var system syscall.Errno
	problem := plain(op.Err.Error())
	switch {
	case errors.As(op.Err, &system):
		problem = system.Error()
	case op.Timeout():
		problem = "no connection in time"
	}
	for inner := op; inner != nil; {
		if inner.Addr != nil {
			return problem + " (" + plain(inner.Addr.String()) + ")"
		}
		var next *net.OpError
		errors.As(inner.Err, &next)
		inner = next
	}
	return problem
}

func issuer(cert *x509.Certificate) string {
	if cert == nil {
		return "its issuer is unknown"
	}
	return "it was issued by " + plain(cert.Issuer.String())
}

func lookupProblem(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "DNS has no address of the host " + plain(err.Name)
	case err.IsTimeout:
		return "the DNS server did not answer in time for the host " + plain(err.Name)
	}
	return "the DNS lookup of the host " + plain(err.Name) + " failed: " + plain(err.Err)
}

// maxProblem bounds each part that the other side can choose, in bytes.
const maxProblem = 300

func plain(s string) string { return RedactText(clean(s, maxProblem), "") }
