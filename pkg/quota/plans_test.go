package quota_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/storetest"
)

// The statements of a request find their rows by an index, for any number of users.
func TestStatementsUseIndexes(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, f *fixture) {
		o := storetest.Fill(t, f.db, 0)
		if f.db.Kind() == store.Postgres {
			f.run("analyze")
		}
		r := &storetest.Recorder{DB: f.db}
		q := quota.New(r)
		at := o.Session.CreatedAt
		n := 0
		held := func(c quota.Request) quota.Request { // with limits, without any, and without an identity
			n++
			c.Demand = store.Demand{}
			if n%6 != 0 {
				c.Demand = store.Demand{ID: store.NewID(at), ExpiresAt: at + 1000, Limits: o.Limits[:n%4], Gateway: n%2 == 0}
			}
			if n == 5 {
				c.Sweep = o.Limits
			}
			return c
		}
		for _, p := range []store.Principal{{User: o.User.ID, Token: o.Token.ID}, {User: o.User.ID, Session: o.Session.ID}} {
			c := quota.Request{Principal: p, Revision: 3, Now: at, Targets: []store.Target{{Key: o.Keys[0].ID, Host: store.HostKey(p.User, "openai", ""), Model: store.ModelKey("x")}}}
			made, ok, err := q.Reserve(t.Context(), held(c))
			if err != nil || !ok {
				t.Fatalf("%v %v", ok, err)
			}
			c.Probe, c.ProbeEnd = o.User.ID, at
			if _, ok, err = q.Reserve(t.Context(), held(c)); err != nil || !ok {
				t.Fatalf("%v %v", ok, err)
			}
			c.Probe, c.IgnoreTransient = store.ID{}, true
			if _, ok, err = q.Reserve(t.Context(), held(c)); err != nil || !ok {
				t.Fatalf("%v %v", ok, err)
			}
			second := c.Targets[0]
			second.Key = o.Keys[1].ID
			c.Targets, c.IgnoreTransient = append(c.Targets, second), false
			failure := store.Failure{User: o.User.ID, Revision: 3, Subject: o.Keys[0].ID, Now: at, Class: "overloaded"}
			if _, ok, err = q.ReserveNext(t.Context(), append(quota.Release(made), store.StartCooldown(failure)), nil, held(c)); err != nil || !ok {
				t.Fatalf("%v %v", ok, err)
			}
			spent := store.Spending{ID: made.ID, Repeated: true}
			for _, h := range made.Holds {
				spent.Charges = append(spent.Charges, store.Charge{Hold: h, Spent: 1})
			}
			if err := r.Run(t.Context(), store.Settle([]store.Record{{ID: store.NewID(at), User: o.User.ID, Spent: []store.Spending{spent}}}, at)...); err != nil {
				t.Fatal(err)
			}
			if _, err := q.Refresh(t.Context(), p, store.ID{}, at); err != nil {
				t.Fatal(err)
			}
		}
		r.WantIndexes(t)
	})
}
