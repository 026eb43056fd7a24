package fleet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// The lease is this deadline and what server.jobLease adds: about 8.3 s.
const (
	jobDeadline = "REQUEST_TIMEOUT=3s"
	jobWorkers  = 8
)

// startWorker starts a process that only runs jobs, and waits until it is ready.
func (f *fleet) startWorker() *testproc.Server {
	f.t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		f.t.Fatal(err)
	}
	cmd := exec.Command(binary, "worker")
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = f.env, f.t.TempDir(), in, os.Stderr
	proc, err := testproc.Start(cmd, "", syscall.SIGKILL)
	in.Close()
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { proc.Stop(syscall.SIGKILL) })
	out.SetReadDeadline(time.Now().Add(time.Minute))
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "the worker is ready") {
		f.t.Fatalf("a worker did not start: %q, %v", line, err)
	}
	out.SetReadDeadline(time.Time{})
	go func() {
		io.Copy(io.Discard, lines)
		out.Close()
	}()
	return proc
}

// call sends a request to the i-th gateway.
func (f *fleet) call(i int, method, path, body string) (status int, text string, err error) {
	req, err := http.NewRequest(method, f.gates[i%len(f.gates)].url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	return resp.StatusCode, b.String(), err
}

// each calls do for the jobs 0 to n-1, from all callers concurrently.
func (f *fleet) each(n int, do func(i int)) {
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := range work {
				do(i)
			}
		})
	}
	wg.Wait()
}

func (f *fleet) submit(n int) {
	f.t.Helper()
	f.each(n, func(i int) {
		body := fmt.Sprintf(`{"async":true,"requestId":"job-%d","model":%q,"messages":[{"role":"user","content":"echo: answer %d"}]}`, i, model, i)
		if status, text, err := f.call(i, "POST", "/api/chat", body); status != 202 || err != nil {
			f.t.Errorf("submit %d: %d %s %v", i, status, text, err)
		}
	})
}

// collect polls every job until it is over, and checks that the answer is the job's.
func (f *fleet) collect(n int, timeout time.Duration) {
	f.t.Helper()
	deadline := time.Now().Add(timeout)
	f.each(n, func(i int) {
		for {
			status, text, err := f.call(i, "GET", fmt.Sprintf("/api/chat/job-%d?timeout=5000", i), "")
			var answer struct {
				Choices []struct{ Message struct{ Content string } }
			}
			switch {
			case status == 202 && time.Now().Before(deadline), err != nil && time.Now().Before(deadline):
				time.Sleep(20 * time.Millisecond)
				continue
			case status != 200 || json.Unmarshal([]byte(text), &answer) != nil || len(answer.Choices) != 1 ||
				answer.Choices[0].Message.Content != fmt.Sprint("answer ", i):
				f.t.Errorf("job %d: %d %.200s %v", i, status, text, err)
			}
			return
		}
	})
}

// wantChargedOnce checks that each job has exactly one answered usage row. The provider may have been called
// again for jobs whose process was killed or suspended during a call, at most lost of them.
func (f *fleet) wantChargedOnce(n, lost int64) {
	f.t.Helper()
	if answered := f.int("select count(*) from requests where outcome = 1"); answered != n {
		f.t.Errorf("%d jobs were charged, want %d", answered, n)
	}
	if sum := f.int("select cast(coalesce(sum(requests - errors), 0) as bigint) from usage_hours"); sum != n {
		f.t.Errorf("the sums count %d answers, want %d", sum, n)
	}
	if calls := f.called(1); calls < n || calls > n+lost {
		f.t.Errorf("the provider was called %d times for %d jobs; %d calls can have been lost", calls, n, lost)
	}
	if left := f.int("select count(*) from jobs where state <> 3"); left != 0 {
		f.t.Errorf("%d jobs are not completed", left)
	}
}

// onTwo runs the test on SQLite and on PostgreSQL behind a transaction pooler.
func onTwo(t *testing.T, test func(t *testing.T, f *fleet), more ...string) {
	t.Helper()
	each(t, func(*testing.T) {}, test, more...)
}

// onTwoAtOnce does the same in parallel, for tests that mostly wait for timeouts.
func onTwoAtOnce(t *testing.T, test func(t *testing.T, f *fleet), more ...string) {
	t.Helper()
	t.Parallel()
	each(t, (*testing.T).Parallel, test, more...)
}

func each(t *testing.T, begin func(t *testing.T), test func(t *testing.T, f *fleet), more ...string) {
	t.Helper()
	for name, where := range map[string]func(t *testing.T) string{
		"sqlite":    func(t *testing.T) string { return "DATA_DIR=" + t.TempDir() },
		"pgbouncer": func(t *testing.T) string { return "DATABASE_URL=" + pgtest.PgBouncer(t, pgtest.New(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			begin(t)
			test(t, newFleet(t, where(t), append([]string{jobDeadline, "JOB_LIMIT=5000", "SHUTDOWN_TIMEOUT=0"}, more...)...))
		})
	}
}

// Of eight workers two are killed, and one is suspended beyond its lease and resumed.
func TestWorkersOnManyJobs(t *testing.T) {
	jobs := 2000
	if testing.Short() {
		jobs = 200
	}
	const concurrency = 4
	onTwo(t, func(t *testing.T, f *fleet) {
		f.key(1, -1)
		f.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 20})
		f.submit(jobs)
		workers := make([]*testproc.Server, jobWorkers)
		for i := range workers {
			workers[i] = f.startWorker()
		}
		done := func() int64 { return f.int("select count(*) from jobs where state = 3") }
		for deadline := time.Now().Add(time.Minute); done() < int64(jobs/10); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the workers do not begin")
			}
		}
		frozen := workers[2].PID()
		f.freeze(frozen)
		workers[0].Stop(syscall.SIGKILL)
		workers[1].Stop(syscall.SIGKILL)
		f.collectByWorkers(jobs)
		syscall.Kill(frozen, syscall.SIGCONT)
		time.Sleep(time.Second) // time for it to write its result, if it could
		workers[2].Stop(syscall.SIGTERM)
		f.collect(jobs, time.Minute)
		f.wantChargedOnce(int64(jobs), 3*concurrency)
	}, fmt.Sprint("WORKER_CONCURRENCY=", concurrency))
}

// freeze suspends a process while it does not hold SQLite's write lock, which would block all others.
func (f *fleet) freeze(pid int) {
	f.t.Helper()
	for range 50 {
		syscall.Kill(pid, syscall.SIGSTOP)
		ctx, cancel := context.WithTimeout(f.t.Context(), time.Second)
		err := f.db.Run(ctx, store.Stmt{SQL: "update instance set updated_at = updated_at"})
		cancel()
		if err == nil {
			return
		}
		syscall.Kill(pid, syscall.SIGCONT)
		time.Sleep(10 * time.Millisecond)
	}
	f.t.Fatal("the process always holds the lock")
}

// collectByWorkers waits until all jobs are completed, without running any.
func (f *fleet) collectByWorkers(jobs int) {
	f.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); f.int("select count(*) from jobs where state = 3") < int64(jobs); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("of %d jobs %d are completed, %d failed, %d are queued or running", jobs,
				f.int("select count(*) from jobs where state = 3"),
				f.int("select count(*) from jobs where state = 4"), f.int("select count(*) from jobs where state <= 2"))
		}
	}
}

// A process that serves and works runs jobs that nobody polls for, also those that others accepted. When it stops, it
// releases its running jobs.
func TestServingProcessWorks(t *testing.T) {
	onTwoAtOnce(t, func(t *testing.T, f *fleet) {
		f.key(1, -1)
		f.submit(5)
		time.Sleep(1500 * time.Millisecond)
		if waiting := f.int("select count(*) from jobs where state = 1"); waiting != 5 {
			t.Fatalf("%d of 5 jobs wait for a worker, although there is none", waiting)
		}
		both, err := start(t, f.env, "serve", "--worker")
		if err != nil {
			t.Fatal(err)
		}
		f.collectByWorkers(5)
		f.gates = []*gate{both}
		f.collect(5, time.Minute)
		f.submit(6) // known names are the same jobs
		f.collectByWorkers(6)
		f.wantChargedOnce(6, 0)

		f.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 2500})
		f.submit(7)
		for deadline := time.Now().Add(time.Minute); f.int("select state from jobs where name = 'job-6'") != 2; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("its worker does not begin")
			}
		}
		both.proc.Stop(syscall.SIGHUP) // ends a process as SIGTERM does
		if state := f.int("select state from jobs where name = 'job-6'"); state != 1 {
			t.Errorf("the job is in state %d after the end of its process, want 1: released", state)
		}
	})
}

// No worker at all: polls drive everything.
func TestPollsAloneOnManyJobs(t *testing.T) {
	jobs := 2000
	if testing.Short() {
		jobs = 200
	}
	onTwo(t, func(t *testing.T, f *fleet) {
		f.key(1, -1)
		f.submit(jobs)
		f.collect(jobs, 4*time.Minute)
		f.wantChargedOnce(int64(jobs), 0)
	})
}

// The same with the handlers of functions: four instances that share only the database.
func TestPollsAloneOnFunctions(t *testing.T) {
	jobs := 2000
	if testing.Short() {
		jobs = 200
	}
	f := newFleet(t, "DATABASE_URL="+pgtest.PgBouncer(t, pgtest.New(t)), jobDeadline, "JOB_LIMIT=5000")
	vars := map[string]string{}
	for _, e := range f.env {
		name, value, _ := strings.Cut(e, "=")
		vars[name] = value
	}
	for i := range f.gates {
		app, err := server.Open(func(name string) (string, bool) { v, ok := vars[name]; return v, ok }, config.PlatformFunctions)
		if err != nil {
			t.Fatal(err)
		}
		instance := httptest.NewServer(app.Handler(server.Chat))
		t.Cleanup(func() {
			instance.Close()
			app.Close()
			app.DB.Close()
		})
		f.gates[i] = &gate{f.gates[i].proc, instance.URL}
	}
	f.key(1, -1)
	f.submit(jobs)
	f.collect(jobs, 4*time.Minute)
	f.wantChargedOnce(int64(jobs), 0)
}

// A worker that is stopped during a call releases its job at once; the job of a killed one is free when its lease ends.
func TestStoppedAndKilledWorkers(t *testing.T) {
	onTwoAtOnce(t, func(t *testing.T, f *fleet) {
		f.key(1, -1)
		state := func() int64 { return f.int("select state from jobs where name = 'job-0'") }
		until := func(want int64, timeout time.Duration) {
			t.Helper()
			for deadline := time.Now().Add(timeout); state() != want; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the job is in state %d, want %d", state(), want)
				}
			}
		}
		const queued, running, completed = 1, 2, 3
		f.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 2500})
		f.submit(1)
		stopped := f.startWorker()
		until(running, time.Minute)
		time.Sleep(300 * time.Millisecond)
		stopped.Stop(syscall.SIGTERM)
		until(queued, time.Minute)
		killed := f.startWorker()
		until(running, time.Minute)
		time.Sleep(300 * time.Millisecond)
		killed.Stop(syscall.SIGKILL)
		f.emu.Clear()
		f.collect(1, time.Minute)
		until(completed, time.Minute)
		if answered := f.int("select count(*) from requests where outcome = 1"); answered != 1 {
			t.Errorf("%d answers were charged", answered)
		}
	})
}

// A process that was suspended beyond its lease changes nothing when it resumes.
func TestThawedProcessChangesNothing(t *testing.T) {
	onTwoAtOnce(t, func(t *testing.T, f *fleet) {
		f.key(1, -1)
		f.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 1500})
		f.submit(1)
		worker := f.startWorker()
		for deadline := time.Now().Add(time.Minute); f.int("select state from jobs") != 2; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the worker does not begin")
			}
		}
		time.Sleep(200 * time.Millisecond)
		f.freeze(worker.PID())
		f.emu.Clear()
		f.collect(1, time.Minute)
		sum := func() int64 {
			return f.int("select count(*) * 1000000 + cast(coalesce(sum(length(result)), 0) as bigint) * 100 + max(attempt) from jobs") + f.int("select count(*) from requests")
		}
		before := sum()
		syscall.Kill(worker.PID(), syscall.SIGCONT)
		time.Sleep(1500 * time.Millisecond)
		if after := sum(); after != before {
			t.Errorf("jobs and usage were %d before it went on, and are %d", before, after)
		}
	})
}
