package storetest

import "github.com/alicetears/llm-gateway/pkg/store"

// A longer cooldown extends the one that runs, and keeps its beginning.
func testCooldowns(w *world) {
	u := w.user()
	k := w.key(u)
	for _, step := range []struct {
		name  string
		start store.Cooldown
		want  store.Cooldown
	}{
		{"the first", store.Cooldown{Revision: 2, Since: start, Until: start + minute, Class: "overloaded", Message: "busy"},
			store.Cooldown{Since: start, Until: start + minute, Class: "overloaded", Message: "busy"}},
		{"a shorter one", store.Cooldown{Revision: 2, Since: start + 1, Until: start + 2, Class: "rate_limited"},
			store.Cooldown{Since: start, Until: start + minute, Class: "overloaded", Message: "busy"}},
		{"a longer one", store.Cooldown{Revision: 2, Since: start + 2, Until: start + hour, Class: "out_of_money"},
			store.Cooldown{Since: start, Until: start + hour, Class: "out_of_money"}},
		{"one of an older revision", store.Cooldown{Revision: 1, Since: start + 3, Until: start + day, Class: "bad_key"},
			store.Cooldown{Since: start, Until: start + hour, Class: "out_of_money"}},
		{"one after the last has ended", store.Cooldown{Revision: 2, Since: start + hour, Until: start + day, Class: "overloaded", Message: "again"},
			store.Cooldown{Since: start + hour, Until: start + day, Class: "overloaded", Message: "again"}},
	} {
		c := step.start
		c.Key = k.ID
		must(w.T, w.db.Run(ctx, store.StartCooldown(c)))
		w.cooldown(step.name, u, k, step.want)
	}
	must(w.T, store.EndCooldown(ctx, w.db, u.ID, k.ID))
	w.cooldown("ended", u, k, store.Cooldown{})

	// A process of an earlier version writes no beginning.
	exec(w.T, w.db, "update provider_keys set rest_until = 1770091600000, rest_class = 'overloaded'")
	w.cooldown("an older process's", u, k, store.Cooldown{Until: 1770091600000, Class: "overloaded"})
	must(w.T, w.db.Run(ctx, store.StartCooldown(store.Cooldown{Key: k.ID, Revision: 3, Since: start, Until: start + day, Class: "overloaded"})))
	w.cooldown("an older process's, extended", u, k, store.Cooldown{Since: start, Until: start + day, Class: "overloaded"})

	secret := store.Secret{Encrypted: []byte("new"), EncryptionKeyID: "k1", LastFour: "wxyz"}
	_, err := store.UpdateKey(ctx, w.db, u.ID, k.ID, store.KeyChange{Secret: store.To(secret)}, start)
	must(w.T, err)
	w.cooldown("a new secret", u, k, store.Cooldown{})
}

func (w *world) cooldown(when string, u store.User, k store.Key, want store.Cooldown) {
	w.Helper()
	got, err := store.KeyByID(ctx, w.db, u.ID, k.ID, today)
	must(w.T, err)
	if c := (store.Cooldown{Since: got.CooldownSince, Until: got.CooldownUntil, Class: got.CooldownClass, Message: got.CooldownMessage}); c != want {
		w.Errorf("%s: %+v, want %+v", when, c, want)
	}
}
