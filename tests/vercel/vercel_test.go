//go:build !windows

// Package vercel builds the checkout with the real Vercel CLI, offline, for both kinds of deployment, starts the
// builds, and checks that they answer the same requests as the binary does, over Postgres behind PgBouncer in
// transaction mode, as Neon's pooler is.
package vercel

import (
	"crypto/rand"
	"fmt"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/server"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// environment is a deployment's configuration, with an empty database and emulated providers.
func environment(t *testing.T) (env []string, wire *pgtest.Wire, emu *emulator.Emulator) {
	t.Helper()
	emu = emulator.New()
	emu.Set(emulator.Match{}, emulator.Behaviour{EventMs: 40})
	origin, stop, err := emulator.Start(emu)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	direct := pgtest.New(t)
	wire, pooled := pgtest.Count(t, pgtest.PgBouncer(t, direct))
	env = []string{"SECURITY_CONTACT=security@example.com", "DATABASE_URL=" + pooled, "DATABASE_URL_UNPOOLED=" + direct, "JWT_SECRET=" + jwtSecret, "SETUP_TOKEN=" + setupToken,
		"CRON_SECRET=" + cronSecret, "LOG_LEVEL=warn"}
	for _, id := range emulator.Providers() {
		env = append(env, strings.ToUpper(id)+"_BASE_URL="+emulator.BaseURL(origin, id))
	}
	return env, wire, emu
}

func TestPlatforms(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the whole thing three times")
	}
	testproc.Node(t)
	pgtest.Require(t)
	outer, program := t, buildBinary(t)
	cli(t) // installed before both builds need it
	var one, many *output
	t.Run("build", func(t *testing.T) {
		for config, built := range map[string]**output{"vercel.json": &one, "vercel.functions.json": &many} {
			dir := outer.TempDir() // the checkout outlives the build
			t.Run(config, func(t *testing.T) {
				t.Parallel()
				*built = readOutput(t, build(t, dir, config))
				(*built).weigh(t)
			})
		}
	})
	if one == nil || many == nil {
		t.FailNow()
	}
	var platforms []*visit
	run := func(name string, start func(t *testing.T, env []string) (platform, time.Duration)) {
		t.Run(name, func(t *testing.T) {
			env, wire, emu := environment(t)
			at, took := start(t, env)
			t.Logf("%s: %d ms from the start of a process to its first answer", name, took.Milliseconds())
			v := &visit{T: t, platform: at, emu: emu}
			v.firstRequests()
			v.everything()
			v.files()
			v.idle(wire)
			if f, ok := at.(*functions); ok {
				t.Logf("instances of each function:%s", f.instances())
			}
			platforms = append(platforms, v)
		})
	}
	run("binary", func(t *testing.T, env []string) (platform, time.Duration) { return startBinary(t, program, env) })
	run("server", func(t *testing.T, env []string) (platform, time.Duration) { return startServer(t, one, env) })
	run("functions", func(t *testing.T, env []string) (platform, time.Duration) {
		f := newFunctions(many, env)
		begun := time.Now()
		f.send(t, request{method: "GET", url: "/health/live"})
		return f, time.Since(begun)
	})
	compare(t, platforms)
	t.Run("not configured", func(t *testing.T) { notConfigured(t, one, many) })
}

// compare reports differences between the platforms' answers, and logs the statuses of each route.
func compare(t *testing.T, platforms []*visit) {
	t.Helper()
	if len(platforms) != 3 {
		t.Fatal("not every platform was asked")
	}
	for _, other := range platforms[1:] {
		for i := range max(len(platforms[0].lines), len(other.lines)) {
			a, b := at(platforms[0].lines, i), at(other.lines, i)
			if a != b {
				t.Errorf("%s answers %q where the binary answers %q", other.Name(), b, a)
			}
		}
	}
	var table strings.Builder
	row := func(cells ...any) { fmt.Fprintf(&table, "\n%-7s %-26s %-44s %-44s %s", cells...) }
	row("", "", path.Base(platforms[0].Name()), path.Base(platforms[1].Name()), path.Base(platforms[2].Name()))
	for _, r := range server.Routes() {
		cells := []any{r.Method, r.Pattern}
		for _, v := range platforms {
			answers := v.answersOf(r)
			// No response is made in the background, so none can be cancelled.
			if !strings.Contains(" "+answers, " 2") && r.Pattern != "/v1/responses/{id}/cancel" {
				t.Errorf("%s: %s %s was not answered well: %q", v.Name(), r.Method, r.Pattern, answers)
			}
			cells = append(cells, answers)
		}
		row(cells...)
	}
	t.Logf("%d noted requests to each platform, answered alike; the statuses with which the gateway answered (and how often):%s", len(platforms[0].lines), table.String())
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

// firstRequests sends concurrent requests to an empty database: each function starts its own process.
func (v *visit) firstRequests() {
	v.Helper()
	secrets, err := auth.NewSecrets(auth.Material{JWTSecret: jwtSecret})
	if err != nil {
		v.Fatal(err)
	}
	token, err := secrets.NewToken(rand.Reader)
	if err != nil {
		v.Fatal(err)
	}
	const nobody = "0190a5f0-0000-7000-8000-000000000001"
	now := time.Now().UnixMilli()
	session, err := secrets.SignSession(auth.Session{ID: nobody, UserID: nobody, IssuedAt: now, ExpiresAt: now + 3_600_000})
	if err != nil {
		v.Fatal(err)
	}
	var all sync.WaitGroup
	for _, tt := range []struct {
		status                    int
		method, url, bearer, body string
	}{
		{200, "GET", "/api/auth/status", "", ""},
		{200, "GET", "/health/ready", "", ""},
		{200, "GET", "/api/cron", cronSecret, ""},
		{401, "GET", "/api/keys", session, ""},
		{401, "GET", "/api/tokens", session, ""},
		{401, "GET", "/api/usage", session, ""},
		{401, "POST", "/api/chat", token, `{"messages":[{"role":"user","content":"Hello!"}]}`},
		{401, "GET", "/v1/models", token, ""},
		{401, "GET", "/v1beta/models", token, ""},
		{401, "POST", "/v1/messages", token, `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hello!"}]}`},
	} {
		all.Go(func() {
			if a := v.send(tt.method, tt.url, tt.bearer, tt.body); a.status != tt.status {
				v.Errorf("the first request: %s %s: %d, want %d: %.300s", tt.method, tt.url, a.status, tt.status, a.body)
			}
		})
	}
	all.Wait()
}

// idle checks that Neon can suspend while only a monitor requests /health.
func (v *visit) idle(wire *pgtest.Wire) {
	v.Helper()
	time.Sleep(300 * time.Millisecond) // the last settle
	stop, monitored := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(monitored)
		for {
			if a := v.send("GET", "/health", "", ""); a.status != 200 {
				v.Errorf("/health: %d %.300s", a.status, a.body)
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
			}
		}
	}()
	wire.Idle(v, 3*time.Second)
	close(stop)
	<-monitored
}

// notConfigured sends a request to every route of deployments whose variables are missing or wrong.
func notConfigured(t *testing.T, one, many *output) {
	env := []string{"JWT_SECRET=short", "REDIS_URL=https://example.com"}
	s, _ := startServer(t, one, env)
	for _, h := range []platform{s, newFunctions(many, env)} {
		v := &visit{T: t, platform: h}
		for _, r := range server.Routes() {
			url := strings.NewReplacer("{id}", "x", "{model...}", "m").Replace(r.Pattern)
			a := v.send(r.Method, url, "", "")
			want := 503
			if r.Group == server.Anthropic {
				want = 529 // platform.claude.com/docs/en/api/errors has no 503
			}
			for _, name := range []string{"DATABASE_URL", "JWT_SECRET", "REDIS_URL"} {
				if a.status != want || !strings.Contains(a.body, name) {
					t.Errorf("%s %s: %d %.300s; want %d with %s", r.Method, url, a.status, a.body, want, name)
				}
			}
			if strings.Contains(a.body, "example.com") {
				t.Errorf("%s %s shows a value: %s", r.Method, url, a.body)
			}
		}
		if page := v.send("GET", "/", "", ""); page.status != 200 {
			t.Errorf("the dashboard, which shows the error: %d", page.status)
		}
	}
}
