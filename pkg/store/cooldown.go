package store

import "context"

// Cooldown is a time in which a key is not used.
type Cooldown struct {
	Key ID
	// Revision is that of the key's user when the request was routed.
	Revision int64
	Since    int64  // Unix milliseconds: now
	Until    int64  // Unix milliseconds
	Class    string // an error class
	Message  string // the provider's message about the key, redacted
}

// StartCooldown returns the statement that starts a cooldown. A longer cooldown of the key stands; one that is extended
// keeps its beginning. The statement does nothing if the user's revision is another by now: the secret that failed may
// have been replaced since.
func StartCooldown(c Cooldown) Stmt {
	return Stmt{
		SQL: `update provider_keys set rest_until = $2, rest_class = $3, rest_note = $4,
 cooldown_since = case when rest_until > $6 and cooldown_since > 0 then cooldown_since else $6 end
where id = $1 and rest_until < $2 and $5 = (select u.revision from users u where u.id = provider_keys.user_id)`,
		Args: []any{c.Key, c.Until, c.Class, c.Message, c.Revision, c.Since},
	}
}

// noCooldown ends a cooldown in an update of provider_keys.
const noCooldown = "rest_until = 0, rest_class = '', rest_note = '', cooldown_since = 0"

// EndCooldown lets a key of the user be used again at once: [ErrNotFound].
func EndCooldown(ctx context.Context, r Runner, userID, id ID) error {
	return one(ctx, r, Stmt{
		SQL:  "update provider_keys set " + noCooldown + " where id = $1 and user_id = $2",
		Args: []any{id, userID},
	}, nil, bumpRevision(userID))
}
