package storetest

import (
	"reflect"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// odd are texts that an escape, a collation or a normalization would change.
var odd = []string{
	"", " ", "  padded\t", "ünïcödé", "u\u0308 is not \u00fc", "世界 🜁 👩‍👩‍👧", "\u202ertl\u202c\u200b", "\ufeffbom", "İıſK", "ß ẞ",
	`\`, `\x41`, `%_'"` + "`", "$1 ?1 :name @name", "-- comment", "/* sqlite */", "{}[]", "null", "NULL", "0", "1e3", "true", "line\r\nline\n", "\x01\x7f",
	"\U0010ffff", strings.Repeat("𝔘", 2000),
}

func testText(w *world) {
	for i, s := range odd {
		u := w.user(func(u *store.User) { u.Email, u.Name, u.PasswordHash, u.Strategy = s+"@example.com", s, s, s })
		if got, _, err := store.UserByEmail(ctx, w.db, u.Email); err != nil || got != u {
			w.Errorf("%q: user %+v, %v", s, got, err)
		}
		t := w.token(u)
		t.Name = s
		if got, err := store.UpdateToken(ctx, w.db, u.ID, t.ID, store.TokenChange{Name: store.To(s)}, start); err != nil || !reflect.DeepEqual(got, t) {
			w.Errorf("%q: token %+v, %v", s, got, err)
		}
		k := w.key(u, func(k *store.Key) {
			k.Provider, k.Name, k.EncryptionKeyID, k.LastFour, k.AllowedModels, k.DefaultModel = s, s, s, s, []string{s, "", s}, s
		})
		if got, err := store.KeyByID(ctx, w.db, u.ID, k.ID, today); err != nil || !reflect.DeepEqual(got.Key, k) {
			w.Errorf("%q: key %+v, %v", s, got, err)
		}
		r := w.record(u, func(r *store.Record) { r.Provider, r.Model, r.Trace = s, s, s })
		must(w.T, w.settle(r))
		if got, trace, err := store.RequestByID(ctx, w.db, u.ID, r.ID); err != nil || !reflect.DeepEqual(got, kept(r)) || trace != s {
			w.Errorf("%q: request %+v, %q, %v", s, got, trace, err)
		}
		rep, err := store.UsageBetween(ctx, w.db, u.ID, start, start+1, store.ByModel)
		if err != nil || len(rep.Usage) != 1 || rep.Usage[0].Text != s {
			w.Errorf("%q: usage %+v, %v", s, rep.Usage, err)
		}
		if n := number(w.T, w.db, "select count(*) from users where email = $1", s+"@example.com"); n != 1 {
			w.Errorf("text %d is not told apart: %d users", i, n)
		}
	}
}

// Text that cannot be kept fails the whole run and leaves nothing of it.
func testBadNames(w *world) {
	u := w.user()
	for _, s := range []string{"nul\x00byte", "\xff\xfe", "cut \xe4\xb8"} {
		if err := w.settle(w.record(u), w.record(u, func(r *store.Record) { r.Model = s })); store.CodeOf(err) != store.CodeOther {
			w.Errorf("%q: %v", s, err)
		}
		if err := store.CreateToken(ctx, w.db, store.Token{ID: store.NewID(start), UserID: u.ID, Name: s, Hash: []byte(s)}); store.CodeOf(err) != store.CodeOther {
			w.Errorf("%q: %v", s, err)
		}
	}
	for _, table := range []string{"requests", "usage_hours", "tokens"} {
		if n := number(w.T, w.db, "select count(*) from "+table); n != 0 {
			w.Errorf("%s: %d rows of runs that failed", table, n)
		}
	}
	for _, s := range []string{"'; delete from users; --", "' or '1'='1"} {
		_, _, err := store.UserByEmail(ctx, w.db, s)
		w.is(err, store.ErrNotFound)
		if list, err := store.Keys(ctx, w.db, u.ID, store.KeyFilter{Provider: s}, today); err != nil || len(list) != 0 {
			w.Errorf("%q found %d keys, %v", s, len(list), err)
		}
	}
	if n := number(w.T, w.db, "select count(*) from users"); n != 1 {
		w.Errorf("%d users", n)
	}
}
