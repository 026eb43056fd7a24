package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// errCancelled is the cause with which an attempt ends whose job was cancelled.
var errCancelled = errors.New("the job was cancelled")

var errPanic = errors.New("panic")

// run makes the attempt that was claimed, to its end.
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

	if !q.hasWorker() { // which asks for all that it runs
		defer q.watchCancellation(j.ID)()
	}

	task, err := q.decryptTask(j)
	if err != nil {
		q.end(j, Failed("", fault.Wrap(err, fault.Gone, "the request was sealed under a secret that is gone; send it again")))
		return
	}
	settled := false
	who := gateway.Principal{Token: j.Token}
	if j.Token.IsZero() {
		who = gateway.Principal{Session: j.Session, User: j.UserID}
	}
	result := q.Executor.Execute(ctx, who, j.Name, task, func(r Result) []store.Stmt {
		settled = true
		return q.endStatements(j, r)
	})
	if !settled {
		q.end(j, result)
	}
}

// endTime bounds how long a process tries to write how an attempt ended.
const endTime = 5 * time.Second

// end writes how an attempt ended that left no usage.
func (q *Queue) end(j *store.Job, r Result) {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	err := q.DB.Run(ctx, q.endStatements(j, r)...)
	for pause := 50 * time.Millisecond; err != nil && store.CodeOf(err) != store.CodeNull && ctx.Err() == nil; pause *= 2 {
		time.Sleep(pause)
		err = q.DB.Run(ctx, q.endStatements(j, r)...)
	}
	if err != nil {
		q.Log.Warn("the end of a job was not written", "job", j.ID.String(), "attempt", j.Attempt, "cause", err.Error())
	}
}

// ending is the statements that end the attempt with the result.
func (q *Queue) endStatements(j *store.Job, r Result) []store.Stmt {
	now := q.now()
	state := store.JobCompleted
	if f := r.cause; f != nil {
		state = store.JobFailed
		if errors.Is(f, gateway.ErrStopping) {
			return j.Release()
		}
		if pause, again := retry(f); again && j.AttemptsLeft() > 0 {
			return j.Requeue(now + pause.Milliseconds())
		}
		if f.RetryAfter > 0 {
			r.Fault.RetryAt = now + f.RetryAfter.Milliseconds()
		}
	}
	sealed, key, err := q.encryptResult(j, r)
	if err != nil {
		state = store.JobFailed
		sealed, key, _ = q.encryptResult(j, Failed(r.Endpoint, fault.From(err)))
	}
	return j.Finish(state, now, now+q.settings.Retention.Milliseconds(), sealed, key)
}

// The pause before the second attempt.
const (
	minBackoff = 2 * time.Second
	maxBackoff = 15 * time.Minute // what has to wait for longer fails at once
)

// retry says whether a failure may pass by itself, and after which time to try again: about as long as was asked for, with jitter so that
// what failed together does not come again together.
func retry(f *fault.Error) (pause time.Duration, again bool) {
	var known *chat.Error
	switch {
	case f.Code == fault.Unavailable, f.Code == fault.RateLimit:
	case errors.Is(f, context.DeadlineExceeded): // its process may have stood still
	case f.Code == fault.Provider && errors.As(f, &known):
		if r := provider.FailurePolicyOf(known.Class).Retry; r != provider.RetryOnce && r != provider.RetryBackoff {
			return 0, false
		}
	default:
		return 0, false
	}
	pause = max(minBackoff, f.RetryAfter)
	return pause + rand.N(pause/2), pause <= maxBackoff
}

// lookEvery is how often a process without a worker asks whether what it runs was cancelled elsewhere.
const cancellationInterval = 3 * time.Second

// lookOut ends the job's attempt when another process cancels it, until stop is called.
func (q *Queue) watchCancellation(id store.ID) (stop func()) {
	ctx, stop := context.WithCancel(q.ctx)
	go func() {
		ticker := time.NewTicker(cancellationInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			// A database that does not answer is asked again; the fence holds meanwhile.
			if cancelled, err := store.CancelledJobs(ctx, q.DB, []store.ID{id}); err == nil && len(cancelled) > 0 {
				q.cancelRunning(id)
				return
			}
		}
	}()
	return stop
}

// cancelled ends what this process runs of a job that was cancelled.
func (q *Queue) cancelRunning(id store.ID) {
	q.mu.Lock()
	cancel := q.running[id]
	q.mu.Unlock()
	if cancel != nil {
		cancel(errCancelled)
	}
}
