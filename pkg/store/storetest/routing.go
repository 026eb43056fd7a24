package storetest

import (
	"reflect"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func testRouting(w *world) {
	u, other := w.user(), w.user()
	token := w.token(u)
	w.key(other)
	later := w.key(u, func(k *store.Key) { k.Priority, k.AllowedModels, k.DefaultModel = 2, []string{"gpt-*"}, "gpt-4o" })
	first := w.key(u)
	daily := int64(9)
	disabled := w.key(u, func(k *store.Key) { k.Priority, k.Enabled, k.DailyLimit = 3, false, &daily })
	limits := []store.Limit{w.limit(u, store.LimitToken, token.ID), w.limit(store.User{}, store.LimitGateway, store.ID{}), w.limit(other, store.LimitUser, other.ID)}
	for i := range limits {
		limits[i].ID = store.NewID(start + int64(i))
		must(w.T, store.CreateLimit(ctx, w.db, limits[i]))
	}
	aliases := []store.Alias{{User: u.ID, Name: "a"}, {Name: "a"}, {User: other.ID, Name: "b"}}
	for i := range aliases {
		aliases[i].ID, aliases[i].Targets = store.NewID(start+int64(i)), []store.AliasTarget{{Model: "m"}}
		must(w.T, store.CreateAlias(ctx, w.db, aliases[i]))
	}
	must(w.T, w.db.Run(ctx, store.Stmt{SQL: "update users set strategy = 'round-robin', revision = 7 where id = $1", Args: []any{u.ID}}))
	bySession := store.Routing{User: u.ID, Revision: 7, Strategy: "round-robin", Limits: limits[:2], Aliases: aliases[:2]}
	for _, k := range []store.Key{first, later, disabled} {
		bySession.Keys = append(bySession.Keys, store.RoutingKey{ID: k.ID, Provider: k.Provider, Name: k.Name, Priority: int64(k.Priority),
			Enabled: k.Enabled, AllowedModels: k.AllowedModels, DefaultModel: k.DefaultModel, Encrypted: k.Encrypted, EncryptionKeyID: k.EncryptionKeyID, DailyLimited: k.DailyLimit != nil})
	}
	byToken := bySession
	byToken.Token, byToken.TokenHash, byToken.TokenScope = token.ID, token.Hash, token.TokenScope
	for name, c := range map[string]struct {
		credential store.Credential
		want       store.Routing
		err        error
	}{
		"user":       {store.Credential{User: u.ID}, bySession, nil},
		"token":      {store.Credential{Token: token.ID}, byToken, nil},
		"hash":       {store.Credential{Hashes: [][]byte{token.Hash}}, byToken, nil},
		"two hashes": {store.Credential{Hashes: [][]byte{[]byte("another"), token.Hash}}, byToken, nil},
		"no hash":    {store.Credential{Hashes: [][]byte{[]byte("another")}}, store.Routing{}, store.ErrNotFound},
		"no token":   {store.Credential{Token: u.ID}, store.Routing{}, store.ErrNotFound},
		"no user":    {store.Credential{User: token.ID}, store.Routing{}, store.ErrNotFound},
	} {
		got, err := store.LoadRouting(ctx, w.db, c.credential)
		if err != c.err || !reflect.DeepEqual(got, c.want) {
			w.Errorf("%s: %+v, %v\nwant %+v, %v", name, got, err, c.want, c.err)
		}
	}
	must(w.T, store.DeleteAlias(ctx, w.db, aliases[1])) // it is for every user
}
