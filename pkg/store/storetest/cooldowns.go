package storetest

import (
	"errors"
	"sync/atomic"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// second is one of the tests' clock.
const second int64 = 1000

// steps are the lengths of a failure's cooldowns in the tests.
var steps = [5]int64{second, 10 * second, minute, hour, 6 * hour}

func (w *world) start(f store.Failure) {
	w.Helper()
	must(w.T, w.db.Run(ctx, store.HoldUser(f.User), store.StartCooldown(f)))
}

func (w *world) cooldowns(u store.User) map[store.CooldownID]store.Cooldown {
	w.Helper()
	all := map[store.CooldownID]store.Cooldown{}
	must(w.T, w.db.Run(ctx, store.Cooldowns(u.ID, func(c store.Cooldown) { all[c.CooldownID] = c })))
	return all
}

// A failure extends the cooldown that runs; after its end it counts as a repetition, and after a quiet time as the first.
func testCooldowns(w *world) {
	u := w.user()
	k := w.key(u)
	id := store.CooldownID{Subject: k.ID}
	row := func(since, until, failures int64, class, message string) store.Cooldown {
		return store.Cooldown{CooldownID: id, Since: since, Until: until, Failures: failures, Class: class, Message: message, HalfOpen: true}
	}
	for _, step := range []struct {
		name       string
		now, began int64
		revision   int64
		change     func(*store.Failure)
		want       store.Cooldown
	}{
		{"of an older revision", start, start, 1, nil, store.Cooldown{}},
		{"the first", start, start, 2, nil, row(start, start+second, 1, "overloaded", "busy")},
		{"while it runs", start + 500, start + 400, 2, nil, row(start, start+1500, 1, "overloaded", "busy")},
		{"a shorter one", start + 600, start + 600, 2, func(f *store.Failure) { f.Steps, f.Class = [5]int64{1, 1, 1, 1, 1}, "timeout" },
			row(start, start+1500, 1, "overloaded", "busy")},
		{"one that began before its end", start + 5000, start + 1400, 2, nil, row(start, start+6000, 1, "overloaded", "busy")},
		{"after its end", start + 6000, start + 6000, 2, func(f *store.Failure) { f.Message = "again" },
			row(start, start+16000, 2, "overloaded", "again")},
		{"the third", start + 16000, start + 16000, 2, nil, row(start, start+16000+minute, 3, "overloaded", "busy")},
		{"the fourth", start + hour, start + hour, 2, nil, row(start, start+2*hour, 4, "overloaded", "busy")},
		{"the fifth", start + 3*hour, start + 3*hour, 2, nil, row(start, start+9*hour, 5, "overloaded", "busy")},
		{"the sixth", start + 9*hour, start + 9*hour, 2, nil, row(start, start+15*hour, 6, "overloaded", "busy")},
		{"after a quiet day", start + 39*hour, start + 39*hour, 2, nil, row(start+39*hour, start+39*hour+second, 1, "overloaded", "busy")},
		{"with an end that the provider names", start + 40*hour, start + 40*hour, 2,
			func(f *store.Failure) { f.Until, f.HalfOpen, f.Class = start+41*hour, false, "rate_limited" },
			store.Cooldown{CooldownID: id, Since: start + 39*hour, Until: start + 41*hour, Failures: 2, Class: "rate_limited", Message: "busy"}},
		{"with a late end", start + 50*hour, start + 50*hour, 2,
			func(f *store.Failure) { f.Until, f.HalfOpen, f.Class = start+500*hour, false, "daily_quota" },
			store.Cooldown{CooldownID: id, Since: start + 50*hour, Until: start + 56*hour, ResetsAt: start + 500*hour, HalfOpen: true,
				Failures: 3, Class: "daily_quota", Message: "busy"}},
	} {
		f := store.Failure{User: u.ID, Revision: step.revision, Subject: k.ID, Now: step.now, Began: step.began, Steps: steps,
			HalfOpen: true, Class: "overloaded", Message: "busy"}
		if step.change != nil {
			step.change(&f)
		}
		w.start(f)
		if got := w.cooldowns(u)[id]; got != step.want {
			w.Errorf("%s:\n%+v, want\n%+v", step.name, got, step.want)
		}
	}
}

// No cooldown is longer than the longest, whatever is asked.
func testCooldownBounds(w *world) {
	u := w.user()
	k := w.key(u)
	for i, f := range []store.Failure{
		{Until: start + 31*day}, {Steps: [5]int64{day, day, day, day, day}}, {Until: start - 1}, {Steps: [5]int64{-1}},
	} {
		f.User, f.Revision, f.Subject, f.Model, f.Now, f.Began = u.ID, 2, k.ID, string(rune('a'+i)), start, start
		w.start(f)
		c := w.cooldowns(u)[store.CooldownID{Subject: k.ID, Model: store.ModelKey(f.Model)}]
		if c.Until < start || c.Until > start+store.MaxCooldown || c.Model != f.Model {
			w.Errorf("%+v: %+v", f, c)
		}
	}
}

// Cooldowns belong to a key and a model, and to their user.
func testCooldownEnds(w *world) {
	u, other := w.user(), w.user()
	k, second, theirs := w.key(u), w.key(u), w.key(other)
	for _, c := range []struct {
		user     store.User
		subject  store.ID
		revision int64
		model    string
	}{
		{u, k.ID, 3, ""}, {u, k.ID, 3, "b"}, {u, k.ID, 3, "a"}, {u, second.ID, 3, "a"}, {other, theirs.ID, 2, ""},
		{u, store.HostKey(u.ID, "openai", "x"), 3, ""},
	} {
		w.start(store.Failure{User: c.user.ID, Revision: c.revision, Subject: c.subject, Model: c.model, Now: start, Began: start, Steps: steps, Class: "bad_key"})
	}
	models := func(cs []store.Cooldown) (all string) {
		for _, c := range cs {
			all += "(" + c.Model + ")"
		}
		return all
	}
	kept := func(what, first, other string) {
		w.Helper()
		a, err := store.KeyByID(ctx, w.db, u.ID, k.ID, today)
		b, err2 := store.KeyByID(ctx, w.db, u.ID, second.ID, today)
		if err := errors.Join(err, err2); err != nil || models(a.Cooldowns) != first || models(b.Cooldowns) != other {
			w.Errorf("%s: %s %s %v, want %s %s", what, models(a.Cooldowns), models(b.Cooldowns), err, first, other)
		}
	}
	kept("started", "()(a)(b)", "(a)")
	all, err := store.AllKeys(ctx, w.db, store.Page{Limit: 3}, today)
	got := map[store.ID]string{}
	for _, k := range all {
		got[k.ID] = models(k.Cooldowns)
	}
	if err != nil || len(all) != 3 || got[k.ID] != "()(a)(b)" || got[second.ID] != "(a)" || got[theirs.ID] != "()" {
		w.Errorf("for the admin: %v %v", got, err)
	}
	renamed, err := store.UpdateKey(ctx, w.db, u.ID, k.ID, store.KeyChange{Name: store.To("x")}, start)
	if err != nil || models(renamed.Cooldowns) != "()(a)(b)" {
		w.Errorf("renamed: %+v %v", renamed, err)
	}
	blocked, err := store.BlockKey(ctx, w.db, k.ID, false, start)
	if err != nil || models(blocked.Cooldowns) != "()(a)(b)" {
		w.Errorf("blocked: %+v %v", blocked, err)
	}
	w.is(store.EndCooldowns(ctx, w.db, other.ID, k.ID), store.ErrNotFound)
	kept("ended by another", "()(a)(b)", "(a)")
	must(w.T, store.EndCooldowns(ctx, w.db, u.ID, k.ID))
	kept("ended", "", "(a)")
	secret := store.Secret{Encrypted: []byte("new"), EncryptionKeyID: "k1", LastFour: "wxyz"}
	edited, err := store.UpdateKey(ctx, w.db, u.ID, second.ID, store.KeyChange{Secret: store.To(secret)}, start)
	if err != nil || len(edited.Cooldowns) != 0 {
		w.Errorf("edited: %+v %v", edited, err)
	}
	kept("a new secret", "", "")
	if n := len(w.cooldowns(u)); n != 1 {
		w.Errorf("%d cooldowns are left, want the host's", n)
	}
	must(w.T, store.DeleteKey(ctx, w.db, other.ID, theirs.ID))
	if n := len(w.cooldowns(other)); n != 0 {
		w.Errorf("%d cooldowns of a deleted key", n)
	}
	exec(w.T, w.db, "delete from users")
	if n := number(w.T, w.db, "select count(*) from cooldowns"); n != 0 {
		w.Errorf("%d cooldowns of deleted users", n)
	}
}

// One request at a time has the lease, for all that has to be probed.
func testCooldownLeases(w *world) {
	u := w.user()
	k := w.key(u)
	t := store.Target{Key: k.ID, Host: store.HostKey(u.ID, "openai", ""), Model: store.ModelKey("m")}
	fail := func(subject store.ID, model string, now int64, halfOpen bool) {
		w.start(store.Failure{User: u.ID, Revision: 2, Subject: subject, Model: model, Now: now, Began: now, Steps: steps, HalfOpen: halfOpen, Class: "transport"})
	}
	take := func(holder byte, now int64) (n int64) {
		w.Helper()
		s := store.TakeLease(t, store.ID{holder}, now, now+minute)
		s.Affected = &n
		must(w.T, w.db.Run(ctx, store.HoldUser(u.ID), s))
		return n
	}
	want := func(what string, got, want int64) {
		w.Helper()
		if got != want {
			w.Errorf("%s: %d leases, want %d", what, got, want)
		}
	}
	fail(k.ID, "m", start, true)
	fail(t.Host, "", start, true)
	fail(k.ID, "other", start, true)
	fail(k.ID, "", start, false)
	want("while they run", take(1, start+second-1), 0)
	want("after their end", take(1, start+second), 2)
	want("while another holds them", take(2, start+second), 0)
	want("after the lease", take(2, start+second+minute), 2)
	must(w.T, w.db.Run(ctx, store.HoldUser(u.ID), store.ReleaseLease(t, store.ID{1})))
	want("one that is not theirs was released", take(3, start+second+minute), 0)
	must(w.T, w.db.Run(ctx, store.HoldUser(u.ID), store.ReleaseLease(t, store.ID{2})))
	want("released", take(3, start+second+minute), 2)
	fail(t.Host, "", start+2*minute, true)
	must(w.T, w.db.Run(ctx, store.HoldUser(u.ID), store.ReleaseLease(t, store.ID{3})))
	want("one of them failed", take(4, start+2*minute), 0)
	want("after the repetition", take(4, start+2*minute+10*second), 2)
	must(w.T, w.db.Run(ctx, store.HoldUser(u.ID), store.EndProbe(t, store.ID{4})))
	if all := w.cooldowns(u); len(all) != 2 {
		w.Errorf("%d cooldowns are left after a success, want those that were not probed: %+v", len(all), all)
	}
	var taken atomic.Int64
	fail(k.ID, "m", start+day, true)
	parallel(w.T, 8, func(g int) error { taken.Add(take(byte(g+1), start+day+second)); return nil })
	want("all at once", taken.Load(), 1)
}

func testCooldownPurge(w *world) {
	users := []store.User{w.user(), w.user(), w.user()}
	for i, u := range users {
		k := w.key(u)
		for _, model := range []string{"a", "b", "c"} {
			w.start(store.Failure{User: u.ID, Revision: 2, Subject: k.ID, Model: model, Now: start - int64(i)*day, Began: start, Steps: steps, Class: "transport"})
		}
	}
	var total int64
	for n := int64(2); n == 2; {
		var err error
		n, err = store.PurgeCooldowns(ctx, w.db, start, 2)
		must(w.T, err)
		total += n
	}
	// The second user's cooldowns ended a second less than a day ago.
	if left := number(w.T, w.db, "select count(*) from cooldowns"); left != 6 || total != 2 {
		w.Errorf("%d cooldowns are left, said %d", left, total)
	}
	if n, err := store.PurgeCooldowns(ctx, w.db, start+2*day, 100); err != nil || n != 6 {
		w.Errorf("purged %d, %v, want 6", n, err)
	}
}
