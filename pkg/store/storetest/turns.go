package storetest

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// turn saves a turn under the keys; its content and its id are told apart by n.
func (w *world) turn(u store.User, n byte, expires int64, keys ...store.ID) *store.SavedTurn {
	w.Helper()
	t := &store.SavedTurn{ID: store.ID{n, 0xff}, UserID: u.ID, KeyID: store.NewID(start), Encrypted: []byte{0, n},
		EncryptionKeyID: "k1", ExpiresAt: expires}
	must(w.T, w.db.Run(ctx, store.SaveTurn(*t, keys, start)))
	return t
}

// foundTurns wants the turns that the keys stand for.
func (w *world) foundTurns(what string, u store.User, keys []store.ID, want map[store.ID]*store.SavedTurn) {
	w.Helper()
	got, err := store.FindTurns(ctx, w.db, u.ID, keys, start)
	if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		w.Errorf("%s: %d turns, %v, want %d", what, len(got), err, len(want))
	}
}

func testTurns(w *world) {
	u, other := w.user(), w.user()
	want := map[store.ID]*store.SavedTurn{}
	var keys []store.ID
	for n := range byte(70) {
		key := store.ID{n, 1}
		want[key], keys = w.turn(u, n, start+1, key), append(keys, key)
	}
	w.turn(u, 200, start, store.ID{200, 1}) // has expired
	w.turn(other, 201, start+day, store.ID{201, 1})
	keys = append(keys, store.ID{200, 1}, store.ID{201, 1}, store.ID{202, 1}, store.ID{5, 0xff}, keys[0])
	for _, n := range []int{0, 1, 2, 3, 64, 65, len(keys)} { // statements are made for a power of two of keys
		some := map[store.ID]*store.SavedTurn{}
		for _, key := range keys[:n] {
			if t := want[key]; t != nil {
				some[key] = t
			}
		}
		w.foundTurns(fmt.Sprint(n, " keys"), u, keys[:n], some)
	}
	many := make([]store.ID, store.MaxTurnKeys+50)
	for i := range many {
		many[i] = store.ID{byte(i), byte(i >> 8), 1}
	}
	many[store.MaxTurnKeys-1], many[store.MaxTurnKeys] = keys[1], keys[2]
	w.foundTurns("beyond the bound", u, many, map[store.ID]*store.SavedTurn{keys[1]: want[keys[1]]})

	again := *want[keys[5]]
	again.KeyID, again.Encrypted, again.EncryptionKeyID, again.ExpiresAt = store.NewID(start), []byte(strings.Repeat("x", 300_000)), "k2", start+day
	must(w.T, w.db.Run(ctx, store.SaveTurn(again, keys[5:6], start)))
	w.foundTurns("a turn that is saved again", u, keys[5:6], map[store.ID]*store.SavedTurn{keys[5]: &again})
}

// A key that two turns claim stands for neither, until it expires; their other keys stay.
func testAmbiguousTurns(w *world) {
	u := w.user()
	shared, one, two := store.ID{1, 1}, store.ID{1, 2}, store.ID{1, 3}
	first := w.turn(u, 1, start+10, one, shared)
	w.foundTurns("one turn", u, []store.ID{one, shared}, map[store.ID]*store.SavedTurn{one: first, shared: first})
	second := w.turn(u, 2, start+20, two, shared)
	each := map[store.ID]*store.SavedTurn{one: first, two: second}
	w.foundTurns("two turns", u, []store.ID{one, two, shared}, each)
	each[two] = w.turn(u, 2, start+20, two, shared)
	w.foundTurns("two turns, one of them saved again", u, []store.ID{one, two, shared}, each)
	w.turn(w.user(), 3, start+20, shared)
	w.foundTurns("another user's", u, []store.ID{one, two, shared}, each)

	expired := store.ID{1, 4}
	w.turn(u, 4, start, expired)
	third := w.turn(u, 5, start+20, expired)
	w.foundTurns("after the first has expired", u, []store.ID{expired}, map[store.ID]*store.SavedTurn{expired: third})
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
