package store

import (
	"context"
	"strings"
)

// StoredResponse is an answer that later requests refer to. Both contents are encrypted. ID is that of its request.
type StoredResponse struct {
	ID, UserID, TokenID ID // TokenID is zero for one that was sent from the dashboard
	Previous            ID // zero: it begins a conversation
	ExpiresAt           int64
	EncryptionKeyID     string
	Items               []byte // what it added to the conversation
	Answer              []byte // the rest; nil where it was not asked for
}

// Size is the size of both contents, in bytes.
func (s *StoredResponse) Size() int { return len(s.Items) + len(s.Answer) }

// MaxResponseItems bounds the items by which a response is found.
const MaxResponseItems = 4096

const (
	insertResponse = `insert into responses (user_id, id, token_id, previous, size, expires_at, encryption_key, items, answer)
select u.id, $2, (select t.id from tokens t where t.id = $3 and t.user_id = u.id), $4, $5, $6, $7, $8, $9 from users u
 where u.id = $1 and ($10 or exists (select 1 from tokens t where t.id = $3 and t.user_id = u.id))`

	addResponseBytes = `insert into response_totals (user_id, bytes) select user_id, size from responses where user_id = $1 and id = $2
on conflict (user_id) do update set bytes = response_totals.bytes + excluded.bytes`

	// The total tells whether there may be too much, so that the sizes are rarely added up.
	evictResponses = `delete from responses where user_id = $1 and (select bytes from response_totals where user_id = $1) > $2
 and (select sum(size) from responses where user_id = $1) > $2 and id in
 (select s.id from (select id, sum(size) over (order by id desc) as bytes from responses where user_id = $1) s where s.bytes > $3)`

	countResponseBytes = `update response_totals set bytes = (select coalesce(sum(size), 0) from responses where user_id = $1)
 where user_id = $1 and bytes > $2`
)

// StoreResponse returns the statements that store a response, and delete the user's oldest ones if all of them have more
// than limit bytes. Items are the digests by which it is found beside its id; at most MaxResponseItems count. Nothing is
// stored if the user or the token does not exist any more.
func StoreResponse(s StoredResponse, items []ID, limit int64) []Stmt {
	stmts := []Stmt{
		{SQL: insertResponse, Args: []any{s.UserID, s.ID[:], s.TokenID, s.Previous, int64(s.Size()), s.ExpiresAt, s.EncryptionKeyID,
			s.Items, s.Answer, s.TokenID.IsZero()}},
	}
	if len(items) > 0 {
		stmts = append(stmts, insertResponseItems(s, items[:min(len(items), MaxResponseItems)]))
	}
	return append(stmts,
		Stmt{SQL: addResponseBytes, Args: []any{s.UserID, s.ID[:]}},
		Stmt{SQL: evictResponses, Args: []any{s.UserID, limit, limit - limit/8}},
		Stmt{SQL: countResponseBytes, Args: []any{s.UserID, limit}},
	)
}

// insertResponseItems is one statement for all items. The later of two responses with the same item has it.
func insertResponseItems(s StoredResponse, items []ID) Stmt {
	args := []any{s.UserID, s.ID[:]}
	var values strings.Builder
	for i := range items {
		if i > 0 {
			values.WriteString(" union ")
		}
		args = append(args, items[i][:])
		// With coalesce the engine knows the type of the argument.
		values.WriteString("select user_id, coalesce(" + placeholder(len(args)) + ", id), id from responses where user_id = $1 and id = $2")
	}
	return Stmt{SQL: "insert into response_items (user_id, item, response_id)\n" + values.String() +
		"\non conflict (user_id, item) do update set response_id = excluded.response_id", Args: args}
}

// ResponseOwner is whose responses are read.
type ResponseOwner struct{ User, Token ID }

// MaxConversation bounds the responses of one conversation.
const MaxConversation = 1000

// The owner is $1 and $2; $3 is a zero id, because null is not equal to null.
const ownResponse = "user_id = $1 and coalesce(token_id, $3) = coalesce($2, $3) and expires_at > $4"

const conversationRows = `with recursive chain (id, previous, depth, bytes) as (
 select id, previous, 1, cast(size as bigint) from responses where ` + ownResponse + ` and id = $5
 union all
 select r.id, r.previous, c.depth + 1, c.bytes + r.size from chain c join responses r on r.user_id = $1 and r.id = c.previous
  where coalesce(r.token_id, $3) = coalesce($2, $3) and r.expires_at > $4 and c.depth < $6 and c.bytes <= $7
)
select r.id, r.previous, r.expires_at, r.encryption_key, r.items from chain c join responses r on r.user_id = $1 and r.id = c.id
 order by c.depth`

// Conversation is what FindConversation found.
type Conversation struct {
	// Chain are the responses from the one that was asked for back to the first that is still stored. If the last of them
	// has a Previous, older ones are missing, or there are more than MaxConversation or maxBytes.
	Chain []StoredResponse
	// Items are the responses that have items, by the digests that were asked for.
	Items map[ID]*StoredResponse
}

// FindConversation returns what is stored of the conversation that ends with the response last, which may be zero, and
// the responses that have the items. None of them has its Answer. Once maxBytes are found, older responses are left out.
func FindConversation(ctx context.Context, r Runner, owner ResponseOwner, last ID, items []ID, now, maxBytes int64) (Conversation, error) {
	found := Conversation{Items: map[ID]*StoredResponse{}}
	var zero ID
	read := func(row Row, s *StoredResponse) error {
		s.UserID, s.TokenID = owner.User, owner.Token
		return row.Scan(&s.ID, &s.Previous, &s.ExpiresAt, &s.EncryptionKeyID, &s.Items)
	}
	var stmts []Stmt
	if !last.IsZero() {
		stmts = append(stmts, Stmt{SQL: conversationRows,
			Args: []any{owner.User, owner.Token, zero[:], now, last[:], int64(MaxConversation), maxBytes},
			Each: func(row Row) error {
				var s StoredResponse
				err := read(row, &s)
				found.Chain = append(found.Chain, s)
				return err
			}})
	}
	if len(items) > 0 {
		items = items[:min(len(items), MaxResponseItems)]
		byID := map[ID]*StoredResponse{}
		list, args := idList(items, owner.User, owner.Token, zero[:], now)
		ids, idArgs := idList(items, owner.User)
		stmts = append(stmts, Stmt{
			SQL: "select id, previous, expires_at, encryption_key, items from responses where " + ownResponse +
				" and id in (select response_id from response_items where user_id = $1 and item in (" + list + "))",
			Args: args,
			Each: func(row Row) error {
				s := new(StoredResponse)
				err := read(row, s)
				byID[s.ID] = s
				return err
			},
		}, Stmt{
			SQL:  "select item, response_id from response_items where user_id = $1 and item in (" + ids + ")",
			Args: idArgs,
			Each: func(row Row) error {
				var item, response ID
				err := row.Scan(&item, &response)
				if s := byID[response]; s != nil {
					found.Items[item] = s
				}
				return err
			},
		})
	}
	if len(stmts) == 0 {
		return found, nil
	}
	return found, r.Run(ctx, stmts...)
}

// ResponseByID finds a response: [ErrNotFound].
func ResponseByID(ctx context.Context, r Runner, owner ResponseOwner, id ID, now int64) (StoredResponse, error) {
	var zero ID
	s := StoredResponse{UserID: owner.User, TokenID: owner.Token}
	err := one(ctx, r, Stmt{
		SQL:  "select id, previous, expires_at, encryption_key, items, answer from responses where " + ownResponse + " and id = $5",
		Args: []any{owner.User, owner.Token, zero[:], now, id[:]},
	}, []any{&s.ID, &s.Previous, &s.ExpiresAt, &s.EncryptionKeyID, &s.Items, &s.Answer})
	return s, err
}

// DeleteResponse deletes a response: [ErrNotFound].
func DeleteResponse(ctx context.Context, r Runner, owner ResponseOwner, id ID, now int64) error {
	var zero ID
	return one(ctx, r, Stmt{
		SQL:  "delete from responses where " + ownResponse + " and id = $5",
		Args: []any{owner.User, owner.Token, zero[:], now, id[:]},
	}, nil)
}

// PurgeResponses deletes up to limit responses that have expired and says how many it were.
func PurgeResponses(ctx context.Context, r Runner, now int64, limit int) (n int64, err error) {
	return purgeExpired(ctx, r, "responses", now, limit)
}

// StoresResponse reports whether the statement writes a response.
func StoresResponse(s Stmt) bool {
	return s.SQL == insertResponse || strings.HasPrefix(s.SQL, "insert into response_")
}
