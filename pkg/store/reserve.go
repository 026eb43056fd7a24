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
 where key_days.used < (
  select coalesce(p.daily_limit, 9223372036854775807) from provider_keys p where p.id = key_days.key_id)
returning key_id, used, gen`

	// The cast keeps SQLite from planning the statement again when the revision changes to or from 1.
	reserveByToken = insertDay + fromToken + " join provider_keys k on k.user_id = u.id where t.id = $1 and " +
		tokenValid + " and u.revision = cast($3 as bigint) and " + keyReady
	reserveBySession = insertDay + fromSession + " join provider_keys k on k.user_id = u.id where s.id = $1 and " +
		sessionValid + " and u.revision = cast($3 as bigint) and " + keyReady

	// thisKey is a key and what is known of cooldowns: $5 is the key, $6 the host, $7 the model, $8 AllModels, $9 the
	// holder of the lease under which the request probes. For "in", SQLite would build a table at each execution.
	thisKey      = " and k.id = $5" + noCooldown
	noCooldown   = noRow + "$5" + ofModel + blocks + ")" + noRow + "$6" + ofModel + blocks + ")"
	noRow        = " and not exists (select 1 from cooldowns c where c.subject = "
	ofModel      = " and not (c.model_key <> $7 and c.model_key <> $8)"
	blocks       = " and (c.until > $2 or c.half_open and (c.lease_until <= $2 or c.lease_holder <> $9))"
	soonestKey   = " and k.id = $5" + noOther
	noOther      = noRow + "$5" + ofModel + notTransient + blocks + ")" + noRow + "$6" + ofModel + notTransient + blocks + ")"
	notTransient = " and c.class not in " + transientClasses

	reserveKeyByToken       = reserveByToken + thisKey + addToDay
	reserveKeyBySession     = reserveBySession + thisKey + addToDay
	reserveSoonestByToken   = reserveByToken + soonestKey + addToDay
	reserveSoonestBySession = reserveBySession + soonestKey + addToDay

	advanceCursor  = `insert into cursors (user_id, key_set, turn) values ($1, $2, 1)` + advancedCursor
	advancedCursor = `
on conflict (user_id, key_set) do update set turn = cursors.turn + 1`

	releaseReservation = "update key_days set used = used - 1 where key_id = $1 and day = $2 and gen = $3 and used > 0"
)

// The key whose turn it is among targets: $5 holds them one after the other, $6 is their number, $7 the cursor, $8
// AllModels. A conversation, $9, stays with its key if that is among them, and takes no turn.
var (
	cursorTurn = "48 * ((select n.turn from cursors n where n.user_id = u.id and n.key_set = $7) % $6)"
	keptTurn   = "coalesce(" + keptPlace("u.id", "$9", "$2", "$5", "$6") + ", " + cursorTurn + ")"

	rotatedKey = keyAt(cursorTurn)
	keptKey    = keyAt(keptTurn)

	reserveRotatedByToken = reserveByToken + rotatedKey + addToDay
	reserveRotatedSession = reserveBySession + rotatedKey + addToDay
	reserveKeptByToken    = reserveByToken + keptKey + addToDay
	reserveKeptBySession  = reserveBySession + keptKey + addToDay

	advanceUnlessKept = "insert into cursors (user_id, key_set, turn) select $1, $2, 1 where not exists " +
		keptPlace("$1", "$4", "$3", "$5", "$6") + advancedCursor
)

// keyAt is the condition for the key whose target stands at the place. coalesce tells PostgreSQL the type of $5, which
// substr does not.
func keyAt(place string) string {
	at := func(first string) string {
		return "substr(coalesce($5, k.id), cast(" + first + " + " + place + " as integer), 16)"
	}
	return " and k.id = " + at("1") + " and not exists (select 1 from cooldowns c\n where c.subject in (" + at("1") + ", " + at("17") +
		") and c.model_key in ($8, " + at("33") + ") and (c.until > $2 or c.half_open))"
}

// Passage says which cooldowns a request passes.
type Passage struct {
	// Lease is the holder of the leases under which the request probes, see [TakeLease]; zero: it does not.
	Lease ID
	// IgnoreTransient passes the cooldowns of transient failures.
	IgnoreTransient bool
}

// ReserveKey returns the statement that reserves one request of the key's quota of the day of now.
//
// Its row is (key_id ID, used, gen int64), used with the new reservation. There is no row if the principal is not
// valid, the user's revision is another, the key is not ready, a cooldown holds for the target, or the quota is spent.
func ReserveKey(p Principal, revision, now int64, t Target, pass Passage) Stmt {
	sql := reserveKeyByToken
	switch {
	case pass.IgnoreTransient && p.Token.IsZero():
		sql = reserveSoonestBySession
	case pass.IgnoreTransient:
		sql = reserveSoonestByToken
	case p.Token.IsZero():
		sql = reserveKeyBySession
	}
	return Stmt{SQL: sql, Args: []any{p.credential(), now, revision, DayOf(now), t.Key, t.Host, t.Model[:], AllModels[:], pass.Lease[:]}}
}

// Rotation is a choice among equal targets, of which each takes its turn.
type Rotation struct {
	Targets []Target // in the order of their keys' ids
	Set     ID       // their cursor
	// Conversation stays with its key, see [SaveConversation]; zero: none.
	Conversation ID
}

// args are the arguments of a statement that chooses the key.
func (t *Rotation) args(p Principal, revision, now int64) []any {
	args := []any{p.credential(), now, revision, DayOf(now), concatTargets(t.Targets), int64(len(t.Targets)), t.Set, AllModels[:]}
	if !t.Conversation.IsZero() {
		args = append(args, t.Conversation[:])
	}
	return args
}

// ReserveRotated is [ReserveKey] for the key whose turn it is. [AdvanceCursor] stands before it in the same transaction.
func ReserveRotated(p Principal, revision, now int64, t *Rotation) Stmt {
	sql := reserveRotatedByToken
	switch kept := !t.Conversation.IsZero(); {
	case kept && p.Token.IsZero():
		sql = reserveKeptBySession
	case kept:
		sql = reserveKeptByToken
	case p.Token.IsZero():
		sql = reserveRotatedSession
	}
	return Stmt{SQL: sql, Args: t.args(p, revision, now)}
}

// concatTargets returns the targets as the statement of a rotation reads them.
func concatTargets(targets []Target) []byte {
	all := make([]byte, 0, 3*len(ID{})*len(targets))
	for _, t := range targets {
		all = append(append(append(all, t.Key[:]...), t.Host[:]...), t.Model[:]...)
	}
	return all
}

// AdvanceCursor returns the statement that takes the next turn of a set of keys, unless the conversation stays with its
// key.
func AdvanceCursor(user ID, now int64, t *Rotation) Stmt {
	if t.Conversation.IsZero() {
		return Stmt{SQL: advanceCursor, Args: []any{user, t.Set}}
	}
	return Stmt{SQL: advanceUnlessKept, Args: []any{user, t.Set, now, t.Conversation[:], concatTargets(t.Targets), int64(len(t.Targets))}}
}

// CursorOf returns the latest turn of a set of keys; 0 if there was none.
func CursorOf(ctx context.Context, r Runner, user, set ID) (turn int64, err error) {
	err = r.Run(ctx, Stmt{SQL: "select n.turn from cursors n where n.user_id = $1 and n.key_set = $2", Args: []any{user, set},
		Each: func(row Row) error { return row.Scan(&turn) }})
	return turn, err
}

// ReleaseReservation returns the statement that releases a reservation of the day's generation gen in a key's quota. It
// does nothing if the day's row was reset since, so that neither midnight nor a reset is corrupted by it.
func ReleaseReservation(key ID, day, gen int64) Stmt {
	return Stmt{SQL: releaseReservation, Args: []any{key, day, gen}}
}

// ResetKey sets the used part of the day's quota to 0 and ends the key's cooldowns: [ErrNotFound]. Requests under way
// release their reservation in the generation before, which changes nothing. The user's revision grows, so that
// processes which took the key for spent read its status again.
func ResetKey(ctx context.Context, r Runner, userID, id ID, day int64) error {
	return oneAfter(ctx, r, []Stmt{HoldUser(userID), deleteCooldowns(userID, id)}, Stmt{
		SQL: `insert into key_days (key_id, day, used, gen)
			select id, $3, 0, 1 from provider_keys where id = $1 and user_id = $2
			on conflict (key_id, day) do update set used = 0, gen = key_days.gen + 1`,
		Args: []any{id, userID, day},
	}, nil, bumpRevision(userID))
}

const (
	statusByToken   = "select " + tokenValid + statusColumns + fromToken + statusJoins + "where t.id = $1"
	statusBySession = "select " + sessionValid + statusColumns + fromSession + statusJoins + "where s.id = $1"

	statusColumns = ", u.revision, k.id, " + keyEnabled + `, k.daily_limit, coalesce(d.used, 0)
`
	statusJoins = `
 left join provider_keys k on k.user_id = u.id
 left join key_days d on d.key_id = k.id and d.day = $3
`
)

// QuotaStatus returns the statement that reads the principal's access and the status of all keys of its user.
//
// Its rows, one for each key, are (valid bool, revision int64, key_id ID, enabled *bool, daily_limit *int64, used int64).
// [Cooldowns] reads what holds for them. There is none if the credential does not exist, and one without a key if
// the user has no key.
func QuotaStatus(p Principal, now int64) Stmt {
	sql := statusByToken
	if p.Token.IsZero() {
		sql = statusBySession
	}
	return Stmt{SQL: sql, Args: []any{p.credential(), now, DayOf(now)}}
}
