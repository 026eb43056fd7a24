package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Owner is one user of a database that [Fill] has filled.
type Owner struct {
	User    store.User
	Session store.Session
	Token   store.Token
	Keys    []store.Key
	Limits  []store.ID // of the token, a key and the user
}

// gathered runs many statements together.
type gathered struct {
	store.DB
	stmts []store.Stmt
}

func (g *gathered) Run(_ context.Context, stmts ...store.Stmt) error {
	g.stmts = append(g.stmts, stmts...)
	if len(g.stmts) < 1000 {
		return nil
	}
	return g.flush()
}

func (g *gathered) flush() error {
	err := g.DB.Run(ctx, g.stmts...)
	g.stmts = g.stmts[:0]
	return err
}

// The users of a filled database, and how many of them send requests.
const (
	fillUsers   = 2000
	fillSenders = 20
)

// Fill puts users and what belongs to them into an empty database, and as many requests as
// asked for, by a few of them. It returns one of these.
func Fill(t *testing.T, db store.DB, requests int) Owner {
	t.Helper()
	const keys = 2
	g := &gathered{DB: db}
	w := &world{T: t, db: g}
	owners := make([]Owner, fillUsers)
	for i := range owners {
		o := Owner{User: w.user()}
		o.Session, o.Token = w.session(o.User, start), w.token(o.User)
		for range keys {
			k := w.key(o.User)
			o.Keys = append(o.Keys, k)
			must(t, g.Run(ctx, store.Stmt{SQL: "insert into use_totals (user_id, subject, requests, last_at) values ($1, $2, 1, $3)",
				Args: []any{o.User.ID, k.ID, start}}))
			for back := range int64(4) {
				must(t, g.Run(ctx, store.Stmt{SQL: "insert into key_days (key_id, day, used) values ($1, $2, 0)", Args: []any{k.ID, today - back}}))
			}
		}
		for n := range 4 {
			must(t, g.Run(ctx, store.Stmt{SQL: "insert into latencies (user_id, id, micros, samples, expires_at) values ($1, $2, 1, 1, $3)",
				Args: []any{o.User.ID, store.LatencyID(o.Keys[0].ID, fmt.Sprint(n), store.FirstToken), start}}))
		}
		must(t, g.Run(ctx, store.Stmt{SQL: "insert into use_counted (user_id, before) values ($1, 0)", Args: []any{o.User.ID}}))
		must(t, g.Run(ctx, store.Stmt{SQL: "insert into cursors (user_id, key_set, turn) values ($1, $2, 1)", Args: []any{o.User.ID, o.Keys[0].ID}},
			store.SaveTurn(store.SavedTurn{ID: store.ID{1}, UserID: o.User.ID, KeyID: o.Keys[0].ID, Encrypted: []byte("x"), EncryptionKeyID: "k",
				ExpiresAt: start + int64(i)*minute}, []store.ID{{2}, {3}}, start),
			store.HoldUser(o.User.ID),
			store.StartCooldown(store.Failure{User: o.User.ID, Revision: 1 + keys, Subject: store.HostKey(o.User.ID, "openai", ""), Model: "m", Now: start, Began: start, Class: "timeout"}),
			store.Stmt{SQL: "insert into throttles (bucket, failures, free_at) values ($1, 1, $2)", Args: []any{fmt.Sprint("bucket ", i), start}}))
		o.Limits = fillLimits(w, o)
		for n := range 4 {
			must(t, g.Run(ctx, store.Stmt{SQL: "insert into aliases (id, user_id, name, targets, created_at, updated_at) values ($1, $2, $3, '[]', $4, $4)",
				Args: []any{store.NewID(start), o.User.ID, fmt.Sprint("alias ", n), start}}))
		}
		for n := range 20 {
			l := store.Label{Kind: store.EndUserLabel, Owner: o.Token.ID, Name: fmt.Sprint("end user ", n)}
			must(w.T, g.Run(ctx, store.AddLabels([]store.OwnedLabel{{User: o.User.ID, Label: l}}, start)...))
			must(w.T, g.Run(ctx, store.Stmt{
				SQL: `insert into label_days (user_id, day, kind, owner, label, requests, errors, unpriced, cost, input, cached, cache_write, output, reasoning)
					values ($1, $2, 1, $3, $4, 1, 0, 0, 0, 0, 0, 0, 0, 0)`,
				Args: []any{o.User.ID, today, o.Token.ID, l.Name},
			}))
		}
		owners[i] = o
	}
	senders := owners[:fillSenders]
	w.fillLog(requests, 10, func(rng *rand.Rand, r *store.Record) {
		o := senders[rng.IntN(len(senders))]
		r.User, r.Token, r.Key = o.User.ID, o.Token.ID, o.Keys[rng.IntN(keys)].ID
	})
	must(t, g.flush())
	return senders[fillSenders/2]
}

// fillLimits adds limits that have windows and holds.
func fillLimits(w *world, o Owner) (ids []store.ID) {
	for i, subject := range []store.ID{o.Token.ID, o.Keys[0].ID, o.User.ID} {
		id := store.NewID(start)
		must(w.T, w.db.Run(ctx, store.Stmt{
			SQL: `insert into limits (id, user_id, subject, subject_id, metric, span, amount, models, strict, created_at, updated_at)
				values ($1, $2, $3, $4, $5, $6, $7, '[]', $8, $9, $9)`,
			Args: []any{id, o.User.ID, int64(i + 1), subject, int64(i + 1), int64(i + 2), int64(1e9), i == 1, start},
		}))
		for n := range int64(3) {
			must(w.T, w.db.Run(ctx,
				store.Stmt{SQL: "insert into limit_windows (limit_id, party, starts, used, unconfirmed, gen) values ($1, $2, $3, 5, 0, 0)",
					Args: []any{id, make([]byte, 16), n}},
				store.Stmt{
					SQL: `insert into holds (id, subject, key_id, day_gen, party, starts, amount, gen, output, total, expires_at)
						values ($1, $2, $3, 0, $4, $5, 1, 0, 0, 0, $6)`,
					Args: []any{store.NewID(start), id, o.Keys[0].ID, make([]byte, 16), n, start + hour},
				}))
		}
		ids = append(ids, id)
	}
	return ids
}

// fillLog settles requests of the last 30 days in the order of time. To save time, the hourly sums are
// kept of every sumEvery-th alone.
func (w *world) fillLog(requests, sumEvery int, whose func(*rand.Rand, *store.Record)) {
	rng := rand.New(rand.NewPCG(1, 2))
	models := [][2]string{{"openai", "gpt-4o-mini"}, {"anthropic", "claude-sonnet-4-5"}, {"gemini", "gemini-2.5-flash"},
		{"together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"}}
	for n := range requests {
		stmts := store.Settle([]store.Record{w.record(store.User{}, func(r *store.Record) {
			r.ID = store.NewID(start - 30*day + int64(n)*(30*day/int64(requests)))
			model := models[rng.IntN(len(models))]
			r.Provider, r.Model, r.Asked = model[0], model[1], ""
			r.Input, r.LatencyMs = rng.Int64N(20_000), rng.Int64N(30_000)
			begun := 1 + rng.Int64N(20)
			r.StartedMs = &begun
			if n%20 == 0 {
				r.Status, r.Outcome, r.Trace = 502, store.Failed, `{"attempts":[]}`
			}
			whose(rng, r)
		})}, start-30*day)
		if n%sumEvery != 0 {
			stmts = stmts[:1]
		}
		must(w.T, w.db.Run(ctx, stmts...))
	}
}

// Size tells how many bytes a table takes, its indexes included.
type Size func(table string) int64

// Bulk looks at databases with many rows: that a request takes little room, and that frequent statements
// find their rows by an index.
func Bulk(t *testing.T, open func(t *testing.T) (store.DB, Size)) {
	// PostgreSQL splits a page of the index in the middle unless a row is the last of all, so with several
	// users who send at once the pages are half full; SQLite keeps the rows in the index itself.
	one, many := 250.0, 300.0
	t.Run("one user", func(t *testing.T) {
		db, size := open(t)
		g := &gathered{DB: db}
		w := &world{T: t, db: g}
		const requests = 20_000
		w.fillLog(requests, requests, func(_ *rand.Rand, r *store.Record) { r.User, r.Token, r.Key = store.ID{1}, store.ID{2}, store.ID{3} })
		must(t, g.flush())
		with := wantRoom(t, size, requests, one)

		// The trace of a request whose first attempt answered is a part of its row.
		db, size = open(t)
		g = &gathered{DB: db}
		w = &world{T: t, db: g}
		w.fillLog(requests, requests, func(_ *rand.Rand, r *store.Record) {
			r.User, r.Token, r.Key, r.StartedMs = store.ID{1}, store.ID{2}, store.ID{3}, nil
		})
		must(t, g.flush())
		if trace := with - wantRoom(t, size, requests, one); trace > 8 {
			t.Errorf("%.1f bytes a trace, want at most 8", trace)
		} else {
			t.Logf("%.1f bytes a trace", trace)
		}
		for name, stored := range map[string]string{"a failed attempt": traceOfAttempt, "a skipped key": traceOfSkipped} {
			db, size := open(t)
			g := &gathered{DB: db}
			for n := range 5000 {
				must(t, g.Run(ctx, store.Settle([]store.Record{{ID: store.NewID(start + int64(n)), User: store.ID{1}, Trace: stored}}, start)...))
			}
			must(t, g.flush())
			perRow := float64(size("request_traces")) / 5000
			t.Logf("%.0f bytes a trace of %s", perRow, name)
			if perRow > 600 {
				t.Errorf("%.0f bytes a trace of %s, want at most 600", perRow, name)
			}
		}
	})
	t.Run("many users", func(t *testing.T) {
		db, size := open(t)
		const requests = 100_000
		o := Fill(t, db, requests)
		if db.Kind() == store.SQLite {
			many = 220
		}
		wantRoom(t, size, requests, many)
		if db.Kind() == store.Postgres {
			exec(t, db, "analyze")
		}
		r := &Recorder{DB: db}
		askEverything(t, r, o)
		r.WantIndexes(t)
		if plan := r.plan(t, store.Stmt{SQL: "select id from users where name = $1", Args: []any{"x"}}); !slices.ContainsFunc(plan, readsAll) {
			t.Errorf("a full scan is not recognized: %q", plan)
		}
	})
}

// Traces as they are stored.
const (
	traceOfAttempt = `{"attempts":[{"keyId":"01a56769-844a-7016-bff4-6de704f400d5","provider":"groq","model":"llama-3.1-8b-instant",` +
		`"class":"overloaded","scope":"host","status":503,"startMs":4,"ms":210,"providerRequestId":"req_01jf8x5m2qe0v9k3",` +
		`"message":"The service is over capacity and can not serve your request.","givenBack":true}]}`
	traceOfSkipped = `{"passed":[{"id":"01a56769-844a-7016-bff4-6de704f400d5","name":"spare key","provider":"mistral",` +
		`"reason":"cooling down until 2026-12-01T12:00:00Z (rate_limit)"}]}`
)

// wantRoom wants a request to take at most so many bytes, and no fewer than its ids alone.
func wantRoom(t *testing.T, size Size, requests, most float64) (perRow float64) {
	t.Helper()
	perRow = float64(size("requests")) / requests
	t.Logf("%.0f bytes a request", perRow)
	if perRow > most || perRow < 64 {
		t.Errorf("%.0f bytes a request, want at most %.0f", perRow, most)
	}
	return perRow
}

// askEverything calls what a user, and the gateway on a user's behalf, can ask of the store.
func askEverything(t *testing.T, db store.DB, o Owner) {
	u, k, limit := o.User.ID, o.Keys[0], int64(5)
	w := &world{T: t, db: db}
	for _, f := range []func() error{
		func() error { _, _, err := store.UserByEmail(ctx, db, o.User.Email); return err },
		func() error { _, err := store.UserByID(ctx, db, u); return err },
		func() error {
			_, err := store.SetProfile(ctx, db, u, store.ProfileChange{Name: store.To("x"), Strategy: store.To("round-robin")}, start)
			return err
		},
		func() error { return store.SetPassword(ctx, db, u, "x", o.Session.ID, false, start) },
		func() error { return store.RehashPassword(ctx, db, u, "x", "y") },
		func() error { _, err := store.Users(ctx, db, store.Page{After: u, Limit: 10}); return err },
		func() error { w.session(o.User, start+1); return nil },
		func() error { _, _, err := store.SessionByID(ctx, db, o.Session.ID, start); return err },
		func() error { return store.TouchSession(ctx, db, o.Session.ID, start+day) },
		func() error { _, err := store.Sessions(ctx, db, u, start); return err },
		func() error { _, _, err := store.Revoke(ctx, db, u, o.Session.ID, true); return err },
		func() error { _, err := store.Tokens(ctx, db, u); return err },
		func() error { _, err := store.TokenByID(ctx, db, u, o.Token.ID); return err },
		func() error {
			_, err := store.UpdateToken(ctx, db, u, o.Token.ID, store.TokenChange{Name: store.To("x")}, start)
			return err
		},
		func() error { _, err := store.AllTokens(ctx, db, store.Page{After: o.Token.ID, Limit: 10}); return err },
		func() error { _, err := store.Keys(ctx, db, u, store.KeyFilter{Provider: "openai"}, today); return err },
		func() error { _, err := store.KeyByID(ctx, db, u, k.ID, today); return err },
		func() error {
			_, err := store.UpdateKey(ctx, db, u, k.ID, store.KeyChange{DailyLimit: store.To(&limit)}, start)
			return err
		},
		func() error { return store.ResetKey(ctx, db, u, k.ID, today) },
		func() error { return store.EndCooldowns(ctx, db, u, k.ID) },
		func() error { _, err := store.BlockKey(ctx, db, k.ID, false, start); return err },
		func() error { _, err := store.ReencryptKey(ctx, db, k, []byte("x"), "k2"); return err },
		func() error { _, err := store.AllKeys(ctx, db, store.Page{After: k.ID, Limit: 10}, today); return err },
		func() error { return w.settle(w.record(o.User, func(r *store.Record) { r.Trace = "{}" })) },
		func() error { _, err := store.Requests(ctx, db, u, store.RequestFilter{Limit: 50}); return err },
		func() error {
			_, err := store.Requests(ctx, db, u, store.RequestFilter{Limit: 50, Before: store.NewID(start), From: start - day, To: start, StatusClass: 5})
			return err
		},
		func() error {
			_, _, err := store.RequestByID(ctx, db, u, store.NewID(start))
			if err == store.ErrNotFound {
				err = nil
			}
			return err
		},
		func() error { _, err := store.UsageBetween(ctx, db, u, start-7*day, start, store.ByDay); return err },
		func() error { _, err := store.UsageBetween(ctx, db, u, start-7*day, start, store.ByKey); return err },
		func() error { _, err := store.KeyDays(ctx, db, u, k.ID, today, 30); return err },
		func() error {
			_, err := store.Purge(ctx, db, store.Retention{RequestsFrom: start - 30*day + hour, TracesFrom: start - 30*day + hour}, 500)
			return err
		},
		func() error {
			t := store.Target{Key: k.ID, Host: store.HostKey(u, "openai", ""), Model: store.ModelKey("m")}
			return db.Run(ctx, store.HoldUser(u), store.StartCooldown(store.Failure{User: u, Subject: k.ID, Model: "m", Class: "timeout"}),
				store.TakeLease(t, u, start, start), store.ReleaseLease(t, u), store.EndProbe(t, u), store.EndTransient(t),
				store.EndModelCooldown(k.ID, "m"), store.Cooldowns(u, func(store.Cooldown) {}))
		},
		func() error { _, err := store.PurgeHolds(ctx, db, start+day, 10); return err },
		func() error { _, err := store.PurgeCooldowns(ctx, db, start+day, 10); return err },
		func() error { _, err := store.FindTurns(ctx, db, u, []store.ID{{1}, {2}, {3}}, start); return err },
		func() error {
			return db.Run(ctx, store.SaveTurn(store.SavedTurn{ID: store.ID{1}, UserID: u, KeyID: k.ID, Encrypted: []byte("y"), EncryptionKeyID: "k"}, []store.ID{{2}, {3}}, start))
		},
		func() error { _, err := store.PurgeTurns(ctx, db, start, 10); return err },
		func() error { return store.CreateLimit(ctx, db, w.limit(o.User, store.LimitKey, k.ID)) },
		func() error {
			_, err := store.Limits(ctx, db, store.LimitFilter{User: u}, store.Page{Limit: 10})
			return err
		},
		func() error {
			l := store.Limit{ID: o.Limits[0], User: u, Span: store.SpanDay}
			return errors.Join(store.UpdateLimit(ctx, db, l, store.LimitChange{Amount: store.To(int64(1))}, start), store.ResetLimit(ctx, db, l, start))
		},
		func() error { return db.Run(ctx, store.SweepHolds(o.Limits, start)...) },
		func() error { _, err := store.LoadRouting(ctx, db, store.Credential{Token: o.Token.ID}); return err },
		func() error { return store.DeleteLimit(ctx, db, store.Limit{ID: o.Limits[0], User: u}) },
		func() error { return store.DeleteToken(ctx, db, u, o.Token.ID) },
		func() error { return store.DeleteKey(ctx, db, u, o.Keys[1].ID) },
		func() error { return store.DeleteSession(ctx, db, u, o.Session.ID) },
	} {
		must(t, f())
	}
}
