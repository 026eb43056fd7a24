package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Settings are what the operator may set.
type Settings struct {
	// Lease is how long an attempt may take. It must be longer than the gateway's deadline.
	Lease time.Duration
	// BeginWithin is how long after its start a poll may still begin to run its job, for platforms that end every request at
	// a time; 0: without end.
	BeginWithin time.Duration
	// Keep is how long it is kept what a job left.
	Retention time.Duration
	// Limit is how many open jobs a user may have.
	Limit int
	// MaxBytes bounds a request that is kept.
	MaxBytes int64
}

// Asking takes a task through the gateway, as a request that came by itself. It calls also once with what came of it, when the
// usage is about to be written, and lets the statements that it returns commit with that; where there is no usage to write it
// does not call it.
type Executor interface {
	Execute(ctx context.Context, who gateway.Principal, name string, t Task, also func(Result) []store.Stmt) Result
}

// Deps are what a Queue works with. All are required.
type Deps struct {
	DB       store.DB
	Secrets  *auth.Secrets
	Executor Executor
	Log      *slog.Logger
	Now      func() time.Time
}

// Queue keeps jobs and runs them. It is safe for concurrent use; make one a process.
type Queue struct {
	Deps
	settings Settings
	wake     chan struct{}
	ctx      context.Context // of all that runs
	stop     context.CancelCauseFunc

	mu       sync.Mutex
	workers  int
	running  map[store.ID]context.CancelCauseFunc
	watchers map[name]map[chan struct{}]bool
}

// name tells a job apart as its caller does.
type name struct {
	user store.ID
	name string
}

// New returns a Queue.
func New(d Deps, s Settings) *Queue {
	q := &Queue{Deps: d, settings: s, wake: make(chan struct{}, 1),
		running: map[store.ID]context.CancelCauseFunc{}, watchers: map[name]map[chan struct{}]bool{}}
	q.ctx, q.stop = context.WithCancelCause(context.Background())
	return q
}

// Stop ends what this process runs: those jobs are given back, for others to run.
func (q *Queue) Stop() { q.stop(gateway.ErrStopping) }

// Submit keeps a task under the caller's name for it; id is the new job's. A name that is taken by the same task
// gives that job. Errors: Unauthorized, TooLarge, Conflict (the name is taken by another request), RateLimit (too many open
// jobs), and the database's.
func (q *Queue) Submit(ctx context.Context, who store.Principal, id store.ID, name string, t Task) (store.Job, error) {
	text, err := join(t, t.Body)
	if err != nil {
		return store.Job{}, err
	}
	if int64(len(text)) > q.settings.MaxBytes {
		return store.Job{}, fault.New(fault.TooLarge, "the request is larger than the %d kB that are kept of one (JOB_MAX_BYTES); send it without async", q.settings.MaxBytes>>10)
	}
	j := store.Job{ID: id, Name: name}
	sum := sha256.Sum256(text)
	j.Digest, _ = q.Secrets.Encrypt(sum[:], binding("digest", id, who.User))
	j.Payload, j.EncryptionKeyID = q.Secrets.Encrypt(text, binding("payload", id, who.User))
	s, err := store.SubmitJob(ctx, q.DB, who, j, q.settings.Limit, q.now())
	switch {
	case err != nil:
		return store.Job{}, err
	case !s.Access:
		return store.Job{}, gateway.NoAccess()
	case !s.Found:
		return store.Job{}, &fault.Error{Code: fault.RateLimit, RetryAfter: 10 * time.Second,
			Message: "too many of your requests are queued or running; wait for some of them, or cancel some"}
	case s.Job.ID == id:
		select {
		case q.wake <- struct{}{}:
		default:
		}
		return s.Job, nil
	}
	digest, _, err := q.Secrets.Decrypt(s.Job.Digest, s.Job.EncryptionKeyID, binding("digest", s.Job.ID, who.User))
	if err != nil || !bytes.Equal(digest, sum[:]) || !who.Token.IsZero() && s.Job.Token != who.Token {
		return store.Job{}, fault.New(fault.Conflict, "this requestId belongs to another request of yours; choose another one")
	}
	return s.Job, nil
}

func (q *Queue) now() int64 { return q.Now().UnixMilli() }

// claim is what a claim of now gives.
func (q *Queue) claim() store.JobClaim {
	now := q.now()
	return store.JobClaim{Now: now, Lease: now + q.settings.Lease.Milliseconds(), Keep: now + q.settings.Retention.Milliseconds()}
}

// Cancel ends a job, also while it runs; it may be cancelled twice. Errors: Unauthorized, NotFound, Conflict (it was over), the database's.
func (q *Queue) Cancel(ctx context.Context, who store.Principal, called string) error {
	now := q.claim()
	l, err := store.CancelJob(ctx, q.DB, who, called, now.Now, now.Keep)
	if err = lookupError(l, err); err != nil {
		return err
	}
	if l.Job.State != store.JobCancelled {
		return fault.New(fault.Conflict, "the request is over: there is nothing to cancel")
	}
	q.cancelRunning(l.Job.ID)
	q.notify(name{l.Job.UserID, l.Job.Name})
	return nil
}

func lookupError(l store.FoundJob, err error) error {
	switch {
	case err != nil:
		return err
	case !l.Access:
		return gateway.NoAccess()
	case !l.Found:
		return fault.New(fault.NotFound, "there is no such request of yours, or it is not known any more")
	}
	return nil
}

// The pauses between two looks at a job that somebody else runs.
const (
	firstPollPause   = 200 * time.Millisecond
	longestPollPause = 2 * time.Second
)

// Await waits for a job to be over, at most for the patience, and returns it as it is then. If nobody runs it and no worker is in
// this process, it runs it: then it returns when that has ended, whatever the patience, and whether the caller is
// still there or not. With no patience it only looks. If it is too late to begin (Settings.BeginWithin), it returns the job to be
// asked for again. Errors: Unauthorized, NotFound, Cancelled, the database's.
func (q *Queue) Await(ctx context.Context, who store.Principal, called string, patience time.Duration) (store.Job, error) {
	begun := time.Now()
	changed, forget := q.watch(name{who.User, called})
	defer forget()
	for pause := firstPollPause; ; pause = min(2*pause, longestPollPause) {
		how, late := store.FindAndClaim, q.tooLateToBegin(begun)
		if patience <= 0 || late || q.hasWorker() || ctx.Err() != nil || q.ctx.Err() != nil {
			how = store.FindOnly
		}
		l, err := store.FindJob(ctx, q.DB, who, called, how, q.claim())
		if err = lookupError(l, err); err != nil {
			return store.Job{}, err
		}
		if l.Claimed {
			q.run(&l.Job)
			pause = firstPollPause
			continue
		}
		left := patience - time.Since(begun)
		if l.Job.State.Over() || left <= 0 || late && l.Job.DueAt <= q.now() {
			return l.Job, nil
		}
		timer := time.NewTimer(min(pause, left))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return store.Job{}, fault.Wrap(ctx.Err(), fault.Cancelled, "the caller left")
		}
		timer.Stop()
	}
}

// late says whether a poll that began then may not begin to run its job any more.
func (q *Queue) tooLateToBegin(begun time.Time) bool {
	return q.settings.BeginWithin > 0 && time.Since(begun) >= q.settings.BeginWithin
}

// watch returns a channel that hears of the end of each attempt at the job in this process, and of its cancellation.
func (q *Queue) watch(n name) (changed chan struct{}, forget func()) {
	changed = make(chan struct{}, 1)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.watchers[n] == nil {
		q.watchers[n] = map[chan struct{}]bool{}
	}
	q.watchers[n][changed] = true
	return changed, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.watchers[n], changed)
		if len(q.watchers[n]) == 0 {
			delete(q.watchers, n)
		}
	}
}

func (q *Queue) notify(n name) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for c := range q.watchers[n] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
