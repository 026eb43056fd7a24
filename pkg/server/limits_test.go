package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wire is a raw connection to the gateway.
type wire struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func (w *world) dial() *wire {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return &wire{w.t, conn, bufio.NewReader(conn)}
}

// head writes the head of a request of ann's.
func (c *wire) head(method, path, bearer string, lines ...string) {
	c.write(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s\r\n",
		method, path, bearer, strings.Join(append(lines, ""), "\r\n")))
}

func (c *wire) write(text string) {
	io.WriteString(c.conn, text) // the answer reveals an error
}

// answer reads an answer with its whole body.
func (c *wire) answer() reply {
	c.t.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("half an answer: %v", err)
	}
	r := reply{c.t, "on the wire", resp.StatusCode, resp.Header, string(text)}
	r.check()
	return r
}

// closed checks that the gateway closes the connection.
func (c *wire) closed() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.t.Errorf("not closed: %v %q", err, rest)
	}
}

func TestBodiesThatStall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "BODY_PROGRESS_TIMEOUT=150ms")
	ann := w.user("ann")
	for name, path := range map[string]string{"chat": "/api/chat", "management": "/api/tokens"} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			begun := time.Now()
			c := w.dial()
			c.head("POST", path, ann.session, "Content-Length: 1000")
			c.write(`{"na`)
			c.answer().refused(408, "REQUEST_TIMEOUT", "in time")
			c.closed()
			if d := time.Since(begun); d > 10*time.Second {
				t.Errorf("it took %v", d)
			}

			c = w.dial() // single bytes at long intervals are no progress either
			c.head("POST", path, ann.session, "Content-Length: 100000")
			begun = time.Now()
			go func() {
				for range 1000 {
					if _, err := io.WriteString(c.conn, " "); err != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}()
			c.answer().refused(408, "REQUEST_TIMEOUT", "in time")
			if d := time.Since(begun); d > 10*time.Second {
				t.Errorf("dripping held it for %v", d)
			}
		})
	}
}

func TestHeadersThatStall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "READ_HEADER_TIMEOUT=150ms")
	c := w.dial()
	c.write("GET /health/live HTTP/1.1\r\nHost: x\r\n")
	begun := time.Now()
	io.ReadAll(c.in)
	if d := time.Since(begun); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestTooManyHeaders(t *testing.T) {
	w := newWorld(t)
	for _, lines := range []string{"X-A: " + strings.Repeat("a", 80<<10), strings.Repeat("X-A: "+strings.Repeat("a", 100)+"\r\n", 800) + "X-B: b"} {
		c := w.dial()
		c.head("GET", "/health/live", "x", lines)
		if resp, err := http.ReadResponse(c.in, nil); err != nil || resp.StatusCode != 431 {
			t.Errorf("%v %v", resp, err)
		}
	}
	w.anyone().with("X-A", strings.Repeat("a", 32<<10)).get("/health/live").want(200)
}

// Bodies that violate HTTP's framing.
func TestBrokenTransfers(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	for name, tt := range map[string]struct{ header, body string }{
		"no chunk size":    {"Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n"},
		"a huge chunk":     {"Transfer-Encoding: chunked", "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"},
		"a chunk's end":    {"Transfer-Encoding: chunked", "2\r\n{}xx\r\n0\r\n\r\n"},
		"another encoding": {"Transfer-Encoding: gzip", "{}"},
		"two lengths":      {"Content-Length: 2\r\nContent-Length: 3", "{}"},
		"a negative one":   {"Content-Length: -1", "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			c := w.dial()
			c.head("POST", "/api/tokens", ann.session, tt.header)
			c.write(tt.body)
			resp, err := http.ReadResponse(c.in, nil)
			if err != nil || resp.StatusCode < 400 || resp.StatusCode >= 502 || resp.StatusCode == 500 {
				t.Errorf("%v %v", resp, err)
			}
		})
	}
}

// A caller that sends Expect: 100-continue is refused before it sends the body.
func TestExpectContinue(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	c := w.dial()
	c.head("POST", "/api/chat", "llm_forged", "Content-Length: 10000000", "Expect: 100-continue")
	c.answer().refused(401, "UNAUTHORIZED", "")
	c = w.dial()
	c.head("POST", "/api/tokens", ann.session, "Content-Length: 12", "Expect: 100-continue")
	if line, err := c.in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("%q %v", line, err)
	}
	c.in.ReadString('\n')
	c.write(`{"name":"x"}`)
	c.answer().want(201)
}

// A refusal before the body was read leaves the connection usable, or closes it; it never takes the
// body for the next request.
func TestBodyAfterARefusal(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	smuggled := "DELETE /api/tokens HTTP/1.1\r\nHost: x\r\n\r\n"
	c := w.dial()
	c.head("POST", "/api/chat", "llm_forged", fmt.Sprintf("Content-Length: %d", len(smuggled)))
	c.write(smuggled)
	c.answer().refused(401, "UNAUTHORIZED", "")
	c.head("GET", "/api/auth/me", ann.session)
	c.answer().want(200)
}

// Bodies share one budget. Beyond it callers get a 503 with Retry-After; the budget is released when a body ends.
func TestBodiesShareABudget(t *testing.T) {
	w := newWorld(t, "MAX_BODY_BYTES=1MB", "BODY_BUDGET_BYTES=1MB")
	ann := w.user("ann")
	const rest = 100
	large := `{"name":"` + strings.Repeat("x", 700<<10) + `"}`
	begin := func() *wire {
		c := w.dial()
		c.head("POST", "/api/chat", ann.session, fmt.Sprintf("Content-Length: %d", len(large)))
		c.write(large[:len(large)-rest])
		return c
	}
	free := func() {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			r := ann.chat(large)
			if r.status == 400 {
				return
			}
			if r.refused(503, "UNAVAILABLE", ""); time.Now().After(deadline) {
				t.Fatal("the budget is not given back")
			}
		}
	}
	// The test cannot see when the first body has arrived; if the second was earlier, it tries again.
	for try := 1; ; try++ {
		first := begin()
		time.Sleep(time.Duration(try) * 50 * time.Millisecond)
		second := ann.chat(large)
		small := ann.post("/api/tokens", `{"name":"small ones go on"}`)
		first.write(large[len(large)-rest:])
		if held := first.answer(); held.status == 400 && second.status == 503 {
			second.refused(503, "UNAVAILABLE", "request bodies")
			if second.header.Get("Retry-After") == "" || second.header.Get("X-Should-Retry") == "false" {
				t.Errorf("headers %v", second.header)
			}
			small.want(201)
			break
		}
		if try == 20 {
			t.Fatalf("the budget holds nobody back: %d", second.status)
		}
		free()
	}
	free()
	begin().conn.Close() // a disconnect releases it too
	for range 20 {
		free()
	}
}
