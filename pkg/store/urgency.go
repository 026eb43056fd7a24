package store

import "context"

type contextKey int

const (
	backgroundKey contextKey = iota
	unboundedKey
)

// Background marks runs that may wait, such as those of the dashboard: they get half of the connections at most, so that
// requests to providers always find one.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey, true)
}

// IsBackground reports whether ctx is of [Background].
func IsBackground(ctx context.Context) bool { return ctx.Value(backgroundKey) != nil }

// Unbounded marks runs that may take as long as they need, such as those of a copy of the database. All others end after
// the database's timeout.
func Unbounded(ctx context.Context) context.Context {
	return context.WithValue(ctx, unboundedKey, true)
}

// IsUnbounded reports whether ctx is of [Unbounded].
func IsUnbounded(ctx context.Context) bool { return ctx.Value(unboundedKey) != nil }
