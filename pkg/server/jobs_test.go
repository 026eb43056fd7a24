package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/jobs"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// later is hello as an asynchronous request with a name.
func later(name string) string {
	return strings.Replace(hello, "{", fmt.Sprintf(`{"async":true,"requestId":%q,`, name), 1)
}

// inCall waits until the provider has received a job's request.
func (w *chatWorld) inCall() {
	w.t.Helper()
	w.eventually("a job runs", func() bool { return w.holder.get("/api/queue/stats").text("active") == "1" })
	time.Sleep(150 * time.Millisecond)
}

// calls counts the provider's answers, broken off ones included.
func (w *chatWorld) calls() int { return len(w.emu.Requests()) }

// work runs a worker until the test's end, or until stop is called.
func (w *world) work(n int, timeout time.Duration) (stop func()) {
	return w.workBy(&jobs.Worker{Queue: w.app.Jobs, Concurrency: n, StopTimeout: timeout})
}

func (w *world) workBy(worker *jobs.Worker) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		worker.Work(ctx)
	}()
	stop = func() { cancel(); <-done }
	w.t.Cleanup(stop)
	return stop
}

// eventually waits up to a minute until ok.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("never: %s", what)
		}
	}
}

func TestPollRunsItsJob(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := &chatWorld{world: newWorldOn(t, db, functions)}
		w.ann = w.user("ann")
		_, w.token, w.holder = w.ann.token("test")
		key := w.key("openai", apiKey)
		r := w.holder.chat(later("a b/c")).want(202).is("requestId", "a b/c", "status", "queued")
		if r.header.Get("Location") != "/api/chat/a%20b%2Fc" {
			t.Errorf("Location %q", r.header.Get("Location"))
		}
		w.holder.get(r.header.Get("Location")+"?timeout=0").want(202).is("status", "queued")
		if w.calls() != 0 {
			t.Error("a look called the provider")
		}
		r = w.holder.get(r.header.Get("Location")).want(200).is("id", "a b/c", "provider", "openai", "choices.0.message.content", "Grüße, Welt 🌍!")
		if r.header.Get("X-LLM-Key-ID") != key || r.header.Get("X-LLM-Provider") != "openai" || r.header.Get("X-LLM-Model") != "gpt-4o-mini" || r.header.Get("X-LLM-Latency-Ms") == "" {
			t.Errorf("headers %v", r.header)
		}
		again := w.holder.get("/api/chat/a%20b%2Fc").want(200)
		if again.body != r.body || w.calls() != 1 {
			t.Errorf("%d calls; %s", w.calls(), again.body)
		}
		w.ann.get("/api/requests").want(200).is("requests.0.status", "200", "requests.0.keyId", key)
		if n := w.ann.get("/api/requests").count("requests"); n != 1 {
			t.Errorf("%d usage rows", n)
		}
		w.holder.get("/api/queue/stats").want(200).is("waiting", "0", "active", "0", "completed", "1", "failed", "0", "delayed", "0")
	})
}

func TestAsyncInEveryDialect(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	anthropic := w.holder.with("Anthropic-Version", "2023-06-01")
	for path, tt := range map[string]struct {
		who  client
		body string
		want string
	}{
		"/v1/chat/completions": {w.holder, `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"echo: x"}]}`, `"object":"chat.completion"`},
		"/v1/responses":        {w.holder, `{"model":"gpt-4o-mini","input":"echo: x"}`, `"object":"response"`},
		"/v1/completions":      {w.holder, `{"model":"gpt-4o-mini","prompt":"echo: x"}`, `"object":"text_completion"`},
		"/v1/messages":         {anthropic, `{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"echo: x"}]}`, `"type":"message"`},
		"/v1beta/models/gpt-4o-mini:generateContent": {w.holder, `{"contents":[{"parts":[{"text":"echo: x"}]}]}`, `"candidates":`},
		"/v1/embeddings": {w.holder, `{"model":"text-embedding-3-small","input":"x"}`, `"embedding":`},
	} {
		r := tt.who.with("Prefer", "wait=5, Respond-Async", "Idempotency-Key", "key of "+strings.ReplaceAll(path, "/", "_")).post(path, tt.body).want(202)
		if r.header.Get("Preference-Applied") != "respond-async" {
			t.Errorf("%s: %v", path, r.header)
		}
		got := w.holder.get(r.header.Get("Location")).want(200)
		if !strings.Contains(strings.ReplaceAll(got.body, ": ", ":"), tt.want) || got.header.Get("X-LLM-Provider") != "openai" {
			t.Errorf("%s: %v %s", path, got.header, got.body)
		}
		other := strings.NewReplacer("echo: x", "echo: y", `"input":"x"`, `"input":"y"`).Replace(tt.body)
		clash := tt.who.with("Prefer", "respond-async", "Idempotency-Key", "key of "+strings.ReplaceAll(path, "/", "_")).post(path, other)
		if clash.status != 409 || !strings.Contains(clash.body, "belongs to another request") {
			t.Errorf("%s: another request under the same key: %d %s", path, clash.status, clash.body)
		}
	}
	for path, body := range map[string]string{
		"/api/chat":            `{"stream":true,"messages":[{"role":"user","content":"x"}]}`,
		"/v1/chat/completions": `{"stream":true,"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}]}`,
		"/v1/messages":         `{"stream":true,"model":"gpt-4o-mini","max_tokens":5,"messages":[{"role":"user","content":"x"}]}`,
		"/v1beta/models/gpt-4o-mini:streamGenerateContent": `{"contents":[{"parts":[{"text":"x"}]}]}`,
	} {
		if r := w.holder.with("Prefer", "respond-async").post(path, body); r.status != 400 || !strings.Contains(r.body, "streamed answer cannot be given later") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	w.holder.chat(strings.Replace(later("s"), "{", `{"stream":true,`, 1)).refused(400, "VALIDATION_ERROR", `"path":"stream"`)
	w.holder.chat(strings.Replace(hello, "{", `{"async":"yes",`, 1)).refused(400, "VALIDATION_ERROR", `"path":"async"`)
	w.holder.chat(`{"async":true,"messages":[]}`).refused(400, "VALIDATION_ERROR", `"path":"messages"`)
	w.holder.with("Idempotency-Key", strings.Repeat("x", 129), "Prefer", "respond-async").chat(hello).refused(400, "VALIDATION_ERROR", "Idempotency-Key")
	w.holder.get("/api/chat/x?timeout=-1").refused(400, "VALIDATION_ERROR", `"path":"timeout"`)
}

func TestSubmissionIsIdempotent(t *testing.T) {
	w := newChatWorld(t, "JOB_LIMIT=3", "JOB_MAX_BYTES=64KB")
	w.key("openai", apiKey)
	_, _, second := w.ann.token("second")
	bob := w.user("bob")
	for range 3 {
		w.holder.chat(later("one")).want(202).is("status", "queued")
	}
	w.holder.chat(strings.Replace(later("one"), "Welt", "World", 1)).refused(409, "CONFLICT", "another request")
	second.chat(later("one")).refused(409, "CONFLICT", "another request")
	bob.chat(later("one")).want(202) // names are each user's own
	w.holder.get("/api/chat/one").want(200)
	w.holder.chat(later("one")).want(202).is("status", "completed")
	w.holder.chat(strings.Replace(later("one"), "Welt", "World", 1)).refused(409, "CONFLICT", "another request")
	if w.calls() != 1 {
		t.Errorf("%d calls", w.calls())
	}
	for i := range 3 {
		w.holder.chat(later(fmt.Sprint("more", i))).want(202)
	}
	w.holder.chat(later("too many")).refused(429, "RATE_LIMIT_EXCEEDED", "at most 3 (JOB_LIMIT)")
	w.holder.delete("/api/chat/more0").want(200)
	w.holder.chat(later("room")).want(202)
	w.holder.chat(strings.Replace(later("big"), "Grüße", strings.Repeat("x", 70<<10), 1)).refused(413, "PAYLOAD_TOO_LARGE", "JOB_MAX_BYTES")
}

func TestJobsOfOthers(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	_, _, second := w.ann.token("second")
	bob, root := w.user("bob"), w.admin("root")
	_, _, bobs := bob.token("bob's")
	w.holder.chat(later("mine")).want(202)
	for who, caller := range map[string]client{"the user's next token": second, "another user": bob.client, "another's token": bobs, "the admin": root.client} {
		w.t.Log(who)
		caller.get("/api/chat/mine?timeout=0").refused(404, "NOT_FOUND", "no such request")
		caller.get("/api/chat/mine").refused(404, "NOT_FOUND", "no such request")
		caller.delete("/api/chat/mine").refused(404, "NOT_FOUND", "no such request")
		caller.get("/api/queue/stats").want(200).is("waiting", "0")
	}
	for _, name := range []string{"%00", "%ff", strings.Repeat("a", 200), "nothing"} {
		w.holder.get("/api/chat/" + name + "?timeout=0").want(404)
	}
	w.ann.get("/api/chat/mine?timeout=0").want(202) // the user's session sees the requests of its tokens
	w.ann.get("/api/queue/jobs").want(200).is("jobs.0.requestId", "mine", "jobs.0.status", "queued", "nextCursor", "null")
	if n := bob.get("/api/queue/jobs").want(200).count("jobs"); n != 0 {
		t.Errorf("%d jobs of another", n)
	}
	w.holder.get("/api/queue/jobs").want(403)
	root.get("/api/queue/stats?scope=all").want(200).is("waiting", "1")
	bob.get("/api/queue/stats?scope=all").refused(403, "FORBIDDEN", "admin")
	w.holder.get("/api/queue/stats?scope=all").refused(403, "FORBIDDEN", "admin")
	root.get("/api/queue/stats?scope=x").refused(400, "VALIDATION_ERROR", `"path":"scope"`)
	if w.calls() != 0 {
		t.Error("somebody ran what is another's")
	}
}

func TestManyPollsOneRun(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 300})
	w.holder.chat(later("j")).want(202)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() { w.holder.get("/api/chat/j").want(200).is("id", "j") })
	}
	wg.Wait()
	if w.calls() != 1 {
		t.Errorf("%d calls", w.calls())
	}
}

func TestCancel(t *testing.T) {
	w := newChatWorld(t)
	key := w.key("openai", apiKey)
	w.holder.chat(later("queued")).want(202)
	for range 2 { // cancelled twice
		w.holder.delete("/api/chat/queued").want(200).is("requestId", "queued", "status", "cancelled")
	}
	w.holder.get("/api/chat/queued").refused(409, "CONFLICT", "cancelled")

	w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 30_000})
	w.holder.chat(later("running")).want(202)
	polled := make(chan reply)
	go func() { polled <- w.holder.get("/api/chat/running") }()
	w.inCall()
	w.holder.get("/api/chat/running?timeout=0").want(202).is("status", "running")
	w.holder.get("/api/queue/stats").is("active", "1")
	w.holder.delete("/api/chat/running").want(200)
	if r := <-polled; r.status != 409 {
		t.Errorf("the poll that ran it: %d %s", r.status, r.body)
	}
	w.ann.get("/api/requests").want(200).is("requests.0.keyId", key, "requests.0.outcome", "caller_left")
	w.emu.Clear()
	w.holder.chat(later("done")).want(202)
	w.holder.get("/api/chat/done").want(200)
	w.holder.delete("/api/chat/done").refused(409, "CONFLICT", "is over")
}

// A cancellation received by another process ends the call.
func TestCancelElsewhere(t *testing.T) {
	t.Parallel()
	w := newChatWorld(t, functions)
	w.key("openai", apiKey)
	w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 60_000})
	w.holder.chat(later("running")).want(202)
	polled := make(chan reply)
	go func() { polled <- w.holder.get("/api/chat/running") }()
	w.inCall()
	other := *w.world // on the same database
	other.assemble()
	defer other.app.Close()
	var user, session store.ID
	err := w.db.Run(t.Context(), store.Stmt{SQL: "select user_id, id from sessions", Each: func(r store.Row) error { return r.Scan(&user, &session) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.app.Jobs.Cancel(t.Context(), store.Principal{User: user, Session: session}, "running"); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-polled:
		if r.status != 409 {
			t.Errorf("the poll that ran it: %d %s", r.status, r.body)
		}
	case <-time.After(time.Minute):
		t.Error("the call goes on")
	}
}

func TestPollerMayDisconnect(t *testing.T) {
	t.Parallel()
	w := newChatWorld(t)
	w.key("openai", apiKey)
	w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 500})
	w.holder.chat(later("j")).want(202)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		resp, err := (&http.Client{Transport: transport}).Do(w.holder.request("GET", "/api/chat/j", nil).WithContext(ctx))
		if err == nil {
			resp.Body.Close()
		}
		left <- err
	}()
	w.inCall()
	leave()
	if <-left == nil {
		t.Error("the caller did not leave")
	}
	w.holder.get("/api/chat/j").want(200)
	if w.calls() != 1 {
		t.Errorf("%d calls", w.calls())
	}
}

func TestResultsAreKeptForAWhile(t *testing.T) {
	w := newChatWorld(t, "JOB_RETENTION=1h")
	w.key("openai", apiKey)
	w.holder.chat(later("j")).want(202)
	w.holder.get("/api/chat/j").want(200)
	w.wait(59 * time.Minute)
	w.holder.get("/api/chat/j").want(200)
	w.wait(2 * time.Minute)
	w.holder.get("/api/chat/j").refused(410, "GONE", "JOB_RETENTION")
	w.app.Purge(t.Context())
	w.holder.get("/api/chat/j").refused(410, "GONE", "JOB_RETENTION")
	if err := w.db.Run(t.Context(), store.Stmt{SQL: "select result from jobs", Each: func(r store.Row) error {
		var result []byte
		if err := r.Scan(&result); err != nil || result != nil {
			t.Errorf("purged, and %d bytes are left, %v", len(result), err)
		}
		return nil
	}}); err != nil {
		t.Error(err)
	}
	w.wait(8 * 24 * time.Hour)
	w.app.Purge(t.Context())
	w.holder.get("/api/chat/j").refused(404, "NOT_FOUND", "no such request")
}

// The database holds a conversation only in encrypted form.
func TestJobsAreEncrypted(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	look := func() {
		err := w.db.Run(t.Context(), store.Stmt{SQL: "select digest, coalesce(payload, digest), coalesce(result, digest) from jobs", Each: func(r store.Row) error {
			for _, column := range make([][3][]byte, 1) {
				if err := r.Scan(&column[0], &column[1], &column[2]); err != nil {
					return err
				}
				for _, text := range column {
					if len(text) < 30 || strings.Contains(string(text), "Welt") || strings.Contains(string(text), "gpt-4o") {
						t.Errorf("not encrypted: %d bytes", len(text))
					}
				}
			}
			return nil
		}})
		if err != nil {
			t.Error(err)
		}
	}
	w.holder.chat(later("j")).want(202)
	w.holder.chat(later("k")).want(202)
	look()
	// A request moved to another row does not decrypt, and no provider is called.
	if err := w.db.Run(t.Context(), store.Stmt{SQL: "update jobs set payload = (select payload from jobs where name = 'j') where name = 'k'"}); err != nil {
		t.Fatal(err)
	}
	w.holder.get("/api/chat/k").refused(410, "GONE", "secret")
	if w.calls() != 0 {
		t.Error("a foreign request was sent")
	}
	w.holder.get("/api/chat/j").want(200)
	look()
}

// A job does not run if its credential was withdrawn.
func TestWithdrawnWhileQueued(t *testing.T) {
	for name, withdraw := range map[string]func(w *chatWorld, root *person, token string){
		"token disabled": func(w *chatWorld, _ *person, token string) {
			w.ann.patch("/api/tokens/"+token, `{"enabled":false}`).want(200)
		},
		"token deleted": func(w *chatWorld, _ *person, token string) { w.ann.delete("/api/tokens/" + token).want(204) },
		"token blocked": func(w *chatWorld, root *person, token string) {
			root.patch("/api/admin/tokens/"+token, `{"blocked":true}`).want(200)
		},
		"user disabled": func(w *chatWorld, root *person, _ string) {
			root.patch("/api/users/"+w.ann.id.String(), `{"enabled":false}`).want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newChatWorld(t)
			root := w.admin("root")
			id, _, holder := w.ann.token("to be withdrawn")
			w.key("openai", apiKey)
			holder.chat(later("j")).want(202)
			withdraw(w, root, id)
			holder.get("/api/chat/j").want(401)
			holder.delete("/api/chat/j").want(401)
			holder.chat(later("k")).want(401)
			holder.get("/api/queue/stats").want(401)
			w.work(1, time.Second)
			state := func() (s int) {
				w.db.Run(t.Context(), store.Stmt{SQL: "select state from jobs where name = 'j'", Each: func(r store.Row) error { return r.Scan(&s) }})
				return s
			}
			w.eventually("it fails", func() bool { return state() == int(store.JobFailed) })
			if name != "user disabled" {
				w.ann.get("/api/chat/j").refused(403, "FORBIDDEN", "was not sent")
			}
			if w.calls() != 0 {
				t.Errorf("%d calls", w.calls())
			}
		})
	}
}

func TestFailuresOfJobs(t *testing.T) {
	t.Parallel()
	w := newChatWorld(t)
	w.key("openai", apiKey)
	w.holder.chat(strings.Replace(later("nokey"), "{", `{"provider":"mistral",`, 1)).want(202)
	w.holder.get("/api/chat/nokey").refused(400, "NO_ELIGIBLE_KEY", "another provider was asked for")
	w.holder.chat(strings.Replace(later("policy"), "{", `{"responseFormat":{"type":"json_object"},`, 1)).want(202)
	w.holder.get("/api/chat/policy").refused(400, "VALIDATION_ERROR", "must contain the word")
	if n := w.calls(); n != 1 {
		t.Errorf("%d calls: what cannot pass by itself was tried again", n)
	}
	// After an overload the job is retried, while a poll waits or by the next poll.
	w.emu.Set(emulator.Match{}, emulator.Behaviour{Fault: emulator.Overloaded})
	w.holder.chat(later("overload")).want(202)
	w.holder.get("/api/chat/overload?timeout=1").want(202).is("status", "queued")
	w.emu.Clear()
	w.holder.get("/api/queue/stats").is("delayed", "1", "failed", "2")
	w.holder.get("/api/chat/overload").want(200)
	// The second attempt is the last.
	w.emu.Set(emulator.Match{}, emulator.Behaviour{Fault: emulator.Overloaded})
	w.holder.chat(later("down")).want(202)
	w.holder.get("/api/chat/down?timeout=1").want(202)
	w.wait(time.Minute)
	w.holder.get("/api/chat/down").refused(502, "PROVIDER_ERROR", `"class":"overloaded"`)
}

// Retry-After of a failed job is the time left when it is polled, not when it failed.
func TestFailedJobsSayWhenToRetry(t *testing.T) {
	w := newChatWorld(t)
	w.freeze()
	// At noon: shortly before midnight a poll would wait for the new day.
	now := w.now().UTC()
	w.wait(now.Truncate(24 * time.Hour).Add(36 * time.Hour).Sub(now))
	w.ann.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`","dailyLimit":1}`).want(201)
	w.holder.chat(hello).want(200)
	w.holder.chat(later("spent")).want(202)
	left := func() int {
		r := w.holder.get("/api/chat/spent").refused(429, "RATE_LIMIT_EXCEEDED", "")
		n, err := strconv.Atoi(r.header.Get("Retry-After"))
		if err != nil || r.header.Get("X-Should-Retry") != "false" {
			t.Errorf("Retry-After %q, X-Should-Retry %q", r.header.Get("Retry-After"), r.header.Get("X-Should-Retry"))
		}
		return n
	}
	midnight := w.now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	if n, want := left(), int(midnight.Sub(w.now()).Seconds()); n < want-5 || n > want+5 {
		t.Errorf("%d s until midnight, want %d", n, want)
	}
	before := left()
	w.wait(time.Minute)
	if after := left(); after > before-55 {
		t.Errorf("%d s left, a minute ago %d", after, before)
	}
	w.wait(23*time.Hour + 58*time.Minute)
	if r := w.holder.get("/api/chat/spent").want(429); r.header.Get("Retry-After") != "" {
		t.Errorf("Retry-After %q after midnight", r.header.Get("Retry-After"))
	}
}

// A function ends at 300 s, and a call may take REQUEST_TIMEOUT: a poll that has too little time left for a call begins
// none, and its caller polls again.
func TestPollBeginsNothingLate(t *testing.T) {
	t.Parallel()
	for platform, setting := range map[string]string{"functions": functions, "binary": "REQUEST_TIMEOUT=294s"} {
		w := newChatWorld(t, setting, "REQUEST_TIMEOUT=294s")
		w.key("openai", apiKey)
		w.emu.Set(emulator.Match{}, emulator.Behaviour{Fault: emulator.Overloaded})
		w.holder.chat(later("late")).want(202)
		// The first attempt fails; the second is due two seconds later, or more.
		recovery := time.AfterFunc(time.Second, w.emu.Clear)
		defer recovery.Stop()
		r := w.holder.get("/api/chat/late")
		if platform == "binary" {
			r.want(200) // the binary has no such limit
			continue
		}
		r.want(202).is("status", "queued")
		w.holder.get("/api/chat/late").want(200)
	}
}

// The job's name is part of a path, which clients clean of dots.
func TestNamesOfDots(t *testing.T) {
	w := newChatWorld(t)
	for _, name := range []string{".", "..", "ü", strings.Repeat("x", 129)} {
		r := w.holder.chat(later(name)).refused(400, "VALIDATION_ERROR", "requestId")
		if name[0] == '.' {
			r.refused(400, "VALIDATION_ERROR", "no path can end in")
		}
		if len(name) > 2 {
			continue
		}
		w.holder.with("Idempotency-Key", name).chat(strings.Replace(hello, "{", `{"async":true,`, 1)).refused(400, "VALIDATION_ERROR", "Idempotency-Key")
	}
}

// A clock that jumps may delay a job or repeat its call, but the job is never answered or charged twice.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	w := newChatWorld(t)
	w.key("openai", apiKey)
	w.setClock(time.Now().Add(48 * time.Hour))
	w.holder.chat(later("future")).want(202)
	w.setClock(time.Now().Add(-48 * time.Hour))
	w.ann.session = w.openSession(w.ann.id)
	w.holder.get("/api/chat/future").want(200)

	w.setClock(time.Now())
	w.emu.Set(emulator.Match{Times: 1}, emulator.Behaviour{FirstByteMs: 1500})
	w.holder.chat(later("jump")).want(202)
	slow := make(chan reply)
	go func() { slow <- w.holder.get("/api/chat/jump") }()
	w.inCall()
	w.wait(time.Hour) // beyond the lease
	w.holder.get("/api/chat/jump").want(200)
	if r := <-slow; r.status != 200 {
		t.Errorf("the poll that was overtaken: %d %s", r.status, r.body)
	}
	var rows int
	err := w.db.Run(t.Context(), store.Stmt{SQL: "select count(*) from requests", Each: func(r store.Row) error { return r.Scan(&rows) }})
	if err != nil || rows != 2 {
		t.Errorf("%d usage rows, %v; want one of each job", rows, err)
	}
}

func TestWorker(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	stop := w.work(4, 20*time.Second)
	for i := range 20 {
		w.holder.chat(later(fmt.Sprint(i))).want(202)
	}
	for i := range 20 {
		w.holder.get(fmt.Sprint("/api/chat/", i)).want(200).is("id", fmt.Sprint(i))
	}
	if w.calls() != 20 {
		t.Errorf("%d calls", w.calls())
	}
	// Cancelled while the worker runs it.
	w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 30_000})
	w.holder.chat(later("cancelled")).want(202)
	w.inCall()
	w.holder.delete("/api/chat/cancelled").want(200)
	w.holder.get("/api/chat/cancelled").want(409)
	stop()
}

// A worker whose next poll is in an hour is woken by a job that its own process accepts.
func TestWorkerIsWoken(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	w.workBy(&jobs.Worker{Queue: w.app.Jobs, Concurrency: 1, StopTimeout: 20 * time.Second, PollInterval: time.Hour})
	time.Sleep(200 * time.Millisecond) // by now its first poll has found nothing
	for _, name := range []string{"first", "second"} {
		w.holder.chat(later(name)).want(202)
		w.holder.get("/api/chat/" + name + "?timeout=20000").want(200)
	}
}

// A stopping worker releases the jobs that do not end in time. That does not count as an attempt.
func TestStoppingWorkerReleasesJobs(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 30_000})
	stop := w.work(2, 50*time.Millisecond)
	w.holder.chat(later("j")).want(202)
	w.inCall()
	begun := time.Now()
	stop()
	if d := time.Since(begun); d > 15*time.Second {
		t.Errorf("it took %v to stop", d)
	}
	w.emu.Clear()
	w.holder.get("/api/chat/j?timeout=0").want(202).is("status", "queued")
	w.assemble() // the next process
	w.holder.get("/api/chat/j").want(200)
	w.ann.get("/api/queue/jobs").want(200).is("jobs.0.attempts", "1", "jobs.0.status", "completed")
}

// Without a worker, a scheduled call runs jobs that nobody polls for.
func TestDrain(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	for i := range 5 {
		w.holder.chat(later(fmt.Sprint(i))).want(202)
	}
	if n, err := w.app.Jobs.Drain(t.Context()); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	w.holder.get("/api/queue/stats").is("completed", "5")
}
