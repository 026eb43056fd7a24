// Package sse reads and writes server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
package sse

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
)

// DefaultMaxEvent limits the bytes of an event by default. Events hold whole images and signatures:
// megabytes are normal.
const DefaultMaxEvent = 64 << 20

// minRead is the smallest buffer for one Read.
const minRead = 4 << 10

// A SizeError reports an event that is larger than the reader's limit.
type SizeError struct{ Limit int }

func (e *SizeError) Error() string {
	return fmt.Sprintf("a server-sent event is larger than %d bytes", e.Limit)
}

// Reader reads events from a stream as they arrive. It never waits for more bytes
// than the event needs. It deviates from the specification in one thing: what
// stands at the end of the stream without a blank line after it is an event, too.
type Reader struct {
	src io.Reader
	max int

	buf   []byte
	start int // of the event being read
	line  int // start of the line being read
	seen  int // bytes up to here hold no end of that line
	end   int // of what was read
	err   error

	// The data of the event lies at buf[data:dataEnd]; further lines are moved up to it.
	data, dataEnd int
	hasData       bool
	name          string

	idle    int  // reads in a row that brought nothing
	skipLF  bool // the last line ended in CR; an LF now belongs to it
	started bool
	names   map[string]string
	read    atomic.Int64
}

// NewReader reads from src events of at most max bytes, their framing included;
// 0 means DefaultMaxEvent.
func NewReader(src io.Reader, max int) *Reader {
	if max <= 0 {
		max = DefaultMaxEvent
	}
	return &Reader{src: src, max: max}
}

// BytesRead returns the number of bytes read, comments included. As long as it grows, the
// other side is alive. It is safe for concurrent use.
func (r *Reader) BytesRead() int64 { return r.read.Load() }

// Next waits for the next event that has data. The name is empty if the event has
// none; data is valid until the next call. The error is io.EOF at the end of the
// stream, a *SizeError, or what the stream failed with, and remains.
func (r *Reader) Next() (name string, data []byte, err error) {
	r.begin()
	for {
		from, to, ok := r.nextLine()
		if !ok {
			if r.err == nil {
				r.fill()
				continue
			}
			if r.err == io.EOF {
				return r.last()
			}
			return "", nil, r.err
		}
		if from < to {
			r.field(from, to)
		} else if r.hasData {
			return r.name, r.buf[r.data:r.dataEnd], nil
		} else {
			r.begin()
		}
	}
}

// Ready reports whether Next returns an event without waiting. It may be false although there
// is one, if the event mixes line ends.
func (r *Reader) Ready() bool {
	rest := r.buf[r.line:r.end]
	if r.skipLF {
		rest = bytes.TrimPrefix(rest, []byte("\n"))
	}
	end := bytes.Index(rest, []byte("\n\n"))
	if end < 0 {
		end = bytes.Index(rest, []byte("\r\n\r\n"))
	}
	if end < 0 {
		return false
	}
	rest = rest[:end]
	return bytes.HasPrefix(rest, []byte("data:")) || bytes.Contains(rest, []byte("\ndata:"))
}

// begin forgets the event before.
func (r *Reader) begin() {
	r.start, r.hasData, r.name = r.line, false, ""
}

// last returns the event that the stream ends with if no blank line follows it.
func (r *Reader) last() (string, []byte, error) {
	if r.line < r.end {
		from := r.line
		r.line, r.seen = r.end, r.end
		r.field(from, r.end)
	}
	if r.hasData {
		return r.name, r.buf[r.data:r.dataEnd], nil
	}
	return "", nil, r.err
}

// nextLine finds the next whole line, at buf[from:to] without its end. A line may end in LF, CR LF or CR;
// after a CR it does not wait to see whether an LF follows.
func (r *Reader) nextLine() (from, to int, ok bool) {
	if r.skipLF && r.line < r.end {
		if r.buf[r.line] == '\n' {
			r.line++
			r.seen = max(r.seen, r.line)
		}
		r.skipLF = false
	}
	rest := r.buf[r.seen:r.end]
	n := bytes.IndexByte(rest, '\n')
	if n >= 0 {
		rest = rest[:n]
	}
	if cr := bytes.IndexByte(rest, '\r'); cr >= 0 {
		n, r.skipLF = cr, true
	}
	if n < 0 {
		r.seen = r.end
		return 0, 0, false
	}
	from, to = r.line, r.seen+n
	r.line, r.seen = to+1, to+1
	return from, to, true
}

// field reads the line at buf[from:to], which is not blank.
func (r *Reader) field(from, to int) {
	name, value := r.buf[from:to], to
	if colon := bytes.IndexByte(name, ':'); colon >= 0 {
		name, value = name[:colon], from+colon+1
		if value < to && r.buf[value] == ' ' {
			value++
		}
	}
	switch string(name) {
	case "data":
		r.addData(value, to)
	case "event":
		r.name = r.intern(r.buf[value:to])
	case "":
		// A comment. One between events must not count towards the size of the next.
		if !r.hasData && r.name == "" {
			r.start = r.line
		}
	}
}

// addData appends a line of data to those before it. They are moved together within the
// buffer: what is between them is at least as long as the line feed that joins them.
func (r *Reader) addData(from, to int) {
	if !r.hasData {
		r.hasData, r.data, r.dataEnd = true, from, to
		return
	}
	r.buf[r.dataEnd] = '\n'
	r.dataEnd += 1 + copy(r.buf[r.dataEnd+1:], r.buf[from:to])
}

// intern returns the name as a string. It keeps the names, which are few, so that an event does not allocate.
func (r *Reader) intern(name []byte) string {
	if s, ok := r.names[string(name)]; ok {
		return s
	}
	s := string(name)
	if r.names == nil {
		r.names = make(map[string]string)
	}
	if len(r.names) < 64 && len(s) <= 64 {
		r.names[s] = s
	}
	return s
}

// fill reads more of the stream behind what is there, making room first.
func (r *Reader) fill() {
	if r.end-r.start >= r.max {
		r.err = &SizeError{r.max}
		return
	}
	if r.end == r.start {
		r.move(r.buf)
	} else if len(r.buf)-r.end < minRead {
		if r.start >= len(r.buf)/2 {
			r.move(r.buf)
		} else {
			r.move(make([]byte, max(2*len(r.buf), 2*minRead)))
		}
	}
	if len(r.buf) == 0 {
		r.buf = make([]byte, 2*minRead)
	}
	n, err := r.src.Read(r.buf[r.end:min(len(r.buf), r.start+r.max)])
	r.end += n
	r.read.Add(int64(n))
	if r.err = err; n > 0 {
		r.idle = 0
	} else if r.idle++; r.idle >= 100 && err == nil {
		r.err = io.ErrNoProgress
	}
	if !r.started {
		r.skipBOM()
	}
}

// move copies the bytes from the current event on to the start of buf.
func (r *Reader) move(buf []byte) {
	copy(buf, r.buf[r.start:r.end])
	by := r.start
	r.start, r.line, r.seen, r.end = 0, r.line-by, r.seen-by, r.end-by
	r.data, r.dataEnd = r.data-by, r.dataEnd-by
	r.buf = buf
}

// skipBOM drops the byte order mark with which a stream may begin.
func (r *Reader) skipBOM() {
	const bom = "\xef\xbb\xbf"
	have := r.buf[:r.end]
	switch {
	case len(have) >= len(bom):
		r.started = true
		if string(have[:len(bom)]) == bom {
			r.start, r.line, r.seen = len(bom), len(bom), len(bom)
		}
	case string(have) != bom[:len(have)]:
		r.started = true
	}
}
