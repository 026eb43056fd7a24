package provider

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/outbound"
)

// ClientConfig configures a Client. Zero values take the defaults given.
type ClientConfig struct {
	// UserAgent names the product: "llm-gateway/1.2.3". Default "llm-gateway".
	UserAgent string
	// MaxBytes bounds a whole answer, or one line of a stream, decoded. Default 64 MiB.
	MaxBytes int64
	// ConnectTimeout bounds the dial and, again, the TLS handshake. Default 10 s.
	ConnectTimeout time.Duration
	// IdleConns is how many idle connections are kept for each provider. Default 256.
	IdleConns int
	// Via names the gateway in ViaHeader to base URLs that are not a provider's own. Empty: the header is not sent.
	Via string
	// Guard checks the addresses of custom endpoints. Default: a new one.
	Guard *outbound.Guard
	// CustomViaProxy sends requests to custom endpoints through the proxy of the environment, too.
	CustomViaProxy bool
	// Now gives the time. Default time.Now.
	Now func() time.Time
}

// Client calls providers. It makes all of the gateway's outbound HTTP requests. It follows no
// redirects, keeps no cookies, asks for no compression, and writes a key into its header alone.
// It honours HTTPS_PROXY, HTTP_PROXY and NO_PROXY. It is safe for concurrent use.
type Client struct {
	transport *http.Transport
	custom    customTransports
	userAgent string
	maxBytes  int64
	via       string
	now       func() time.Time
}

// NewClient returns a Client.
func NewClient(cfg ClientConfig) *Client {
	if cfg.UserAgent == "" {
		cfg.UserAgent = "llm-gateway"
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 64 << 20
	}
	if cfg.ConnectTimeout <= 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	if cfg.IdleConns <= 0 {
		cfg.IdleConns = 256
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Guard == nil {
		cfg.Guard = outbound.NewGuard()
	}
	dialer := &net.Dialer{Timeout: cfg.ConnectTimeout, KeepAlive: keepAlive}
	return &Client{
		transport: newTransport(&cfg, dialer, http.ProxyFromEnvironment),
		custom:    newCustomTransports(&cfg, dialer),
		userAgent: cfg.UserAgent,
		maxBytes:  cfg.MaxBytes,
		via:       cfg.Via,
		now:       cfg.Now,
	}
}

const keepAlive = 30 * time.Second

func newTransport(cfg *ClientConfig, dialer *net.Dialer, proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true, // a custom DialContext turns it off otherwise
		TLSHandshakeTimeout:    cfg.ConnectTimeout,
		MaxIdleConnsPerHost:    cfg.IdleConns,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		// Otherwise each request that is multiplexed on a dead connection waits for its own timeout.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// Close drops the idle connections.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.custom.close()
}

// Options are what a call may vary.
type Options struct {
	// Streamed says that the answer comes line by line: then MaxBytes bounds one line, else the body.
	Streamed bool
	// IdleTimeout bounds the time without progress; then the call fails with class Timeout. Any
	// byte of the answer counts as progress, keep-alives included (DeepSeek sends blank lines for
	// up to ten minutes while a request waits), and so does any byte of the body that is sent.
	// Zero: only the context limits the call.
	IdleTimeout time.Duration
	// Header is our caller's; only what Provider.ForwardedRequestHeaders names is sent. May be nil.
	Header http.Header

	limit int64 // replaces ClientConfig.MaxBytes if it is not zero
}

// CallError is the error of a call without an answer of status 2xx. It wraps a classified *chat.Error.
type CallError struct {
	Err *chat.Error
	// Sent says that the provider may have received at least a part of the request. If not, it
	// received nothing.
	Sent bool
	// Answered says that the provider answered with a failure: then Err.Status is set, and the
	// request was not served.
	Answered bool
	// RequestID is the provider's id of the request, if it gave one.
	RequestID string
}

func (e *CallError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *CallError) Unwrap() error { return e.Err }

// Errors that are the cause (chat.Error.Cause) of a failed call.
var (
	ErrIdleTimeout = errors.New("the provider sent nothing for too long")
	// ErrNoEvent is the cause with which a caller ends the context of a call that shows no sign of life.
	ErrNoEvent  = errors.New("the provider sent no event in time")
	ErrTooLarge = errors.New("the provider's answer is larger than the gateway takes")
)

// Do posts an encoded request. Its body must not change afterwards, even if the call fails: the
// transport may still be reading it. Do returns an answer of status 2xx as a Response, which must be
// closed, and anything else as a *CallError with a class and redacted texts:
//   - Timeout: the idle timeout (ErrIdleTimeout) or the context's deadline.
//   - Transport: no connection, a broken answer, a redirect. If the context was cancelled,
//     errors.Is(err, context.Canceled) is true as well.
//   - the provider's own failure, as Classify sees it.
func (c *Client) Do(ctx context.Context, p *Provider, secret string, enc dialect.Encoded, opts Options) (*Response, error) {
	return c.send(ctx, p, secret, http.MethodPost, enc, opts)
}

func (c *Client) send(ctx context.Context, p *Provider, secret, method string, enc dialect.Encoded, opts Options) (*Response, error) {
	target, err := p.target(enc.Path)
	if err != nil {
		return nil, &CallError{Err: &chat.Error{Class: chat.BadRequest, Cause: err}}
	}
	ex := newExchange(ctx, opts.IdleTimeout)
	req := (&http.Request{
		Method: method, URL: target, Host: target.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.header(p, secret, enc, opts),
	}).WithContext(ex.ctx)
	if len(enc.Body) > 0 {
		ex.attach(req, enc.Body)
	}
	resp, err := c.roundTrip(p, req)
	if err != nil {
		failure := ex.failure(err)
		ex.end()
		return nil, &CallError{Err: failure, Sent: ex.sent.Load()}
	}
	ex.touch()
	body := &body{exchange: ex, raw: resp.Body, src: resp.Body, limit: cmp.Or(opts.limit, c.maxBytes), streamed: opts.Streamed}
	if err := body.decode(resp.Header.Get("Content-Encoding")); err != nil {
		body.Close()
		return nil, &CallError{Err: err, Sent: true, Answered: true, RequestID: p.RequestIDOf(resp.Header, secret)}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, c.refused(p, secret, resp, body)
	}
	return &Response{
		Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), RequestID: p.RequestIDOf(resp.Header, secret),
		Header: forwardedResponseHeaders(resp.Header, secret), Body: body, size: resp.ContentLength,
	}, nil
}

// ViaHeader lists the gateways that a request came through, the last one last, as Via does for proxies. A gateway that
// finds itself in it is called by itself.
const ViaHeader = "X-Llm-Via"

// maxErrorBytes bounds how much of a failure's body is read: some providers repeat the request in it.
const maxErrorBytes = 1 << 20

func (c *Client) refused(p *Provider, secret string, resp *http.Response, body *body) *CallError {
	body.streamed, body.limit = false, maxErrorBytes
	// A body that breaks off, or is too large, is no error in the provider's format.
	text, readErr := io.ReadAll(body)
	body.Close()
	failure := &chat.Error{}
	if p.Client != nil {
		failure = p.Client.DecodeError(text)
	}
	failure.Status = resp.StatusCode
	p.Classify(failure, Answer{Status: resp.StatusCode, Header: resp.Header, Body: text}, c.now().UnixMilli())
	if failure.Message == "" {
		failure.Message = fmt.Sprintf("%s answered with status %d", p.Name, resp.StatusCode)
	}
	p.Redact(failure, secret)
	if failure.Cause == nil {
		failure.Cause = readErr
	}
	return &CallError{Err: failure, Sent: true, Answered: true, RequestID: p.RequestIDOf(resp.Header, secret)}
}

func (c *Client) header(p *Provider, secret string, enc dialect.Encoded, opts Options) http.Header {
	h := make(http.Header, 8)
	for _, name := range p.ForwardedRequestHeaders {
		switch lines := opts.Header[name]; len(lines) {
		case 0:
		case 1:
			h[name] = lines
		default: // a list, such as Anthropic's betas, may come in several lines (RFC 9110, 5.3)
			h[name] = []string{strings.Join(distinct(lines), ",")}
		}
	}
	for name, v := range enc.Header {
		if asked := h[name]; len(asked) > 0 {
			v = []string{asked[0] + "," + strings.Join(v, ",")} // lists, such as Anthropic's betas
		}
		h[name] = v
	}
	for name, v := range p.Header {
		if _, ok := h[name]; !ok {
			h[name] = []string{v}
		}
	}
	h["User-Agent"] = []string{c.userAgent}
	h["Accept-Encoding"] = []string{"identity"}
	h["Accept"] = []string{"application/json"}
	if opts.Streamed {
		h["Accept"] = []string{"text/event-stream"}
	}
	if enc.Body != nil {
		h["Content-Type"] = []string{"application/json"}
	}
	if c.via != "" && p.elsewhere {
		h[ViaHeader] = []string{strings.Join(append(slices.Clone(opts.Header[ViaHeader]), c.via), ", ")}
	}
	if name, v := p.Auth.Header(secret); name != "" && (secret != "" || !p.custom) {
		h[name] = []string{v}
	}
	return h
}

// distinct returns the lines without repetitions.
func distinct(lines []string) []string {
	var list []string
	for _, line := range lines {
		if !slices.Contains(list, line) && len(list) < maxHeaderLines {
			list = append(list, line)
		}
	}
	return list
}

// maxHeaderLines bounds how many lines of one header are forwarded.
const maxHeaderLines = 64

// target returns the URL of a path below the base URL. It refuses a path that leaves the provider's
// host.
func (p *Provider) target(path string) (*url.URL, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("the path of a request must begin with a slash")
	}
	u, err := url.Parse(p.BaseURL + path)
	if err != nil {
		return nil, errors.New("the path of a request is malformed")
	}
	if u.Host != p.base.Host || u.Scheme != p.base.Scheme || u.User != nil {
		return nil, errors.New("the path of a request leaves the provider")
	}
	return u, nil
}

// exchange is one request and its answer. It notes whether anything was sent, and ends the request
// at the idle timeout.
type exchange struct {
	ctx         context.Context
	cancel      context.CancelCauseFunc
	idleTimeout time.Duration
	timer       *time.Timer // nil: no idle timeout
	sent        atomic.Bool
	ended       atomic.Bool
}

func newExchange(ctx context.Context, idleTimeout time.Duration) *exchange {
	ex := &exchange{idleTimeout: idleTimeout}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// The transport tries again only if the provider cannot have handled anything of the request.
		GetConn:      func(string) { ex.sent.Store(false) },
		WroteHeaders: func() { ex.sent.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { ex.touch() },
	})
	ex.ctx, ex.cancel = context.WithCancelCause(ctx)
	if idleTimeout > 0 {
		ex.timer = time.AfterFunc(idleTimeout, func() { ex.cancel(ErrIdleTimeout) })
	}
	return ex
}

// touch restarts the idle timeout.
func (ex *exchange) touch() {
	if ex.timer != nil && !ex.ended.Load() {
		ex.timer.Reset(ex.idleTimeout)
	}
}

func (ex *exchange) end() {
	ex.ended.Store(true)
	if ex.timer != nil {
		ex.timer.Stop()
	}
	ex.cancel(nil)
}

// attach gives the request its body. One of usual size is a plain bytes.Reader, which the transport
// writes together with the header; the progress of a larger one restarts the idle timeout.
func (ex *exchange) attach(req *http.Request, body []byte) {
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) {
		r := bytes.NewReader(body)
		if len(body) <= largeBody {
			return io.NopCloser(r), nil
		}
		return &upload{ex: ex, body: r}, nil
	}
	req.Body, _ = req.GetBody() // never fails
}

const largeBody = 64 << 10

// upload is a request's body that restarts the idle timeout while it is being sent.
type upload struct {
	ex   *exchange
	body *bytes.Reader
}

func (u *upload) Read(b []byte) (int, error) {
	u.ex.touch()
	return u.body.Read(b)
}

func (u *upload) Close() error { return nil }

// failure classifies an error of the transport. It must be called before end.
func (ex *exchange) failure(err error) *chat.Error {
	switch {
	case errors.Is(context.Cause(ex.ctx), ErrIdleTimeout):
		return &chat.Error{Class: chat.Timeout, Message: ErrIdleTimeout.Error(), Cause: ErrIdleTimeout}
	case errors.Is(context.Cause(ex.ctx), ErrNoEvent):
		return &chat.Error{Class: chat.Timeout, Message: ErrNoEvent.Error(), Cause: ErrNoEvent}
	case errors.Is(ex.ctx.Err(), context.DeadlineExceeded):
		return &chat.Error{Class: chat.Timeout, Message: "the provider did not answer in time", Cause: context.DeadlineExceeded}
	case ex.ctx.Err() != nil:
		return &chat.Error{Class: chat.Transport, Scope: chat.ScopeRequest, Message: "the request was cancelled", Cause: context.Canceled}
	}
	return connectionFailure(err)
}

// asFailure returns the classified error within err. Do and the bodies return no others.
func asFailure(err error) *chat.Error {
	var failure *chat.Error
	if errors.As(err, &failure) {
		return failure
	}
	return &chat.Error{Class: chat.Transport, Message: "the provider's answer could not be read", Cause: err}
}
