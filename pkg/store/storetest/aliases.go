package storetest

import (
	"reflect"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func testAliases(w *world) {
	u, other := w.user(), w.user()
	warm, most := 0.5, int64(100)
	a := store.Alias{ID: store.NewID(start), User: u.ID, Name: "claude-sonnet-5", Strategy: "weighted", CreatedAt: start, UpdatedAt: start,
		Targets: []store.AliasTarget{{Model: "gpt-5.5", Provider: "openai", KeyIDs: []store.ID{{1}}, Weight: 3,
			Parameters: &store.AliasParameters{Temperature: &warm, MaxTokens: &most, ReasoningEffort: "low"}}, {Model: "claude-sonnet-5"}}}
	all := store.Alias{ID: store.NewID(start + 1), Name: "claude-sonnet-5", CreatedAt: start, UpdatedAt: start, Targets: []store.AliasTarget{{Model: "x"}}}
	revision := func(u store.User) int64 { return number(w.T, w.db, "select revision from users where id = $1", u.ID) }
	changed := func(what string, users ...store.User) func() {
		w.Helper()
		before := make([]int64, len(users))
		for i := range users {
			before[i] = revision(users[i])
		}
		return func() {
			w.Helper()
			for i := range users {
				if revision(users[i]) == before[i] {
					w.Errorf("%s: other processes keep the aliases of user %d", what, i)
				}
			}
		}
	}
	check := changed("created", u)
	must(w.T, store.CreateAlias(ctx, w.db, a))
	check()
	check = changed("created for everyone", u, other)
	must(w.T, store.CreateAlias(ctx, w.db, all))
	check()
	for _, taken := range []store.Alias{a, all} {
		taken.ID = store.NewID(start + 2)
		if err := store.CreateAlias(ctx, w.db, taken); store.CodeOf(err) != store.CodeConflict {
			w.Errorf("a name that is taken: %v", err)
		}
	}
	list := func(u store.User, want ...store.Alias) {
		w.Helper()
		got, err := store.Aliases(ctx, w.db, u.ID)
		if err != nil || !reflect.DeepEqual(got, want) {
			w.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
	list(u, a, all)
	list(other, all)
	if got, err := store.AliasByID(ctx, w.db, other.ID, all.ID); err != nil || !reflect.DeepEqual(got, all) {
		w.Errorf("%+v, %v", got, err)
	}
	_, err := store.AliasByID(ctx, w.db, other.ID, a.ID)
	w.is(err, store.ErrNotFound)

	before := a
	a.Name, a.Targets, a.Strategy, a.UpdatedAt = "fast", []store.AliasTarget{{Model: "y"}}, "", start+1
	check = changed("changed", u)
	must(w.T, store.UpdateAlias(ctx, w.db, a, before))
	check()
	before, a.User = a, store.ID{}
	check = changed("shared", u, other)
	must(w.T, store.UpdateAlias(ctx, w.db, a, before))
	check()
	list(other, all, a)
	before, a.User = a, u.ID
	check = changed("not shared any more", u, other)
	must(w.T, store.UpdateAlias(ctx, w.db, a, before))
	check()
	list(other, all)
	check = changed("deleted", u, other)
	must(w.T, store.DeleteAlias(ctx, w.db, all))
	check()
	w.is(store.DeleteAlias(ctx, w.db, all), store.ErrNotFound)
	w.is(store.UpdateAlias(ctx, w.db, all, all), store.ErrNotFound)
	list(u, a)
}
