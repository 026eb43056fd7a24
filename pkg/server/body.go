package server

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

const (
	// bodyPace is what a body has to keep up, in bytes a second, see pace.
	bodyPace = 4 << 10

	// managementBody is more than any body of a management route needs, and publicBody more than
	// any of those that need no credentials.
	managementBody = 256 << 10
	publicBody     = 8 << 10

	// firstRead is the first buffer of a body of unknown length, and trusted the most that a
	// declared length gets at once, and that is held before the credentials were looked up.
	firstRead = 4 << 10
	trusted   = 64 << 10
)

// readBody reads the whole body, at most limit bytes. The memory is taken from the
// budget that all requests share and given back when the request ends (or with
// releaseBody). Errors: TooLarge, UnsupportedMedia (a Content-Encoding),
// Unavailable (the budget is spent), RequestTimeout, Cancelled, Validation.
func (c *call) readBody(limit int64) ([]byte, error) {
	if len(c.encodings()) > 0 {
		return nil, fault.New(fault.UnsupportedMedia, "Content-Encoding is not supported here: send the body as it is")
	}
	return c.readFrom(c.pacedBody(), limit, c.r.ContentLength)
}

// readFrom reads a body, as it came or decoded, of the declared length; -1: unknown.
func (c *call) readFrom(in io.Reader, limit, declared int64) ([]byte, error) {
	if c.r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	if c.bodyless() {
		c.read = true
		return nil, nil
	}
	size := int64(firstRead)
	if declared >= 0 {
		size = min(declared+1, trusted) // the one more sees the end
	}
	if err := c.hold(size); err != nil {
		return nil, err
	}
	buf := make([]byte, 0, size)
	for {
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return nil, tooLarge(limit)
		}
		if err == io.EOF {
			c.read = true
			c.w.control.SetReadDeadline(time.Time{})
			return buf, nil
		}
		if err != nil {
			return nil, c.bodyError(err)
		}
		if len(buf) == cap(buf) {
			if buf, err = c.grow(buf, limit, declared); err != nil {
				return nil, err
			}
		}
	}
}

// pace is the deadline of a body that arrives. Each byte extends it, but never beyond the timeout from now: a body
// that arrived fast and then stops ends as soon as one that never began, and single bytes are no progress.
type pace struct {
	timeout  time.Duration
	deadline time.Time
}

func newPace(timeout time.Duration) pace { return pace{timeout, time.Now().Add(timeout)} }

// progress notes that n bytes have arrived.
func (p *pace) progress(n int) {
	p.deadline = p.deadline.Add(time.Duration(n) * time.Second / bodyPace)
	if latest := time.Now().Add(p.timeout); p.deadline.After(latest) {
		p.deadline = latest
	}
}

// pacedBody reads the body as it comes, each read with the deadline of its pace.
type pacedBody struct {
	call *call
	pace pace
	err  error // that ended it, io.EOF included
}

func (c *call) pacedBody() *pacedBody { return &pacedBody{call: c, pace: newPace(c.bodyTimeout)} }

func (b *pacedBody) Read(p []byte) (int, error) {
	b.call.w.control.SetReadDeadline(b.pace.deadline)
	n, err := b.call.r.Body.Read(p)
	b.pace.progress(n)
	b.err = err
	return n, err
}

func (c *call) bodyless() bool { return c.r.Body == nil || c.r.Body == http.NoBody }

// grow doubles the buffer. A declared length is believed once an eighth of it is there, so
// that a caller who declares much and sends little holds little.
func (c *call) grow(buf []byte, limit, declared int64) ([]byte, error) {
	if cap(buf) >= trusted && c.prove != nil {
		if err := c.prove(); err != nil {
			return nil, err
		}
		c.prove = nil
	}
	size := 2 * int64(cap(buf))
	if n := declared + 1; n > int64(cap(buf)) && n <= 8*int64(cap(buf)) {
		size = n
	}
	if c.prove != nil {
		size = min(size, trusted)
	}
	size = min(size, limit+1)
	// While it is copied both are there; the old one is garbage right after.
	if err := c.hold(size - int64(cap(buf))); err != nil {
		return nil, err
	}
	grown := make([]byte, len(buf), size)
	copy(grown, buf)
	return grown, nil
}

func (c *call) hold(n int64) error {
	if err := c.budget.take(c.owner, n); err != nil {
		return err
	}
	c.held += n
	return nil
}

// releaseBody gives the body's memory back to the budget. The body must not be used any more.
func (c *call) releaseBody() {
	if c.held == 0 {
		return
	}
	c.budget.Give(c.owner, c.held)
	c.held = 0
}

func tooLarge(limit int64) error {
	if limit >= 1<<20 {
		return fault.New(fault.TooLarge, "the body is larger than %d MB", limit>>20)
	}
	return fault.New(fault.TooLarge, "the body is larger than %d kB", limit>>10)
}

func (c *call) bodyError(err error) error {
	var max *http.MaxBytesError
	var netErr net.Error
	var known *fault.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &max):
		return tooLarge(max.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return fault.Wrap(err, fault.RequestTimeout, "the body did not arrive in time")
	case c.r.Context().Err() != nil, errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &netErr):
		return fault.Wrap(err, fault.Cancelled, "the caller left while sending the body")
	}
	return fault.Wrap(err, fault.Validation, "the body cannot be read: it is not transferred as HTTP wants it")
}

// decode reads a management route's JSON body strictly into dst. Errors: those of
// readBody, and Validation with every issue found.
func (c *call) decode(dst any) error {
	if err := c.jsonOnly(); err != nil {
		return err
	}
	c.owner = c.who.user.ID
	limit := int64(managementBody)
	if c.owner.IsZero() {
		limit = publicBody
	}
	body, err := c.readBody(limit)
	if err != nil {
		return err
	}
	return jsonx.Decode(body, dst)
}

// jsonOnly refuses a body that says it is something else than JSON. A web form of another site
// can send such bodies without asking first.
func (c *call) jsonOnly() error {
	ct := c.r.Header.Get("Content-Type")
	if ct == "" {
		return nil
	}
	kind, params, err := mime.ParseMediaType(ct)
	if err != nil || kind != "application/json" {
		return fault.New(fault.UnsupportedMedia, "the Content-Type must be application/json")
	}
	if cs, ok := params["charset"]; ok && !strings.EqualFold(cs, "utf-8") {
		return fault.New(fault.UnsupportedMedia, "the Content-Type's charset must be utf-8")
	}
	return nil
}

// drainLimit is how much of a body that nobody wants is read.
const drainLimit = 5 << 20

// drain reads what is left of the body. The proxy before a Vercel server cuts off answers
// that begin before the body was read.
func (c *call) drain() {
	if c.read || c.bodyless() {
		return
	}
	c.w.control.SetReadDeadline(time.Now().Add(c.bodyTimeout))
	if _, err := io.CopyN(io.Discard, c.r.Body, drainLimit); err == io.EOF {
		c.read = true
		c.w.control.SetReadDeadline(time.Time{})
	}
}
