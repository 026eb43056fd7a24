package storetest

import (
	"errors"
	"reflect"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// response stores a response of the user; it is told apart by n.
func (w *world) response(owner store.ResponseOwner, n byte, previous store.ID, size int, limit int64, items ...store.ID) store.StoredResponse {
	w.Helper()
	s := store.StoredResponse{ID: store.NewID(start + int64(n)), UserID: owner.User, TokenID: owner.Token, Previous: previous,
		ExpiresAt: start + hour, EncryptionKeyID: "k1", Items: make([]byte, size), Answer: []byte{n}}
	s.Items[0] = n
	must(w.T, w.db.Run(ctx, store.StoreResponse(s, items, limit)...))
	return s
}

func (w *world) conversation(owner store.ResponseOwner, last store.ID, now, maxBytes int64, items ...store.ID) store.Conversation {
	w.Helper()
	c, err := store.FindConversation(ctx, w.db, owner, last, items, now, maxBytes)
	must(w.T, err)
	return c
}

// chain returns the first bytes of the contents.
func chain(c store.Conversation) (all []byte) {
	for _, s := range c.Chain {
		all = append(all, s.Items[0])
	}
	return all
}

const muchSpace = 1 << 40

func testResponses(w *world) {
	u, other := w.user(), w.user()
	own := store.ResponseOwner{User: u.ID, Token: w.token(u).ID}
	second, session := store.ResponseOwner{User: u.ID, Token: w.token(u).ID}, store.ResponseOwner{User: u.ID}
	foreign := store.ResponseOwner{User: other.ID, Token: w.token(other).ID}
	one := w.response(own, 1, store.ID{}, 10, muchSpace, store.ID{1, 1}, store.ID{1, 2})
	two := w.response(own, 2, one.ID, 10, muchSpace, store.ID{2, 1}, store.ID{1, 2})
	three := w.response(own, 3, two.ID, 10, muchSpace)
	dashboard := w.response(session, 4, store.ID{}, 10, muchSpace, store.ID{4, 1})

	got, err := store.ResponseByID(ctx, w.db, own, two.ID, start)
	if err != nil || !reflect.DeepEqual(got, two) {
		w.Errorf("%+v, %v, want %+v", got, err, two)
	}
	if got := chain(w.conversation(own, three.ID, start, muchSpace)); !reflect.DeepEqual(got, []byte{3, 2, 1}) {
		w.Errorf("the conversation is %v", got)
	}
	if got := chain(w.conversation(own, three.ID, start, 11)); !reflect.DeepEqual(got, []byte{3, 2}) {
		w.Errorf("of a conversation that is too long there are %v", got)
	}
	c := w.conversation(own, one.ID, start, muchSpace, store.ID{1, 1}, store.ID{1, 2}, store.ID{9}, store.ID{4, 1})
	if len(c.Items) != 2 || c.Items[store.ID{1, 1}].ID != one.ID || c.Items[store.ID{1, 2}].ID != two.ID || len(c.Chain) != 1 {
		w.Errorf("items: %v", c.Items)
	}
	if got, err := store.ResponseByID(ctx, w.db, session, dashboard.ID, start); err != nil || got.ID != dashboard.ID {
		w.Errorf("the dashboard's: %v %v", got.ID, err)
	}
	for name, owner := range map[string]store.ResponseOwner{"another token": second, "a session": session, "another user": foreign} {
		if _, err := store.ResponseByID(ctx, w.db, owner, one.ID, start); !errors.Is(err, store.ErrNotFound) {
			w.Errorf("%s: read: %v", name, err)
		}
		if err := store.DeleteResponse(ctx, w.db, owner, one.ID, start); !errors.Is(err, store.ErrNotFound) {
			w.Errorf("%s: deleted: %v", name, err)
		}
		if c := w.conversation(owner, one.ID, start, muchSpace, store.ID{1, 1}); len(c.Chain)+len(c.Items) > 0 {
			w.Errorf("%s: %v", name, c)
		}
	}
	late := start + hour
	if _, err := store.ResponseByID(ctx, w.db, own, one.ID, late); !errors.Is(err, store.ErrNotFound) {
		w.Errorf("expired: %v", err)
	}
	if c := w.conversation(own, three.ID, late, muchSpace, store.ID{1, 1}); len(c.Chain)+len(c.Items) > 0 {
		w.Errorf("expired: %v", c)
	}

	must(w.T, store.DeleteResponse(ctx, w.db, own, two.ID, start))
	if got := w.conversation(own, three.ID, start, muchSpace, store.ID{2, 1}); !reflect.DeepEqual(chain(got), []byte{3}) || len(got.Items) > 0 {
		w.Errorf("without the response in the middle: %v", got)
	}
	must(w.T, store.DeleteToken(ctx, w.db, u.ID, own.Token))
	if n := number(w.T, w.db, "select count(*) from responses"); n != 1 {
		w.Errorf("%d responses are left after the token", n)
	}
	if n := number(w.T, w.db, "select count(*) from response_items"); n != 1 {
		w.Errorf("%d items are left after the token", n)
	}
	w.response(own, 5, store.ID{}, 10, muchSpace, store.ID{5}) // its token is gone
	if n := number(w.T, w.db, "select count(*) from responses"); n != 1 {
		w.Errorf("%d responses: one of a token that is gone was stored", n)
	}
	if n, err := store.PurgeResponses(ctx, w.db, late-1, 10); n != 0 || err != nil {
		w.Errorf("purged %d too early, %v", n, err)
	}
	if n, err := store.PurgeResponses(ctx, w.db, late, 10); n != 1 || err != nil {
		w.Errorf("purged %d, %v", n, err)
	}
	w.response(foreign, 6, store.ID{}, 10, muchSpace, store.ID{6})
	must(w.T, store.DeleteUser(ctx, w.db, other.ID, start))
	w.response(foreign, 7, store.ID{}, 10, muchSpace, store.ID{7})
	for _, table := range []string{"responses", "response_items"} {
		if n := number(w.T, w.db, "select count(*) from "+table); n != 0 {
			w.Errorf("%d rows of %s are left after the user", n, table)
		}
	}
}

// All responses of a user together have at most the limit, and the oldest go first.
func testResponseLimit(w *world) {
	u, other := w.user(), w.user()
	own, foreign := store.ResponseOwner{User: u.ID, Token: w.token(u).ID}, store.ResponseOwner{User: other.ID, Token: w.token(other).ID}
	const limit = 8000
	kept := w.response(foreign, 1, store.ID{}, 999, limit)
	var last store.StoredResponse
	for n := range byte(30) {
		last = w.response(own, n, store.ID{}, 999, limit, store.ID{n})
		if bytes := number(w.T, w.db, "select sum(size) from responses where user_id = $1", u.ID); bytes > limit || bytes < min(limit/2, 1000*int64(n+1)) {
			w.Fatalf("after %d responses there are %d bytes", n+1, bytes)
		}
		if n := number(w.T, w.db, "select count(*) from responses where user_id = $1 and id = $2", u.ID, last.ID[:]); n != 1 {
			w.Fatal("the newest is not kept")
		}
	}
	if _, err := store.ResponseByID(ctx, w.db, foreign, kept.ID, start); err != nil {
		w.Errorf("another user's: %v", err)
	}
	real := number(w.T, w.db, "select sum(size) from responses where user_id = $1", u.ID)
	if total := number(w.T, w.db, "select bytes from response_totals where user_id = $1", u.ID); total < real {
		w.Errorf("the total is %d of %d", total, real)
	}
	// Deleted ones leave the total too high, which costs one count and no response.
	must(w.T, store.DeleteResponse(ctx, w.db, own, last.ID, start))
	before := number(w.T, w.db, "select count(*) from responses where user_id = $1", u.ID)
	w.response(own, 40, store.ID{}, 10, limit)
	if after := number(w.T, w.db, "select count(*) from responses where user_id = $1", u.ID); after != before+1 {
		w.Errorf("%d responses of %d", after, before+1)
	}
}
