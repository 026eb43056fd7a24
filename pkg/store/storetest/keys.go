package storetest

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func testKeys(w *world) {
	u, other := w.user(), w.user()
	if list, err := store.Keys(ctx, w.db, u.ID, store.KeyFilter{}, today); err != nil || list == nil || len(list) != 0 {
		w.Errorf("got %v, %v, want an empty list", list, err)
	}
	limit := int64(100)
	want := []store.KeyUse{
		{Key: w.key(u)},
		{Key: w.key(u, func(k *store.Key) {
			k.ID = store.NewID(start + 1)
			k.Provider, k.Name, k.Priority, k.Enabled, k.DailyLimit = "groq", "", 7, false, &limit
			k.AllowedModels, k.DefaultModel = []string{"llama-*", `"quoted", \ and ünïcode 🜁`, "*"}, "llama-3"
		})},
	}
	w.key(other)
	got, err := store.Keys(ctx, w.db, u.ID, store.KeyFilter{}, today)
	if err != nil || !reflect.DeepEqual(got, want) {
		w.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	for _, k := range want {
		if got, err := store.KeyByID(ctx, w.db, u.ID, k.ID, today); err != nil || !reflect.DeepEqual(got, k) {
			w.Errorf("got %+v, %v\nwant %+v", got, err, k)
		}
		_, err := store.KeyByID(ctx, w.db, other.ID, k.ID, today)
		w.is(err, store.ErrNotFound)
	}
	_, err = store.KeyByID(ctx, w.db, u.ID, store.ID{}, today)
	w.is(err, store.ErrNotFound)

	nobody := want[0].Key
	nobody.ID, nobody.UserID = store.NewID(start), store.NewID(start)
	if err := store.CreateKey(ctx, w.db, nobody); store.CodeOf(err) != store.CodeReference {
		w.Errorf("a key without a user: %v", err)
	}
}

func testKeyFilters(w *world) {
	u := w.user()
	on, off := true, false
	var keys []store.Key
	for i := range 12 {
		keys = append(keys, w.key(u, func(k *store.Key) {
			k.ID = store.NewID(start + int64(i))
			k.Provider, k.Enabled = []string{"openai", "groq", "mistral"}[i%3], i%2 == 0
		}))
	}
	for _, f := range []store.KeyFilter{
		{}, {Provider: "groq"}, {Enabled: &on}, {Enabled: &off, Provider: "openai"}, {ID: keys[4].ID}, {ID: keys[4].ID, Provider: "openai"},
		{ID: keys[4].ID, Enabled: &off}, {Provider: "nobody's"}, {ID: store.NewID(start)},
	} {
		var want []store.ID
		for _, k := range keys {
			if (f.ID.IsZero() || k.ID == f.ID) && (f.Provider == "" || k.Provider == f.Provider) && (f.Enabled == nil || k.Enabled == *f.Enabled) {
				want = append(want, k.ID)
			}
		}
		list, err := store.Keys(ctx, w.db, u.ID, f, today)
		var got []store.ID
		for _, k := range list {
			got = append(got, k.ID)
		}
		if err != nil || !slices.Equal(got, want) {
			w.Errorf("%+v: got %d keys, %v, want %d", f, len(got), err, len(want))
		}
	}
}

func testKeyChanges(w *world) {
	u, other := w.user(), w.user()
	want, theirs := w.key(u), w.key(other)
	failures := [5]int64{90}
	for _, k := range []store.Key{want, theirs} {
		w.start(store.Failure{User: k.UserID, Revision: 2, Subject: k.ID, Now: 9, Began: 9, Steps: failures, Class: "bad_key", Message: "no"})
	}
	cooldown := []store.Cooldown{{CooldownID: store.CooldownID{Subject: want.ID}, Since: 9, Until: 99, Class: "bad_key", Message: "no", Failures: 1}}
	want.Cooldowns = cooldown
	limit, largest := int64(0), int64(math.MaxInt64)
	now := start
	for _, step := range []struct {
		change store.KeyChange
		apply  func(k *store.Key)
	}{
		{store.KeyChange{Name: store.To("renamed")}, func(k *store.Key) { k.Name = "renamed" }},
		{store.KeyChange{Priority: store.To(-3)}, func(k *store.Key) { k.Priority = -3 }},
		{store.KeyChange{Enabled: store.To(false)}, func(k *store.Key) { k.Enabled = false }},
		{store.KeyChange{AllowedModels: store.To([]string{"a", "b*"})}, func(k *store.Key) { k.AllowedModels = []string{"a", "b*"} }},
		{store.KeyChange{AllowedModels: store.To[[]string](nil)}, func(k *store.Key) { k.AllowedModels = []string{} }},
		{store.KeyChange{DefaultModel: store.To("a")}, func(k *store.Key) { k.DefaultModel = "a" }},
		{store.KeyChange{DailyLimit: store.To(&limit)}, func(k *store.Key) { k.DailyLimit = &limit }},
		{store.KeyChange{DailyLimit: store.To(&largest)}, func(k *store.Key) { k.DailyLimit = &largest }},
		{store.KeyChange{}, func(*store.Key) {}},
		{store.KeyChange{Secret: store.To(store.Secret{Encrypted: []byte("s2"), EncryptionKeyID: "k2", LastFour: "wxyz"})}, func(k *store.Key) {
			k.Encrypted, k.EncryptionKeyID, k.LastFour = []byte("s2"), "k2", "wxyz"
			k.Cooldowns = nil
		}},
		{store.KeyChange{Name: store.To(""), Priority: store.To(math.MaxInt32), Enabled: store.To(true), DefaultModel: store.To(""), DailyLimit: store.To[*int64](nil)},
			func(k *store.Key) {
				k.Name, k.Priority, k.Enabled, k.DefaultModel, k.DailyLimit = "", math.MaxInt32, true, "", nil
			}},
	} {
		now++
		step.apply(&want)
		want.UpdatedAt = now
		got, err := store.UpdateKey(ctx, w.db, u.ID, want.ID, step.change, now)
		kept, err2 := store.KeyByID(ctx, w.db, u.ID, want.ID, today)
		if err != nil || err2 != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(kept.Key, want) {
			w.Errorf("%+v: returned %+v, kept %+v, %v %v\nwant %+v", step.change, got, kept, err, err2, want)
		}
	}
	w.start(store.Failure{User: u.ID, Revision: w.revision(u), Subject: want.ID, Now: 9, Began: 9, Steps: failures, Class: "bad_key", Message: "no"})
	w.is(store.EndCooldowns(ctx, w.db, other.ID, want.ID), store.ErrNotFound)
	must(w.T, store.EndCooldowns(ctx, w.db, u.ID, want.ID))
	if got, err := store.KeyByID(ctx, w.db, u.ID, want.ID, today); err != nil || !reflect.DeepEqual(got.Key, want) {
		w.Errorf("after its cooldown: %+v, %v\nwant %+v", got, err, want)
	}
	if got, err := store.KeyByID(ctx, w.db, other.ID, theirs.ID, today); err != nil || len(got.Cooldowns) != 1 || got.Cooldowns[0].Until != 99 || got.Name != theirs.Name {
		w.Errorf("another's key changed: %+v, %v", got, err)
	}
}

func testKeyLimits(w *world) {
	u := w.user()
	for _, limit := range []int64{0, 1, math.MaxInt32 + 1, math.MaxInt64} {
		for _, priority := range []int{math.MinInt32, 0, math.MaxInt32} {
			k := w.key(u, func(k *store.Key) {
				k.DailyLimit, k.Priority, k.Encrypted, k.Name = &limit, priority, make([]byte, 20_000), strings.Repeat("ñ", 5000)
			})
			if got, err := store.KeyByID(ctx, w.db, u.ID, k.ID, math.MaxInt64); err != nil || !reflect.DeepEqual(got.Key, k) {
				w.Errorf("limit %d, priority %d: %v", limit, priority, err)
			}
		}
	}
}

// Users neither change nor see each other's keys.
func testKeyOwners(w *world) {
	u, other := w.user(), w.user()
	k := w.key(u)
	before := w.revision(u)
	_, err := store.UpdateKey(ctx, w.db, other.ID, k.ID, store.KeyChange{Name: store.To("mine")}, start)
	w.is(err, store.ErrNotFound)
	w.is(store.DeleteKey(ctx, w.db, other.ID, k.ID), store.ErrNotFound)
	w.is(store.ResetKey(ctx, w.db, other.ID, k.ID, today), store.ErrNotFound)
	w.is(store.EndCooldowns(ctx, w.db, other.ID, k.ID), store.ErrNotFound)
	_, err = store.KeyDays(ctx, w.db, other.ID, k.ID, today, 30)
	w.is(err, store.ErrNotFound)
	if got, err := store.KeyByID(ctx, w.db, u.ID, k.ID, today); err != nil || !reflect.DeepEqual(got.Key, k) {
		w.Errorf("the key changed: %+v, %v", got, err)
	}
	if n := number(w.T, w.db, "select count(*) from key_days"); n != 0 || w.revision(u) != before {
		w.Errorf("%d days, revision %d, want 0 and %d", n, w.revision(u), before)
	}
}

func testKeyAdmin(w *world) {
	users := []store.User{w.user(), w.user()}
	var want []store.OwnedKey
	for i := range 7 {
		u := users[i%2]
		want = append(want, store.OwnedKey{OwnerEmail: u.Email, Key: w.key(u, func(k *store.Key) { k.ID = store.NewID(start + int64(i)) })})
	}
	for _, limit := range []int{1, 3, math.MaxInt} {
		var got []store.OwnedKey
		for page := (store.Page{Limit: limit}); ; page.After = got[len(got)-1].ID {
			list, err := store.AllKeys(ctx, w.db, page, today)
			must(w.T, err)
			if len(list) == 0 {
				break
			}
			got = append(got, list...)
		}
		if !reflect.DeepEqual(got, want) {
			w.Errorf("pages of %d: got %+v\nwant %+v", limit, got, want)
		}
	}
	exec(w.T, w.db, fmt.Sprintf("insert into key_days (key_id, day, used) select id, %d, 3 from provider_keys", today))
	if list, err := store.AllKeys(ctx, w.db, store.Page{Limit: 1}, today); err != nil || len(list) != 1 || list[0].UsedToday != 3 {
		w.Errorf("got %+v, %v, want 3 requests today", list, err)
	}
	for _, blocked := range []bool{true, false} {
		k, err := store.BlockKey(ctx, w.db, want[2].ID, blocked, start+1)
		if err != nil || k.Blocked != blocked || !k.Enabled || k.UpdatedAt != start+1 || k.UsedToday != 3 {
			w.Errorf("got %+v, %v", k, err)
		}
	}
	_, err := store.BlockKey(ctx, w.db, store.NewID(start), true, start)
	w.is(err, store.ErrNotFound)
}

// A slug is unique among a user's keys of custom endpoints, and is no other user's. Its settings come with the routing,
// with the role of their owner as it is.
func testCustomKeys(w *world) {
	u, other := w.user(), w.user()
	custom := func(k *store.Key) { k.Provider, k.Custom = "box", `{"baseUrl":"http://127.0.0.1:1"}` }
	k := w.key(u, custom)
	w.key(other, custom)
	w.key(u, func(k *store.Key) { k.Provider = "box" }) // of a provider that has come to have this id
	twin := k
	twin.ID = store.NewID(start + 5)
	if err := store.CreateKey(ctx, w.db, twin); store.CodeOf(err) != store.CodeConflict {
		w.Errorf("a second key of the slug: %v", err)
	}
	if got, err := store.KeyByID(ctx, w.db, u.ID, k.ID, today); err != nil || got.Custom != k.Custom {
		w.Errorf("got %+v, %v", got, err)
	}
	if list, err := store.Keys(ctx, w.db, u.ID, store.KeyFilter{Custom: true}, today); err != nil || len(list) != 1 || list[0].ID != k.ID {
		w.Errorf("got %+v, %v", list, err)
	}
	changed, err := store.UpdateKey(ctx, w.db, u.ID, k.ID, store.KeyChange{Custom: store.To(store.CustomChange{Slug: "crate", Settings: "{}"})}, start+1)
	if err != nil || changed.Provider != "crate" || changed.Custom != "{}" {
		w.Errorf("got %+v, %v", changed, err)
	}
	for _, role := range []store.Role{store.RoleAdmin, store.RoleUser} {
		before := w.revision(u)
		w.user(admin) // one stays
		_, err := store.UpdateUser(ctx, w.db, u.ID, store.UserChange{Role: store.To(role)}, start+2)
		must(w.T, err)
		routing, err := store.LoadRouting(ctx, w.db, store.Credential{User: u.ID})
		must(w.T, err)
		for _, r := range routing.Keys {
			if isCustom := r.ID == k.ID; (r.Custom != "") != isCustom || r.ByAdmin != (isCustom && role == store.RoleAdmin) {
				w.Errorf("%s: got %+v", role, r)
			}
		}
		if role == store.RoleAdmin && w.revision(u) == before {
			w.Error("another role does not raise the revision")
		}
	}
}

func testKeyEncryption(w *world) {
	u := w.user()
	var old []store.Key
	for i := range 5 {
		old = append(old, w.key(u, func(k *store.Key) { k.ID = store.NewID(start + int64(i)) }))
	}
	w.key(u, func(k *store.Key) { k.EncryptionKeyID = "current" })
	before := w.revision(u)
	for _, k := range old {
		list, err := store.KeysNotEncryptedBy(ctx, w.db, "current", store.Page{Limit: 2})
		if err != nil || len(list) == 0 || !reflect.DeepEqual(list[0], k) {
			w.Fatalf("got %+v, %v, want %s first", list, err, k.ID)
		}
		changed := k
		changed.Encrypted = []byte("entered again meanwhile")
		if done, err := store.ReencryptKey(ctx, w.db, changed, []byte("lost"), "current"); err != nil || done {
			w.Errorf("a secret that was entered again was replaced: %v, %v", done, err)
		}
		if done, err := store.ReencryptKey(ctx, w.db, k, []byte("encrypted again"), "current"); err != nil || !done {
			w.Errorf("not encrypted again: %v, %v", done, err)
		}
	}
	if list, err := store.KeysNotEncryptedBy(ctx, w.db, "current", store.Page{Limit: 2}); err != nil || len(list) != 0 {
		w.Errorf("left: %+v, %v", list, err)
	}
	if n := number(w.T, w.db, "select count(*) from provider_keys where sealing_key = 'current' and user_id = $1", u.ID); n != 6 || w.revision(u) != before {
		w.Errorf("%d encrypted, revision %d; want 6 and %d: the secret is the same", n, w.revision(u), before)
	}
}

func testDeletedKey(w *world) {
	u := w.user()
	gone, stays := w.key(u), w.key(u)
	for _, k := range []store.Key{gone, stays} {
		must(w.T, store.ResetKey(ctx, w.db, u.ID, k.ID, today))
		must(w.T, store.ResetKey(ctx, w.db, u.ID, k.ID, today+1))
	}
	must(w.T, store.DeleteKey(ctx, w.db, u.ID, gone.ID))
	if n := number(w.T, w.db, "select count(*) from key_days where key_id = $1", stays.ID); n != 2 {
		w.Errorf("%d days of the other key left, want 2", n)
	}
	if n := number(w.T, w.db, "select count(*) from key_days"); n != 2 {
		w.Errorf("%d days left, want 2", n)
	}
	w.is(store.DeleteKey(ctx, w.db, u.ID, gone.ID), store.ErrNotFound)
}

// A reset empties the day and begins a new generation, so that what was reserved before it
// is released in no generation.
func testQuotaResets(w *world) {
	u := w.user()
	k := w.key(u)
	day := func() (used, gen int64) {
		w.Helper()
		found := false
		must(w.T, w.db.Run(ctx, store.Stmt{SQL: "select used, gen from key_days where key_id = $1 and day = $2", Args: []any{k.ID, today},
			Each: store.First(&found, &used, &gen)}))
		if !found {
			w.Error("the day has no row")
		}
		return used, gen
	}
	for want := int64(1); want <= 3; want++ { // also before the day's first request
		must(w.T, store.ResetKey(ctx, w.db, u.ID, k.ID, today))
		if used, gen := day(); used != 0 || gen != want {
			w.Errorf("used %d of generation %d, want 0 of %d", used, gen, want)
		}
		must(w.T, w.db.Run(ctx, store.Stmt{SQL: "update key_days set used = 5"}))
	}
	if got, err := store.KeyByID(ctx, w.db, u.ID, k.ID, today); err != nil || got.UsedToday != 5 {
		w.Errorf("used today %d, %v, want 5", got.UsedToday, err)
	}
	if got, err := store.KeyByID(ctx, w.db, u.ID, k.ID, today+1); err != nil || got.UsedToday != 0 {
		w.Errorf("used tomorrow %d, %v, want 0", got.UsedToday, err)
	}
	// Resets at once are each a generation of its own.
	parallel(w.T, 10, func(int) error { return store.ResetKey(ctx, w.db, u.ID, k.ID, today) })
	if used, gen := day(); used != 0 || gen != 13 {
		w.Errorf("used %d of generation %d, want 0 of 13", used, gen)
	}
}
