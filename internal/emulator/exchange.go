package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// exchange is one request to one provider.
type exchange struct {
	e     *Emulator
	p     *profile
	w     http.ResponseWriter
	r     *http.Request
	began time.Time

	key   string
	body  []byte
	wire  wire   // format of errors
	model string // the requested model, once it is known
	req   *chatRequest
	// framing is set for a stream of Google's.
	framing framing
	serial  int64
	do      Behaviour
	status  int
}

// maxBody is at least what the providers accept; none accepts 64 MB.
const maxBody = 64 << 20

func (x *exchange) serve(path string) {
	x.wire = x.p.wire
	x.body, _ = io.ReadAll(io.LimitReader(x.r.Body, maxBody))
	defer x.record()
	x.head()
	if f := x.p.admit(x); f != nil {
		x.fail(*f)
		return
	}
	if serve := x.p.route(x, path); serve != nil {
		serve()
		return
	}
	x.fail(x.wire.notFound(x))
}

// bearer takes the key from the Authorization header.
func bearer(x *exchange) *failure {
	key, ok := strings.CutPrefix(x.r.Header.Get("Authorization"), "Bearer ")
	x.key = key
	if !ok || !validKey(key) {
		f := x.p.badKey()
		return &f
	}
	return nil
}

// validKey reports whether the emulated provider knows the key: any but one that contains "invalid".
func validKey(key string) bool {
	return len(key) >= 8 && !strings.Contains(key, "invalid")
}

// account returns the account of the key: keys that differ only after their last dash share one.
func (x *exchange) account() string {
	return x.key[:max(strings.LastIndexByte(x.key, '-'), 0)]
}

// head sets headers of real answers, most of which the gateway must not forward.
func (x *exchange) head() {
	x.e.mu.Lock()
	x.e.serial++
	x.serial = x.e.serial
	x.e.mu.Unlock()
	h := x.w.Header()
	for name, value := range x.p.header {
		h.Set(name, value)
	}
	if x.p.requestID != "" {
		h.Set(x.p.requestID, x.requestID())
	}
	h.Set("Set-Cookie", "__cf_bm=emulated; path=/; HttpOnly")
	h.Set("Access-Control-Allow-Origin", "https://provider.example")
}

func (x *exchange) requestID() string { return fmt.Sprintf("req_%s_%06d", x.p.id, x.serial) }

// id makes an id in the style of OpenAI and Anthropic.
func (x *exchange) id(prefix string, i int) string {
	return fmt.Sprintf("%semulated%06d%d", prefix, x.serial, i)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func (x *exchange) fail(f failure) { x.json(f.status, f.body) }

// say sends the answer, with the faults of the behaviour.
func (x *exchange) say(v any) {
	if x.do.Unknown {
		v = json.RawMessage(extend(encode(v), "nobody_knows", unknownValue()))
	}
	if x.do.ErrorIn200 {
		v = x.wire.in200(x)
	}
	x.json(200, v)
}

func (x *exchange) json(status int, v any) {
	if x.framing != framingSSE && status == 200 {
		x.stream(stream{framing: x.framing, events: func(yield func(event) bool) { yield(event{data: v}) }})
		return
	}
	if x.framing == framingArray {
		v = []any{v} // errors too
	}
	body := encode(v)
	contentType := "application/json"
	if status == 400 && x.p.id == "deepseek" {
		contentType = "application/octet-stream" // recorded; the body is JSON
	}
	if x.p.indent {
		contentType = "application/json; charset=UTF-8"
		var b bytes.Buffer
		json.Indent(&b, body, "", "  ")
		body = append(b.Bytes(), '\n')
	}
	x.whole(status, contentType, body)
}

func (x *exchange) whole(status int, contentType string, body []byte) {
	x.status = status
	if x.do.ContentType != "" {
		contentType = x.do.ContentType
	}
	x.w.Header().Set("Content-Type", contentType)
	if x.p.dress != nil {
		x.p.dress(x.w.Header(), status, x.do.Hint)
	}
	out := newOutput(x)
	x.w.WriteHeader(status)
	if x.do.BodyDelayMs > 0 {
		out.flush()
		if !x.pause(x.do.BodyDelayMs) {
			return
		}
	}
	if x.do.BlankLines || status == 200 && x.p.blankLines && x.r.Method == http.MethodPost {
		body = append([]byte("\n         \n\n         \n"), body...)
	}
	if x.do.Garbage {
		body = append([]byte{}, body[:len(body)/2]...)
	}
	if x.do.Cut != "" && x.r.Method == http.MethodPost {
		out.write(body[:len(body)/2])
		out.end()
		if x.do.Cut == CutReset {
			panic(http.ErrAbortHandler)
		}
		return
	}
	out.write(body)
	out.end()
}
