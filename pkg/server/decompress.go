package server

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/alicetears/llm-gateway/pkg/fault"
)

// What decoders hold beside the decoded bytes.
const (
	// flateMemory is the window of gzip and deflate (RFC 1951: 32 kB), and what the decoder needs beside it.
	flateMemory = 64 << 10
	// maxZstdWindow is the largest window of a zstd frame that is read: what RFC 8878 recommends decoders to support.
	maxZstdWindow = 8 << 20
	minZstdWindow = 64 << 10
	// zstdMemory is what the decoder needs beside the window: two blocks, and tables.
	zstdMemory = 512 << 10
	// unprovenWindow is what a decoder gets before the credentials are looked up. The default windows of zstd and brotli
	// are not larger.
	unprovenWindow = 4<<20 + zstdMemory
	// encodedBuffer is the buffer of encoded bytes. It holds the head of any frame.
	encodedBuffer = 4 << 10
)

// encodings returns the codings of the body, in the order in which they were applied.
func (c *call) encodings() []string {
	var out []string
	for _, line := range c.r.Header.Values("Content-Encoding") {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			if name != "" && name != "identity" {
				out = append(out, name)
			}
		}
	}
	return out
}

// readEncodedBody is readBody for bodies that may be compressed (RFC 9110, 8.4). The limit and the budget count the
// decoded bytes, so that a small body that decodes to a large one is refused as the large one.
func (c *call) readEncodedBody(limit int64) ([]byte, error) {
	names := c.encodings()
	if len(names) == 0 || c.bodyless() {
		return c.readFrom(c.pacedBody(), limit, c.r.ContentLength)
	}
	if len(names) > 1 || decoders[names[0]] == nil {
		return nil, fault.New(fault.UnsupportedMedia,
			"Content-Encoding must be one of gzip, deflate, br and zstd, or none: the body has another, or several")
	}
	body := c.pacedBody()
	in := &decodedBody{name: names[0], limit: limit, body: body, encoded: bufio.NewReaderSize(body, encodedBuffer)}
	held := c.held
	defer in.close()
	if err := in.open(c); err != nil {
		return nil, err
	}
	window := c.held - held
	out, err := c.readFrom(in, limit, -1)
	c.budget.Give(c.owner, window)
	c.held -= window
	return out, err
}

// decodedBody reads a body of one coding.
type decodedBody struct {
	name    string
	limit   int64
	body    *pacedBody
	encoded *bufio.Reader
	decoder io.Reader
	closers []func()
}

// decoders open the decoder of each coding. They take its memory from the budget.
var decoders = map[string]func(*decodedBody, *call) (io.Reader, error){
	"gzip":    (*decodedBody).gzip,
	"x-gzip":  (*decodedBody).gzip,
	"deflate": (*decodedBody).deflate,
	"br":      (*decodedBody).brotli,
	"zstd":    (*decodedBody).zstd,
}

func (d *decodedBody) open(c *call) error {
	decoder, err := decoders[d.name](d, c)
	if err != nil {
		return c.bodyError(d.fault(err))
	}
	d.decoder = decoder
	return nil
}

func (d *decodedBody) close() {
	for _, f := range d.closers {
		f()
	}
}

// Read reads decoded bytes. After the last one it wants the end of the body.
func (d *decodedBody) Read(p []byte) (int, error) {
	n, err := d.decoder.Read(p)
	if err == io.EOF {
		if _, more := d.encoded.ReadByte(); more == nil {
			return n, d.fault(errors.New("bytes follow its end"))
		} else if more != io.EOF {
			return n, more
		}
		return n, io.EOF
	}
	return n, d.fault(err)
}

// fault returns why the body cannot be read: the connection, the budget, or else what the body holds.
func (d *decodedBody) fault(err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case d.body.err != nil && d.body.err != io.EOF:
		return d.body.err
	}
	return fault.Wrap(err, fault.Validation, "the body is not valid %s, as its Content-Encoding says", d.name)
}

// hold takes the memory of a decoder from the budget, but leaves the larger part of a small budget to what it decodes. For
// much of it the credentials are looked up before.
func (d *decodedBody) hold(c *call, n int64) error {
	if n > unprovenWindow && c.prove != nil {
		if err := c.prove(); err != nil {
			return err
		}
		c.prove = nil
	}
	taken, err := c.budget.grow(c.owner, c.held, min(n, c.budget.Share()/2))
	c.held += taken
	return err
}

func (d *decodedBody) gzip(c *call) (io.Reader, error) {
	if err := d.hold(c, flateMemory); err != nil {
		return nil, err
	}
	return gzip.NewReader(d.encoded)
}

// deflate reads zlib's format, as RFC 9110 wants it, or the bare one, which some clients send.
func (d *decodedBody) deflate(c *call) (io.Reader, error) {
	if err := d.hold(c, flateMemory); err != nil {
		return nil, err
	}
	if head, err := d.encoded.Peek(2); err == nil && head[0]&15 == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(d.encoded)
	}
	return flate.NewReader(d.encoded), nil
}

func (d *decodedBody) brotli(c *call) (io.Reader, error) {
	head, err := d.encoded.Peek(1)
	if err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	if err := d.hold(c, 1<<brotliWindow(head[0])); err != nil {
		return nil, err
	}
	return brotli.NewReader(d.encoded), nil
}

// brotliWindow returns the binary logarithm of the window that the first byte of a stream announces (RFC 7932, 9.1).
func brotliWindow(first byte) int {
	switch high, low := first>>1&7, first>>4&7; {
	case first&1 == 0:
		return 16
	case high != 0:
		return 17 + int(high)
	case low == 0:
		return 17
	case low == 1:
		return 24 // a large window, which the decoder refuses
	default:
		return 8 + int(low)
	}
}

// zstd reads frames whose windows are no larger than that of the first, or minZstdWindow.
func (d *decodedBody) zstd(c *call) (io.Reader, error) {
	head, err := d.encoded.Peek(zstd.HeaderMaxSize)
	if err != nil && err != io.EOF {
		return nil, err
	}
	var frame zstd.Header
	if err := frame.Decode(head); err != nil {
		return nil, err
	}
	window := max(frame.WindowSize, minZstdWindow)
	switch {
	case frame.SingleSegment && frame.FrameContentSize > uint64(d.limit):
		return nil, tooLarge(d.limit)
	case frame.SingleSegment: // the window is the whole content
		window = max(frame.FrameContentSize, minZstdWindow)
	case window > maxZstdWindow:
		return nil, fmt.Errorf("its window is larger than %d MB", maxZstdWindow>>20)
	}
	if err := d.hold(c, int64(window)+zstdMemory); err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(d.encoded, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(window))
	if err != nil {
		return nil, err
	}
	d.closers = append(d.closers, decoder.Close)
	return decoder, nil
}
