package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/contain"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// errCancelled is the cause of an attempt's end when its job was cancelled.
var errCancelled = errors.New("the job was cancelled")

var errPanic = errors.New("panic")

// run makes the claimed attempt.
func (q *Queue) run(j *store.Job) {
	ctx, cancel := context.WithCancelCause(q.ctx)
	defer cancel(nil)
	q.mu.Lock()
	q.running[j.ID] = cancel
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		delete(q.running, j.ID)
		q.mu.Unlock()
		q.notify(name{j.UserID, j.Name})
	}()
	defer func() {
		if v := recover(); v != nil {
			q.Log.Error("panic", "job", j.ID.String(), "what", fmt.Sprint(v), "stack", string(debug.Stack()))
			q.end(j, Failed("", fault.From(errPanic)))
		}
	}()

	if !q.hasWorker() { // a worker watches all jobs that it runs
		defer q.watchCancellation(j.ID)()
	}

	task, err := q.decryptTask(j)
	if err != nil {
		q.end(j, Failed("",
			fault.Wrap(err, fault.Gone, "the secret that encrypts the request is gone; send the request again")))
		return
	}
	settled := false
	principal := gateway.Principal{Token: j.Token}
	if j.Token.IsZero() {
		principal = gateway.Principal{Session: j.Session, User: j.UserID}
	}
	result := q.Executor.Execute(ctx, principal, j.Name, task, func(r Result) []store.Stmt {
		settled = true
		return q.endStatements(j, r)
	})
	if !settled {
		q.end(j, result)
	}
}

// endTimeout bounds how long a process tries to write the end of an attempt.
const endTimeout = 5 * time.Second

// end writes the end of an attempt that has no usage row.
func (q *Queue) end(j *store.Job, r Result) {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	err := q.DB.Run(ctx, q.endStatements(j, r)...)
	for pause := 50 * time.Millisecond; err != nil && store.CodeOf(err) != store.CodeNull &&
		ctx.Err() == nil; pause *= 2 {
		time.Sleep(pause)
		err = q.DB.Run(ctx, q.endStatements(j, r)...)
	}
	if err != nil {
		q.Log.Warn("the end of a job was not written", "job", j.ID.String(), "attempt", j.Attempt, "cause", err.Error())
	}
}

// endStatements returns the statements that end the attempt with the result.
func (q *Queue) endStatements(j *store.Job, r Result) []store.Stmt {
	now := q.now()
	state := store.JobCompleted
	if f := r.cause; f != nil {
		state = store.JobFailed
		if errors.Is(f, gateway.ErrStopping) {
			return j.Release()
		}
		var limited *gateway.LimitedError
		if errors.As(f, &limited) && limited.Until > 0 {
			return j.Defer(max(limited.Until, now+minBackoff.Milliseconds()))
		}
		if pause, again := retry(f); again && j.AttemptsLeft() > 0 {
			return j.Requeue(now + pause.Milliseconds())
		}
		if f.RetryAfter > 0 {
			r.Fault.RetryAt = now + f.RetryAfter.Milliseconds()
		}
	}
	encrypted, keyID, err := q.encryptResult(j, r)
	if err != nil {
		state = store.JobFailed
		encrypted, keyID, _ = q.encryptResult(j, Failed(r.Endpoint, fault.From(err)))
	}
	return j.Finish(state, now, now+q.settings.Retention.Milliseconds(), encrypted, keyID)
}

// The bounds of the pause before the second attempt.
const (
	minBackoff = 2 * time.Second
	maxBackoff = 15 * time.Minute // a job that would have to wait for longer fails at once
)

// retry reports whether a failure may be temporary, and when to try again: after the failure's own hint, with jitter so
// that jobs that failed together do not come back together.
func retry(f *fault.Error) (pause time.Duration, again bool) {
	var known *chat.Error
	switch {
	case f.Code == fault.Unavailable, f.Code == fault.RateLimit:
	case errors.Is(f, context.DeadlineExceeded): // its process may have been suspended
	case f.Code == fault.Provider && errors.As(f, &known):
		switch provider.FailurePolicy(known, 0).Retry {
		case provider.RetryOnce, provider.RetryBackoff, provider.RetryLater:
		default:
			return 0, false
		}
	default:
		return 0, false
	}
	pause = max(minBackoff, f.RetryAfter)
	return pause + rand.N(pause/2), pause <= maxBackoff
}

// cancellationInterval is how often a process without a worker checks whether its job was cancelled elsewhere.
const cancellationInterval = 3 * time.Second

// watchCancellation ends the job's attempt when another process cancels it, until stop is called.
func (q *Queue) watchCancellation(id store.ID) (stop func()) {
	ctx, stop := context.WithCancel(q.ctx)
	contain.Go(q.Log, "the watch for cancellations", func() {
		ticker := time.NewTicker(cancellationInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			// Errors are ignored until the next tick: the attempt's number protects the job meanwhile.
			if cancelled, err := store.CancelledJobs(ctx, q.DB, []store.ID{id}); err == nil && len(cancelled) > 0 {
				q.cancelRunning(id)
				return
			}
		}
	})
	return stop
}

// cancelRunning ends the attempt of a cancelled job in this process.
func (q *Queue) cancelRunning(id store.ID) {
	q.mu.Lock()
	cancel := q.running[id]
	q.mu.Unlock()
	if cancel != nil {
		cancel(errCancelled)
	}
}
