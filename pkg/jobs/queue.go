package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
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
	// BeginWithin is how long after its start a poll may begin to run its job, for platforms that limit the time of a
	// request; 0: no limit.
	BeginWithin time.Duration
	// Retention is how long a finished job and its result are stored.
	Retention time.Duration
	// Limit bounds the open jobs of a user.
	Limit store.OpenJobs
	// MaxBytes bounds a stored request.
	MaxBytes int64
}

// Executor runs a task through the gateway. It calls endStatements once with the result, before the usage row is
// written, and commits the statements that it returns together with the row. It does not call it if there is no usage row.
type Executor interface {
	Execute(ctx context.Context, p gateway.Principal, name string, t Task,
		endStatements func(Result) []store.Stmt) Result
}

// Deps are what a Queue works with. All are required.
type Deps struct {
	DB       store.DB
	Secrets  *auth.Secrets
	Executor Executor
	Log      *slog.Logger
	Now      func() time.Time
}

// Queue stores jobs and runs them. It is safe for concurrent use; make one a process.
type Queue struct {
	Deps
	settings Settings
	wake     chan struct{}
	ctx      context.Context // of all attempts
	stop     context.CancelCauseFunc

	mu       sync.Mutex
	workers  int
	lastUser store.ID // whose job was claimed last
	running  map[store.ID]context.CancelCauseFunc
	watchers map[name]map[chan struct{}]bool
}

// name identifies a job by the name that its client chose.
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

// Stop ends all attempts of this process and releases their jobs, for other processes to run.
func (q *Queue) Stop() { q.stop(gateway.ErrStopping) }

// Submit stores a task under the client's name for it; id is the new job's. If the name is taken by the same task, it
// returns that job. Errors: Unauthorized, TooLarge, Conflict (the name is taken by another request), RateLimit (too many open
// jobs), and the database's.
func (q *Queue) Submit(ctx context.Context, p store.Principal, id store.ID, name string, t Task) (store.Job, error) {
	text, err := join(t, t.Body)
	if err != nil {
		return store.Job{}, err
	}
	if int64(len(text)) > q.settings.MaxBytes {
		return store.Job{}, fault.New(fault.TooLarge,
			"the request is larger than %d kB (JOB_MAX_BYTES); send it without async", q.settings.MaxBytes>>10)
	}
	j := store.Job{ID: id, Name: name}
	sum := sha256.Sum256(text)
	j.Digest, _ = q.Secrets.Encrypt(sum[:], binding("digest", id, p.User))
	j.Payload, j.EncryptionKeyID = q.Secrets.Encrypt(text, binding("payload", id, p.User))
	s, err := store.SubmitJob(ctx, q.DB, p, j, q.settings.Limit, q.now())
	switch {
	case err != nil:
		return store.Job{}, err
	case !s.Access:
		return store.Job{}, gateway.NoAccess()
	case !s.Found:
		return store.Job{}, &fault.Error{Code: fault.RateLimit, RetryAfter: 10 * time.Second,
			Message: fmt.Sprintf("too many of your requests are queued or running: at most %d (JOB_LIMIT), together %d MB (JOB_LIMIT_BYTES); wait for some of them, or cancel some",
				q.settings.Limit.Number, q.settings.Limit.Bytes>>20)}
	case s.Job.ID == id:
		select {
		case q.wake <- struct{}{}:
		default:
		}
		return s.Job, nil
	}
	digest, _, err := q.Secrets.Decrypt(s.Job.Digest, s.Job.EncryptionKeyID, binding("digest", s.Job.ID, p.User))
	if err != nil || !bytes.Equal(digest, sum[:]) || !p.Token.IsZero() && s.Job.Token != p.Token {
		return store.Job{}, fault.New(fault.Conflict,
			"this requestId belongs to another request of yours; choose another one")
	}
	return s.Job, nil
}

func (q *Queue) now() int64 { return q.Now().UnixMilli() }

// claim returns the times of a claim that is made now.
func (q *Queue) claim() store.JobClaim {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	return store.JobClaim{After: q.lastUser, Now: now, Lease: now + q.settings.Lease.Milliseconds(),
		Keep: now + q.settings.Retention.Milliseconds()}
}

// Cancel ends a job, also while it runs. A job may be cancelled twice. Errors: Unauthorized, NotFound, Conflict (it was
// over), the database's.
func (q *Queue) Cancel(ctx context.Context, p store.Principal, requestID string) error {
	now := q.claim()
	l, err := store.CancelJob(ctx, q.DB, p, requestID, now.Now, now.Keep)
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

// The bounds of the pause between two lookups of a job that another process runs.
const (
	firstPollPause   = 200 * time.Millisecond
	longestPollPause = 2 * time.Second
)

// Await waits until a job is over, at most for timeout, and returns it. If the job is not running and this process has no
// worker, Await runs it, and returns when that has ended, whatever the timeout and even if the client has left. With a
// timeout of 0 it only looks the job up. If it is too late to begin (Settings.BeginWithin), it returns the job, for the
// client to poll again. Errors: Unauthorized, NotFound, Cancelled, the database's.
func (q *Queue) Await(ctx context.Context, p store.Principal, requestID string, timeout time.Duration) (
	store.Job, error) {
	begun := time.Now()
	changed, forget := q.watch(name{p.User, requestID})
	defer forget()
	for pause := firstPollPause; ; pause = min(2*pause, longestPollPause) {
		how, late := store.FindAndClaim, q.tooLateToBegin(begun)
		if timeout <= 0 || late || q.hasWorker() || ctx.Err() != nil || q.ctx.Err() != nil {
			how = store.FindOnly
		}
		l, err := store.FindJob(ctx, q.DB, p, requestID, how, q.claim())
		if err = lookupError(l, err); err != nil {
			return store.Job{}, err
		}
		if l.Claimed {
			q.run(&l.Job)
			pause = firstPollPause
			continue
		}
		left := timeout - time.Since(begun)
		if l.Job.State.Over() || left <= 0 || late && l.Job.DueAt <= q.now() {
			return l.Job, nil
		}
		timer := time.NewTimer(min(pause, left))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return store.Job{}, fault.Wrap(ctx.Err(), fault.Cancelled, "the client closed the connection")
		}
		timer.Stop()
	}
}

// tooLateToBegin reports whether a poll that began then must not begin to run its job.
func (q *Queue) tooLateToBegin(begun time.Time) bool {
	return q.settings.BeginWithin > 0 && time.Since(begun) >= q.settings.BeginWithin
}

// watch returns a channel that receives at the end of each attempt at the job in this process, and at its cancellation.
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
