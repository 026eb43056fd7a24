package storetest

import (
	"fmt"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func testLabels(w *world) {
	u, other := w.user(), w.user()
	token := w.token(u).ID
	eve := store.Label{Kind: store.EndUserLabel, Owner: token, Name: "eve"}
	tag := store.Label{Kind: store.TagLabel, Owner: u.ID, Name: "night"}
	cost := int64(7)
	settle := func(at int64, labels ...store.Label) {
		w.Helper()
		must(w.T, w.settle(w.record(u, func(r *store.Record) {
			r.ID, r.Token, r.Labels, r.Cost, r.Input, r.Output = store.NewID(at), token, labels, &cost, 10, 3
		})))
	}
	settle(start, eve, tag)
	settle(start+1, eve)
	known := eve
	known.Known = true
	settle(start+day, known)
	unknown := store.Label{Kind: store.EndUserLabel, Owner: token, Name: "never added", Known: true}
	settle(start, unknown)

	usage := func(user store.ID, kind store.LabelKind, from, to int64) string {
		w.Helper()
		list, err := store.LabelUsageBetween(ctx, w.db, user, kind, from, to, 10)
		must(w.T, err)
		text := ""
		for _, l := range list {
			text += fmt.Sprintf("%s %d %d %d; ", l.Label, l.Requests, l.Cost, l.Input)
		}
		return text
	}
	for got, want := range map[string]string{
		usage(u.ID, store.EndUserLabel, start, start+2*day):     "eve 3 21 30; other 1 7 10; ",
		usage(store.ID{}, store.EndUserLabel, start, start+1):   "eve 2 14 20; other 1 7 10; ",
		usage(u.ID, store.TagLabel, start-day, start+2*day):     "night 1 7 10; ",
		usage(other.ID, store.EndUserLabel, start, start+2*day): "",
		usage(u.ID, store.TagLabel, start+day, start+2*day):     "",
	} {
		if got != want {
			w.Errorf("%q, want %q", got, want)
		}
	}
	if n := number(w.T, w.db, "select count(*) from labels"); n != 2 {
		w.Errorf("%d labels, want 2", n)
	}
	list, err := store.EndUsers(ctx, w.db, u.ID, token, "", 10)
	must(w.T, err)
	if len(list) != 1 || list[0].Name != "eve" {
		w.Errorf("%+v", list)
	}

	name := "eve"
	each, own := w.limit(u, store.LimitEndUser, token), w.limit(u, store.LimitEndUser, token)
	own.ID, own.EndUser = store.NewID(start+1), &name
	for _, l := range []store.Limit{each, own} {
		must(w.T, store.CreateLimit(ctx, w.db, l))
	}
	window := "insert into limit_windows (limit_id, party, starts, used, unconfirmed, gen) values ($1, $2, 0, 5, 0, 0)"
	must(w.T, w.db.Run(ctx, store.Stmt{SQL: window, Args: []any{each.ID, eve.Party()}}, store.Stmt{SQL: window, Args: []any{each.ID, store.ID{1}}},
		store.Stmt{SQL: window, Args: []any{own.ID, make([]byte, 16)}}))
	before := number(w.T, w.db, "select revision from users where id = $1", u.ID)
	if err := store.DeleteEndUser(ctx, w.db, other.ID, token, "eve"); err != store.ErrNotFound {
		w.Errorf("another user's: %v", err)
	}
	must(w.T, store.DeleteEndUser(ctx, w.db, u.ID, token, "eve"))
	if got := usage(u.ID, store.EndUserLabel, start, start+2*day); got != "other 1 7 10; " {
		w.Errorf("left: %s", got)
	}
	if got := w.limitsOf(store.LimitFilter{User: u.ID}); len(got) != 1 || got[0].ID != each.ID {
		w.Errorf("limits %+v", got)
	}
	if n := number(w.T, w.db, "select count(*) from limit_windows"); n != 1 {
		w.Errorf("%d windows, want that of another end user", n)
	}
	if n := number(w.T, w.db, "select revision from users where id = $1", u.ID); n != before+1 {
		w.Errorf("revision %d after %d", n, before)
	}
	must(w.T, store.DeleteToken(ctx, w.db, u.ID, token))
	if got := usage(u.ID, store.EndUserLabel, start, start+2*day) + usage(u.ID, store.TagLabel, start, start+1); got != "night 1 7 10; " {
		w.Errorf("left of a deleted token: %s", got)
	}
}
