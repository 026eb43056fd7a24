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
	TokenScope
	MaxConcurrent *int64 // requests at the same time; nil: no limit
}

// TokenScope is what a token may be used for. An empty list allows everything.
type TokenScope struct {
	AllowedModels    []string // exact, prefix*, or *
	AllowedProviders []string // ids
	AllowedEndpoints []string
	// EndUsers says that the token tells who is behind a request; EndUserSource where, empty: wherever one is named first.
	EndUsers      bool
	EndUserSource string
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
	tokenInsert  = "id, user_id, name, hash, enabled, blocked, expires_at, created_at, allowed_models, allowed_providers, allowed_endpoints, end_users, end_user_source"
	tokenColumns = `t.id, t.user_id, t.name, t.hash, t.enabled, t.blocked, t.expires_at, t.created_at, t.allowed_models, t.allowed_providers,
 t.allowed_endpoints, t.end_users, t.end_user_source, (select l.amount from limits l where l.subject_id = t.id and l.metric = 4)`
	tokenReturning = tokenInsert + ", (select l.amount from limits l where l.subject_id = tokens.id and l.metric = 4)"
)

func scanToken(t *Token) []any {
	return []any{&t.ID, &t.UserID, &t.Name, &t.Hash, &t.Enabled, &t.Blocked, &t.ExpiresAt, &t.CreatedAt, (*modelList)(&t.AllowedModels),
		(*modelList)(&t.AllowedProviders), (*modelList)(&t.AllowedEndpoints), &t.EndUsers, &t.EndUserSource, &t.MaxConcurrent}
}

// CreateToken adds a token.
func CreateToken(ctx context.Context, r Runner, t Token) error {
	stmts := []Stmt{{
		SQL: "insert into tokens (" + tokenInsert + ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
		Args: []any{t.ID, t.UserID, t.Name, t.Hash, t.Enabled, t.Blocked, t.ExpiresAt, t.CreatedAt, modelList(t.AllowedModels).text(),
			modelList(t.AllowedProviders).text(), modelList(t.AllowedEndpoints).text(), t.EndUsers, t.EndUserSource},
	}}
	if t.MaxConcurrent != nil {
		stmts = append(stmts, setMaxConcurrent(t.UserID, t.ID, t.MaxConcurrent, t.CreatedAt)...)
	}
	return r.Run(ctx, stmts...)
}

// setMaxConcurrent returns the statements that replace the token's limit of requests at the same time; nil: none. Requests
// under way do not count in the new one.
func setMaxConcurrent(userID, id ID, most *int64, now int64) []Stmt {
	stmts := []Stmt{
		{SQL: "delete from limits where subject_id = $1 and user_id = $2 and metric = 4", Args: []any{id, userID}},
	}
	if most != nil {
		stmts = append(stmts, Stmt{
			SQL: `insert into limits (id, user_id, subject, subject_id, metric, span, amount, models, strict, created_at, updated_at)
				select $1, t.user_id, 1, t.id, 4, 6, $2, '[]', false, $3, $3 from tokens t where t.id = $4 and t.user_id = $5`,
			Args: []any{NewID(now), *most, now, id, userID},
		})
	}
	return stmts
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

	AllowedModels    Field[[]string]
	AllowedProviders Field[[]string]
	AllowedEndpoints Field[[]string]
	MaxConcurrent    Field[*int64]
	EndUsers         Field[bool]
	EndUserSource    Field[string]
}

// UpdateToken changes a token of the user: [ErrNotFound].
func UpdateToken(ctx context.Context, r Runner, userID, id ID, c TokenChange, now int64) (Token, error) {
	set := parts{args: []any{id, userID}}
	if c.Name.Set {
		set.comma("name = ?", c.Name.To)
	}
	if c.Enabled.Set {
		set.comma("enabled = ?", c.Enabled.To)
	}
	if c.ExpiresAt.Set {
		set.comma("expires_at = ?", c.ExpiresAt.To)
	}
	if c.AllowedModels.Set {
		set.comma("allowed_models = ?", modelList(c.AllowedModels.To).text())
	}
	if c.AllowedProviders.Set {
		set.comma("allowed_providers = ?", modelList(c.AllowedProviders.To).text())
	}
	if c.AllowedEndpoints.Set {
		set.comma("allowed_endpoints = ?", modelList(c.AllowedEndpoints.To).text())
	}
	if c.EndUsers.Set {
		set.comma("end_users = ?", c.EndUsers.To)
	}
	if c.EndUserSource.Set {
		set.comma("end_user_source = ?", c.EndUserSource.To)
	}
	var before, after []Stmt
	if c.MaxConcurrent.Set {
		before = append([]Stmt{HoldUser(userID)}, setMaxConcurrent(userID, id, c.MaxConcurrent.To, now)...)
	}
	if c.MaxConcurrent.Set || c.EndUsers.Set || c.EndUserSource.Set || c.AllowedModels.Set || c.AllowedProviders.Set || c.AllowedEndpoints.Set {
		after = append(after, bumpRevision(userID))
	}
	var t Token
	err := oneAfter(ctx, r, before, Stmt{
		SQL:  "update tokens set id = id" + set.String() + " where id = $1 and user_id = $2 returning " + tokenReturning,
		Args: set.args,
	}, scanToken(&t), after...)
	return t, err
}

// DeleteToken deletes a token of the user, and its limits: [ErrNotFound].
func DeleteToken(ctx context.Context, r Runner, userID, id ID) error {
	return oneAfter(ctx, r, []Stmt{HoldUser(userID)}, Stmt{SQL: "delete from tokens where id = $1 and user_id = $2", Args: []any{id, userID}}, nil,
		append(deleteLimitsOf(userID, id), deleteLabelsOf(userID, id)...)...)
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
