package storetest

import (
	"errors"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// The revision grows with every change to what routing caches, and with no other, because each
// costs every process a load.
func testRevision(w *world) {
	w.user(admin)
	u := w.user()
	k := w.key(u)
	t := w.token(u)
	s := w.session(u, start)
	limit := int64(3)
	l, all := w.limit(u, store.LimitToken, t.ID), w.limit(store.User{}, store.LimitGateway, store.ID{})
	key := func(c store.KeyChange) func() error {
		return func() error { _, err := store.UpdateKey(ctx, w.db, u.ID, k.ID, c, start); return err }
	}
	token := func(c store.TokenChange) func() error {
		return func() error { _, err := store.UpdateToken(ctx, w.db, u.ID, t.ID, c, start); return err }
	}
	user := func(c store.UserChange) func() error {
		return func() error { _, err := store.UpdateUser(ctx, w.db, u.ID, c, start); return err }
	}
	profile := func(c store.ProfileChange) func() error {
		return func() error { _, err := store.SetProfile(ctx, w.db, u.ID, c, start); return err }
	}
	for _, step := range []struct {
		name  string
		do    func() error
		bumps int64
	}{
		{"a key is added", func() error { w.key(u); return nil }, 1},
		{"a key's secret", key(store.KeyChange{Secret: store.To(store.Secret{Encrypted: []byte("s"), EncryptionKeyID: "k1", LastFour: "1234"})}), 1},
		{"a key's priority", key(store.KeyChange{Priority: store.To(2)}), 1},
		{"a key's models", key(store.KeyChange{AllowedModels: store.To([]string{"*"})}), 1},
		{"a key's default model", key(store.KeyChange{DefaultModel: store.To("m")}), 1},
		{"a key's limit", key(store.KeyChange{DailyLimit: store.To(&limit)}), 1},
		{"a key is disabled", key(store.KeyChange{Enabled: store.To(false)}), 1},
		{"a key is blocked", func() error { _, err := store.BlockKey(ctx, w.db, k.ID, true, start); return err }, 1},
		{"a key's rest is ended", func() error { return store.EndCooldowns(ctx, w.db, u.ID, k.ID) }, 1},
		{"a key's quota is reset", func() error { return store.ResetKey(ctx, w.db, u.ID, k.ID, today) }, 1},
		{"the strategy", profile(store.ProfileChange{Strategy: store.To("round-robin")}), 1},
		{"a token's models", token(store.TokenChange{AllowedModels: store.To([]string{"m"})}), 1},
		{"a token's requests at the same time", token(store.TokenChange{MaxConcurrent: store.To(&limit)}), 1},
		{"a limit is added", func() error { return store.CreateLimit(ctx, w.db, l) }, 1},
		{"a limit is changed", func() error {
			return store.UpdateLimit(ctx, w.db, l, store.LimitChange{Amount: store.To(limit)}, start)
		}, 1},
		{"a limit is reset", func() error { return store.ResetLimit(ctx, w.db, l, start) }, 1},
		{"a limit is deleted", func() error { return store.DeleteLimit(ctx, w.db, l) }, 1},
		{"a limit of the gateway", func() error { return store.CreateLimit(ctx, w.db, all) }, 1},
		{"a key is deleted", func() error { return store.DeleteKey(ctx, w.db, u.ID, k.ID) }, 1},

		{"the user's name", profile(store.ProfileChange{Name: store.To("New")}), 0},
		{"the user's role", user(store.UserChange{Role: store.To(store.RoleAdmin)}), 1},
		{"the password", func() error { return store.SetPassword(ctx, w.db, u.ID, "new", s.ID, false, start) }, 0},
		{"the password's hash", func() error { return store.RehashPassword(ctx, w.db, u.ID, "new", "newer") }, 0},
		{"a session is used", func() error { return store.TouchSession(ctx, w.db, s.ID, start+day) }, 0},
		{"a session is ended", func() error { return store.DeleteSession(ctx, w.db, u.ID, s.ID) }, 0},
		// What the reserve statement checks by itself needs no new table.
		{"a token is added", func() error { w.token(u); return nil }, 0},
		{"a token is disabled", token(store.TokenChange{Enabled: store.To(false)}), 0},
		{"a token's expiry", token(store.TokenChange{ExpiresAt: store.To(&limit)}), 0},
		{"a token is blocked", func() error { _, err := store.BlockToken(ctx, w.db, t.ID, true); return err }, 0},
		{"a token is deleted", func() error { return store.DeleteToken(ctx, w.db, u.ID, t.ID) }, 0},
		{"the user is disabled", user(store.UserChange{Enabled: store.To(false)}), 0},
		{"registration", func() error { return store.SetRegistration(ctx, w.db, true, start) }, 0},
		{"a settled request", func() error { return w.settle(w.record(u)) }, 0},
	} {
		before := w.revision(u)
		if err := step.do(); err != nil {
			w.Errorf("%s: %v", step.name, err)
		}
		if n := w.revision(u) - before; n != step.bumps {
			w.Errorf("%s: the revision grew by %d, want %d", step.name, n, step.bumps)
		}
	}
}

// If two changes made the same revision, a process would keep an old routing table.
func testRevisionCountsEveryChange(w *world) {
	w.user(admin)
	u := w.user()
	k := w.key(u)
	before := w.revision(u)
	const each = 20
	parallel(w.T, 4, func(g int) error {
		var errs []error
		for i := range each {
			var err error
			switch g {
			case 0:
				_, err = store.UpdateUser(ctx, w.db, u.ID, store.UserChange{Enabled: store.To(i%2 == 0)}, start)
			case 1:
				_, err = store.SetProfile(ctx, w.db, u.ID, store.ProfileChange{Strategy: store.To("round-robin")}, start)
			default:
				_, err = store.UpdateKey(ctx, w.db, u.ID, k.ID, store.KeyChange{Priority: store.To(g)}, start)
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if n := w.revision(u) - before; n != 3*each {
		w.Errorf("the revision grew by %d, want %d", n, 3*each)
	}
}
