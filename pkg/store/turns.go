package store

import (
	"context"
	"strings"
)

// SavedTurn is what a provider wants back with a turn of the assistant and a client's format may have no place
// for: reasoning with its signatures. It is encrypted, because it is a part of a conversation.
type SavedTurn struct {
	ID              ID // a digest of the content
	UserID          ID
	KeyID           ID // the provider key that made it
	Encrypted       []byte
	EncryptionKeyID string
	ExpiresAt       int64
}

// MaxTurnKeys is how many keys FindTurns looks up at once.
const MaxTurnKeys = 512

// The table holds rows of two kinds. A saved turn has the id of its content and the key that encrypts it. A turn
// key has an empty sealing_key, and its sealed is the id of the turn that it stands for, which is no secret. Turns with
// different content that claim the same key make it ambiguous, and it stands for none of them: sealed is empty
// until it expires.
const saveTurn = `insert into turns (user_id, id, key_id, sealed, sealing_key, expires_at) values
 ($1, $2, $3, $4, $5, $6)`

const saveTurnConflict = `
on conflict (user_id, id) do update set key_id = excluded.key_id, sealing_key = excluded.sealing_key,
 sealed = case when excluded.sealing_key <> '' or turns.sealed = excluded.sealed or turns.expires_at <= $7
  then excluded.sealed else $8 end,
 expires_at = excluded.expires_at`

// SaveTurn is the statement that saves a turn under the keys, which must differ from each other and from t.ID. A
// later turn of the same id replaces it.
func SaveTurn(t SavedTurn, keys []ID, now int64) Stmt {
	args := []any{t.UserID, t.ID[:], t.KeyID, t.Encrypted, t.EncryptionKeyID, t.ExpiresAt, now, []byte{}}
	var rows strings.Builder
	for _, key := range keys {
		n := len(args)
		rows.WriteString(",\n ($1, " + placeholder(n+1) + ", $3, " + placeholder(n+2) + ", '', $6)")
		args = append(args, key[:], t.ID[:])
	}
	return Stmt{SQL: saveTurn + rows.String() + saveTurnConflict, Args: args}
}

// FindTurns returns the turns of a user that the keys stand for, by key, without those that have expired. At most
// MaxTurnKeys keys are looked up.
func FindTurns(ctx context.Context, r Runner, userID ID, keys []ID, now int64) (map[ID]*SavedTurn, error) {
	keys = keys[:min(len(keys), MaxTurnKeys)]
	if len(keys) == 0 {
		return nil, nil
	}
	list, args := idList(keys, userID, now)
	const rows = `select id, user_id, key_id, sealed, sealing_key, expires_at from turns
 where user_id = $1 and expires_at > $2 and `
	const ids = `select sealed from turns where user_id = $1 and expires_at > $2 and sealing_key = '' and id in (`
	targets, turns := map[ID]ID{}, map[ID]*SavedTurn{}
	err := r.Run(ctx, Stmt{
		SQL: rows + "sealing_key = '' and id in (" + list + ")\nunion all\n" +
			rows + "sealing_key <> '' and id in (" + ids + list + "))",
		Args: args,
		Each: func(row Row) error {
			t := new(SavedTurn)
			err := row.Scan(&t.ID, &t.UserID, &t.KeyID, &t.Encrypted, &t.EncryptionKeyID, &t.ExpiresAt)
			switch {
			case err != nil:
				return err
			case t.EncryptionKeyID != "":
				turns[t.ID] = t
			case len(t.Encrypted) == len(ID{}): // an ambiguous key has none
				targets[t.ID] = ID(t.Encrypted)
			}
			return nil
		},
	})
	found := map[ID]*SavedTurn{}
	for key, id := range targets {
		if t := turns[id]; t != nil {
			found[key] = t
		}
	}
	return found, err
}

// idList is a list of the ids in SQL. Their number is rounded up to a power of two, so that few statements have to
// be prepared. The arguments before those of the list are given.
func idList(ids []ID, before ...any) (list string, args []any) {
	args = before
	size := 1
	for size < len(ids) {
		size *= 2
	}
	var b strings.Builder
	for i := range size {
		if i > 0 {
			b.WriteString(", ")
		}
		id := ids[min(i, len(ids)-1)]
		args = append(args, id[:])
		b.WriteString(placeholder(len(args)))
	}
	return b.String(), args
}

// PurgeTurns deletes up to limit rows that have expired and says how many it were.
func PurgeTurns(ctx context.Context, r Runner, now int64, limit int) (n int64, err error) {
	return purgeExpired(ctx, r, "turns", now, limit)
}
