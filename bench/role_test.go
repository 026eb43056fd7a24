package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/database"
	"github.com/alicetears/llm-gateway/internal/memory"
	"github.com/alicetears/llm-gateway/internal/metrics"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// The test binary plays the parts itself: each in a process of its own, so that CPU time
// and allocations are one part's alone.
const roleVariable = "BENCH_ROLE"

// part is a running process, with what it prints at its start.
type part struct {
	URL     string
	Control string
	Token   string
}

// stats are the resources that a part has used so far.
type stats struct {
	CPUMicros float64
	Allocs    float64
	Rows      int64 // of the gateway's request log
}

// start runs a part until the benchmark ends.
func start(b *testing.B, role string, env ...string) *part {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), roleVariable+"="+role), env...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // its end stops the part if this process is killed
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	p := &part{}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, p)
	}
	if err != nil {
		b.Fatalf("%s did not start: %v", role, err)
	}
	return p
}

func (p *part) stats(b *testing.B) (s stats) {
	b.Helper()
	resp, err := http.Get(p.Control)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		b.Fatal(err)
	}
	return s
}

// during returns what the part used while f ran.
func (p *part) during(b *testing.B, f func()) stats {
	b.Helper()
	before := p.stats(b)
	f()
	after := p.stats(b)
	return stats{CPUMicros: after.CPUMicros - before.CPUMicros, Allocs: after.Allocs - before.Allocs}
}

// play is the main function of a part's process.
func play(role string) {
	parts := map[string]func() (http.Handler, string, func() int64, error){
		"upstream": func() (http.Handler, string, func() int64, error) { return http.HandlerFunc(upstream), "", none, nil },
		"proxy":    bareProxy,
		"gateway":  realGateway,
	}
	handler, token, rows, err := parts[role]()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	control := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		var use syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &use)
		micros := func(t syscall.Timeval) float64 { return float64(t.Sec)*1e6 + float64(t.Usec) }
		json.NewEncoder(w).Encode(stats{CPUMicros: micros(use.Utime) + micros(use.Stime), Allocs: float64(mem.Mallocs), Rows: rows()})
	})
	me := part{URL: serve(handler), Control: serve(control), Token: token}
	json.NewEncoder(os.Stdout).Encode(me)
	io.Copy(io.Discard, os.Stdin)
}

func none() int64 { return 0 }

func serve(h http.Handler) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go http.Serve(l, h)
	return "http://" + l.Addr().String()
}

const (
	words  = 200 // of a whole answer
	chunks = 100 // of a stream
)

var wholeAnswer = fmt.Sprintf(`{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":200,"total_tokens":220,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`,
	strings.TrimSpace(strings.Repeat("word ", words)))

const chunkFrame = `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"usage":null}` + "\n\n"

// upstream answers as OpenAI does, at once.
func upstream(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if !strings.Contains(string(body), `"stream":true`) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, wholeAnswer)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	send := func(delta, finish string) {
		fmt.Fprintf(w, chunkFrame, delta, finish)
		rc.Flush()
	}
	send(`{"role":"assistant","content":""}`, "null")
	for range chunks {
		send(`{"content":"word "}`, "null")
	}
	send(`{}`, `"stop"`)
	io.WriteString(w,
		`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":100,"total_tokens":120}}`+"\n\ndata: [DONE]\n\n")
}

func bareProxy() (http.Handler, string, func() int64, error) {
	to, err := url.Parse(os.Getenv("UPSTREAM"))
	if err != nil {
		return nil, "", nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2 * concurrency
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:     transport,
		FlushInterval: -1,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A transport that still reads the caller's body when the answer begins cuts off
		// some of the streams (golang/go#40747).
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}), "", none, nil
}

// realGateway runs the gateway as cmd/gateway composes it, with one user, token and provider key.
func realGateway() (http.Handler, string, func() int64, error) {
	env := map[string]string{
		"JWT_SECRET": "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-for-benchmarks", "LOG_LEVEL": "warn",
		"OPENAI_BASE_URL": os.Getenv("UPSTREAM") + "/v1", "DATABASE_URL": os.Getenv("DATABASE_URL"), "DATA_DIR": os.Getenv("DATA_DIR"),
	}
	memory.Floor()
	cfg, err := config.Load(func(name string) (string, bool) { v := env[name]; return v, v != "" }, config.PlatformBinary)
	if err != nil {
		return nil, "", nil, err
	}
	db, err := database.Open(cfg.Database)
	if err != nil {
		return nil, "", nil, err
	}
	used, measured := db, (*metrics.Metrics)(nil)
	if os.Getenv("METRICS") == "on" {
		measured = metrics.New(metrics.Sources{DB: db, Log: slog.Default(), Now: time.Now})
		used = measured.Time(db)
	}
	app, err := server.Assemble(cfg, used, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return nil, "", nil, err
	}
	if measured != nil {
		app.Gateway.Observer = measured
		app.OnServed = func(s server.Served) { measured.Served(s.Route, s.Method, s.Status) }
	}
	token, err := furnish(app)
	if err != nil {
		return nil, "", nil, err
	}
	rows := func() (n int64) {
		err := db.Run(context.Background(),
			store.Stmt{SQL: "select count(*) from requests", Each: func(r store.Row) error { return r.Scan(&n) }})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return n
	}
	return app.Handler(server.Chat), token, rows, nil
}

// furnish creates a user, a gateway token and a provider key, with a daily limit unless LIMITS is none, and with four
// limits if it is four.
func furnish(app *server.App) (string, error) {
	ctx, now := context.Background(), time.Now().UnixMilli()
	user, keyID := store.NewID(now), store.NewID(now)
	if err := store.CreateFirstUser(ctx, app.DB,
		store.User{ID: user, Email: "bench@example.com", PasswordHash: "none", Enabled: true, CreatedAt: now}); err != nil {
		return "", err
	}
	token, err := app.Secrets.NewToken(rand.Reader)
	if err != nil {
		return "", err
	}
	digest := app.Secrets.Digest(token)
	tokenID := store.NewID(now)
	if err := store.CreateToken(ctx, app.DB,
		store.Token{ID: tokenID, UserID: user, Name: "bench", Hash: digest[:], Enabled: true, CreatedAt: now}); err != nil {
		return "", err
	}
	encrypted, encryptionKey := app.Secrets.Encrypt([]byte("sk-bench-0123456789"), gateway.KeyBinding(keyID, user))
	limit := int64(1e12)
	err = store.CreateKey(ctx, app.DB, store.Key{ID: keyID, UserID: user, Provider: "openai", Name: "bench",
		Encrypted: encrypted, EncryptionKeyID: encryptionKey, LastFour: "6789", Priority: 1, Enabled: true,
		DailyLimit: dailyLimit(limit), CreatedAt: now})
	if err != nil || os.Getenv("LIMITS") != "four" {
		return token, err
	}
	for _, l := range []store.Limit{
		{Subject: store.LimitToken, SubjectID: tokenID, Metric: store.MetricRequests, Span: store.SpanMinute},
		{Subject: store.LimitToken, SubjectID: tokenID, Metric: store.MetricCost, Span: store.SpanMonth},
		{Subject: store.LimitUser, SubjectID: user, Metric: store.MetricTokens, Span: store.SpanDay},
		{Subject: store.LimitKey, SubjectID: keyID, Metric: store.MetricCost, Span: store.SpanDay},
	} {
		l.ID, l.User, l.Amount, l.CreatedAt = store.NewID(now), user, store.MaxAmount, now
		if err := store.CreateLimit(ctx, app.DB, l); err != nil {
			return "", err
		}
	}
	return token, nil
}

// dailyLimit returns the limit unless LIMITS is none.
func dailyLimit(limit int64) *int64 {
	if os.Getenv("LIMITS") == "none" {
		return nil
	}
	return &limit
}
