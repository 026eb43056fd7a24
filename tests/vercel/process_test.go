//go:build !windows

package vercel

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/testproc"
)

// process is a built program with its child processes.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	output testproc.Output
}

func startProcess(t *testing.T, dir string, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir},
		env...), &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Vercel's proxy leaves its server behind
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(p.stop)
	return p
}

func (p *process) stop() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// request is a caller's request.
type request struct {
	method, url string
	header      http.Header
	body        string
}

// answer is the gateway's answer.
type answer struct {
	status int
	header http.Header
	body   string
	pieces int           // in which the body came
	first  time.Duration // until the body's first byte
	took   time.Duration
}

// overHTTP sends a request to a server, and records when the parts of its answer arrive.
func overHTTP(t *testing.T, base string, r request) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, base+r.url, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = r.header
	begun := time.Now()
	resp, err := (&http.Client{Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		t.Errorf("%s %s: %v", r.method, r.url, err)
		return answer{header: http.Header{}}
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	var body bytes.Buffer
	for buf := make([]byte, 64<<10); err == nil; {
		var n int
		if n, err = resp.Body.Read(buf); n > 0 {
			if a.pieces++; a.pieces == 1 {
				a.first = time.Since(begun)
			}
			body.Write(buf[:n])
		}
	}
	if err != io.EOF {
		t.Errorf("%s %s: the answer was cut off after %d bytes: %v", r.method, r.url, body.Len(), err)
	}
	a.body, a.took = body.String(), time.Since(begun)
	return a
}

// startExecutable starts a server function, which tells over a Unix socket where it listens.
func startExecutable(t *testing.T, fn function, env []string) (base string, p *process) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ipc") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	port := make(chan int, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		for in := bufio.NewReader(c); ; {
			text, err := in.ReadBytes(0)
			if err != nil {
				return
			}
			var message struct {
				Type    string
				Payload struct{ HTTPPort int }
			}
			if json.Unmarshal(text[:len(text)-1], &message) == nil && message.Type == "server-started" {
				port <- message.Payload.HTTPPort
			}
		}
	}()
	p = startProcess(t, fn.dir, append(env, "VERCEL_IPC_PATH="+socket), "./executable")
	select {
	case port := <-port:
		awaitListening(t, port)
		return fmt.Sprintf("http://127.0.0.1:%d", port), p
	case <-p.ended:
		t.Fatalf("the server function ended at once: %s", p.output.String())
	case <-time.After(time.Minute):
		t.Fatalf("the server function does not start: %s", p.output.String())
	}
	return "", nil
}

// lambda is a classic function: a custom runtime that fetches one invocation after the other
// (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
type lambda struct {
	todo chan invocation
	p    *process
	open sync.Map // id to chan string
}

type invocation struct {
	event string
	done  chan string
}

func startLambda(t *testing.T, fn function, env []string) *lambda {
	t.Helper()
	f := &lambda{todo: make(chan invocation)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	api := &http.Server{Handler: f}
	go api.Serve(l)
	t.Cleanup(func() { api.Close() })
	f.p = startProcess(t, fn.dir, append(env, "AWS_LAMBDA_RUNTIME_API="+l.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=x"), "./bootstrap")
	return f
}

const invocations = "/2018-06-01/runtime/invocation/"

// ServeHTTP is the runtime API.
func (f *lambda) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := strings.TrimPrefix(r.URL.Path, invocations)
	if what == "next" {
		select {
		case in := <-f.todo:
			id := fmt.Sprint(time.Now().UnixNano())
			f.open.Store(id, in.done)
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", id)
			io.WriteString(w, in.event)
		case <-r.Context().Done():
		}
		return
	}
	id, _, _ := strings.Cut(what, "/")
	if done, ok := f.open.LoadAndDelete(id); ok {
		body, _ := io.ReadAll(r.Body)
		done.(chan string) <- string(body)
	}
	w.WriteHeader(http.StatusAccepted)
}

func (f *lambda) send(t *testing.T, r request) answer {
	t.Helper()
	header := map[string]string{}
	for name, values := range r.header {
		header[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	inner, err := json.Marshal(map[string]any{
		"method": r.method, "path": r.url, "host": header["host"], "headers": header,
		"encoding": "base64", "body": base64.StdEncoding.EncodeToString([]byte(r.body)),
	})
	if err != nil {
		t.Fatal(err)
	}
	outer, err := json.Marshal(map[string]string{"Action": "Invoke", "body": string(inner)})
	if err != nil {
		t.Fatal(err)
	}
	begun, done, late := time.Now(), make(chan string, 1), time.After(time.Minute)
	select {
	case f.todo <- invocation{string(outer), done}:
	case <-late:
	case <-f.p.ended:
	}
	var out struct {
		StatusCode int
		Headers    http.Header
		Body       string
		Encoding   string
	}
	select {
	case text := <-done:
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Errorf("%s %s: %v in %.200s", r.method, r.url, err, text)
		}
	case <-f.p.ended:
		t.Errorf("%s %s: the function ended: %s", r.method, r.url, f.p.output.String())
	case <-late:
		t.Errorf("%s %s: no answer: %s", r.method, r.url, f.p.output.String())
	}
	body := []byte(out.Body)
	if out.Encoding == "base64" {
		body, _ = base64.StdEncoding.DecodeString(out.Body)
	}
	took := time.Since(begun)
	a := answer{status: out.StatusCode, header: http.Header{}, body: string(body), pieces: 1, first: took, took: took}
	for name, values := range out.Headers {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	return a
}

// awaitListening waits until the port accepts connections: the platform's proxy reports its start a moment
// earlier.
func awaitListening(t *testing.T, port int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
