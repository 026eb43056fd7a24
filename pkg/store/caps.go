package store

import (
	"context"
	"errors"
)

// Owned is a kind of what users own.
type Owned int

// The kinds of which a user may have a number.
const (
	OwnedKeys Owned = iota
	OwnedTokens
	OwnedAliases
)

// ErrTooMany is the error of [Within] for a user who has as many as a user may have.
var ErrTooMany = errors.New("the user has as many as allowed")

// Within creates one more of what the user owns, if there are fewer than limit. Two at the same time wait for each other.
func Within(ctx context.Context, db DB, user ID, kind Owned, limit int, create func(Runner) error) error {
	count := "select count(*) from provider_keys where user_id = $1"
	switch kind {
	case OwnedTokens:
		count = "select count(*) from tokens where user_id = $1"
	case OwnedAliases:
		count = "select count(*) from aliases where user_id = $1"
	}
	return db.Tx(ctx, func(r Runner) error {
		var n int64
		each := func(row Row) error { return row.Scan(&n) }
		if err := r.Run(ctx, HoldUser(user), Stmt{SQL: count, Args: []any{user}, Each: each}); err != nil {
			return err
		}
		if n >= int64(limit) {
			return ErrTooMany
		}
		return create(r)
	})
}
