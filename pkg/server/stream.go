package server

import (
	"errors"
	"net/http"
)

// streamWriter writes a streamed answer: one write and one flush for each event.
type streamWriter struct {
	w *response
	// buffered says that the host buffers whole answers (Vercel functions): events then arrive all at once.
	buffered bool
}

// stream begins a streamed answer of the content type, with status 200. Other headers
// must be set before. Nothing is sent until the first write.
func (c *call) stream(contentType string) *streamWriter {
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	// Asks nginx and similar proxies not to buffer the answer.
	h.Set("X-Accel-Buffering", "no")
	c.w.WriteHeader(http.StatusOK)
	return &streamWriter{w: c.w}
}

// write sends one event, or several at once. An error means that the caller has left, or did not read in
// time.
func (s *streamWriter) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if _, err := s.w.Write(p); err != nil {
		return err
	}
	if s.buffered {
		return nil
	}
	err := s.w.flush()
	if errors.Is(err, http.ErrNotSupported) {
		s.buffered = true
		return nil
	}
	return err
}
