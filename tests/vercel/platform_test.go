//go:build !windows

package vercel

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/testproc"
)

// platform is an environment that runs the gateway.
type platform interface {
	send(t *testing.T, r request) answer
	// crons are the paths that the platform's scheduler calls.
	crons() []string
	// streams reports whether answers are sent as they are written.
	streams() bool
}

// oneServer is a built deployment of one Go server.
type oneServer struct {
	*output
	base string
}

// startServer starts the built server, and returns the time from the start to the first answer.
func startServer(t *testing.T, o *output, env []string) (*oneServer, time.Duration) {
	t.Helper()
	fn, ok := o.functions["/go"]
	if !ok || fn.Runtime != "executable" || !fn.SupportsResponseStreaming {
		t.Fatalf("the server was built as %v", o.functions)
	}
	awaitPort3000(t)
	begun := time.Now()
	base, _ := startExecutable(t, fn, env)
	s := &oneServer{o, base}
	s.send(t, request{method: "GET", url: "/health/live"})
	return s, time.Since(begun)
}

// awaitPort3000 waits until the port is free at which Vercel's proxy always listens.
func awaitPort3000(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		l, err := listen3000()
		if err == nil {
			l.Close()
			return
		}
		if time.Now().After(deadline) {
			testproc.Missing(t, "a free port 3000 (something else listens there), where Vercel's proxy always listens,")
		}
	}
}

func (s *oneServer) streams() bool   { return true }
func (s *oneServer) crons() []string { return s.output.crons }

func (s *oneServer) send(t *testing.T, r request) answer {
	t.Helper()
	f := s.route(r.url)
	if f.file != "" {
		return f.serve(t)
	}
	if f.fn == nil {
		return answer{status: f.status, header: http.Header{}}
	}
	r.url, r.header = f.url, fromProxy(r.header)
	r.header.Set("X-Vercel-Internal-Invocation-Id", "invocation")
	r.header.Set("X-Vercel-Internal-Request-Id", "1")
	return overHTTP(t, s.base, r)
}

// fromProxy returns a request's headers as Vercel's proxy forwards them.
func fromProxy(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		out[http.CanonicalHeaderKey(name)] = values
	}
	for name, value := range map[string]string{"Host": "gateway.example", "X-Forwarded-Host": "gateway.example",
		"X-Forwarded-Proto": "https",
		"X-Forwarded-For":   "192.0.2.1", "X-Real-Ip": "192.0.2.1"} {
		out.Set(name, value)
	}
	return out
}

// functions is a built deployment with one function per file.
type functions struct {
	*output
	env []string

	mu   sync.Mutex
	idle map[string][]*lambda // by the function's folder
	all  map[string]int       // instances that were started, likewise
}

func newFunctions(o *output, env []string) *functions {
	return &functions{output: o, env: env, idle: map[string][]*lambda{}, all: map[string]int{}}
}

func (f *functions) streams() bool   { return false }
func (f *functions) crons() []string { return f.output.crons }

func (f *functions) send(t *testing.T, r request) answer {
	t.Helper()
	to := f.route(r.url)
	if to.file != "" {
		return to.serve(t)
	}
	if to.fn == nil {
		return answer{status: to.status, header: http.Header{}}
	}
	r.url, r.header = to.url, fromProxy(r.header)
	instance := f.take(t, *to.fn)
	defer f.put(*to.fn, instance)
	return instance.send(t, r)
}

// take returns an idle instance, or a new one: an instance has one invocation at a time.
func (f *functions) take(t *testing.T, fn function) *lambda {
	f.mu.Lock()
	defer f.mu.Unlock()
	if free := f.idle[fn.dir]; len(free) > 0 {
		f.idle[fn.dir] = free[:len(free)-1]
		return free[len(free)-1]
	}
	f.all[fn.dir]++
	return startLambda(t, fn, f.env)
}

func (f *functions) put(fn function, instance *lambda) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle[fn.dir] = append(f.idle[fn.dir], instance)
}

// instances returns how many were started of each function.
func (f *functions) instances() (text string) {
	for _, dir := range slices.Sorted(maps.Keys(f.all)) {
		text += fmt.Sprintf(" %s×%d", strings.TrimSuffix(filepath.Base(dir), ".func"), f.all[dir])
	}
	return text
}

// binary is gateway serve.
type binary struct{ base string }

func startBinary(t *testing.T, program string, env []string) (*binary, time.Duration) {
	t.Helper()
	port, err := testproc.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	b := &binary{fmt.Sprintf("http://127.0.0.1:%d", port)}
	begun := time.Now()
	p := startProcess(t, t.TempDir(), append(env, fmt.Sprint("PORT=", port), "MAX_BODY_BYTES=4MB"), program, "serve")
	for {
		resp, err := http.Get(b.base + "/health/live")
		if err == nil {
			resp.Body.Close()
			return b, time.Since(begun)
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("the binary does not start: %s", p.output.String())
		}
		time.Sleep(time.Millisecond)
	}
}

func (b *binary) streams() bool   { return true }
func (b *binary) crons() []string { return []string{"/api/cron"} } // the operator's scheduler
func (b *binary) send(t *testing.T, r request) answer {
	t.Helper()
	r.header = r.header.Clone()
	return overHTTP(t, b.base, r)
}

// maxSize is the largest size of one function, in bytes, so that it starts fast.
const maxSize = 15 << 20

// weigh prints the sizes of the build, and checks them.
func (o *output) weigh(t *testing.T) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(o.functions)) {
		entries, err := os.ReadDir(o.functions[name].dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || strings.HasPrefix(e.Name(), ".") {
				continue
			}
			t.Logf("%-16s %-12s %5.1f MB", name, e.Name(), float64(info.Size())/(1<<20))
			if info.Size() > maxSize {
				t.Errorf("%s weighs %d bytes, want at most %d", filepath.Join(name, e.Name()), info.Size(), maxSize)
			}
		}
	}
}

func listen3000() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:3000") }
