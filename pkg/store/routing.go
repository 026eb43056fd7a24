package store

import (
	"context"
	"strings"
)

// Credential is what a request shows, one of: the hashes under which its token may be stored, the token's id, or the
// user of a session.
type Credential struct {
	Hashes [][]byte
	Token  ID
	User   ID
}

// Routing is what it takes to choose a provider key for a user's request. It does not say whether the credential is
// valid: the statement that reserves decides that.
type Routing struct {
	User     ID
	Revision int64
	Strategy string // empty: the user has chosen none

	Token     ID     // zero for a session
	TokenHash []byte // as it is stored

	TokenScope // of the token

	Keys []RoutingKey // by priority, then by age
	// Limits are those of the user and of the gateway, whatever they are about.
	Limits []Limit
	// Aliases are the user's own, and those that are for everyone.
	Aliases []Alias
	// Latencies are those of the user, whatever keys they are of.
	Latencies []Latency
}

// RoutingKey is a provider key as routing sees it.
type RoutingKey struct {
	ID              ID
	Provider        string
	Name            string
	Priority        int64
	Enabled         bool // and not blocked
	AllowedModels   []string
	DefaultModel    string // empty: none
	Encrypted       []byte
	EncryptionKeyID string
	DailyLimited    bool // its reservations have an identity, see [Demand]
	// Custom are the settings of an endpoint that the user named, see [Key]; ByAdmin says that this user is an admin.
	Custom  string
	ByAdmin bool
}

const (
	routingUser  = "select u.id, u.revision, coalesce(u.strategy, '') from users u where u.id = $1"
	routingToken = "select t.id, t.hash, u.id, u.revision, coalesce(u.strategy, ''), t.allowed_models, t.allowed_providers, t.allowed_endpoints, t.end_users, t.end_user_source " + fromToken + " where "

	routingKeys = "select k.id, k.provider, k.name, k.priority, " + keyEnabled + `, k.allowed_models,
 coalesce(k.default_model, ''), k.sealed, k.sealing_key, k.daily_limit is not null, coalesce(k.custom, ''),
 case when k.custom is null then false else (select u.role = 'admin' from users u where u.id = k.user_id) end from provider_keys k `
	routingOrder = " order by k.priority, k.created_at, k.id"
)

// LoadRouting returns the routing of the credential's user. Errors: ErrNotFound (there is no such token or user), and
// the database's.
func LoadRouting(ctx context.Context, r Runner, c Credential) (Routing, error) {
	var out Routing
	user := Stmt{SQL: routingUser, Args: []any{c.User},
		Each: func(row Row) error { return row.Scan(&out.User, &out.Revision, &out.Strategy) }}
	keys := Stmt{SQL: routingKeys + "where k.user_id = $1" + routingOrder, Args: []any{c.User},
		Each: appendTo(&out.Keys, scanRoutingKey)}
	condition, args := c.token()
	limits := limitsOfRouting(&out.Limits, condition, []any{c.User})
	aliases := aliasesOfRouting(&out.Aliases, condition, []any{c.User})
	latencies := latenciesOfRouting(&out.Latencies, condition, []any{c.User})
	if condition != "" {
		limits.Args, aliases.Args, latencies.Args = args, args, args
		user.SQL, user.Args = routingToken+condition, args
		user.Each = func(row Row) error {
			return row.Scan(&out.Token, &out.TokenHash, &out.User, &out.Revision, &out.Strategy, (*modelList)(&out.AllowedModels),
				(*modelList)(&out.AllowedProviders), (*modelList)(&out.AllowedEndpoints), &out.EndUsers, &out.EndUserSource)
		}
		keys.SQL, keys.Args = routingKeys+"join tokens t on t.user_id = k.user_id where "+condition+routingOrder, args
	}
	// The user comes first and the keys after: if a change falls between the two, the routing has an old revision, and
	// its first reserve finds that out.
	if err := r.Run(ctx, user, keys, limits, aliases, latencies); err != nil {
		return Routing{}, err
	}
	if out.User.IsZero() {
		return Routing{}, ErrNotFound
	}
	return out, nil
}

// token returns the condition that finds the token, empty for a session.
func (c Credential) token() (condition string, args []any) {
	switch {
	case len(c.Hashes) > 0:
		list := make([]string, len(c.Hashes))
		for i, hash := range c.Hashes {
			list[i], args = placeholder(i+1), append(args, hash)
		}
		return "t.hash in (" + strings.Join(list, ", ") + ")", args
	case !c.Token.IsZero():
		return "t.id = $1", []any{c.Token}
	}
	return "", nil
}

func scanRoutingKey(k *RoutingKey) []any {
	return []any{&k.ID, &k.Provider, &k.Name, &k.Priority, &k.Enabled, (*modelList)(&k.AllowedModels), &k.DefaultModel,
		&k.Encrypted, &k.EncryptionKeyID, &k.DailyLimited, &k.Custom, &k.ByAdmin}
}
