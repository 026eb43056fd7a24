package storetest

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func testSessions(w *world) {
	u, other := w.user(), w.user()
	s := w.session(u, start)
	got, user, err := store.SessionByID(ctx, w.db, s.ID, start)
	if err != nil || got != s || user != u {
		w.Errorf("got %+v, %+v, %v", got, user, err)
	}
	for at, want := range map[int64]error{s.ExpiresAt - 1: nil, s.ExpiresAt: store.ErrNotFound, s.ExpiresAt + day: store.ErrNotFound} {
		_, _, err := store.SessionByID(ctx, w.db, s.ID, at)
		w.is(err, want)
	}
	_, _, err = store.SessionByID(ctx, w.db, store.NewID(start), start)
	w.is(err, store.ErrNotFound)

	// Seen at most once a minute.
	for _, step := range []struct{ at, seen int64 }{{start + minute - 1, start}, {start + minute, start + minute}, {start + 2*minute - 1, start + minute}} {
		must(w.T, store.TouchSession(ctx, w.db, s.ID, step.at))
		got, _, err := store.SessionByID(ctx, w.db, s.ID, start)
		if err != nil || got.LastSeenAt != step.seen {
			w.Errorf("after a touch at +%d ms seen at +%d, want +%d (%v)", step.at-start, got.LastSeenAt-start, step.seen-start, err)
		}
		if stale := (store.Session{LastSeenAt: step.seen}).Stale(step.at); stale {
			w.Errorf("stale right after a touch at +%d ms", step.at-start)
		}
	}

	w.is(store.DeleteSession(ctx, w.db, other.ID, s.ID), store.ErrNotFound)
	w.is(store.DeleteSession(ctx, w.db, u.ID, s.ID), nil)
	w.is(store.DeleteSession(ctx, w.db, u.ID, s.ID), store.ErrNotFound)

	s = w.session(u, start)
	must(w.T, w.db.Run(ctx, store.Stmt{SQL: "update users set enabled = $1", Args: []any{false}}))
	_, _, err = store.SessionByID(ctx, w.db, s.ID, start)
	w.is(err, store.ErrNotFound)

	err = store.CreateSession(ctx, w.db, store.Session{ID: store.NewID(start), UserID: store.NewID(start)})
	if store.CodeOf(err) != store.CodeReference {
		w.Errorf("a session without a user: %v", err)
	}
}

func testSessionBounds(w *world) {
	u, other := w.user(), w.user()
	theirs := w.session(other, start-day/2)
	const surplus = 7
	var want []store.Session
	for i := range store.MaxSessions + surplus {
		want = append(want, w.session(u, start+int64(i)))
	}
	slices.Reverse(want)
	want = want[:store.MaxSessions]
	got, err := store.Sessions(ctx, w.db, u.ID, start)
	if err != nil || !slices.Equal(got, want) {
		w.Errorf("%d sessions, %v; want the %d newest, newest first", len(got), err, store.MaxSessions)
	}
	if got, err = store.Sessions(ctx, w.db, u.ID, want[10].ExpiresAt); err != nil || !slices.Equal(got, want[:10]) {
		w.Errorf("%d sessions that have not expired, %v, want 10", len(got), err)
	}
	token, theirToken := w.token(u), w.token(other)
	ended, disabled, err := store.Revoke(ctx, w.db, u.ID, want[3].ID, false)
	if err != nil || ended != store.MaxSessions-1 || disabled != 0 {
		w.Errorf("%d sessions ended, %d tokens disabled, %v", ended, disabled, err)
	}
	if got, err = store.Sessions(ctx, w.db, u.ID, start); err != nil || !slices.Equal(got, want[3:4]) {
		w.Errorf("%d sessions left, %v", len(got), err)
	}
	if ended, disabled, err = store.Revoke(ctx, w.db, u.ID, store.ID{}, true); err != nil || ended != 1 || disabled != 1 {
		w.Errorf("%d sessions ended, %d tokens disabled, %v", ended, disabled, err)
	}
	for owner, t := range map[store.ID]store.Token{u.ID: token, other.ID: theirToken} {
		if got, err := store.TokenByID(ctx, w.db, owner, t.ID); err != nil || got.Enabled != (owner == other.ID) {
			w.Errorf("the token is enabled: %v, %v", got.Enabled, err)
		}
	}
	if got, err = store.Sessions(ctx, w.db, u.ID, start); err != nil || got == nil || len(got) != 0 {
		w.Errorf("sessions left: %v, %v, want an empty list", got, err)
	}
	if got, err = store.Sessions(ctx, w.db, other.ID, start); err != nil || !slices.Equal(got, []store.Session{theirs}) {
		w.Errorf("another's sessions: %+v, %v", got, err)
	}
}

func testSessionPurge(w *world) {
	u := w.user()
	for i := range 10 {
		w.session(u, start+int64(i))
	}
	now := start + day + 6 // seven have expired
	for _, want := range []int64{4, 3, 0} {
		if n, err := store.PurgeSessions(ctx, w.db, now, 4); err != nil || n != want {
			w.Errorf("purged %d, %v, want %d", n, err, want)
		}
	}
	if got, err := store.Sessions(ctx, w.db, u.ID, start); err != nil || len(got) != 3 {
		w.Errorf("%d sessions left, %v, want 3", len(got), err)
	}
}
