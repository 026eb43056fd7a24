package store

import "context"

// The statements of the daily quotas, which package quota puts together. A row of key_days counts the requests of one
// key in one day, in generations: a reset begins a new one.

const (
	// The first request of a day inserts its row. Every later one adds to it, but only below the limit: no row comes
	// back from a key whose quota is spent.
	insertDay = "insert into key_days (key_id, day, used) select k.id, $4, 1 "
	addToDay  = `
on conflict (key_id, day) do update set used = key_days.used + 1
 where key_days.used < (select coalesce(p.daily_limit, 9223372036854775807) from provider_keys p where p.id = key_days.key_id)
returning key_id, used, gen`

	reserveByToken = insertDay + fromToken + " join provider_keys k on k.user_id = u.id where t.id = $1 and " +
		tokenValid + " and u.revision = $3 and " + keyReady
	reserveBySession = insertDay + fromSession + " join provider_keys k on k.user_id = u.id where s.id = $1 and " +
		sessionValid + " and u.revision = $3 and " + keyReady

	thisKey = " and k.id = $5"
	// rotatedKey is the key whose turn it is: $5 holds the ids one after the other, $6 their number, $7 the
	// cursor. coalesce tells PostgreSQL the type of $5, which substr does not.
	rotatedKey = ` and k.id = substr(coalesce($5, k.id), cast(1 + 16 * (
 (select c.turn from cursors c where c.user_id = u.id and c.key_set = $7) % $6) as integer), 16)`

	reserveKeyByToken     = reserveByToken + thisKey + addToDay
	reserveKeyBySession   = reserveBySession + thisKey + addToDay
	reserveRotatedByToken = reserveByToken + rotatedKey + addToDay
	reserveRotatedSession = reserveBySession + rotatedKey + addToDay

	advanceCursor = `insert into cursors (user_id, key_set, turn) values ($1, $2, 1)
on conflict (user_id, key_set) do update set turn = cursors.turn + 1`

	releaseReservation = "update key_days set used = used - 1 where key_id = $1 and day = $2 and gen = $3 and used > 0"
)

// ReserveKey returns the statement that reserves one request of the key's quota of the day of now.
//
// Its row is (key_id ID, used, gen int64), used with the new reservation. There is no row if the principal is not
// valid, the user's revision is another, the key is not ready or its quota is spent.
func ReserveKey(p Principal, revision, now int64, key ID) Stmt {
	sql := reserveKeyByToken
	if p.Token.IsZero() {
		sql = reserveKeyBySession
	}
	return Stmt{SQL: sql, Args: []any{p.credential(), now, revision, DayOf(now), key}}
}

// ReserveRotated is [ReserveKey] for the key whose turn it is among keys, which are in the order of their ids; set is
// their cursor. [AdvanceCursor] stands before it in the same transaction.
func ReserveRotated(p Principal, revision, now int64, keys []ID, set ID) Stmt {
	sql := reserveRotatedByToken
	if p.Token.IsZero() {
		sql = reserveRotatedSession
	}
	ids := make([]byte, 0, len(ID{})*len(keys))
	for _, id := range keys {
		ids = append(ids, id[:]...)
	}
	return Stmt{SQL: sql, Args: []any{p.credential(), now, revision, DayOf(now), ids, int64(len(keys)), set}}
}

// AdvanceCursor returns the statement that takes the next turn of a set of keys.
func AdvanceCursor(user, set ID) Stmt { return Stmt{SQL: advanceCursor, Args: []any{user, set}} }

// ReleaseReservation returns the statement that releases a reservation of the day's generation gen in a key's quota. It
// does nothing if the day's row was reset since, so that neither midnight nor a reset is corrupted by it.
func ReleaseReservation(key ID, day, gen int64) Stmt {
	return Stmt{SQL: releaseReservation, Args: []any{key, day, gen}}
}

// ResetQuota sets the used part of the day's quota to 0: [ErrNotFound]. Requests under way
// release their reservation in the generation before, which changes nothing. The user's revision grows, so that
// processes which took the key for spent read its status again.
func ResetQuota(ctx context.Context, r Runner, userID, id ID, day int64) error {
	return one(ctx, r, Stmt{
		SQL: `insert into key_days (key_id, day, used, gen)
			select id, $3, 0, 1 from provider_keys where id = $1 and user_id = $2
			on conflict (key_id, day) do update set used = 0, gen = key_days.gen + 1`,
		Args: []any{id, userID, day},
	}, nil, bumpRevision(userID))
}

const (
	statusByToken   = "select " + tokenValid + statusColumns + fromToken + statusJoins + "where t.id = $1"
	statusBySession = "select " + sessionValid + statusColumns + fromSession + statusJoins + "where s.id = $1"

	statusColumns = ", u.revision, k.id, " + keyEnabled + `, k.rest_until, k.rest_class, k.daily_limit, coalesce(d.used, 0)
`
	statusJoins = `
 left join provider_keys k on k.user_id = u.id
 left join key_days d on d.key_id = k.id and d.day = $3
`
)

// QuotaStatus returns the statement that reads the principal's access and the status of all keys of its user.
//
// Its rows, one for each key, are (valid bool, revision int64, key_id ID, enabled *bool, rest_until *int64, rest_class
// *string, daily_limit *int64, used int64). There is none if the credential does not exist, and one without a key if
// the user has no key.
func QuotaStatus(p Principal, now int64) Stmt {
	sql := statusByToken
	if p.Token.IsZero() {
		sql = statusBySession
	}
	return Stmt{SQL: sql, Args: []any{p.credential(), now, DayOf(now)}}
}
