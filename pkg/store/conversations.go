package store

import "context"

// KeptConversation says which key serves a conversation.
type KeptConversation struct {
	User, ID, Key ID
	ExpiresAt     int64
	// Opens says that this is its first turn. If another conversation began with the same words, that one keeps its key.
	Opens bool
}

// SaveConversation is the statement that keeps the conversation with its key. It does nothing for a user that is deleted.
func SaveConversation(c KeptConversation, now int64) Stmt {
	return Stmt{
		SQL: `insert into conversations (user_id, id, key_id, expires_at) select u.id, $2, $3, $4 from users u where u.id = $1
on conflict (user_id, id) do update set expires_at = excluded.expires_at,
 key_id = case when $5 and conversations.expires_at > $6 then conversations.key_id else excluded.key_id end`,
		Args: []any{c.User, c.ID[:], c.Key[:], c.ExpiresAt, c.Opens, now},
	}
}

// PurgeConversations deletes up to limit rows that have expired, and returns their number.
func PurgeConversations(ctx context.Context, r Runner, now int64, limit int) (n int64, err error) {
	return purgeExpired(ctx, r, "conversations", now, limit)
}

// keptPlace is the place of the conversation's key among targets, which stand one after the other, in bytes; null if the
// conversation is not known, or its key is not among them.
func keptPlace(user, id, now, targets, number string) string {
	return "(with recursive i (n) as (select 0 union all select n + 1 from i where n + 1 < " + number + ")\n" +
		" select 48 * i.n from i join conversations v on v.key_id = substr(coalesce(" + targets + ", v.key_id), 1 + 48 * i.n, 16)\n" +
		" where v.user_id = " + user + " and v.id = " + id + " and v.expires_at > " + now + ")"
}

// KeptKey returns the key with which the conversation stays; zero if there is none.
func KeptKey(ctx context.Context, r Runner, user, conversation ID, now int64) (key ID, err error) {
	err = r.Run(ctx, Stmt{SQL: "select v.key_id from conversations v where v.user_id = $1 and v.id = $2 and v.expires_at > $3",
		Args: []any{user, conversation, now}, Each: func(row Row) error { return row.Scan(&key) }})
	return key, err
}
