package emulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// output writes an answer's bytes with the framing and the cuts of the behaviour.
type output struct {
	x       *exchange
	rc      *http.ResponseController
	framing framing
	left    []byte // the bytes of an incomplete piece
	begun   bool   // an array has an element already
}

// framing is the format of a stream.
type framing uint8

const (
	framingSSE   framing = iota
	framingCRLF          // server-sent events with CRLF: Google's (recorded)
	framingArray         // a JSON array: Google's without alt=sse
)

func newOutput(x *exchange) *output {
	return &output{x: x, rc: http.NewResponseController(x.w)}
}

// write sends bytes, in pieces of ChunkBytes if that is set. Pieces may split characters and JSON.
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

// finish ends a complete stream.
func (o *output) finish() {
	if o.framing == framingArray {
		if !o.begun {
			o.write([]byte("["))
		}
		o.write([]byte("\r\n]\r\n"))
	}
}

// end sends the rest of the last piece.
func (o *output) end() {
	if len(o.left) > 0 {
		o.piece(len(o.left))
	}
}

func (o *output) comment(text string) { o.write([]byte(": " + text + o.nl() + o.nl())) }

func (o *output) nl() string {
	if o.x.do.CRLF || o.framing == framingCRLF {
		return "\r\n"
	}
	return "\n"
}

// event sends one event of a stream.
func (o *output) event(name string, data []byte) {
	if o.framing == framingArray {
		o.element(data)
		return
	}
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

func (o *output) element(data []byte) {
	var b bytes.Buffer
	if o.begun {
		b.WriteString("\r\n,\r\n")
	} else {
		b.WriteByte('[')
	}
	o.begun = true
	if o.x.do.BlankLines {
		b.WriteString("\r\n\r\n")
	}
	if json.Indent(&b, data, "", "  ") != nil {
		b.Write(data) // garbage
	}
	if o.x.do.Padding {
		b.WriteString("   ")
	}
	o.write(b.Bytes())
}
