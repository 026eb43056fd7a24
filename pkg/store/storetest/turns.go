package storetest

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func (w *world) turn(u store.User, n byte, expires int64) store.Turn {
	w.Helper()
	t := store.Turn{ID: store.ID{n, 0xff}, UserID: u.ID, KeyID: store.NewID(start), Sealed: []byte{0, n}, SealingKey: "k1", ExpiresAt: expires}
	must(w.T, w.db.Run(ctx, store.HoldTurn(t)))
	return t
}

func testTurns(w *world) {
	u, other := w.user(), w.user()
	var want []store.Turn
	var ids []store.ID
	for n := range byte(70) {
		t := w.turn(u, n, start+1)
		want, ids = append(want, t), append(ids, t.ID)
	}
	w.turn(u, 200, start) // has expired
	w.turn(other, 201, start+day)
	ids = append(ids, store.ID{200, 0xff}, store.ID{201, 0xff}, store.ID{202, 0xff}, ids[0])
	for _, n := range []int{0, 1, 2, 3, 64, 65, len(ids)} { // statements are made for a power of two of ids
		got, err := store.Turns(ctx, w.db, u.ID, ids[:n], start)
		slices.SortFunc(got, func(a, b store.Turn) int { return cmp.Compare(string(a.ID[:]), string(b.ID[:])) })
		if held := want[:min(n, len(want))]; err != nil || len(got) != len(held) || n > 0 && !reflect.DeepEqual(got, held) {
			w.Errorf("%d ids: %d turns, %v, want %d", n, len(got), err, len(held))
		}
	}
	many := make([]store.ID, store.MaxTurns+50)
	for i := range many {
		many[i] = store.ID{byte(i), byte(i >> 8), 1}
	}
	many[store.MaxTurns-1], many[store.MaxTurns] = ids[1], ids[2]
	if got, err := store.Turns(ctx, w.db, u.ID, many, start); err != nil || len(got) != 1 || got[0].ID != ids[1] {
		w.Errorf("beyond the bound: %d turns, %v", len(got), err)
	}

	again := want[5]
	again.KeyID, again.Sealed, again.SealingKey, again.ExpiresAt = store.NewID(start), []byte(strings.Repeat("x", 300_000)), "k2", start+day
	must(w.T, w.db.Run(ctx, store.HoldTurn(again)))
	if got, err := store.Turns(ctx, w.db, u.ID, []store.ID{again.ID}, start); err != nil || !reflect.DeepEqual(got, []store.Turn{again}) {
		w.Errorf("a turn that is held again: %v, %v", len(got), err)
	}
}

func testTurnPurge(w *world) {
	users := []store.User{w.user(), w.user()}
	for n := range byte(10) {
		w.turn(users[n%2], n/2, start+int64(n)) // the same ids for both
	}
	for _, want := range []int64{3, 3, 1, 0} { // the seven that have expired, the oldest first
		n, err := store.PurgeTurns(ctx, w.db, start+6, 3)
		if err != nil || n != want {
			w.Errorf("purged %d, %v, want %d", n, err, want)
		}
	}
	if least := number(w.T, w.db, "select min(expires_at) from turns"); least != start+7 {
		w.Errorf("what expires at +%d is left, want +7", least-start)
	}
	must(w.T, w.db.Run(ctx, store.Stmt{SQL: "delete from users where id = $1", Args: []any{users[0].ID}}))
	if n := number(w.T, w.db, "select count(*) from turns where user_id = $1", users[1].ID); n != 2 || number(w.T, w.db, "select count(*) from turns") != 2 {
		w.Errorf("%d turns are left of the user that stays", n)
	}
}
