package quota_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/storetest"
)

// What a request asks finds its rows by an index, however many users there are.
func TestStatementsUseIndexes(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		o := storetest.Fill(t, f.db, 0)
		if f.db.Kind() == store.Postgres {
			f.run("analyze")
		}
		r := &storetest.Recorder{DB: f.db}
		q := quota.New(r)
		at := o.Session.CreatedAt
		for _, caller := range []quota.Caller{{Token: o.Token.ID}, {Session: o.Session.ID}} {
			c := quota.Claim{Caller: caller, User: o.User.ID, Revision: 3, Now: at, Keys: []store.ID{o.Keys[0].ID}}
			made, ok, err := q.Reserve(t.Context(), c)
			if err != nil || !ok {
				t.Fatalf("%v %v", ok, err)
			}
			c.Keys = []store.ID{o.Keys[0].ID, o.Keys[1].ID}
			if _, ok, err = q.Next(t.Context(), []store.Stmt{quota.GiveBack(made), quota.Rest(o.Keys[0].ID, 3, at, "overloaded", "")}, c); err != nil || !ok {
				t.Fatalf("%v %v", ok, err)
			}
			if _, err := q.Explain(t.Context(), caller, at); err != nil {
				t.Fatal(err)
			}
		}
		r.WantIndexes(t)
	})
}
