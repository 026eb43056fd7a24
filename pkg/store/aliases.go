package store

import (
	"context"
	"encoding/json"
)

// Alias is a name that stands for one or several models.
type Alias struct {
	ID        ID
	User      ID // whose it is; zero: it is for everyone's requests
	Name      string
	Targets   []AliasTarget // in the order of trying
	Strategy  string        // empty: the order of the targets, and the user's strategy among keys
	CreatedAt int64
	UpdatedAt int64
}

// AliasTarget is a model that an alias stands for. It is stored and shown in this form.
type AliasTarget struct {
	Model      string           `json:"model"`
	Provider   string           `json:"provider,omitempty"` // empty: any that serves the model
	KeyIDs     []ID             `json:"keyIds,omitempty"`   // empty: any key
	Weight     int64            `json:"weight,omitempty"`   // 0: 1
	Parameters *AliasParameters `json:"parameters,omitempty"`
}

// AliasParameters take the place of what a request says.
type AliasParameters struct {
	Temperature     *float64 `json:"temperature,omitempty"`
	TopP            *float64 `json:"topP,omitempty"`
	MaxTokens       *int64   `json:"maxTokens,omitempty"`
	ReasoningEffort string   `json:"reasoningEffort,omitempty"`
}

const (
	aliasInsert  = "id, user_id, name, targets, strategy, created_at, updated_at"
	aliasColumns = "a.id, a.user_id, a.name, a.targets, coalesce(a.strategy, ''), a.created_at, a.updated_at"
)

func scanAlias(a *Alias) []any {
	return []any{&a.ID, &a.User, &a.Name, (*targetList)(&a.Targets), &a.Strategy, &a.CreatedAt, &a.UpdatedAt}
}

// targetList is a list of targets in a column.
type targetList []AliasTarget

func (l *targetList) Scan(src any) error {
	s, _ := src.(string)
	*l = nil
	return json.Unmarshal([]byte(s), (*[]AliasTarget)(l))
}

func (l targetList) text() string {
	b, _ := json.Marshal([]AliasTarget(l)) // texts and finite numbers always encode
	return string(b)
}

// bump makes every process read the aliases again before the next request that they are about.
func (a *Alias) bump() Stmt {
	if a.User.IsZero() {
		return Stmt{SQL: "update users set revision = revision + 1"}
	}
	return bumpRevision(a.User)
}

// CreateAlias adds an alias. If the name is taken, the error has [CodeConflict].
func CreateAlias(ctx context.Context, r Runner, a Alias) error {
	return r.Run(ctx, Stmt{
		SQL:  "insert into aliases (" + aliasInsert + ") values ($1, $2, $3, $4, nullif($5, ''), $6, $7)",
		Args: []any{a.ID, a.User, a.Name, targetList(a.Targets).text(), a.Strategy, a.CreatedAt, a.UpdatedAt},
	}, a.bump())
}

// UpdateAlias writes the alias; whose it is may become another as well: [ErrNotFound]. before is the alias as it was. If the
// name is taken, the error has [CodeConflict].
func UpdateAlias(ctx context.Context, r Runner, a, before Alias) error {
	bump := a.bump()
	if before.User.IsZero() {
		bump = before.bump()
	}
	return oneAfter(ctx, r, nil, Stmt{
		SQL:  "update aliases set user_id = $2, name = $3, targets = $4, strategy = nullif($5, ''), updated_at = $6 where id = $1",
		Args: []any{a.ID, a.User, a.Name, targetList(a.Targets).text(), a.Strategy, a.UpdatedAt},
	}, nil, bump)
}

// DeleteAlias deletes an alias: [ErrNotFound].
func DeleteAlias(ctx context.Context, r Runner, a Alias) error {
	return oneAfter(ctx, r, nil, Stmt{SQL: "delete from aliases where id = $1", Args: []any{a.ID}}, nil, a.bump())
}

// Aliases lists the user's aliases and those that are for everyone, by name.
func Aliases(ctx context.Context, r Runner, user ID) ([]Alias, error) {
	return list(ctx, r, Stmt{
		SQL:  "select " + aliasColumns + " from aliases a where a.user_id = $1 or a.user_id is null order by a.name, a.id",
		Args: []any{user},
	}, scanAlias)
}

// AliasByID finds an alias of the user, or one for everyone: [ErrNotFound].
func AliasByID(ctx context.Context, r Runner, user, id ID) (Alias, error) {
	var a Alias
	err := one(ctx, r, Stmt{
		SQL:  "select " + aliasColumns + " from aliases a where a.id = $2 and (a.user_id = $1 or a.user_id is null)",
		Args: []any{user, id},
	}, scanAlias(&a))
	return a, err
}

// aliasesOfRouting returns the statement that reads the aliases for the user's requests: $1 is the user, or condition
// finds the token.
func aliasesOfRouting(all *[]Alias, condition string, args []any) Stmt {
	user := "$1"
	if condition != "" {
		user = "(select t.user_id from tokens t where " + condition + ")"
	}
	return Stmt{SQL: "select " + aliasColumns + " from aliases a where a.user_id = " + user + " or a.user_id is null order by a.id",
		Args: args, Each: appendTo(all, scanAlias)}
}
