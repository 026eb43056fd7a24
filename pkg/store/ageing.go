package store

import (
	"context"
	"time"
)

// The hourly sums of a user grow with time, so old ones are merged: into the first hour of their day (UTC) after 190 days,
// and into the first hour of their month after 800. The tables stay the same, and so do all sums over whole days and
// months.

// The ages, in days, from which sums are merged.
const (
	dailyAfter   = 190
	monthlyAfter = 800
)

// Merge says which sums to merge.
type Merge struct {
	Now int64 // Unix milliseconds
	// All looks at the whole history, otherwise only at what has lately become old enough. The history is long, and
	// merged already unless no process ran for weeks.
	All bool
}

// recently is how many days back a merge looks that is not of the whole history: a month and some days.
const recently = 40

var mergeUsage = `insert into usage_hours (user_id, hour, token_id, key_id, provider, model,
 requests, errors, unpriced, cost, input, cached, cache_write, output, reasoning, last_at)
select user_id, $2, token_id, key_id, provider, model, ` + countColumns + `, max(last_at)
 from usage_hours where user_id = $1 and hour > $2 and hour < $3 group by user_id, token_id, key_id, provider, model
on conflict (user_id, hour, token_id, key_id, provider, model) do update set
` + addedUsage

const mergeLatency = `insert into latency_hours (user_id, hour, kind, bucket, requests)
select user_id, $2, kind, bucket, cast(sum(requests) as bigint)
 from latency_hours where user_id = $1 and hour > $2 and hour < $3 group by user_id, kind, bucket
on conflict (user_id, hour, kind, bucket) do update set requests = latency_hours.requests + excluded.requests`

// MergeSums merges old sums, user by user, a day or a month in a transaction, until nothing is left or ctx ends. It
// returns the number of transactions. Any number of merges may run at once.
func MergeSums(ctx context.Context, r Runner, m Merge) (n int64, err error) {
	err = eachUser(ctx, r, func(user ID) error {
		for _, table := range []string{"usage_hours", "latency_hours"} {
			for _, s := range []span{
				{dailyAfter, dayOf, " and hour % 24 <> 0"},
				{monthlyAfter, monthOf, ""},
			} {
				merged, err := mergeUser(ctx, r, table, user, m, s)
				n += merged
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	return n, err
}

// eachUser calls do for every user, in the order of their ids.
func eachUser(ctx context.Context, r Runner, do func(ID) error) error {
	page := Page{Limit: 100}
	for {
		users, err := list(ctx, r, Stmt{
			SQL: "select id from users where id > $1 order by id limit $2", Args: []any{page.After[:], page.Limit},
		}, func(id *ID) []any { return []any{id} })
		if err != nil || len(users) == 0 {
			return err
		}
		for _, user := range users {
			if err := do(user); err != nil {
				return err
			}
		}
		page.After = users[len(users)-1]
	}
}

// mergeUser merges the spans of one kind. The user is held, so that two processes do not add up the same rows.
func mergeUser(ctx context.Context, r Runner, table string, user ID, m Merge, s span) (n int64, err error) {
	limit, _ := s.of((DayOf(m.Now) - s.after) * 24) // the span that is not old enough as a whole stays
	from := int64(-1)
	if !m.All {
		from, _ = s.of(limit - recently*24)
	}
	for {
		// The next row that is perhaps not at the beginning of its span.
		var first *int64
		err := r.Run(ctx, Stmt{
			SQL:  "select min(hour) from " + table + " where user_id = $1 and hour > $2 and hour < $3" + s.where,
			Args: []any{user, from, limit}, Each: func(row Row) error { return row.Scan(&first) },
		})
		if err != nil || first == nil {
			return n, err
		}
		begin, end := s.of(*first)
		if begin == *first {
			from = begin
			continue
		}
		merge := mergeLatency
		if table == "usage_hours" {
			merge = mergeUsage
		}
		args := []any{user, begin, end}
		if err := r.Run(ctx, HoldUser(user), Stmt{SQL: merge, Args: args},
			Stmt{SQL: "delete from " + table + " where user_id = $1 and hour > $2 and hour < $3", Args: args}); err != nil {
			return n, err
		}
		n++
		from = begin
	}
}

// span is a kind of span into which hours are merged.
type span struct {
	after int64 // days
	// of returns the first hour of the span in which an hour lies, and that of the next one.
	of func(hour int64) (begin, end int64)
	// where leaves out rows that are merged, as far as SQL can tell.
	where string
}

func dayOf(hour int64) (begin, end int64) {
	begin = floorDiv(hour, 24) * 24
	return begin, begin + 24
}

func monthOf(hour int64) (begin, end int64) {
	t := time.UnixMilli(hour * hourMs).UTC()
	first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return HourOf(first.UnixMilli()), HourOf(first.AddDate(0, 1, 0).UnixMilli())
}

// purgeExpired deletes up to limit rows that have expired from a table whose key is the user and an id.
func purgeExpired(ctx context.Context, r Runner, table string, now int64, limit int) (n int64, err error) {
	err = r.Run(ctx, Stmt{
		SQL: "delete from " + table + " where (user_id, id) in\n (select user_id, id from " + table +
			" where expires_at <= $1 order by expires_at limit $2)",
		Args: []any{now, limit}, Affected: &n,
	})
	return n, err
}

// keptDays is how many days the use of a quota is kept. Only that of today counts; a request may release yesterday's.
const keptDays = 7

// PurgeKeyDays deletes up to limit rows of quotas of past days, and returns their number.
func PurgeKeyDays(ctx context.Context, r Runner, now int64, limit int) (n int64, err error) {
	err = r.Run(ctx, Stmt{
		SQL: `delete from key_days where (key_id, day) in
 (select key_id, day from key_days where day < $1 order by key_id, day limit $2)`,
		Args: []any{DayOf(now) - keptDays, limit}, Affected: &n,
	})
	return n, err
}

// maxCursors is how many cursors a user may have: each set of keys that were ever of equal priority has one.
const maxCursors = 100

// PurgeCursors deletes the cursors of users that have too many. Their keys then take turns from the beginning.
func PurgeCursors(ctx context.Context, r Runner) (n int64, err error) {
	users, err := list(ctx, r, Stmt{
		SQL: "select user_id from cursors group by user_id having count(*) > $1 order by user_id", Args: []any{maxCursors},
	}, func(id *ID) []any { return []any{id} })
	for _, user := range users {
		var gone int64
		if err := r.Run(ctx, HoldUser(user), Stmt{
			SQL:  "delete from cursors where user_id = $1 and key_set <> $2",
			Args: []any{user, make([]byte, len(ID{}))}, Affected: &gone,
		}); err != nil {
			return n, err
		}
		n += gone
	}
	return n, err
}
