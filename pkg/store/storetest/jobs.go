package storetest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// bench is a user with a token and a session that submit jobs.
type bench struct {
	*world
	user    store.User
	token   store.Token
	session store.Session
	byToken store.Principal
	bySess  store.Principal
}

const lease = 10 * minute

func newBench(w *world) *bench {
	b := &bench{world: w, user: w.user()}
	b.token, b.session = w.token(b.user), w.session(b.user, start)
	b.byToken = store.Principal{User: b.user.ID, Token: b.token.ID}
	b.bySess = store.Principal{User: b.user.ID, Session: b.session.ID}
	return b
}

func (b *bench) submit(c store.Principal, name string, limit int, now int64) store.SubmitResult {
	b.Helper()
	s, err := store.SubmitJob(ctx, b.db, c, store.Job{ID: store.NewID(now), Name: name, Digest: []byte("digest"), Payload: []byte("payload of " + name), EncryptionKeyID: "k1"}, store.OpenJobs{Number: limit, Bytes: 1 << 20}, now)
	must(b.T, err)
	return s
}

func (b *bench) claim(now int64, running ...store.ID) store.ClaimResult {
	b.Helper()
	c, err := store.ClaimJob(ctx, b.db, store.JobClaim{Now: now, Lease: now + lease, Keep: now + day, Running: running})
	must(b.T, err)
	return c
}

func (b *bench) look(c store.Principal, name string, how store.FindMode, now int64) store.FoundJob {
	b.Helper()
	l, err := store.FindJob(ctx, b.db, c, name, how, store.JobClaim{Now: now, Lease: now + lease, Keep: now + day})
	must(b.T, err)
	return l
}

// state is how the user's session sees the job.
func (b *bench) state(name string) store.JobState {
	b.Helper()
	l := b.look(b.bySess, name, store.FindOnly, start)
	if !l.Access || !l.Found {
		b.Fatalf("the job %s is not seen: %+v", name, l)
	}
	return l.Job.State
}

func testJobs(w *world) {
	b := newBench(w)
	first := b.submit(b.byToken, "one", 10, start)
	if !first.Access || !first.Found || first.Job.Token != b.token.ID || !first.Job.Session.IsZero() || first.Job.State != store.JobQueued || first.Job.Attempt != 0 {
		w.Fatalf("submitted: %+v", first)
	}
	again := b.submit(b.bySess, "one", 10, start+1)
	if !again.Found || again.Job.ID != first.Job.ID || !bytes.Equal(again.Job.Payload, first.Job.Payload) {
		w.Errorf("submitted again: %+v", again)
	}
	b.submit(b.bySess, "two", 10, start+2)

	c := b.claim(start + 3)
	if !c.Found || c.Job.Name != "one" || c.Job.Attempt != 1 || c.Job.State != store.JobRunning || c.Job.DueAt != start+3+lease || !c.More || c.Job.AttemptsLeft() != 1 {
		w.Fatalf("the first claim: %+v", c)
	}
	must(w.T, w.db.Run(ctx, c.Job.Finish(store.JobCompleted, start+4, start+day, []byte("result"), "k2")...))
	done := b.look(b.byToken, "one", store.FindAndClaim, start+5)
	if done.Claimed || done.Job.State != store.JobCompleted || string(done.Job.Result) != "result" || *done.Job.ResultKeyID != "k2" || done.Job.Payload != nil ||
		*done.Job.EndedAt != start+4 || done.Job.DueAt != start+day {
		w.Errorf("done: %+v", done)
	}
	two := b.look(b.bySess, "two", store.FindAndClaim, start+6)
	if !two.Claimed || two.Job.Attempt != 1 || two.Job.State != store.JobRunning || two.Job.Session != b.session.ID {
		w.Errorf("claimed by name: %+v", two)
	}
	if c := b.claim(start + 7); c.Found || c.More {
		w.Errorf("nothing is left, and yet: %+v", c)
	}
}

func testJobSight(w *world) {
	b, other := newBench(w), newBench(w)
	second := w.token(b.user)
	b.submit(b.byToken, "mine", 10, start)
	for name, tt := range map[string]struct {
		who    store.Principal
		access bool
		found  bool
	}{
		"the token":             {b.byToken, true, true},
		"the session":           {b.bySess, true, true},
		"the user's next token": {store.Principal{User: b.user.ID, Token: second.ID}, true, false},
		"another user":          {other.bySess, true, false},
		"another's token":       {other.byToken, true, false},
		"no token":              {store.Principal{User: b.user.ID, Token: store.NewID(start)}, false, false},
	} {
		if l := b.look(tt.who, "mine", store.FindOnly, start); l.Access != tt.access || l.Found != tt.found {
			w.Errorf("%s: %+v", name, l)
		}
		if l, err := store.CancelJob(ctx, w.db, tt.who, "mine", start, start+day); !tt.found && (err != nil || l.Found || b.state("mine") != store.JobQueued) {
			w.Errorf("%s cancels: %+v, %v", name, l, err)
		}
		if tt.found {
			exec(w.T, w.db, "update jobs set state = 1, due_at = 0")
		}
	}
	off := false
	_, err := store.UpdateToken(ctx, w.db, b.user.ID, b.token.ID, store.TokenChange{Enabled: store.To(off)}, start)
	must(w.T, err)
	if l := b.look(b.byToken, "mine", store.FindAndClaim, start); l.Access || l.Claimed {
		w.Errorf("a token that is off claims: %+v", l)
	}
	if s := b.submit(b.byToken, "next", 10, start); s.Access || s.Found {
		w.Errorf("a token that is off submits: %+v", s)
	}
}

func testJobLimit(w *world) {
	const limit = 5
	b := newBench(w)
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for i := range 4 * limit {
		wg.Go(func() {
			s, err := store.SubmitJob(ctx, w.db, b.byToken, store.Job{ID: store.NewID(start), Name: fmt.Sprint(i), Digest: []byte("d"), Payload: []byte("p"), EncryptionKeyID: "k"}, store.OpenJobs{Number: limit, Bytes: 1 << 20}, start)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || !s.Access {
				w.Errorf("%+v, %v", s, err)
			}
			if s.Found {
				accepted++
			}
		})
	}
	wg.Wait()
	if n := number(w.T, w.db, "select count(*) from jobs where user_id = $1", b.user.ID); accepted != limit || n != limit {
		w.Errorf("%d accepted, %d kept, want %d", accepted, n, limit)
	}
	c := b.claim(start) // of this user: the table was emptied
	must(w.T, w.db.Run(ctx, c.Job.Finish(store.JobFailed, start, start+day, nil, "")...))
	if s := b.submit(b.byToken, "room", limit, start); !s.Found {
		w.Error("one is over, and there is no room")
	}

	// The bytes of the requests are bounded, too.
	stored := number(w.T, w.db, "select sum(length(payload)) from jobs where user_id = $1 and state <= 2", b.user.ID)
	for _, room := range []int64{2, 3} {
		want := room == 3
		s, err := store.SubmitJob(ctx, w.db, b.byToken, store.Job{ID: store.NewID(start), Name: "bytes", Digest: []byte("d"), Payload: []byte("ppp"), EncryptionKeyID: "k"},
			store.OpenJobs{Number: 100, Bytes: stored + room}, start)
		must(w.T, err)
		if s.Found != want {
			w.Errorf("%d bytes of room for 3: %v", room, s.Found)
		}
	}
}

// An attempt that was overtaken writes nothing, neither about the job nor in the rest of its transaction.
func testJobFence(w *world) {
	b := newBench(w)
	b.submit(b.byToken, "j", 10, start)
	stale := b.claim(start).Job
	if c := b.claim(start + lease - 1); c.Found {
		w.Fatal("claimed within the lease")
	}
	fresh := b.claim(start + lease).Job
	if fresh.Attempt != 2 || fresh.AttemptsLeft() != 0 {
		w.Fatalf("the second attempt: %+v", fresh)
	}
	for name, end := range map[string][]store.Stmt{
		"completed": stale.Finish(store.JobCompleted, start, start+day, []byte("stale"), "k"),
		"queued":    stale.Requeue(start),
		"released":  stale.Release(),
	} {
		r := w.record(b.user)
		r.Statements = end
		if err := w.settle(r); store.CodeOf(err) != store.CodeNull {
			w.Errorf("%s by who was overtaken: %v", name, err)
		}
	}
	if n := number(w.T, w.db, "select count(*) from requests where user_id = $1", b.user.ID); n != 0 || b.state("j") != store.JobRunning {
		w.Errorf("%d usage rows of who was overtaken; the job is %v", n, b.state("j"))
	}
	r := w.record(b.user)
	r.Statements = fresh.Finish(store.JobCompleted, start, start+day, []byte("fresh"), "k")
	must(w.T, w.settle(r))
	if err := w.settle(r); store.CodeOf(err) != store.CodeConflict {
		w.Errorf("settled twice: %v, want the conflict of the usage row alone", err)
	}
	if l := b.look(b.byToken, "j", store.FindOnly, start); string(l.Job.Result) != "fresh" {
		w.Errorf("the result is %q", l.Job.Result)
	}
	if err := w.db.Run(ctx, stale.Finish(store.JobCompleted, start, start+day, []byte("stale"), "k")...); store.CodeOf(err) != store.CodeNull {
		w.Errorf("after the end: %v", err)
	}
	exec(w.T, w.db, "delete from jobs")
	if err := w.db.Run(ctx, fresh.Requeue(0)...); store.CodeOf(err) != store.CodeNull {
		w.Errorf("of a job that is gone: %v", err)
	}
}

func testJobAttempts(w *world) {
	b := newBench(w)
	b.submit(b.byToken, "j", 10, start)
	for range 3 { // released attempts do not count
		j := b.claim(start).Job
		must(w.T, w.db.Run(ctx, j.Release()...))
	}
	j := b.claim(start).Job
	must(w.T, w.db.Run(ctx, j.Requeue(start+minute)...))
	if c := b.claim(start + minute - 1); c.Found || c.More {
		w.Errorf("claimed before it is due: %+v", c)
	}
	counts, _, err := store.CountJobs(ctx, w.db, b.byToken, start)
	if err != nil || counts != (store.JobCounts{Delayed: 1}) {
		w.Errorf("%+v, %v", counts, err)
	}
	if last := b.claim(start + minute).Job; last.Attempt != 5 || last.AttemptsLeft() != 0 {
		w.Errorf("the last attempt: %+v", last)
	}
	if c := b.claim(start + minute + lease); c.Found {
		w.Errorf("a third attempt: %+v", c)
	}
	if l := b.look(b.byToken, "j", store.FindAndClaim, start+minute+lease); l.Claimed || l.Job.State != store.JobFailed || l.Job.Result != nil || l.Job.Payload != nil {
		w.Errorf("after two attempts that went silent: %+v", l)
	}
	b.submit(b.byToken, "k", 10, start)
	exec(w.T, w.db, "update jobs set attempt = 2, state = 2, due_at = 5 where name = 'k'")
	if l := b.look(b.byToken, "k", store.FindOnly, start); l.Job.State != store.JobFailed {
		w.Errorf("no claim, but found: %+v", l)
	}
}

func testJobCancel(w *world) {
	b := newBench(w)
	b.submit(b.byToken, "queued", 10, start)
	b.submit(b.byToken, "running", 10, start+1)
	cancel := func(name string) store.Job {
		l, err := store.CancelJob(ctx, w.db, b.byToken, name, start+5, start+day)
		if err != nil || !l.Found || l.Job.State != store.JobCancelled || l.Job.Payload != nil {
			w.Errorf("%s: %+v, %v", name, l, err)
		}
		return l.Job
	}
	cancel("queued")
	j := b.claim(start + 2).Job
	if c := b.claim(start+3, j.ID); c.Found || len(c.Cancelled) != 0 {
		w.Errorf("%+v", c)
	}
	cancel("running")
	if c := b.claim(start+3, j.ID); len(c.Cancelled) != 1 || c.Cancelled[0] != j.ID {
		w.Errorf("who runs it is not told: %+v", c)
	}
	r := w.record(b.user)
	r.Statements = j.Finish(store.JobCompleted, start, start+day, []byte("too late"), "k")
	must(w.T, w.settle(r)) // what it used counts
	if l := b.look(b.byToken, "running", store.FindOnly, start); l.Job.State != store.JobCancelled || l.Job.Result != nil {
		w.Errorf("%+v", l)
	}
	first := cancel("running")
	if *first.EndedAt != start+5 {
		w.Errorf("cancelled twice: %+v", first)
	}
	counts, _, err := store.CountJobs(ctx, w.db, b.bySess, start)
	if err != nil || counts != (store.JobCounts{Cancelled: 2}) {
		w.Errorf("%+v, %v", counts, err)
	}
}

func testJobPurge(w *world) {
	b := newBench(w)
	for i := range 6 {
		b.submit(b.byToken, fmt.Sprint("done", i), 100, start)
		j := b.claim(start).Job
		must(w.T, w.db.Run(ctx, j.Finish(store.JobCompleted, start, start+int64(i), []byte("r"), "k")...))
	}
	b.submit(b.byToken, "old", 100, start-10*day)
	b.submit(b.byToken, "waits", 100, start-31*day) // for a limit of a month
	for _, j := range []string{"old", "waits"} {
		due := map[string]int64{"old": start - 10*day, "waits": start + 2}[j]
		must(w.T, w.db.Run(ctx, store.Stmt{SQL: "update jobs set due_at = $2 where name = $1", Args: []any{j, due}}))
	}
	b.submit(b.byToken, "new", 100, start)
	purge := func(now, want int64) {
		w.Helper()
		n, err := store.PurgeJobs(ctx, w.db, now, now-7*day, 2)
		if err != nil || n != want {
			w.Errorf("at +%d: purged %d, %v, want %d", now-start, n, err, want)
		}
	}
	purge(start+3, 3) // two of the four that are due, and the old one
	purge(start+3, 2)
	purge(start+3, 0)
	for name, want := range map[string]store.JobState{"done0": store.JobExpired, "done3": store.JobExpired, "done4": store.JobCompleted, "old": store.JobExpired, "waits": store.JobQueued, "new": store.JobQueued} {
		if got := b.state(name); got != want {
			w.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if n := number(w.T, w.db, "select count(*) from jobs where state = 6 and (result is not null or payload is not null)"); n != 0 {
		w.Errorf("%d expired jobs still hold something", n)
	}
	purge(start+3+7*day, 2+2+1+1)
	if n := number(w.T, w.db, "select count(*) from jobs where name in ('done0', 'done1')"); n > 1 {
		w.Errorf("%d of the oldest are left", n)
	}
}

func testJobList(w *world) {
	b, other := newBench(w), newBench(w)
	other.submit(other.byToken, "foreign", 10, start)
	for i := range 5 {
		b.submit(b.byToken, fmt.Sprint(i), 10, start+int64(i))
	}
	var names []string
	for page := (store.Page{Limit: 2}); ; {
		jobs, err := store.Jobs(ctx, w.db, b.user.ID, page)
		must(w.T, err)
		if len(jobs) == 0 {
			break
		}
		for _, j := range jobs {
			names = append(names, j.Name)
			page.After = j.ID
		}
	}
	if got := strings.Join(names, ""); got != "43210" {
		w.Errorf("listed %s", got)
	}
	all, err := store.CountAllJobs(ctx, w.db, start)
	if err != nil || all.Waiting != 6 {
		w.Errorf("%+v, %v", all, err)
	}
}
