package store

import "context"

// Token is a gateway token, without its secret, which is not stored.
type Token struct {
	ID        ID
	UserID    ID
	Name      string
	Hash      []byte // HMAC of the token
	Enabled   bool   // the owner's switch
	Blocked   bool   // the admin's switch
	ExpiresAt *int64 // nil: never
	CreatedAt int64
}

// TokenUse is a token with its usage.
type TokenUse struct {
	Token
	Requests   int64 // sum of the hourly sums
	LastUsedAt int64 // 0: never
}

// OwnedToken is a token as the admin sees it.
type OwnedToken struct {
	Token
	OwnerEmail string
}

const (
	tokenReturning = "id, user_id, name, hash, enabled, blocked, expires_at, created_at"
	tokenColumns   = "t.id, t.user_id, t.name, t.hash, t.enabled, t.blocked, t.expires_at, t.created_at"
)

func scanToken(t *Token) []any {
	return []any{&t.ID, &t.UserID, &t.Name, &t.Hash, &t.Enabled, &t.Blocked, &t.ExpiresAt, &t.CreatedAt}
}

// CreateToken adds a token.
func CreateToken(ctx context.Context, r Runner, t Token) error {
	return r.Run(ctx, Stmt{
		SQL:  "insert into tokens (" + tokenReturning + ") values ($1, $2, $3, $4, $5, $6, $7, $8)",
		Args: []any{t.ID, t.UserID, t.Name, t.Hash, t.Enabled, t.Blocked, t.ExpiresAt, t.CreatedAt},
	})
}

// Tokens lists a user's tokens, oldest first, with their use.
func Tokens(ctx context.Context, r Runner, userID ID) ([]TokenUse, error) {
	tokens := []TokenUse{}
	uses := uses{}
	err := r.Run(ctx,
		Stmt{
			SQL: "select " + tokenColumns + " from tokens t where t.user_id = $1 order by t.id", Args: []any{userID},
			Each: appendTo(&tokens, func(t *TokenUse) []any { return scanToken(&t.Token) }),
		},
		uses.stmt("token_id", userID),
	)
	if err != nil {
		return nil, err
	}
	for i := range tokens {
		use := uses[tokens[i].ID]
		tokens[i].Requests, tokens[i].LastUsedAt = use.requests, use.lastAt
	}
	return tokens, nil
}

// TokenByID finds a token of the user: [ErrNotFound].
func TokenByID(ctx context.Context, r Runner, userID, id ID) (Token, error) {
	var t Token
	err := one(ctx, r, Stmt{
		SQL:  "select " + tokenColumns + " from tokens t where t.id = $1 and t.user_id = $2",
		Args: []any{id, userID},
	}, scanToken(&t))
	return t, err
}

// TokenChange is what an owner changes about a token.
type TokenChange struct {
	Name      Field[string]
	Enabled   Field[bool]
	ExpiresAt Field[*int64]
}

// UpdateToken changes a token of the user: [ErrNotFound].
func UpdateToken(ctx context.Context, r Runner, userID, id ID, c TokenChange) (Token, error) {
	var t Token
	err := one(ctx, r, Stmt{
		SQL: `update tokens set name = case when $3 then $4 else name end,
			enabled = case when $5 then $6 else enabled end,
			expires_at = case when $7 then $8 else expires_at end
			where id = $1 and user_id = $2 returning ` + tokenReturning,
		Args: []any{id, userID, c.Name.Set, c.Name.To, c.Enabled.Set, c.Enabled.To, c.ExpiresAt.Set, c.ExpiresAt.To},
	}, scanToken(&t))
	return t, err
}

// DeleteToken deletes a token of the user: [ErrNotFound].
func DeleteToken(ctx context.Context, r Runner, userID, id ID) error {
	return one(ctx, r, Stmt{SQL: "delete from tokens where id = $1 and user_id = $2", Args: []any{id, userID}}, nil)
}

// RehashToken is the statement that replaces a token's hash after the secret of the HMAC has changed. It
// changes nothing if the hash is not oldHash any more.
func RehashToken(id ID, oldHash, newHash []byte) Stmt {
	return Stmt{SQL: "update tokens set hash = $3 where id = $1 and hash = $2", Args: []any{id, oldHash, newHash}}
}

// AllTokens lists all tokens, oldest first, for the admin.
func AllTokens(ctx context.Context, r Runner, p Page) ([]OwnedToken, error) {
	return list(ctx, r, Stmt{
		SQL: "select " + tokenColumns + `, u.email from tokens t join users u on u.id = t.user_id
			where t.id > $1 order by t.id limit $2`,
		Args: []any{p.After[:], p.Limit},
	}, func(t *OwnedToken) []any { return append(scanToken(&t.Token), &t.OwnerEmail) })
}

// BlockToken sets the admin's switch of any token: [ErrNotFound].
func BlockToken(ctx context.Context, r Runner, id ID, blocked bool) (Token, error) {
	var t Token
	err := one(ctx, r, Stmt{
		SQL:  "update tokens set blocked = $2 where id = $1 returning " + tokenReturning,
		Args: []any{id, blocked},
	}, scanToken(&t))
	return t, err
}
