package provider

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

const secret = "sk-test-0123456789abcdefXYZ"

var request = dialect.Encoded{Path: "/chat/completions", Body: []byte(`{"model":"m"}`)}

// serve starts a provider that answers with the handler, and a client for it.
func serve(t testing.TB, id string, h http.HandlerFunc) (*Provider, *Client) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c := NewClient(ClientConfig{UserAgent: "llm-gateway/test", MaxBytes: 1 << 20})
	t.Cleanup(c.Close)
	return table(t, map[string]string{id: srv.URL + "/base"}).ByID(id), c
}

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// fails calls and wants a *CallError.
func fails(t *testing.T, ctx context.Context, c *Client, p *Provider, opts Options) *CallError {
	t.Helper()
	resp, err := c.Do(ctx, p, secret, request, opts)
	if err == nil {
		resp.Close()
		t.Fatal("the call succeeded")
	}
	var call *CallError
	if !errors.As(err, &call) {
		t.Fatalf("%T is no *CallError", err)
	}
	if strings.Contains(err.Error(), secret) || call.Err.Cause != nil && strings.Contains(call.Err.Cause.Error(), secret) {
		t.Fatalf("the key is in the error: %v", err)
	}
	return call
}

func TestRequestHeaders(t *testing.T) {
	var got *http.Request
	var body []byte
	p, c := serve(t, "openrouter", func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Openai-Organization", "org")
		w.Header().Set("Openai-Processing-Ms", "34")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("X-Ratelimit-Remaining", "1")
		w.Header().Set("X-Generation-Id", "gen-1")
		io.WriteString(w, "  \n{}")
	})
	from := http.Header{
		"Authorization": {"Bearer llm_callers"}, "X-Api-Key": {"callers"}, "Cookie": {"s=1"}, "Openai-Organization": {"org"}, "Forwarded": {"x"},
		"X-Forwarded-For": {"1.2.3.4"}, "User-Agent": {"curl"}, "Accept-Encoding": {"gzip"}, "Http-Referer": {"https://app.example"}, "X-Title": {"App"},
	}
	resp, err := c.Do(deadline(t), p, secret, request, Options{Streamed: true, Header: from})
	if err != nil {
		t.Fatal(err)
	}
	text, err := resp.ReadAll()
	if err != nil || string(text) != "  \n{}" {
		t.Fatalf("%q, %v", text, err)
	}
	want := http.Header{
		"Authorization": {"Bearer " + secret}, "User-Agent": {"llm-gateway/test"}, "Accept": {"text/event-stream"}, "Accept-Encoding": {"identity"},
		"Content-Type": {"application/json"}, "Content-Length": {"13"}, "Http-Referer": {"https://app.example"}, "X-Title": {"App"},
	}
	if fmt.Sprint(got.Header) != fmt.Sprint(want) {
		t.Errorf("sent\n%v, want\n%v", got.Header, want)
	}
	if got.Method != "POST" || got.URL.String() != "/base/chat/completions" || string(body) != `{"model":"m"}` || strings.Contains(got.RequestURI, "key") {
		t.Errorf("%s %s %q", got.Method, got.URL, body)
	}
	if fmt.Sprint(resp.Header) != "map[Openai-Processing-Ms:[34]]" || resp.RequestID != "gen-1" || resp.ContentType != "application/json" || resp.Status != 200 {
		t.Errorf("came down: %v, %q, %q", resp.Header, resp.RequestID, resp.ContentType)
	}
}

func TestVersionHeader(t *testing.T) {
	var got []string
	p, c := serve(t, "anthropic", func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Anthropic-Version")+" "+r.Header.Get("X-Api-Key")+r.Header.Get("Authorization"))
	})
	for _, h := range []http.Header{nil, {"Anthropic-Version": {"2024-01-01"}}} {
		resp, err := c.Do(deadline(t), p, secret, request, Options{Header: h})
		if err != nil {
			t.Fatal(err)
		}
		resp.ReadAll()
	}
	if fmt.Sprint(got) != fmt.Sprintf("[2023-06-01 %s 2024-01-01 %s]", secret, secret) {
		t.Error(got)
	}
}

// A dialect's own values of a list header do not displace the caller's.
func TestBetasAreJoined(t *testing.T) {
	var got []string
	p, c := serve(t, "anthropic", func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Anthropic-Beta"))
	})
	needs := request
	needs.Header = http.Header{"Anthropic-Beta": {"files"}}
	for _, h := range []http.Header{nil, {"Anthropic-Beta": {"a,b"}}, {"Anthropic-Beta": {"a", "b,c", "a"}}} {
		resp, err := c.Do(deadline(t), p, secret, needs, Options{Header: h})
		if err != nil {
			t.Fatal(err)
		}
		resp.ReadAll()
	}
	if fmt.Sprint(got) != "[files a,b,files a,b,c,files]" {
		t.Error(got)
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	var hits atomic.Int32
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	call := fails(t, deadline(t), c, p, Options{})
	if call.Err.Class != chat.Transport || call.Err.Status != 307 || hits.Load() != 1 {
		t.Errorf("%+v after %d requests", call.Err, hits.Load())
	}
}

func TestFailureIsClassifiedAndRedacted(t *testing.T) {
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "req-7")
		w.Header().Set("Content-Type", "application/octet-stream")
		w.WriteHeader(401)
		fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, secret)
	})
	call := fails(t, deadline(t), c, p, Options{})
	if e := call.Err; e.Class != chat.BadKey || e.Status != 401 || e.Code != "invalid_api_key" || e.Message != "Incorrect API key provided: [redacted]." {
		t.Errorf("%+v", e)
	}
	if !call.Sent || !call.Answered || call.RequestID != "req-7" {
		t.Errorf("%+v", call)
	}
}

func TestEndlessFailureIsCut(t *testing.T) {
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		for i := 0; i < 1<<16 && r.Context().Err() == nil; i++ {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
		}
	})
	call := fails(t, deadline(t), c, p, Options{})
	if call.Err.Class != chat.Transport || !strings.HasPrefix(call.Err.Message, "OpenAI answered with status 500 but not in its error format") {
		t.Errorf("%+v", call.Err)
	}
}

func TestSent(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + ln.Addr().String()
	ln.Close()
	c := NewClient(ClientConfig{})
	defer c.Close()
	call := fails(t, deadline(t), c, table(t, map[string]string{"groq": refused}).ByID("groq"), Options{})
	if call.Sent || call.Answered || call.Err.Class != chat.Transport || call.Err.Status != 0 {
		t.Errorf("refused: %+v, %v", call, call.Err)
	}

	p, c := serve(t, "groq", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	call = fails(t, deadline(t), c, p, Options{})
	if !call.Sent || call.Answered || call.Err.Class != chat.Transport {
		t.Errorf("hung up: %+v, %v", call, call.Err)
	}

	gone, cancel := context.WithCancel(context.Background())
	cancel()
	call = fails(t, gone, c, p, Options{})
	if call.Sent || !errors.Is(call, context.Canceled) {
		t.Errorf("cancelled before: %+v, %v", call, call.Err)
	}
}

func TestIdleTimeout(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	mute := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/base/half" {
			io.WriteString(w, "data: x\n\n")
			w.(http.Flusher).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	p, c := serve(t, "openai", mute)
	call := fails(t, deadline(t), c, p, Options{IdleTimeout: 60 * time.Millisecond})
	if call.Err.Class != chat.Timeout || !errors.Is(call, ErrIdleTimeout) || !call.Sent || call.Answered {
		t.Errorf("before the header: %+v, %v", call, call.Err)
	}

	resp, err := c.Do(deadline(t), p, secret, dialect.Encoded{Path: "/half", Body: []byte("{}")}, Options{Streamed: true, IdleTimeout: 60 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	start := time.Now()
	text, err := io.ReadAll(resp.Body)
	var failure *chat.Error
	if !errors.As(err, &failure) || failure.Class != chat.Timeout || !errors.Is(err, ErrIdleTimeout) || string(text) != "data: x\n\n" {
		t.Errorf("in the body: %q, %v", text, err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("noticed after %v", d)
	}
}

// Any byte counts: DeepSeek sends blank lines for minutes while a request waits.
func TestAnyByteRestartsTheIdleTimeout(t *testing.T) {
	p, c := serve(t, "deepseek", func(w http.ResponseWriter, r *http.Request) {
		for range 20 {
			io.WriteString(w, "\n")
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
		io.WriteString(w, "{}")
	})
	resp, err := c.Do(deadline(t), p, secret, request, Options{IdleTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := resp.ReadAll(); err != nil || !bytes.HasSuffix(text, []byte("{}")) {
		t.Errorf("%q, %v", text, err)
	}
}

func TestDeadlineAndCancel(t *testing.T) {
	left := make(chan struct{}, 2)
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		left <- struct{}{}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	call := fails(t, ctx, c, p, Options{IdleTimeout: time.Minute})
	if call.Err.Class != chat.Timeout || !errors.Is(call, context.DeadlineExceeded) || !call.Sent {
		t.Errorf("deadline: %+v, %v", call, call.Err)
	}
	<-left

	ctx, cancel = context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	call = fails(t, ctx, c, p, Options{})
	if call.Err.Class != chat.Transport || !errors.Is(call, context.Canceled) || !call.Sent {
		t.Errorf("cancel: %+v, %v", call, call.Err)
	}
	<-left
}

func TestClosingEarlyCancelsTheRequest(t *testing.T) {
	left := make(chan struct{})
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "data: x\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(left)
	})
	resp, err := c.Do(deadline(t), p, secret, request, Options{Streamed: true})
	if err != nil {
		t.Fatal(err)
	}
	resp.Close()
	select {
	case <-left:
	case <-time.After(3 * time.Second):
		t.Error("the provider was left working")
	}
}

func TestCutBody(t *testing.T) {
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"id":`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	resp, err := c.Do(deadline(t), p, secret, request, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := resp.ReadAll()
	var failure *chat.Error
	if !errors.As(err, &failure) || failure.Class != chat.Transport || string(text) != `{"id":` {
		t.Errorf("%q, %v", text, err)
	}
}

func TestCompressedAnswers(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, `{"ok":true}`)
	z.Close()
	var packedError bytes.Buffer
	z = gzip.NewWriter(&packedError)
	io.WriteString(z, `{"error":{"message":"x","type":"requests","code":"rate_limit_exceeded"}}`)
	z.Close()
	var bomb bytes.Buffer
	z = gzip.NewWriter(&bomb)
	z.Write(make([]byte, 2<<20))
	z.Close()
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/base/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(packed.Bytes())
		case "/base/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb.Bytes())
		case "/base/error":
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(429)
			w.Write(packedError.Bytes())
		default:
			w.Header().Set("Content-Encoding", "br")
			io.WriteString(w, "x")
		}
	})
	for path, want := range map[string]string{"/gzip": `{"ok":true}`, "/bomb": "", "/br": "", "/error": ""} {
		resp, err := c.Do(deadline(t), p, secret, dialect.Encoded{Path: path, Body: []byte("{}")}, Options{})
		var text []byte
		if err == nil {
			text, err = resp.ReadAll()
		}
		var failure *chat.Error
		switch {
		case want != "" && (err != nil || string(text) != want):
			t.Errorf("%s: %q, %v", path, text, err)
		case path == "/error" && (!errors.As(err, &failure) || failure.Class != chat.RateLimited):
			t.Errorf("%s: %v", path, err)
		case want == "" && path != "/error" && (!errors.As(err, &failure) || failure.Class != chat.Transport):
			t.Errorf("%s: %d bytes, %v", path, len(text), err)
		}
	}
}

func TestBodyLimits(t *testing.T) {
	const limit = 1 << 20
	line := strings.Repeat("x", 1000) + "\n"
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/base/exact":
			w.Write(make([]byte, limit))
		case "/base/over":
			w.Write(make([]byte, limit+1))
		case "/base/lines":
			for range 2 * limit / len(line) {
				io.WriteString(w, line)
			}
		case "/base/line":
			io.WriteString(w, "short\n"+strings.Repeat("x", limit+1)+"\n")
		}
	})
	for _, tt := range []struct {
		path     string
		streamed bool
		ok       bool
	}{
		{"/exact", false, true}, {"/over", false, false}, {"/lines", false, false},
		{"/exact", true, true}, {"/lines", true, true}, {"/line", true, false}, {"/over", true, false},
	} {
		resp, err := c.Do(deadline(t), p, secret, dialect.Encoded{Path: tt.path, Body: []byte("{}")}, Options{Streamed: tt.streamed})
		if err != nil {
			t.Fatal(err)
		}
		_, err = resp.ReadAll()
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s, streamed %v: %v", tt.path, tt.streamed, err)
		}
	}
}

func TestConnectionsAreReused(t *testing.T) {
	peers := map[string]bool{}
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true
		if r.URL.Path == "/base/bad" {
			w.WriteHeader(400)
		}
		io.WriteString(w, `{"error":{"message":"x"}}`)
	})
	for i := range 6 {
		path := [...]string{"/good", "/bad"}[i%2]
		resp, err := c.Do(deadline(t), p, secret, dialect.Encoded{Path: path, Body: []byte("{}")}, Options{IdleTimeout: time.Minute})
		if err == nil {
			resp.ReadAll()
		}
	}
	if len(peers) != 1 {
		t.Errorf("%d connections", len(peers))
	}
}

// A call does not fail because the provider closed an idle connection.
func TestStaleConnection(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	srv.Start()
	defer srv.Close()
	c := NewClient(ClientConfig{})
	defer c.Close()
	p := table(t, map[string]string{"openai": srv.URL}).ByID("openai")
	for range 5 {
		resp, err := c.Do(deadline(t), p, secret, request, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if text, err := resp.ReadAll(); err != nil || !bytes.Equal(text, request.Body) {
			t.Fatalf("%q, %v", text, err)
		}
		srv.CloseClientConnections()
		time.Sleep(10 * time.Millisecond)
	}
}

func TestHTTP2(t *testing.T) {
	var proto atomic.Value
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto.Store(r.Proto)
		if r.URL.Path == "/mute" {
			<-r.Context().Done()
			return
		}
		io.Copy(w, r.Body)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	c := NewClient(ClientConfig{})
	defer c.Close()
	c.transport.TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	c.transport.TLSClientConfig.NextProtos = nil
	p := table(t, map[string]string{"openai": srv.URL}).ByID("openai")
	large := dialect.Encoded{Path: "/echo", Body: bytes.Repeat([]byte("0123456789"), 100_000)}
	resp, err := c.Do(deadline(t), p, secret, large, Options{IdleTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := resp.ReadAll(); err != nil || !bytes.Equal(text, large.Body) || proto.Load() != "HTTP/2.0" {
		t.Errorf("%v: %d bytes, %v", proto.Load(), len(text), err)
	}
	_, err = c.Do(deadline(t), p, secret, dialect.Encoded{Path: "/mute", Body: []byte("{}")}, Options{IdleTimeout: 50 * time.Millisecond})
	if !errors.Is(err, ErrIdleTimeout) {
		t.Errorf("idle timeout: %v", err)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	c := NewClient(ClientConfig{})
	defer c.Close()
	call := fails(t, deadline(t), c, table(t, map[string]string{"openai": srv.URL}).ByID("openai"), Options{})
	var bad *tls.CertificateVerificationError
	if call.Sent || call.Err.Class != chat.Transport || !errors.As(call, &bad) {
		t.Errorf("%+v, %v", call, call.Err)
	}
}

func TestConcurrentCalls(t *testing.T) {
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	errs := make(chan error, 32)
	for i := range cap(errs) {
		go func() {
			body := []byte(fmt.Sprintf(`{"n":%d}`, i))
			resp, err := c.Do(deadline(t), p, secret, dialect.Encoded{Path: "/x", Body: body}, Options{IdleTimeout: time.Minute})
			if err == nil {
				var text []byte
				if text, err = resp.ReadAll(); err == nil && !bytes.Equal(text, body) {
					err = fmt.Errorf("%s for %s", text, body)
				}
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// smallBuffers keeps the kernel from taking a whole body at once.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	}
	return conn, err
}

// Sending a large body on a slow line is progress.
func TestSlowUploadRestartsTheIdleTimeout(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 1<<20)
		for {
			if _, err := io.ReadFull(r.Body, buf); err != nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		io.WriteString(w, "{}")
	}))
	srv.Listener = smallBuffers{srv.Listener}
	srv.Start()
	defer srv.Close()
	c := NewClient(ClientConfig{})
	defer c.Close()
	p := table(t, map[string]string{"openai": srv.URL}).ByID("openai")
	start := time.Now()
	resp, err := c.Do(deadline(t), p, secret, dialect.Encoded{Path: "/x", Body: make([]byte, 32<<20)}, Options{IdleTimeout: time.Second})
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(start), err)
	}
	resp.Close()
	if d := time.Since(start); d < 1500*time.Millisecond {
		t.Errorf("the upload took only %v, which shows nothing", d)
	}
}
