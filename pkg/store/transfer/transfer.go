// Package transfer copies everything that a gateway keeps from one database to another, of
// whichever engine.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Count is how many rows of a table were copied.
type Count struct {
	Table string
	Rows  int64
}

// The errors that say what is wrong with one of the databases.
var (
	ErrNotEmpty = errors.New("the target holds data already")
	ErrNewer    = errors.New("the source has a newer schema than this gateway knows: copy with the newer gateway")
)

// Copy copies all tables, as the source has them at one moment, and counts them on both sides. The target
// gets everything in one transaction: after an error it is as empty as before. Both
// schemas are brought up to date first.
//
// On SQLite the source is locked against writers meanwhile.
func Copy(ctx context.Context, from, to store.DB) ([]Count, error) {
	version, err := from.Migrate(ctx)
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	if version > store.SchemaVersion {
		return nil, ErrNewer
	}
	if _, err := to.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	tables, err := tablesOf(ctx, from)
	if err != nil {
		return nil, err
	}
	var counts []Count
	ctx = store.Unbounded(ctx)
	err = from.Tx(ctx, func(source store.Runner) error {
		if err := freeze(ctx, source, from.Kind()); err != nil {
			return fmt.Errorf("the source: %w", err)
		}
		return to.Tx(ctx, func(target store.Runner) error {
			counts, err = copyAll(ctx, source, target, tables)
			return err
		})
	})
	return counts, err
}

// freeze makes all later selects of a transaction see one moment. On SQLite they do anyway.
func freeze(ctx context.Context, r store.Runner, kind store.Kind) error {
	if kind == store.SQLite {
		return nil
	}
	return r.Run(ctx, store.Stmt{SQL: "set transaction isolation level repeatable read, read only"})
}

func copyAll(ctx context.Context, source, target store.Runner, tables []table) ([]Count, error) {
	if err := refuseData(ctx, target, tables); err != nil {
		return nil, err
	}
	// The one row that every schema begins with.
	if err := target.Run(ctx, store.Stmt{SQL: "delete from instance"}); err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	var counts []Count
	for _, t := range tables {
		n, err := t.copy(ctx, source, target)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		for side, r := range map[string]store.Runner{"source": source, "target": target} {
			has, err := count(ctx, r, t.name)
			if err != nil {
				return nil, fmt.Errorf("table %s: %w", t.name, err)
			}
			if has != n {
				return nil, fmt.Errorf("table %s: %d rows were copied, but the %s has %d", t.name, n, side, has)
			}
		}
		counts = append(counts, Count{t.name, n})
	}
	return counts, nil
}

func refuseData(ctx context.Context, target store.Runner, tables []table) error {
	status, err := store.InstanceStatus(ctx, target)
	if err != nil {
		return fmt.Errorf("the target: %w", err)
	}
	var full []string
	if status.SetUp {
		full = append(full, "instance")
	}
	for _, t := range tables {
		if t.name == "instance" {
			continue
		}
		n, err := count(ctx, target, t.name)
		if err != nil {
			return fmt.Errorf("the target: %w", err)
		}
		if n > 0 {
			full = append(full, t.name)
		}
	}
	if len(full) > 0 {
		return fmt.Errorf("%w (%s)", ErrNotEmpty, strings.Join(full, ", "))
	}
	return nil
}

func count(ctx context.Context, r store.Runner, table string) (n int64, err error) {
	err = r.Run(ctx,
		store.Stmt{SQL: "select count(*) from " + table, Each: func(row store.Row) error { return row.Scan(&n) }})
	return n, err
}
