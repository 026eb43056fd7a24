package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// BenchmarkListsWithHistory lists the tokens of a user who has sent 10 million requests in the days before: its time does
// not grow with them.
func BenchmarkListsWithHistory(b *testing.B) {
	const now = 1_790_000_000_000
	for _, days := range []int64{0, 30, 365} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			ctx := context.Background()
			db, err := Open(Options{Path: filepath.Join(b.TempDir(), "gateway.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Migrate(ctx); err != nil {
				b.Fatal(err)
			}
			u := store.User{ID: store.NewID(now), Email: "a@example.com", Role: store.RoleUser, Enabled: true, CreatedAt: now, UpdatedAt: now}
			if err := store.AddUser(ctx, db, u); err != nil {
				b.Fatal(err)
			}
			token := store.Token{ID: store.NewID(now), UserID: u.ID, Hash: []byte("x"), Enabled: true, CreatedAt: now}
			if err := store.CreateToken(ctx, db, token); err != nil {
				b.Fatal(err)
			}
			// An hour has a row for each model: five of them.
			if err := db.Run(ctx, store.Stmt{
				SQL: `with recursive h (hour) as (select $2 union all select hour + 1 from h where hour < $3),
 m (model) as (values ('a'), ('b'), ('c'), ('d'), ('e'))
insert into usage_hours (user_id, hour, token_id, key_id, provider, model, requests, errors, unpriced, cost, input, cached, cache_write,
 output, reasoning, last_at)
select $1, hour, $4, x'00000000000000000000000000000000', 'openai', model, 228, 0, 0, 0, 0, 0, 0, 0, 0, hour * 3600000 from h, m`,
				Args: []any{u.ID, store.HourOf(now) - days*24, store.HourOf(now), token.ID},
			}); err != nil {
				b.Fatal(err)
			}
			if _, err := store.CountUses(ctx, db, now); err != nil {
				b.Fatal(err)
			}
			if _, err := store.MergeSums(ctx, db, store.Merge{Now: now, All: true}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				tokens, err := store.Tokens(ctx, db, u.ID)
				if err != nil || tokens[0].Requests != 228*5*(days*24+1) {
					b.Fatal(tokens, err)
				}
			}
		})
	}
}
