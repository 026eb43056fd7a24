package store

import (
	"context"
	"slices"
)

// Page is a part of a list in the order of ids.
type Page struct {
	// After is the last id of the page before; zero for the first page.
	After ID
	// Limit is the largest number of entries, at least 1.
	Limit int
}

// one runs a statement that must return or write a row, and scans the row into dest if there are any. Without a row it
// returns [ErrNotFound]. The statements of more run in the same transaction.
func one(ctx context.Context, r Runner, s Stmt, dest []any, more ...Stmt) error {
	return oneAfter(ctx, r, nil, s, dest, more...)
}

// oneAfter is [one] with statements that run before it in the same transaction.
func oneAfter(ctx context.Context, r Runner, before []Stmt, s Stmt, dest []any, more ...Stmt) error {
	var n int64
	found := false
	s.Affected = &n
	if len(dest) > 0 {
		s.Each = First(&found, dest...)
	}
	if err := r.Run(ctx, slices.Concat(before, []Stmt{s}, more)...); err != nil {
		return err
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// list runs a select and returns a T for each row.
func list[T any](ctx context.Context, r Runner, s Stmt, scan func(*T) []any) ([]T, error) {
	all := []T{}
	s.Each = appendTo(&all, scan)
	if err := r.Run(ctx, s); err != nil {
		return nil, err
	}
	return all, nil
}

// appendTo is an Each that scans every row into a new element of all.
func appendTo[T any](all *[]T, scan func(*T) []any) func(Row) error {
	return func(row Row) error {
		var v T
		if err := row.Scan(scan(&v)...); err != nil {
			return err
		}
		*all = append(*all, v)
		return nil
	}
}

// Field is a value of a change: the zero Field keeps what is there.
type Field[T any] struct {
	Set bool
	To  T
}

// To is a Field that changes to v.
func To[T any](v T) Field[T] { return Field[T]{Set: true, To: v} }
