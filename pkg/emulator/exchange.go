package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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

	key    string
	body   []byte
	req    *request
	serial int64
	do     Behaviour
	status int
}

// maxBody is what the providers take at least; none takes 64 MB.
const maxBody = 64 << 20

func (x *exchange) serve(path string) {
	x.key = strings.TrimPrefix(x.r.Header.Get("Authorization"), "Bearer ")
	x.body, _ = io.ReadAll(io.LimitReader(x.r.Body, maxBody))
	defer x.record()
	x.head()
	switch {
	case !strings.HasPrefix(x.r.Header.Get("Authorization"), "Bearer ") || !validKey(x.key):
		x.fail(x.p.badKey())
	case path == "/chat/completions" && x.r.Method == http.MethodPost:
		x.chat()
	case path == "/models" && x.r.Method == http.MethodGet:
		x.do = x.e.behaviour(x.p.id, x.key, "")
		if x.misbehave() {
			return
		}
		x.json(200, x.p.models())
	case path == x.p.account && path != "" && x.r.Method == http.MethodGet:
		x.do = x.e.behaviour(x.p.id, x.key, "")
		if x.misbehave() {
			return
		}
		x.json(200, x.p.accountBody())
	default:
		x.fail(failure{404, x.p.errorBody("Not found", "invalid_request_error", "not_found", "")})
	}
}

// validKey says whether the emulated provider knows the key: any that does not say that it is wrong.
func validKey(key string) bool {
	return len(key) >= 8 && !strings.Contains(key, "invalid")
}

// head sets what real answers carry besides: the gateway must keep most of it from its callers.
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
		h.Set(x.p.requestID, fmt.Sprintf("req_%s_%06d", x.p.id, x.serial))
	}
	h.Set("Set-Cookie", "__cf_bm=emulated; path=/; HttpOnly")
	h.Set("Access-Control-Allow-Origin", "https://provider.example")
}

// failure is an answer that is an error.
type failure struct {
	status int
	body   any
}

func (x *exchange) fail(f failure) { x.json(f.status, f.body) }

func (x *exchange) json(status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings and numbers always encode
	}
	contentType := "application/json"
	if status == 400 && x.p.id == "deepseek" {
		contentType = "application/octet-stream" // recorded: JSON inside all the same
	}
	x.whole(status, contentType, body)
}

func (x *exchange) whole(status int, contentType string, body []byte) {
	x.status = status
	if x.do.ContentType != "" {
		contentType = x.do.ContentType
	}
	x.w.Header().Set("Content-Type", contentType)
	out := newOutput(x)
	x.w.WriteHeader(status)
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

func (x *exchange) chat() {
	var f *failure
	if x.req, f = x.parse(); f != nil {
		x.fail(*f)
		return
	}
	x.do = x.e.behaviour(x.p.id, x.key, x.req.Model)
	if x.misbehave() {
		return
	}
	if f := x.refuse(); f != nil {
		x.fail(*f)
		return
	}
	a := x.answer()
	if x.req.Stream {
		x.stream(a)
		return
	}
	if x.do.ErrorIn200 {
		x.json(200, x.p.errorIn200())
		return
	}
	x.json(200, x.p.wholeBody(x, a))
}
