package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

// One run deletes everything that is too old, in as many batches as it takes.
func TestRetentionDeletesEverythingThatIsTooOld(t *testing.T) {
	db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const now, rows = 1_800_000_000_000, 2*retentionBatch + 1
	user := store.User{ID: store.NewID(now), Email: "a@example.com", Role: store.RoleUser, Enabled: true, CreatedAt: now}
	if err := store.AddUser(t.Context(), db, user); err != nil {
		t.Fatal(err)
	}
	var stmts []store.Stmt
	old := now - 40*day.Milliseconds()
	for i := range int64(rows) {
		id := store.NewID(old + i)
		stmts = append(stmts, store.StartCooldown(store.Failure{User: user.ID, Revision: 1, Subject: id, Model: "m", Now: old, Class: "timeout"}),
			store.SaveTurn(store.SavedTurn{ID: id, UserID: user.ID, KeyID: id, Encrypted: []byte{1}, EncryptionKeyID: "k", ExpiresAt: old}, nil, old),
			store.Stmt{SQL: "insert into sessions (id, user_id, user_agent, address, created_at, last_seen_at, expires_at) values ($1, $2, '', '', $3, $3, $3)",
				Args: []any{id, user.ID, old}})
		stmts = append(stmts, store.Settle([]store.Record{{ID: id, User: user.ID, Model: "m", Status: 400, Outcome: store.Failed, Trace: "{}"}}, 0)...)
	}
	if err := db.Run(t.Context(), stmts...); err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{RetentionDays: 30, TraceRetentionDays: 7}
	newRetention(cfg, db, slog.New(slog.DiscardHandler)).run(context.Background(), now)
	for _, table := range []string{"requests", "request_traces", "sessions", "turns", "cooldowns"} {
		var n int64
		err := db.Run(t.Context(), store.Stmt{SQL: fmt.Sprintf("select count(*) from %s", table), Each: func(r store.Row) error { return r.Scan(&n) }})
		if err != nil || n != 0 {
			t.Errorf("%s: %d of %d old rows are left, %v", table, n, rows, err)
		}
	}
}
