package storetest

import (
	"math"
	"reflect"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func testTokens(w *world) {
	u, other := w.user(), w.user()
	if list, err := store.Tokens(ctx, w.db, u.ID); err != nil || list == nil || len(list) != 0 {
		w.Errorf("got %v, %v, want an empty list", list, err)
	}
	expires, three := int64(math.MaxInt64), int64(3)
	first := w.token(u)
	second := store.Token{ID: store.NewID(start + 1), UserID: u.ID, Name: "", Hash: []byte{0}, Blocked: true, ExpiresAt: &expires, CreatedAt: start + 1,
		TokenScope: store.TokenScope{AllowedModels: []string{"gpt-*"}, AllowedProviders: []string{"openai"}, AllowedEndpoints: []string{"chat"}}, MaxConcurrent: &three}
	must(w.T, store.CreateToken(ctx, w.db, second))
	theirs := w.token(other)
	list, err := store.Tokens(ctx, w.db, u.ID)
	if want := []store.TokenUse{{Token: first}, {Token: second}}; err != nil || !reflect.DeepEqual(list, want) {
		w.Errorf("got %+v, %v\nwant %+v", list, err, want)
	}
	if got, err := store.TokenByID(ctx, w.db, u.ID, second.ID); err != nil || !reflect.DeepEqual(got, second) {
		w.Errorf("got %+v, %v", got, err)
	}
	_, err = store.TokenByID(ctx, w.db, u.ID, theirs.ID)
	w.is(err, store.ErrNotFound)

	again := first
	again.ID = store.NewID(start)
	if err := store.CreateToken(ctx, w.db, again); store.CodeOf(err) != store.CodeConflict {
		w.Errorf("the same hash again: %v", err)
	}
	again.UserID, again.Hash = store.NewID(start), []byte("x")
	if err := store.CreateToken(ctx, w.db, again); store.CodeOf(err) != store.CodeReference {
		w.Errorf("a token without a user: %v", err)
	}

	w.is(store.DeleteToken(ctx, w.db, u.ID, theirs.ID), store.ErrNotFound)
	w.is(store.DeleteToken(ctx, w.db, u.ID, first.ID), nil)
	w.is(store.DeleteToken(ctx, w.db, u.ID, first.ID), store.ErrNotFound)
}

func testTokenChanges(w *world) {
	u, other := w.user(), w.user()
	want := w.token(u)
	theirs := w.token(other)
	at, two := start+day, int64(2)
	for _, step := range []struct {
		change store.TokenChange
		apply  func()
	}{
		{store.TokenChange{Name: store.To("renamed")}, func() { want.Name = "renamed" }},
		{store.TokenChange{Enabled: store.To(false)}, func() { want.Enabled = false }},
		{store.TokenChange{ExpiresAt: store.To(&at)}, func() { want.ExpiresAt = &at }},
		{store.TokenChange{}, func() {}},
		{store.TokenChange{MaxConcurrent: store.To(&two)}, func() { want.MaxConcurrent = &two }},
		{store.TokenChange{AllowedModels: store.To([]string{"a", "b*"}), AllowedProviders: store.To([]string{"gemini"})},
			func() { want.AllowedModels, want.AllowedProviders = []string{"a", "b*"}, []string{"gemini"} }},
		{store.TokenChange{AllowedEndpoints: store.To([]string{"messages"}), AllowedModels: store.To([]string{})},
			func() { want.AllowedEndpoints, want.AllowedModels = []string{"messages"}, []string{} }},
		{store.TokenChange{MaxConcurrent: store.To[*int64](nil)}, func() { want.MaxConcurrent = nil }},
		{store.TokenChange{ExpiresAt: store.To[*int64](nil)}, func() { want.ExpiresAt = nil }},
		{store.TokenChange{Name: store.To(""), Enabled: store.To(true), ExpiresAt: store.To(&at)}, func() { want.Name, want.Enabled, want.ExpiresAt = "", true, &at }},
	} {
		step.apply()
		got, err := store.UpdateToken(ctx, w.db, u.ID, want.ID, step.change, start)
		kept, err2 := store.TokenByID(ctx, w.db, u.ID, want.ID)
		if err != nil || err2 != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(kept, want) {
			w.Errorf("%+v: returned %+v, kept %+v, %v %v\nwant %+v", step.change, got, kept, err, err2, want)
		}
	}
	_, err := store.UpdateToken(ctx, w.db, u.ID, theirs.ID, store.TokenChange{Name: store.To("mine")}, start)
	w.is(err, store.ErrNotFound)

	must(w.T, w.db.Run(ctx, store.RehashToken(want.ID, []byte("not it"), []byte("wrong"))))
	must(w.T, w.db.Run(ctx, store.RehashToken(want.ID, want.Hash, []byte("right"))))
	if got, err := store.TokenByID(ctx, w.db, u.ID, want.ID); err != nil || string(got.Hash) != "right" {
		w.Errorf("hash %q, %v", got.Hash, err)
	}
	if got, err := store.TokenByID(ctx, w.db, other.ID, theirs.ID); err != nil || !reflect.DeepEqual(got, theirs) {
		w.Errorf("another's token changed: %+v, %v", got, err)
	}
}

func testTokenAdmin(w *world) {
	users := []store.User{w.user(), w.user()}
	var want []store.OwnedToken
	for i := range 7 {
		u := users[i%2]
		t := store.Token{ID: store.NewID(start + int64(i)), UserID: u.ID, Name: "t", Hash: []byte{byte(i)}, Enabled: true, CreatedAt: start, TokenScope: everything}
		must(w.T, store.CreateToken(ctx, w.db, t))
		want = append(want, store.OwnedToken{Token: t, OwnerEmail: u.Email})
	}
	var got []store.OwnedToken
	for page := (store.Page{Limit: 3}); ; page.After = got[len(got)-1].ID {
		list, err := store.AllTokens(ctx, w.db, page)
		must(w.T, err)
		if len(list) == 0 {
			break
		}
		got = append(got, list...)
	}
	if !reflect.DeepEqual(got, want) {
		w.Errorf("got %+v\nwant %+v", got, want)
	}
	for _, blocked := range []bool{true, false} {
		t, err := store.BlockToken(ctx, w.db, want[2].ID, blocked)
		if err != nil || t.Blocked != blocked || !t.Enabled || t.ID != want[2].ID {
			w.Errorf("got %+v, %v", t, err)
		}
	}
	_, err := store.BlockToken(ctx, w.db, store.NewID(start), true)
	w.is(err, store.ErrNotFound)
}
