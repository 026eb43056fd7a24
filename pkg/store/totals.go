package store

import (
	"cmp"
	"context"
	"slices"
)

// Lists of tokens and keys say how often each was used, ever. Adding up all hours takes longer each month, so the
// requests of hours that are over stand in use_totals, and a list adds those of the last days.

// An hour is counted into the totals once it is countedAfter hours old. A record that comes later, because the database
// was away or a log is read again, adds itself to the totals: it counts as late from lateAfter hours on. The difference
// leaves room for clocks that disagree.
const (
	countedAfter = 48
	lateAfter    = 24
)

// addToTotals adds the hours [$2, $3) of a user.
func addToTotals(column string) string {
	return `insert into use_totals (user_id, subject, requests, last_at)
select user_id, ` + column + `, cast(sum(requests) as bigint), max(last_at) from usage_hours
 where user_id = $1 and hour >= $2 and hour < $3 and ` + column + ` <> $4 group by user_id, ` + column + addedTotals
}

const addedTotals = `
on conflict (user_id, subject) do update set requests = use_totals.requests + excluded.requests,
 last_at = case when excluded.last_at > use_totals.last_at then excluded.last_at else use_totals.last_at end`

// CountUses brings the totals of all users up to date, a month of a user in a transaction, until nothing is left or ctx
// ends. It returns the number of transactions. Any number of processes may count at once. It must run before [MergeSums]
// moves sums to other hours: what is counted ends at the beginning of a month or of a day.
func CountUses(ctx context.Context, db DB, now int64) (n int64, err error) {
	limit, _ := dayOf(HourOf(now) - countedAfter)
	err = eachUser(ctx, db, func(user ID) error {
		for more := true; more; {
			if err := db.Tx(ctx, func(r Runner) (err error) {
				more, err = countUser(ctx, r, user, limit)
				return err
			}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// countUser counts the hours up to the end of the month of the first that is not counted, and reports whether more are left.
func countUser(ctx context.Context, r Runner, user ID, limit int64) (more bool, err error) {
	var first *int64
	var before int64
	err = r.Run(ctx, holdCounted(user),
		Stmt{
			SQL:  "select before from use_counted where user_id = $1",
			Args: []any{user}, Each: func(row Row) error { return row.Scan(&before) },
		},
		Stmt{
			SQL: `select min(hour) from usage_hours where user_id = $1
 and hour >= coalesce((select before from use_counted where user_id = $1), 0)`,
			Args: []any{user}, Each: func(row Row) error { return row.Scan(&first) },
		},
	)
	if err != nil || first == nil || *first >= limit {
		return false, err
	}
	begin, end := monthOf(*first)
	begin, end = max(begin, before), min(end, limit) // [MergeSums] moves rows within the month
	none := ID{}
	hours := []any{user, begin, end, none[:]}
	return end < limit, r.Run(ctx,
		Stmt{SQL: addToTotals("token_id"), Args: hours},
		Stmt{SQL: addToTotals("key_id"), Args: hours},
		Stmt{SQL: "update use_counted set before = $2 where user_id = $1", Args: []any{user, end}},
		Stmt{
			SQL: `delete from use_totals where user_id = $1 and subject not in (select id from tokens where user_id = $1)
 and subject not in (select id from provider_keys where user_id = $1)`,
			Args: []any{user},
		},
	)
}

// holdCounted locks the user's row of use_counted: no other process then counts the same hours, and no late record comes
// between. It does nothing for a user that is deleted.
func holdCounted(user ID) Stmt {
	return Stmt{
		SQL: `insert into use_counted (user_id, before) select id, 0 from users where id = $1
on conflict (user_id) do update set before = use_counted.before`,
		Args: []any{user},
	}
}

// addLate adds late records to the totals if their hour is counted already.
const addLate = `insert into use_totals (user_id, subject, requests, last_at)
select c.user_id, $2, $3, $4 from use_counted c where c.user_id = $1 and c.before > $5` + addedTotals

// lateUses returns the statements that add late hours to the totals, with the locks that they need first.
func lateUses(hours map[usageHour]usageSums, now int64) []Stmt {
	type late struct {
		user, subject ID
		hour          int64
	}
	var sums map[late]usageSums // seldom needed
	for at, s := range hours {
		if at.hour >= HourOf(now)-lateAfter {
			continue
		}
		if sums == nil {
			sums = map[late]usageSums{}
		}
		for _, subject := range []ID{at.token, at.key} {
			if subject.IsZero() {
				continue
			}
			k := late{at.user, subject, at.hour}
			sum := sums[k]
			sum.requests += s.requests
			sum.lastAt = max(sum.lastAt, s.lastAt)
			sums[k] = sum
		}
	}
	if sums == nil {
		return nil
	}
	keys := make([]late, 0, len(sums))
	for k := range sums {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b late) int {
		return cmp.Or(cmp.Compare(string(a.user[:]), string(b.user[:])), cmp.Compare(string(a.subject[:]), string(b.subject[:])),
			cmp.Compare(a.hour, b.hour))
	})
	var locks, adds []Stmt
	for i, k := range keys {
		if i == 0 || keys[i-1].user != k.user {
			locks = append(locks, holdCounted(k.user))
		}
		s := sums[k]
		adds = append(adds, Stmt{SQL: addLate, Args: []any{k.user, k.subject, s.requests, s.lastAt, k.hour}})
	}
	return append(locks, adds...)
}

// uses holds the number of requests, and the last one, of each token or key.
type uses map[ID]use

type use struct{ requests, lastAt int64 }

// stmt fills u for all tokens (column token_id) or keys (key_id) of a user. It is one statement, so that it sees the totals
// and the hours of the same moment.
func (u uses) stmt(column string, userID ID) Stmt {
	return Stmt{
		SQL: `select uses.id, cast(sum(uses.n) as bigint), max(uses.l) from (
select ` + column + ` as id, requests as n, last_at as l from usage_hours where user_id = $1
 and hour >= coalesce((select before from use_counted where user_id = $1), 0)
union all select subject, requests, last_at from use_totals where user_id = $1) uses group by uses.id`,
		Args: []any{userID},
		Each: func(row Row) error {
			var id ID
			var v use
			err := row.Scan(&id, &v.requests, &v.lastAt)
			u[id] = v
			return err
		},
	}
}
