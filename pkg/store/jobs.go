package store

import "context"

// JobState is the state of a job. The numbers are stored. The first two states are open, the others over.
type JobState int

// The states.
const (
	JobQueued    JobState = 1
	JobRunning   JobState = 2
	JobCompleted JobState = 3
	JobFailed    JobState = 4
	JobCancelled JobState = 5
	JobExpired   JobState = 6 // it is over, and its request and result are deleted
)

// Over reports whether nothing more happens to the job.
func (s JobState) Over() bool { return s > JobRunning }

// MaxJobAttempts is the largest number of attempts at a job. Attempts that a stopping process released do not count.
const MaxJobAttempts = 2

// Job is a request that is answered later.
type Job struct {
	ID     ID // holds the time at which it was submitted
	UserID ID
	// Name is the request id that the principal chose, unique among the user's jobs.
	Name string
	// Token or Session is the credential with which the job was submitted, and runs.
	Token, Session ID
	State          JobState
	// Attempt counts the claims. A write to a running job names its attempt.
	Attempt  int
	Released int
	// DueAt is the time before which a queued job is not run, the end of a running job's lease, or the time at which
	// the request and result of a job that is over are deleted.
	DueAt   int64
	EndedAt *int64
	// Digest is that of the request, and Payload the request, which is deleted once the job is over. Both, and
	// Result, are encrypted.
	Digest, Payload []byte
	EncryptionKeyID string
	Result          []byte
	ResultKeyID     *string
}

// AttemptsLeft returns the number of attempts that are left after the running one.
func (j *Job) AttemptsLeft() int { return MaxJobAttempts - (j.Attempt - j.Released) }

const jobColumns = `id, user_id, name, token_id, session_id, state, attempt, given_back, due_at, ended_at,
 digest, payload, sealing_key, result, result_key`

func scanJob(j *Job, found *bool) func(Row) error {
	return func(r Row) error {
		*found = true
		return r.Scan(&j.ID, &j.UserID, &j.Name, &j.Token, &j.Session, (*int)(&j.State), &j.Attempt, &j.Released,
			&j.DueAt, &j.EndedAt, &j.Digest, &j.Payload, &j.EncryptionKeyID, &j.Result, &j.ResultKeyID)
	}
}

// SubmitResult is the result of a submission.
type SubmitResult struct {
	// Access is false if the credential is not valid; nothing else is set then.
	Access bool
	// Job is the job of that name: the new one if it has the ID of the submission, else an earlier one. Without a job,
	// the user has as many open ones as allowed.
	Job   Job
	Found bool
}

// OpenJobs bounds the queued and running jobs of a user.
type OpenJobs struct {
	Number int
	Bytes  int64 // of their encrypted requests, together
}

// SubmitJob adds a job, unless the user has one of the same name, or would have more open ones than limit allows. It reads
// the ID, Name, Digest, Payload and EncryptionKeyID of j. One trip.
func SubmitJob(ctx context.Context, db Runner, p Principal, j Job, limit OpenJobs, now int64) (s SubmitResult, err error) {
	err = db.Run(ctx,
		HoldUser(p.User), // so that two submissions do not count the open jobs at the same time
		Stmt{
			SQL: `insert into jobs (id, user_id, name, token_id, session_id, state, attempt, given_back, due_at,
 digest, payload, sealing_key)
select $3, u.id, $4, $5, $6, 1, 0, 0, 0, $7, $8, $9 ` + p.valid(1) + ` and u.id = $10
 and (select count(*) < $11 and coalesce(sum(length(j.payload)), 0) <= $12 from jobs j where j.user_id = u.id and j.state <= 2)
on conflict (user_id, name) do nothing`,
			Args: []any{p.credential(), now, j.ID, j.Name, p.Token, p.Session, j.Digest, j.Payload, j.EncryptionKeyID,
				p.User, int64(limit.Number), limit.Bytes - int64(len(j.Payload))},
		},
		Stmt{
			SQL:  `select ` + jobColumns + ` from jobs where user_id = $1 and name = $2`,
			Args: []any{p.User, j.Name}, Each: scanJob(&s.Job, &s.Found),
		},
		p.access(now, &s.Access),
	)
	return s, err
}

// The conditions of a claim; $2 is now. A statement holds them twice, because another process may take the job between
// the choice and the write.
const (
	claimable = `state <= 2 and due_at <= $2 and attempt - given_back < 2`
	// exhausted holds for a job whose last attempt ended without a result. (SQLite uses the index on open jobs only
	// where a statement repeats the condition of the index.)
	exhausted = `state = 2 and state <= 2 and due_at <= $2 and attempt - given_back >= 2`

	claimJob     = `update jobs set state = 2, attempt = attempt + 1, due_at = $1 where id = `
	endExhausted = `update jobs set state = 4, ended_at = $2, due_at = $1, payload = null where id = `
)

// JobClaim is the request for a job to run.
type JobClaim struct {
	Now   int64
	Lease int64 // the end of the lease that a claimed job gets
	Keep  int64 // when the result of a job that is over is deleted
	// After is the user whose job this process claimed last. Users take turns, in the order of their ids.
	After ID
	// Running are jobs of this process. ClaimResult names those of them that were cancelled.
	Running []ID
}

// ClaimResult is the result of a claim.
type ClaimResult struct {
	Job   Job
	Found bool
	// More reports whether a job is due. Without a Job, another process was faster.
	More      bool
	Cancelled []ID
}

// ClaimJob claims the oldest job that is due of the next user who has one. One trip.
func ClaimJob(ctx context.Context, db Runner, c JobClaim) (out ClaimResult, err error) {
	stmts := []Stmt{
		{
			SQL:  endExhausted + `(select id from jobs where ` + exhausted + ` order by id limit 1) and ` + exhausted,
			Args: []any{c.Keep, c.Now},
		},
		{
			SQL: claimJob + `coalesce(
 (select id from jobs where user_id > $3 and ` + claimable + ` order by user_id, id limit 1),
 (select id from jobs where ` + claimable + ` order by user_id, id limit 1)) and ` + claimable +
				` returning ` + jobColumns,
			Args: []any{c.Lease, c.Now, c.After}, Each: scanJob(&out.Job, &out.Found),
		},
		{SQL: `select 1 from jobs where ` + claimable + ` limit $1`, Args: []any{int64(1), c.Now}, Each: First(&out.More, nil)},
	}
	err = db.Run(ctx, append(stmts, cancelled(c.Running, &out.Cancelled)...)...)
	return out, err
}

// CancelledJobs returns those of the jobs that were cancelled.
func CancelledJobs(ctx context.Context, db Runner, ids []ID) (out []ID, err error) {
	err = db.Run(ctx, cancelled(ids, &out)...)
	return out, err
}

func cancelled(ids []ID, out *[]ID) (stmts []Stmt) {
	for _, id := range ids {
		stmts = append(stmts, Stmt{SQL: `select 1 from jobs where id = $1 and state = 5`, Args: []any{id}, Each: func(Row) error {
			*out = append(*out, id)
			return nil
		}})
	}
	return stmts
}

// FindMode says whether finding a job may also claim it.
type FindMode int

// The modes of FindJob.
const (
	FindOnly FindMode = iota + 1
	FindAndClaim
)

// FoundJob is what FindJob finds.
type FoundJob struct {
	Access  bool // the credential is valid
	Found   bool // there is a job of that name that the principal may see
	Job     Job
	Claimed bool // the job was claimed
}

// FindJob finds a job by its name and, with FindAndClaim, claims it if it is due. One trip.
func FindJob(ctx context.Context, db Runner, p Principal, name string, how FindMode, c JobClaim) (out FoundJob, err error) {
	const visible = `(select id from jobs where user_id = $3 and name = $4 and ($5 or token_id = $6))`
	seen := []any{p.User, name, p.Token.IsZero(), p.Token[:]}
	stmts := []Stmt{
		p.access(c.Now, &out.Access),
		{SQL: endExhausted + visible + ` and ` + exhausted, Args: append([]any{c.Keep, c.Now}, seen...)},
	}
	if how == FindAndClaim {
		stmts = append(stmts, Stmt{
			SQL:  claimJob + visible + ` and ` + claimable + ` and exists (select 1 ` + p.valid(7) + `) returning 1`,
			Args: append(append([]any{c.Lease, c.Now}, seen...), p.credential()), Each: First(&out.Claimed, nil),
		})
	}
	stmts = append(stmts, Stmt{
		SQL:  `select ` + jobColumns + ` from jobs where user_id = $1 and name = $2 and ($3 or token_id = $4)`,
		Args: seen, Each: scanJob(&out.Job, &out.Found),
	})
	err = db.Run(ctx, stmts...)
	return out, err
}

// CancelJob cancels a job that is not over, by its name, and returns the job as it is then. The process that runs the
// job ends its request. One trip.
func CancelJob(ctx context.Context, db Runner, p Principal, name string, now, keep int64) (out FoundJob, err error) {
	seen := []any{p.User, name, p.Token.IsZero(), p.Token[:]}
	err = db.Run(ctx,
		p.access(now, &out.Access),
		Stmt{
			SQL: `update jobs set state = 5, ended_at = $2, due_at = $1, payload = null
 where user_id = $3 and name = $4 and ($5 or token_id = $6) and state <= 2 and exists (select 1 ` + p.valid(7) + `)`,
			Args: append(append([]any{keep, now}, seen...), p.credential()),
		},
		Stmt{
			SQL:  `select ` + jobColumns + ` from jobs where user_id = $1 and name = $2 and ($3 or token_id = $4)`,
			Args: seen, Each: scanJob(&out.Job, &out.Found),
		})
	return out, err
}

// JobCounts are the numbers of jobs by state, without the expired ones.
type JobCounts struct {
	Waiting, Active, Completed, Failed, Delayed, Cancelled int64
}

const countJobs = `select count(*) filter (where state = 1 and due_at <= $1), count(*) filter (where state = 2),
 count(*) filter (where state = 3), count(*) filter (where state = 4), count(*) filter (where state = 1 and due_at > $1),
 count(*) filter (where state = 5) from jobs`

func (c *JobCounts) stmt(sql string, args ...any) Stmt {
	return Stmt{SQL: sql, Args: args, Each: func(r Row) error {
		return r.Scan(&c.Waiting, &c.Active, &c.Completed, &c.Failed, &c.Delayed, &c.Cancelled)
	}}
}

// CountJobs counts the jobs that the principal may see. access is false if the credential is not valid.
func CountJobs(ctx context.Context, db Runner, p Principal, now int64) (n JobCounts, access bool, err error) {
	err = db.Run(ctx, p.access(now, &access),
		n.stmt(countJobs+` where user_id = $2 and ($3 or token_id = $4)`, now, p.User, p.Token.IsZero(), p.Token[:]))
	return n, access, err
}

// CountAllJobs counts the jobs of all users, for the admin. It reads the whole table.
func CountAllJobs(ctx context.Context, db Runner, now int64) (n JobCounts, err error) {
	err = db.Run(ctx, n.stmt(countJobs, now))
	return n, err
}

// Jobs lists a user's jobs, newest first, without requests and results.
func Jobs(ctx context.Context, r Runner, userID ID, p Page) ([]Job, error) {
	before := p.After
	if before.IsZero() {
		before = FirstID(1<<48 - 1)
	}
	return list(ctx, r, Stmt{
		SQL: `select id, name, token_id, state, attempt, given_back, due_at, ended_at from jobs
 where user_id = $1 and id < $2 order by id desc limit $3`,
		Args: []any{userID, before, int64(p.Limit)},
	}, func(j *Job) []any {
		return []any{&j.ID, &j.Name, &j.Token, (*int)(&j.State), &j.Attempt, &j.Released, &j.DueAt, &j.EndedAt}
	})
}
