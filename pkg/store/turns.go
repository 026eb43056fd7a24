package store

import (
	"context"
	"strings"
)

// Turn is what a provider wants back with a turn of the assistant and a caller's format may have no place
// for: reasoning with its signatures. It is sealed, because it is a part of a conversation.
type Turn struct {
	// ID digests what tells the turn apart from all others of the user.
	ID         ID
	UserID     ID
	KeyID      ID // the provider key that made it
	Sealed     []byte
	SealingKey string
	ExpiresAt  int64
}

// MaxTurns is how many turns Turns looks up at once.
const MaxTurns = 256

// HoldTurn is the statement that keeps a turn; a later one of the same id replaces it.
func HoldTurn(t Turn) Stmt {
	return Stmt{
		SQL: `insert into turns (user_id, id, key_id, sealed, sealing_key, expires_at) values ($1, $2, $3, $4, $5, $6)
on conflict (user_id, id) do update set key_id = excluded.key_id, sealed = excluded.sealed, sealing_key = excluded.sealing_key,
 expires_at = excluded.expires_at`,
		Args: []any{t.UserID, t.ID[:], t.KeyID, t.Sealed, t.SealingKey, t.ExpiresAt},
	}
}

// Turns finds those of the turns of a user that are held and have not expired. At most MaxTurns are looked up.
func Turns(ctx context.Context, r Runner, userID ID, ids []ID, now int64) ([]Turn, error) {
	ids = ids[:min(len(ids), MaxTurns)]
	if len(ids) == 0 {
		return nil, nil
	}
	// The number of ids is rounded up to a power of two, so that few statements have to be prepared.
	places := 1
	for places < len(ids) {
		places *= 2
	}
	args := []any{userID, now}
	var list strings.Builder
	for i := range places {
		if i > 0 {
			list.WriteString(", ")
		}
		list.WriteString(placeholder(i + 3))
		id := ids[min(i, len(ids)-1)]
		args = append(args, id[:])
	}
	turns := []Turn{}
	err := r.Run(ctx, Stmt{
		SQL:  "select id, user_id, key_id, sealed, sealing_key, expires_at from turns where user_id = $1 and expires_at > $2 and id in (" + list.String() + ")",
		Args: args,
		Each: appendTo(&turns, func(t *Turn) []any {
			return []any{&t.ID, &t.UserID, &t.KeyID, &t.Sealed, &t.SealingKey, &t.ExpiresAt}
		}),
	})
	return turns, err
}

// PurgeTurns deletes up to limit turns that have expired and says how many it were.
func PurgeTurns(ctx context.Context, r Runner, now int64, limit int) (n int64, err error) {
	err = r.Run(ctx, Stmt{
		SQL:  "delete from turns where (user_id, id) in (select user_id, id from turns where expires_at <= $1 order by expires_at limit $2)",
		Args: []any{now, limit}, Affected: &n,
	})
	return n, err
}
