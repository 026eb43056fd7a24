package provider

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Response is an answer of status 2xx.
type Response struct {
	Status      int
	ContentType string // as the provider says, which is not always the truth
	RequestID   string // the provider's id of the request; empty if it gave none
	// Header holds those of the provider's headers that callers may see. Cookies, CORS,
	// rate limits and organisations are never among them.
	Header http.Header
	// Body is bounded, and fails with a *chat.Error of class Timeout or Transport. It must be
	// closed; closing it early cancels the request.
	Body io.ReadCloser

	size int64 // as the provider announced it; -1 if it did not
}

// Close closes the body.
func (r *Response) Close() error { return r.Body.Close() }

// ReadAll reads the body to its end and closes it. If that fails (*chat.Error), it returns what came
// before as well.
func (r *Response) ReadAll() ([]byte, error) {
	defer r.Body.Close()
	var buf bytes.Buffer
	// The announced size need not be true.
	buf.Grow(int(min(max(r.size, 0), 1<<20)) + bytes.MinRead)
	_, err := buf.ReadFrom(r.Body)
	return buf.Bytes(), err
}

// forwardedResponseHeaders returns the headers of an answer that callers may see, without pieces of
// the key.
func forwardedResponseHeaders(h http.Header, secret string) http.Header {
	var out http.Header
	for _, name := range [...]string{"Openai-Processing-Ms", "X-Gemini-Service-Tier"} {
		if v := h.Get(name); v != "" {
			if out == nil {
				out = make(http.Header, 2)
			}
			out[name] = []string{RedactWord(v, secret)}
		}
	}
	return out
}

// body reads an answer within a bound and an idle timeout.
type body struct {
	*exchange
	raw      io.Closer
	src      io.Reader
	streamed bool
	limit    int64
	seen     int64 // of the whole body, or since the last line end
	err      error
}

// decode makes b read a compressed body. The client asks for no compression; some proxies compress all
// the same.
func (b *body) decode(encoding string) *chat.Error {
	switch strings.ToLower(encoding) {
	case "", "identity":
		return nil
	case "gzip", "x-gzip":
		b.src = &inflater{src: b.src}
		return nil
	}
	return &chat.Error{Class: chat.Transport, Message: "the provider's answer is compressed in a way that was not asked for"}
}

// inflater reads gzip's header with the first Read, so that the idle
// timeout holds for a provider that has sent its headers alone, too.
type inflater struct {
	src io.Reader
	gz  *gzip.Reader
}

func (i *inflater) Read(p []byte) (int, error) {
	if i.gz == nil {
		gz, err := gzip.NewReader(i.src)
		if err != nil {
			return 0, err
		}
		i.gz = gz
	}
	return i.gz.Read(p)
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.src.Read(p)
	if n > 0 {
		b.touch()
		if !b.count(p[:n]) {
			b.err = &chat.Error{Class: chat.Transport, Scope: chat.ScopeRequest, Message: ErrTooLarge.Error(), Cause: ErrTooLarge}
			return 0, b.err
		}
	}
	if err != nil && err != io.EOF {
		err = b.failure(err)
	}
	b.err = err
	return n, err
}

// count says whether the bytes are still within the limit.
func (b *body) count(p []byte) bool {
	if !b.streamed {
		b.seen += int64(len(p))
		return b.seen <= b.limit
	}
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		if b.seen+int64(i) > b.limit {
			return false
		}
		b.seen, p = 0, p[i+1:]
	}
	b.seen += int64(len(p))
	return b.seen <= b.limit
}

// Close ends the exchange. The connection is used again only if the body was read
// to its end.
func (b *body) Close() error {
	// If the context ended first, the transport would drop a connection that it could keep.
	err := b.raw.Close()
	b.end()
	return err
}
