package main

import (
	"context"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// migrate brings the schema up to date. The gateway also does this at its first query; the command lets the operator
// choose the moment.
func migrate(ctx context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("migrate"), args); err != nil {
		return err
	}
	return with(ctx, t, func(ctx context.Context, in *installation) error {
		from, err := in.db.Migrate(ctx)
		switch {
		case err != nil:
			return err
		case in.cfg.Database.Kind == config.SQLite, from == store.SchemaVersion:
			t.printf("%s: the schema is at version %d, which is current\n", in.where(), store.SchemaVersion)
		case from > store.SchemaVersion:
			t.printf("%s: the schema is at version %d, newer than this gateway's %d, which it can use\n", in.where(), from, store.SchemaVersion)
		default:
			t.printf("%s: the schema went from version %d to %d\n", in.where(), from, store.SchemaVersion)
		}
		return nil
	})
}
