package store

import "context"

// The ends of an attempt at a job. Each is a pair of statements that may stand in a bigger transaction. The second makes
// the transaction fail with CodeNull unless the job is, after the first, as this attempt left it. So an attempt whose
// lease ended, because its process stood still, writes neither a result nor usage.
//
// A job that was cancelled while it ran stays cancelled. Its usage counts.

// Finish returns the statements that end the attempt in the state completed or failed. The result is encrypted.
func (j *Job) Finish(state JobState, now, keep int64, result []byte, resultKeyID string) []Stmt {
	return append([]Stmt{{
		SQL: `update jobs set state = $3, ended_at = $4, due_at = $5, payload = null, result = $6, result_key = $7
 where id = $1 and attempt = $2 and state = 2`,
		Args: []any{j.ID, int64(j.Attempt), int64(state), now, keep, result, resultKeyID},
	}}, j.fence(state))
}

// Requeue returns the statements that end the attempt and allow another one from the time due on.
func (j *Job) Requeue(due int64) []Stmt {
	return []Stmt{{
		SQL:  `update jobs set state = 1, due_at = $3 where id = $1 and attempt = $2 and state = 2`,
		Args: []any{j.ID, int64(j.Attempt), due},
	}, j.fence(JobQueued)}
}

// Release returns the statements that end the attempt without counting it, because its process stops.
func (j *Job) Release() []Stmt {
	return []Stmt{{
		SQL:  `update jobs set state = 1, due_at = 0, given_back = given_back + 1 where id = $1 and attempt = $2 and state = 2`,
		Args: []any{j.ID, int64(j.Attempt)},
	}, j.fence(JobQueued)}
}

// Defer returns the statements that end the attempt without counting it, because a limit has refused it, and allow another
// one from the time due on.
func (j *Job) Defer(due int64) []Stmt {
	return []Stmt{{
		SQL:  `update jobs set state = 1, due_at = $3, given_back = given_back + 1 where id = $1 and attempt = $2 and state = 2`,
		Args: []any{j.ID, int64(j.Attempt), due},
	}, j.fence(JobQueued)}
}

// fence returns a statement that fails, because columns of jobs must not be null, unless the job is in the state, or
// cancelled, with this attempt.
func (j *Job) fence(state JobState) Stmt {
	return Stmt{
		SQL: `insert into jobs (id) select null
 where not exists (select 1 from jobs where id = $1 and attempt = $2 and state in ($3, 5))`,
		Args: []any{j.ID, int64(j.Attempt), int64(state)},
	}
}

// tombstone is how long, in milliseconds, an expired job is kept without its result.
const tombstone = 7 * 24 * 60 * 60 * 1000

// PurgeJobs deletes the results of up to limit jobs that are over, and later the jobs. It does the same with jobs that
// nobody has run since they were due, before abandoned: one that waits for a limit is due when that starts again. It returns the number of jobs.
func PurgeJobs(ctx context.Context, r Runner, now, abandoned int64, limit int) (n int64, err error) {
	var deleted, expired, dropped int64
	err = r.Run(ctx,
		Stmt{SQL: `delete from jobs
 where id in (select id from jobs where state = 6 and state > 2 and due_at <= $1 order by due_at limit $2)`,
			Args: []any{now, limit}, Affected: &deleted},
		Stmt{SQL: `update jobs set state = 6, due_at = $1 + $3, payload = null, result = null, result_key = null
 where id in (select id from jobs where state in (3, 4, 5) and state > 2 and due_at <= $1 order by due_at limit $2)
 and state in (3, 4, 5)`,
			Args: []any{now, limit, int64(tombstone)}, Affected: &expired},
		Stmt{SQL: `update jobs set state = 6, due_at = $1 + $3, ended_at = $1, payload = null
 where id in (select id from jobs where state <= 2 and due_at <= $4 and id < $5 order by id limit $2)
 and state <= 2 and due_at <= $4`,
			Args: []any{now, limit, int64(tombstone), abandoned, FirstID(abandoned)}, Affected: &dropped},
	)
	return deleted + expired + dropped, err
}
