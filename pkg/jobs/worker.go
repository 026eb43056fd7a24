package jobs

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/contain"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Worker runs jobs until it is stopped.
type Worker struct {
	Queue *Queue
	// Concurrency is how many jobs it runs at once, at least 1.
	Concurrency int
	// StopTimeout is how long jobs may go on after a signal to stop; then they are released.
	StopTimeout time.Duration
	// PollInterval is the shortest pause after a poll that found no job; the longest is twice that. 0: a second. A job
	// that this process submits wakes the worker at once.
	PollInterval time.Duration
	// Purge, if set, is called once in a while to delete what has expired.
	Purge func(ctx context.Context)

	wg    sync.WaitGroup
	freed chan struct{}
	busy  int
	mu    sync.Mutex
}

const (
	defaultPollInterval = time.Second
	// claimRetryPause is the shortest pause after another process was faster.
	claimRetryPause = 10 * time.Millisecond
	// errorPause is the shortest pause after an error of the database.
	errorPause = 5 * time.Second

	purgeInterval = time.Hour
)

// Work claims jobs and runs them until ctx ends. Then it waits for the running jobs, releases those that still run after
// StopTimeout, and returns.
func (w *Worker) Work(ctx context.Context) {
	w.freed = make(chan struct{}, 1)
	w.Queue.addWorkers(1)
	defer w.Queue.addWorkers(-1)
	nextPurge := time.Now() // at the start, too: the process may end before an hour has passed
	for ctx.Err() == nil {
		pause := w.claimNext(ctx)
		if w.Purge != nil && time.Now().After(nextPurge) {
			nextPurge = time.Now().Add(purgeInterval)
			w.wg.Add(1)
			contain.Go(w.Queue.Log, "retention", func() {
				defer w.wg.Done()
				w.Purge(ctx)
			})
		}
		if pause == 0 {
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-w.Queue.wake:
		case <-w.freed:
		case <-timer.C:
		}
		timer.Stop()
	}
	w.drain()
}

// claimNext claims a job if there is room for it, and returns how long to wait until the next claim.
func (w *Worker) claimNext(ctx context.Context) time.Duration {
	q := w.Queue
	running := q.runningIDs()
	full := w.full()
	claim := q.claim()
	claim.Running = running
	var c store.ClaimResult
	var err error
	if full {
		c.Cancelled, err = store.CancelledJobs(ctx, q.DB, running)
	} else {
		c, err = q.claimWhole(ctx, claim)
	}
	for _, id := range c.Cancelled {
		q.cancelRunning(id)
	}
	switch {
	case err != nil:
		if ctx.Err() == nil {
			q.Log.Warn("jobs cannot be claimed", "cause", err.Error())
		}
		return errorPause + rand.N(errorPause)
	case c.Found:
		w.start(c.Job)
		return 0
	case c.More:
		return claimRetryPause + rand.N(claimRetryPause)
	}
	pause := cmp.Or(w.PollInterval, defaultPollInterval)
	return pause + rand.N(pause)
}

// claimTimeout bounds a claim that the end of its context does not interrupt.
const claimTimeout = 5 * time.Second

// claimWhole claims a job, whatever becomes of ctx meanwhile: a claim that commits while its process is told to stop
// would otherwise hold the job until its lease ends, and nobody would release it.
func (q *Queue) claimWhole(ctx context.Context, claim store.JobClaim) (store.ClaimResult, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	c, err := store.ClaimJob(ctx, q.DB, claim)
	if c.Found {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.lastUser = c.Job.UserID
	}
	return c, err
}

func (w *Worker) full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.busy >= w.Concurrency
}

func (w *Worker) start(j store.Job) {
	w.count(1)
	w.wg.Add(1)
	contain.Go(w.Queue.Log, "a job", func() {
		defer w.wg.Done()
		defer func() {
			w.count(-1)
			select {
			case w.freed <- struct{}{}:
			default:
			}
		}()
		w.Queue.run(&j)
	})
}

func (w *Worker) count(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy += n
}

func (w *Worker) drain() {
	done := make(chan struct{})
	contain.Go(w.Queue.Log, "the end of the worker", func() {
		w.wg.Wait()
		close(done)
	})
	timer := time.NewTimer(w.StopTimeout)
	defer timer.Stop()
	select {
	case <-done:
		return
	case <-timer.C:
	}
	w.Queue.Stop()
	<-done // each ends within endTimeout
}

// Drain runs jobs one after the other until none is due or ctx ends, and returns their number. It is for a scheduled
// call, where there is no worker.
func (q *Queue) Drain(ctx context.Context) (n int, err error) {
	for ctx.Err() == nil {
		c, err := q.claimWhole(ctx, q.claim())
		if err != nil || !c.Found && !c.More {
			return n, err
		}
		if c.Found {
			q.run(&c.Job)
			n++
		}
	}
	return n, nil
}

func (q *Queue) addWorkers(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.workers += n
}

// hasWorker reports whether this process has a worker, which runs its jobs.
func (q *Queue) hasWorker() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.workers > 0
}

func (q *Queue) runningIDs() []store.ID {
	q.mu.Lock()
	defer q.mu.Unlock()
	ids := make([]store.ID, 0, len(q.running))
	for id := range q.running {
		ids = append(ids, id)
	}
	return ids
}
