package store

import "context"

// DeleteUser deletes a user with all that references it: sessions, tokens, keys, asynchronous requests and saved
// reasoning. Errors: [ErrNotFound], [ErrLastAdmin]. The request log and its sums reference nobody, because they are too
// many rows for one transaction: [PurgeDeletedUsers] deletes them afterwards.
func DeleteUser(ctx context.Context, db DB, id ID, now int64) error {
	return db.Tx(ctx, func(r Runner) error {
		var role string
		var enabled bool
		var others int64
		found, counted := false, false
		// The lock comes first, so that two admins who delete each other see one another.
		err := r.Run(ctx, lockInstance(now),
			Stmt{SQL: "select role, enabled from users where id = $1", Args: []any{id}, Each: First(&found, &role, &enabled)},
			otherAdmins(id, &counted, &others),
		)
		if err != nil {
			return err
		}
		if !found {
			return ErrNotFound
		}
		if role == string(RoleAdmin) && enabled && others == 0 {
			return ErrLastAdmin
		}
		// A request that reserves locks a row of key_days and then the row of its key, so these go first.
		return r.Run(ctx, holdCounted(id), HoldUser(id),
			Stmt{SQL: "delete from cooldowns where user_id = $1", Args: []any{id}},
			Stmt{SQL: "delete from key_days where key_id in (select id from provider_keys where user_id = $1)", Args: []any{id}},
			Stmt{SQL: "delete from limit_windows where limit_id in (select id from limits where user_id = $1)", Args: []any{id}},
			Stmt{SQL: "delete from holds where subject <> key_id and subject in (select id from limits where user_id = $1)", Args: []any{id}},
			Stmt{SQL: "delete from users where id = $1", Args: []any{id}},
		)
	})
}

// otherAdmins counts the enabled admins but one.
func otherAdmins(but ID, counted *bool, n *int64) Stmt {
	return Stmt{
		SQL:  "select count(*) from users where role = 'admin' and enabled and id <> $1",
		Args: []any{but}, Each: First(counted, n),
	}
}

// logTables are the tables whose rows have a user but do not reference it, and the second column of their primary key.
var logTables = []struct{ table, column string }{
	{"requests", "id"}, {"request_traces", "id"}, {"usage_hours", "hour"}, {"latency_hours", "hour"}, {"label_days", "day"}, {"labels", "party"},
}

// PurgeDeletedUsers deletes rows of the request log and of its sums whose user does not exist any more, in statements that
// each delete those of at most batch ids or hours, until nothing is left or ctx ends. It returns the number of rows.
func PurgeDeletedUsers(ctx context.Context, r Runner, batch int) (n int64, err error) {
	for _, t := range logTables {
		users, err := usersWithoutAccount(ctx, r, t.table)
		if err != nil {
			return n, err
		}
		for _, user := range users {
			for gone := int64(1); gone > 0; n += gone {
				err := r.Run(ctx, Stmt{
					SQL: "delete from " + t.table + " where user_id = $1 and " + t.column + " in (select distinct " + t.column +
						" from " + t.table + " where user_id = $1 order by " + t.column + " limit $2)",
					Args: []any{user, batch}, Affected: &gone,
				})
				if err != nil {
					return n, err
				}
			}
		}
	}
	return n, nil
}

// usersWithoutAccount lists up to 100 users that have rows in the table and do not exist. It reads one row of the index
// for each user of the table, however many rows they have.
func usersWithoutAccount(ctx context.Context, r Runner, table string) ([]ID, error) {
	return list(ctx, r, Stmt{
		SQL: `with recursive u (id) as (
  select (select user_id from ` + table + ` order by user_id limit 1)
  union all select (select t.user_id from ` + table + ` t where t.user_id > u.id order by t.user_id limit 1) from u where u.id is not null
) select u.id from u where u.id is not null and not exists (select 1 from users x where x.id = u.id) limit 100`,
	}, func(id *ID) []any { return []any{id} })
}
