package emulator

import (
	"net/http"
	"strings"
)

// output writes an answer's bytes as the behaviour frames and cuts them.
type output struct {
	x    *exchange
	rc   *http.ResponseController
	left []byte // not yet a whole piece
}

func newOutput(x *exchange) *output {
	return &output{x: x, rc: http.NewResponseController(x.w)}
}

// write sends bytes, in pieces of ChunkBytes if that is set: pieces know nothing of characters or JSON.
func (o *output) write(b []byte) {
	n := o.x.do.ChunkBytes
	if n <= 0 {
		o.x.w.Write(b)
		o.rc.Flush()
		return
	}
	o.left = append(o.left, b...)
	for len(o.left) >= n {
		o.piece(n)
	}
}

func (o *output) piece(n int) {
	o.x.w.Write(o.left[:n])
	o.rc.Flush()
	o.left = o.left[n:]
}

func (o *output) flush() { o.rc.Flush() }

// end sends what is left of the last piece.
func (o *output) end() {
	if len(o.left) > 0 {
		o.piece(len(o.left))
	}
}

func (o *output) comment(text string) { o.write([]byte(": " + text + o.nl() + o.nl())) }

func (o *output) nl() string {
	if o.x.do.CRLF {
		return "\r\n"
	}
	return "\n"
}

// event sends one server-sent event.
func (o *output) event(name string, data []byte) {
	var b strings.Builder
	if o.x.do.Comments {
		b.WriteString(": emulated" + o.nl() + o.nl())
	}
	if o.x.do.BlankLines {
		b.WriteString(o.nl() + o.nl())
	}
	if name != "" {
		b.WriteString("event: " + name + o.nl())
	}
	b.WriteString("data:")
	if !o.x.do.NoSpace {
		b.WriteByte(' ')
	}
	b.Write(data)
	if o.x.do.Padding {
		b.WriteString("   ")
	}
	b.WriteString(o.nl() + o.nl())
	o.write([]byte(b.String()))
}
