package store

import "context"

// How an attempt at a job ends. Each is a pair of statements that may stand in a bigger transaction: the second makes all
// of it fail with CodeNull unless the job is, after the first, as that attempt left it. So an attempt that was overtaken, because its
// process stood still for longer than its lease, writes nothing: no result, and no usage either.
//
// A job that was cancelled while it ran stays cancelled; what it used counts all the same.

// Finish returns the statements that end the attempt, whose result is sealed, in the state completed or failed.
func (j *Job) Finish(state JobState, now, keep int64, result []byte, resultKey string) []Stmt {
	return append([]Stmt{{
		SQL:  `update jobs set state = $3, ended_at = $4, due_at = $5, payload = null, result = $6, result_key = $7 where id = $1 and attempt = $2 and state = 2`,
		Args: []any{j.ID, int64(j.Attempt), int64(state), now, keep, result, resultKey},
	}}, j.fence(state))
}

// Requeue returns the statements that end the attempt and let there be another one from the time due on.
func (j *Job) Requeue(due int64) []Stmt {
	return []Stmt{{
		SQL:  `update jobs set state = 1, due_at = $3 where id = $1 and attempt = $2 and state = 2`,
		Args: []any{j.ID, int64(j.Attempt), due},
	}, j.fence(JobQueued)}
}

// Release returns the statements that end the attempt as if it had not been: its process stops.
func (j *Job) Release() []Stmt {
	return []Stmt{{
		SQL:  `update jobs set state = 1, due_at = 0, given_back = given_back + 1 where id = $1 and attempt = $2 and state = 2`,
		Args: []any{j.ID, int64(j.Attempt)},
	}, j.fence(JobQueued)}
}

// fence fails, because jobs must have values, unless the job is in the state, or cancelled, under this attempt.
func (j *Job) fence(state JobState) Stmt {
	return Stmt{
		SQL:  `insert into jobs (id) select null where not exists (select 1 from jobs where id = $1 and attempt = $2 and state in ($3, 5))`,
		Args: []any{j.ID, int64(j.Attempt), int64(state)},
	}
}

// tombstone is how long, in milliseconds, it is still known of a job that its result is not kept any more.
const tombstone = 7 * 24 * 60 * 60 * 1000

// PurgeJobs forgets, of up to limit jobs, what they left, and later the jobs themselves; it says how many it were. A
// job that nobody ran since abandoned goes, too.
func PurgeJobs(ctx context.Context, r Runner, now, abandoned int64, limit int) (n int64, err error) {
	var deleted, expired, dropped int64
	err = r.Run(ctx,
		Stmt{SQL: `delete from jobs where id in (select id from jobs where state = 6 and state > 2 and due_at <= $1 order by due_at limit $2)`,
			Args: []any{now, limit}, Affected: &deleted},
		Stmt{SQL: `update jobs set state = 6, due_at = $1 + $3, payload = null, result = null, result_key = null
 where id in (select id from jobs where state in (3, 4, 5) and state > 2 and due_at <= $1 order by due_at limit $2) and state in (3, 4, 5)`,
			Args: []any{now, limit, int64(tombstone)}, Affected: &expired},
		Stmt{SQL: `update jobs set state = 6, due_at = $1 + $3, ended_at = $1, payload = null
 where id in (select id from jobs where state <= 2 and due_at <= $1 and id < $4 order by id limit $2) and state <= 2 and due_at <= $1`,
			Args: []any{now, limit, int64(tombstone), FirstID(abandoned)}, Affected: &dropped},
	)
	return deleted + expired + dropped, err
}
