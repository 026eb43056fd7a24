package storetest

import (
	"reflect"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// limit is a limit that is not created yet.
func (w *world) limit(u store.User, subject store.LimitSubject, id store.ID) store.Limit {
	return store.Limit{ID: store.NewID(start), User: u.ID, Subject: subject, SubjectID: id, Metric: store.MetricCost, Span: store.SpanDay,
		Amount: 5_000_000_000, Models: []string{}, CreatedAt: start, UpdatedAt: start}
}

func (w *world) limitsOf(f store.LimitFilter) []store.Limit {
	w.Helper()
	list, err := store.Limits(ctx, w.db, f, store.Page{Limit: 1000})
	must(w.T, err)
	return list
}

func testLimits(w *world) {
	u, other := w.user(), w.user()
	l := w.limit(u, store.LimitToken, w.token(u).ID)
	l.Models, l.Fallback = []string{"gpt-*"}, "gpt-4o-mini"
	all := w.limit(store.User{}, store.LimitGateway, store.ID{})
	theirs := w.limit(other, store.LimitUser, other.ID)
	l.ID, all.ID, theirs.ID = store.NewID(start), store.NewID(start+1), store.NewID(start+2)
	for _, l := range []store.Limit{l, all, theirs} {
		must(w.T, store.CreateLimit(ctx, w.db, l))
	}
	for _, step := range []struct {
		filter store.LimitFilter
		want   []store.Limit
	}{
		{store.LimitFilter{User: u.ID}, []store.Limit{l}},
		{store.LimitFilter{}, []store.Limit{all}},
		{store.LimitFilter{Everybody: true}, []store.Limit{l, all, theirs}},
		{store.LimitFilter{User: u.ID, ID: theirs.ID}, []store.Limit{}},
	} {
		if got := w.limitsOf(step.filter); !reflect.DeepEqual(got, step.want) {
			w.Errorf("%+v: got %+v\nwant %+v", step.filter, got, step.want)
		}
	}
	must(w.T, store.UpdateLimit(ctx, w.db, l, store.LimitChange{Amount: store.To(int64(7)), Models: store.To([]string{}), Strict: store.To(true), Fallback: store.To("")}, start+1))
	l.Amount, l.Models, l.Strict, l.Fallback, l.UpdatedAt = 7, []string{}, true, "", start+1
	if got := w.limitsOf(store.LimitFilter{ID: l.ID, User: u.ID}); !reflect.DeepEqual(got, []store.Limit{l}) {
		w.Errorf("got %+v, want %+v", got, l)
	}
	must(w.T, store.DeleteLimit(ctx, w.db, l))
	w.is(store.DeleteLimit(ctx, w.db, l), store.ErrNotFound)
	w.is(store.UpdateLimit(ctx, w.db, l, store.LimitChange{}, start), store.ErrNotFound)
	w.is(store.ResetLimit(ctx, w.db, l, start), store.ErrNotFound)
}

// A subject has to be there and to be the user's own, and takes its limits along when it is deleted.
func testLimitSubjects(w *world) {
	u, other := w.user(), w.user()
	token, key := w.token(u), w.key(u)
	for subject, id := range map[store.LimitSubject]store.ID{store.LimitToken: w.token(other).ID, store.LimitKey: w.key(other).ID,
		store.LimitUser: other.ID, store.LimitEndUser: store.NewID(start), store.LimitGateway: {}} {
		w.is(store.CreateLimit(ctx, w.db, w.limit(u, subject, id)), store.ErrNotFound)
	}
	var kept store.Limit
	for subject, id := range map[store.LimitSubject]store.ID{store.LimitToken: token.ID, store.LimitKey: key.ID, store.LimitUser: u.ID, store.LimitEndUser: token.ID} {
		l := w.limit(u, subject, id)
		must(w.T, store.CreateLimit(ctx, w.db, l))
		must(w.T, w.db.Run(ctx, store.Settle([]store.Record{w.record(u, func(r *store.Record) {
			r.Spent = []store.Spending{{ID: store.NewID(start), Charges: []store.Charge{{Hold: store.Hold{Limit: l.ID}, Spent: 3}}}}
		})}, start)...))
		if subject == store.LimitUser {
			kept = l
		}
	}
	_, err := store.UpdateToken(ctx, w.db, u.ID, token.ID, store.TokenChange{MaxConcurrent: store.To(new(int64))}, start)
	must(w.T, err)
	w.is(store.DeleteToken(ctx, w.db, other.ID, token.ID), store.ErrNotFound)
	if n := number(w.T, w.db, "select count(*) from limits"); n != 5 {
		w.Errorf("%d limits, want 5", n)
	}
	must(w.T, store.DeleteToken(ctx, w.db, u.ID, token.ID))
	must(w.T, store.DeleteKey(ctx, w.db, u.ID, key.ID))
	if got := w.limitsOf(store.LimitFilter{User: u.ID}); len(got) != 1 || got[0].ID != kept.ID {
		w.Errorf("got %+v, want that of the user", got)
	}
	if n := number(w.T, w.db, "select count(*) from limit_windows"); n != 1 {
		w.Errorf("%d windows, want 1", n)
	}
}

func testLimitBounds(w *world) {
	u := w.user()
	subject := w.token(u).ID
	for n := range store.LimitsPerUser + 1 {
		if n%store.LimitsPerSubject == 0 && n < store.LimitsPerUser {
			subject = w.token(u).ID
		}
		err := store.CreateLimit(ctx, w.db, w.limit(u, store.LimitToken, subject))
		if n < store.LimitsPerUser && err != nil || n == store.LimitsPerUser && err != store.ErrTooManyLimits {
			w.Fatalf("limit %d: %v", n, err)
		}
	}
	another := w.user()
	for n := range store.LimitsPerSubject + 1 {
		err := store.CreateLimit(ctx, w.db, w.limit(another, store.LimitUser, another.ID))
		if n == store.LimitsPerSubject && err != store.ErrTooManyLimits {
			w.Errorf("one limit too many of a subject: %v", err)
		}
	}
}

// Holds of limits stay until they are swept, and those of keys go when they are old.
func testHoldPurge(w *world) {
	u := w.user()
	key, l := w.key(u), w.limit(u, store.LimitUser, u.ID)
	must(w.T, store.CreateLimit(ctx, w.db, l))
	for i, subject := range []store.ID{key.ID, key.ID, l.ID} {
		at := start - int64(i%2)*10*day
		must(w.T, w.db.Run(ctx, store.Stmt{
			SQL: `insert into holds (id, subject, key_id, day_gen, party, starts, amount, gen, output, total, expires_at)
				values ($1, $2, $3, 0, $4, 0, 1, 0, 0, 0, $5)`,
			Args: []any{store.NewID(at), subject, key.ID, make([]byte, 16), at},
		}))
	}
	for _, step := range []struct{ at, gone, left int64 }{{start, 1, 2}, {start + 10*day, 1, 1}} {
		n, err := store.PurgeHolds(ctx, w.db, step.at, 100)
		if left := number(w.T, w.db, "select count(*) from holds"); err != nil || n != step.gone || left != step.left {
			w.Errorf("%d holds are gone and %d left, %v, want %d and %d", n, left, err, step.gone, step.left)
		}
	}
}

// Windows are aligned in UTC, and weeks begin on Monday.
func testLimitWindows(w *world) {
	at := time.Date(2024, 2, 29, 23, 59, 30, 0, time.UTC).UnixMilli() // a Thursday
	for span, want := range map[store.Span][2]string{
		store.SpanMinute: {"2024-02-29T23:59:00Z", "2024-03-01T00:00:00Z"},
		store.SpanHour:   {"2024-02-29T23:00:00Z", "2024-03-01T00:00:00Z"},
		store.SpanDay:    {"2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"},
		store.SpanWeek:   {"2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z"},
		store.SpanMonth:  {"2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
		store.SpanTotal:  {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
	} {
		for i, ms := range []int64{span.Start(at), span.End(at)} {
			if got := time.UnixMilli(ms).UTC().Format(time.RFC3339); got != want[i] {
				w.Errorf("span %d: %s, want %s", span, got, want[i])
			}
		}
	}
}
