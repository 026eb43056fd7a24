package server

import (
	"net/http"
	"time"
)

// response is the ResponseWriter of every handler. It notes what was answered, and
// gives each write its own time: a caller who does not read holds a request no longer
// than that. Between writes there is no deadline. One that stays would end the whole answer over
// HTTP/2, where it is a timer of the stream, and not only of its writes.
type response struct {
	http.ResponseWriter
	control      *http.ResponseController
	writeTimeout time.Duration // for one write; 0: no limit
	head         bool
	http1        bool
	status       int // 0: not begun
	bytes        int64
}

// newResponse returns w itself if it is a response.
func newResponse(w http.ResponseWriter, r *http.Request, writeTimeout time.Duration) *response {
	if timed, ok := w.(*response); ok {
		return timed
	}
	return &response{
		ResponseWriter: w, control: http.NewResponseController(w), writeTimeout: writeTimeout,
		head: r.Method == http.MethodHead, http1: r.ProtoMajor < 2,
	}
}

// Unwrap lets http.ResponseController reach what the server offers.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status >= 200 {
		w.status = status
	}
	w.extend()
	defer w.wait()
	w.ResponseWriter.WriteHeader(status)
}

// writeUnit is what has to be written within the timeout: about what a caller on a slow
// line takes in that time.
const writeUnit = 256 << 10

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.head {
		return len(p), nil
	}
	defer w.wait()
	written := 0
	for {
		unit := p[written:min(len(p), written+writeUnit)]
		w.extend()
		n, err := w.ResponseWriter.Write(unit)
		written += n
		w.bytes += int64(n)
		if err != nil || written >= len(p) {
			return written, err
		}
	}
}

// extend restarts the time for writing. Hosts without deadlines bound it themselves.
func (w *response) extend() {
	if w.writeTimeout > 0 {
		w.control.SetWriteDeadline(time.Now().Add(w.writeTimeout))
	}
}

// wait removes the deadline until the next write.
func (w *response) wait() {
	if w.writeTimeout > 0 {
		w.control.SetWriteDeadline(time.Time{})
	}
}

// closeAfter says that the connection ends after the answer, because the rest of the request's body is not read. Over
// HTTP/2 only the stream ends, and other requests have the connection as well.
func (w *response) closeAfter() {
	if w.http1 {
		w.Header().Set("Connection", "close")
	}
}

// flush sends what was written. The error is http.ErrNotSupported on a host that
// gathers whole answers.
func (w *response) flush() error {
	w.extend()
	defer w.wait()
	return w.control.Flush()
}
