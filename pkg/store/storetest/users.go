package storetest

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Fifty parallel first registrations make one admin.
func testFirstUser(w *world) {
	must(w.T, store.SetRegistration(ctx, w.db, true, start)) // which the first user closes
	var lock sync.Mutex
	var winners []store.ID
	parallel(w.T, 50, func(i int) error {
		u := store.User{ID: store.NewID(start), Email: fmt.Sprintf("first%d@example.com", i), Name: "First", PasswordHash: "x",
			Role: store.RoleUser, Strategy: "round-robin", Revision: 9, CreatedAt: start}
		err := store.CreateFirstUser(ctx, w.db, u)
		if errors.Is(err, store.ErrSetUp) {
			return nil
		}
		lock.Lock()
		defer lock.Unlock()
		winners = append(winners, u.ID)
		return err
	})
	users, err := store.Users(ctx, w.db, store.Page{Limit: 100})
	must(w.T, err)
	if len(winners) != 1 || len(users) != 1 {
		w.Fatalf("%d registrations succeeded, %d users are there, want one", len(winners), len(users))
	}
	u := users[0]
	if u.ID != winners[0] || u.Role != store.RoleAdmin || !u.Enabled || u.Strategy != "" || u.Revision != 1 || u.CreatedAt != start || u.UpdatedAt != start {
		w.Errorf("the first user is %+v", u)
	}
	w.instance(store.Instance{SetUp: true})
}

func testRegistration(w *world) {
	u := store.User{ID: store.NewID(start), Email: "new@example.com", Role: store.RoleAdmin, Strategy: "round-robin", Revision: 7, PasswordHash: "h", CreatedAt: start}
	must(w.T, store.SetRegistration(ctx, w.db, true, start))
	w.is(store.CreateUser(ctx, w.db, u), store.ErrRegistrationClosed) // before the first user, who has a way of its own
	w.user(admin)
	must(w.T, store.SetRegistration(ctx, w.db, false, start))
	w.is(store.CreateUser(ctx, w.db, u), store.ErrRegistrationClosed)
	must(w.T, store.SetRegistration(ctx, w.db, true, start))
	must(w.T, store.CreateUser(ctx, w.db, u))
	got, err := store.UserByID(ctx, w.db, u.ID)
	must(w.T, err)
	if want := (store.User{ID: u.ID, Email: u.Email, Role: store.RoleUser, PasswordHash: "h", Enabled: true, Revision: 1, CreatedAt: start, UpdatedAt: start}); got != want {
		w.Errorf("got %+v\nwant %+v: nobody asks for a role", got, want)
	}
	u.ID = store.NewID(start)
	w.is(store.CreateUser(ctx, w.db, u), store.ErrEmailTaken)
	w.is(store.CreateFirstUser(ctx, w.db, u), store.ErrSetUp)

	made := 0
	var lock sync.Mutex
	parallel(w.T, 20, func(int) error {
		err := store.CreateUser(ctx, w.db, store.User{ID: store.NewID(start), Email: "same@example.com", CreatedAt: start})
		if errors.Is(err, store.ErrEmailTaken) {
			return nil
		}
		lock.Lock()
		defer lock.Unlock()
		made++
		return err
	})
	if made != 1 {
		w.Errorf("one address registered %d times", made)
	}
}

func testAddedUsers(w *world) {
	u := w.user(func(u *store.User) { u.Role, u.Enabled, u.Strategy = store.RoleAdmin, false, "round-robin" })
	got, err := store.UserByID(ctx, w.db, u.ID)
	if err != nil || got != u {
		w.Errorf("got %+v, %v\nwant %+v", got, err, u)
	}
	w.instance(store.Instance{SetUp: true})
	again := u
	again.ID = store.NewID(start)
	w.is(store.AddUser(ctx, w.db, again), store.ErrEmailTaken)
	again.Email, again.Role = "other@example.com", "owner"
	if err := store.AddUser(ctx, w.db, again); store.CodeOf(err) != store.CodeOther {
		w.Errorf("a role that does not exist: %v", err)
	}
}

func testUserLookups(w *world) {
	u := w.user()
	other := w.user()
	got, instance, err := store.UserByEmail(ctx, w.db, u.Email)
	if err != nil || got != u || instance != (store.Instance{SetUp: true}) {
		w.Errorf("got %+v, %+v, %v", got, instance, err)
	}
	must(w.T, store.SetRegistration(ctx, w.db, true, start))
	_, instance, err = store.UserByEmail(ctx, w.db, "nobody@example.com")
	if err != store.ErrNotFound || instance != (store.Instance{SetUp: true, RegistrationEnabled: true}) {
		w.Errorf("got %+v, %v: the state of the gateway comes either way", instance, err)
	}
	got, err = store.UserByID(ctx, w.db, other.ID)
	if err != nil || got != other {
		w.Errorf("got %+v, %v", got, err)
	}
	for _, id := range []store.ID{{}, store.NewID(start)} {
		_, err = store.UserByID(ctx, w.db, id)
		w.is(err, store.ErrNotFound)
	}
}

func testUserPages(w *world) {
	var want []store.User
	for range 25 {
		want = append(want, w.user())
	}
	for _, limit := range []int{1, 7, 25, 26, math.MaxInt} {
		var got []store.User
		page := store.Page{Limit: limit}
		for {
			users, err := store.Users(ctx, w.db, page)
			must(w.T, err)
			if len(users) > limit {
				w.Fatalf("%d users on a page of %d", len(users), limit)
			}
			if len(users) == 0 {
				break
			}
			got, page.After = append(got, users...), users[len(users)-1].ID
		}
		if !slices.Equal(got, want) {
			w.Errorf("pages of %d: %d users, want %d, the oldest first", limit, len(got), len(want))
		}
	}
}

func testUserChanges(w *world) {
	w.user(admin)
	u := w.user()
	w.session(u, start)
	stays := w.session(w.user(), start)
	change := func(c store.UserChange) store.User {
		w.Helper()
		got, err := store.UpdateUser(ctx, w.db, u.ID, c, start+5)
		must(w.T, err)
		kept, err := store.UserByID(ctx, w.db, u.ID)
		if err != nil || kept != got || got.UpdatedAt != start+5 {
			w.Errorf("%+v: returned %+v, kept %+v, %v", c, got, kept, err)
		}
		return got
	}
	if got := change(store.UserChange{Role: store.To(store.RoleAdmin)}); got.Role != store.RoleAdmin || !got.Enabled {
		w.Errorf("promoted: %+v", got)
	}
	if got := change(store.UserChange{}); got.Role != store.RoleAdmin || !got.Enabled {
		w.Errorf("nothing changed: %+v", got)
	}
	if n := number(w.T, w.db, "select count(*) from sessions"); n != 2 {
		w.Errorf("%d sessions left, want both", n)
	}
	if got := change(store.UserChange{Enabled: store.To(false)}); got.Enabled || got.Role != store.RoleAdmin {
		w.Errorf("disabled: %+v", got)
	}
	if _, _, err := store.SessionByID(ctx, w.db, stays.ID, start); err != nil || number(w.T, w.db, "select count(*) from sessions") != 1 {
		w.Errorf("disabling a user must end that user's sessions alone: %v", err)
	}
	if got := change(store.UserChange{Enabled: store.To(true), Role: store.To(store.RoleUser)}); !got.Enabled || got.Role != store.RoleUser {
		w.Errorf("enabled and demoted: %+v", got)
	}
	_, err := store.UpdateUser(ctx, w.db, store.NewID(start), store.UserChange{Enabled: store.To(true)}, start)
	w.is(err, store.ErrNotFound)
}

// However many admins demote or disable each other at once, one stays.
func testLastAdmin(w *world) {
	last := w.user(admin)
	w.user(func(u *store.User) { u.Role, u.Enabled = store.RoleAdmin, false }) // does not count
	for _, c := range []store.UserChange{
		{Role: store.To(store.RoleUser)}, {Enabled: store.To(false)}, {Enabled: store.To(false), Role: store.To(store.RoleUser)},
	} {
		_, err := store.UpdateUser(ctx, w.db, last.ID, c, start)
		w.is(err, store.ErrLastAdmin)
	}
	if u, err := store.UserByID(ctx, w.db, last.ID); err != nil || u != last {
		w.Errorf("a refused change left %+v, %v", u, err)
	}
	_, err := store.UpdateUser(ctx, w.db, last.ID, store.UserChange{Role: store.To(store.RoleAdmin)}, start)
	w.is(err, nil)

	admins := []store.ID{last.ID}
	for range 5 {
		admins = append(admins, w.user(admin).ID)
	}
	for round := range 4 {
		exec(w.T, w.db, "update users set role = 'admin', enabled = true")
		exec(w.T, w.db, "update users set role = 'user' where email = 'user2@example.com'")
		var lock sync.Mutex
		refused := 0
		parallel(w.T, len(admins), func(i int) error {
			c := store.UserChange{Role: store.To(store.RoleUser)}
			if (i+round)%2 == 0 {
				c = store.UserChange{Enabled: store.To(false)}
			}
			_, err := store.UpdateUser(ctx, w.db, admins[(i+1)%len(admins)], c, start)
			if errors.Is(err, store.ErrLastAdmin) {
				lock.Lock()
				defer lock.Unlock()
				refused++
				return nil
			}
			return err
		})
		if n := number(w.T, w.db, "select count(*) from users where role = 'admin' and enabled"); n != 1 || refused != 1 {
			w.Errorf("round %d: %d admins left, %d refused, want one each", round, n, refused)
		}
	}
}

func testPasswords(w *world) {
	u, other := w.user(), w.user()
	keep, _, others := w.session(u, start), w.session(u, start+1), w.session(other, start)
	must(w.T, store.SetPassword(ctx, w.db, u.ID, "new", keep.ID, false, start+9))
	got, err := store.UserByID(ctx, w.db, u.ID)
	if err != nil || got.PasswordHash != "new" || got.UpdatedAt != start+9 {
		w.Errorf("got %+v, %v", got, err)
	}
	left, err := store.Sessions(ctx, w.db, u.ID, start+2)
	if err != nil || len(left) != 1 || left[0] != keep {
		w.Errorf("sessions left: %+v, %v", left, err)
	}
	must(w.T, store.SetPassword(ctx, w.db, u.ID, "newer", store.ID{}, false, start))
	if left, err = store.Sessions(ctx, w.db, u.ID, start+2); err != nil || len(left) != 0 {
		w.Errorf("sessions left: %+v, %v", left, err)
	}
	if _, _, err := store.SessionByID(ctx, w.db, others.ID, start+2); err != nil {
		w.Errorf("another's session: %v", err)
	}
	w.is(store.SetPassword(ctx, w.db, store.NewID(start), "x", store.ID{}, false, start), store.ErrNotFound)

	must(w.T, store.RehashPassword(ctx, w.db, u.ID, "new", "stolen"))
	must(w.T, store.RehashPassword(ctx, w.db, u.ID, "newer", "rehashed"))
	if got, err = store.UserByID(ctx, w.db, u.ID); err != nil || got.PasswordHash != "rehashed" {
		w.Errorf("got %q, %v", got.PasswordHash, err)
	}
}

func testProfile(w *world) {
	u, other := w.user(), w.user()
	for _, step := range []struct {
		change         store.ProfileChange
		name, strategy string
	}{
		{store.ProfileChange{Name: store.To("Zoë")}, "Zoë", ""},
		{store.ProfileChange{Strategy: store.To("round-robin")}, "Zoë", "round-robin"},
		{store.ProfileChange{}, "Zoë", "round-robin"},
		{store.ProfileChange{Name: store.To(""), Strategy: store.To("")}, "", ""},
	} {
		got, err := store.SetProfile(ctx, w.db, u.ID, step.change, start+3)
		kept, err2 := store.UserByID(ctx, w.db, u.ID)
		if err != nil || err2 != nil || got != kept || got.Name != step.name || got.Strategy != step.strategy || got.UpdatedAt != start+3 {
			w.Errorf("%+v: returned %+v, kept %+v, %v %v", step.change, got, kept, err, err2)
		}
	}
	if got, err := store.UserByID(ctx, w.db, other.ID); err != nil || got != other {
		w.Errorf("another user changed: %+v, %v", got, err)
	}
	_, err := store.SetProfile(ctx, w.db, store.NewID(start), store.ProfileChange{Name: store.To("x")}, start)
	w.is(err, store.ErrNotFound)
}

// The rows of a user are deleted with the user, and no others.
// A deleted user leaves no row in any table, and takes away none of another user.
func testDeletedUser(w *world) {
	last, gone, stays := w.user(admin), w.user(), w.user()
	for _, u := range []store.User{gone, stays} {
		w.session(u, start)
		w.token(u)
		k := w.key(u)
		must(w.T, store.ResetKey(ctx, w.db, u.ID, k.ID, today))
		w.start(store.Failure{User: u.ID, Revision: w.revision(u), Subject: k.ID, Now: start, Began: start, Steps: steps, Class: "timeout"})
		w.old(u, start, 5)
		must(w.T, w.settle(w.record(u, func(r *store.Record) { r.LatencyMs = 7 })))
	}
	before := map[string]int64{}
	for _, table := range tablesOfUsers(w) {
		before[table] = number(w.T, w.db, "select count(*) from "+table+" where user_id = $1", stays.ID)
	}
	w.is(store.DeleteUser(ctx, w.db, last.ID, start), store.ErrLastAdmin)
	w.is(store.DeleteUser(ctx, w.db, store.NewID(start), start), store.ErrNotFound)
	must(w.T, store.DeleteUser(ctx, w.db, gone.ID, start))
	w.is(store.DeleteUser(ctx, w.db, gone.ID, start), store.ErrNotFound)
	if n, err := store.PurgeDeletedUsers(ctx, w.db, 2); err != nil || n < 12 {
		w.Errorf("%d rows of the log deleted, %v", n, err)
	}
	for table, want := range before {
		if n := number(w.T, w.db, "select count(*) from "+table+" where user_id = $1", gone.ID); n != 0 {
			w.Errorf("%s: %d rows are left", table, n)
		}
		if n := number(w.T, w.db, "select count(*) from "+table+" where user_id = $1", stays.ID); n != want {
			w.Errorf("%s: the other user has %d rows, had %d", table, n, want)
		}
	}
	if n := number(w.T, w.db, "select count(*) from key_days"); n != 1 {
		w.Errorf("key_days: %d rows are left, want the other user's", n)
	}
}

// Two admins who delete each other leave one.
func testAdminsDeleteEachOther(w *world) {
	a, b := w.user(admin), w.user(admin)
	var lock sync.Mutex
	deleted := 0
	parallel(w.T, 2, func(i int) error {
		err := store.DeleteUser(ctx, w.db, []store.ID{a.ID, b.ID}[i], start)
		lock.Lock()
		defer lock.Unlock()
		if errors.Is(err, store.ErrLastAdmin) {
			return nil
		}
		deleted++
		return err
	})
	if n := number(w.T, w.db, "select count(*) from users"); n != 1 || deleted != 1 {
		w.Errorf("%d users are left, %d were deleted", n, deleted)
	}
}

// tablesOfUsers are the tables with a column user_id, as the schema says.
func tablesOfUsers(w *world) []string {
	schema, err := os.ReadFile(filepath.Join("..", "..", "..", "schema.sql"))
	must(w.T, err)
	var tables []string
	for _, m := range regexp.MustCompile(`(?s)create table (\w+) \((.*?)\n\)`).FindAllStringSubmatch(string(schema), -1) {
		if regexp.MustCompile(`(?m)^\s+user_id\s`).MatchString(m[2]) {
			tables = append(tables, m[1])
		}
	}
	if len(tables) < 8 {
		w.Fatalf("the schema has only these tables of users: %v", tables)
	}
	return tables
}
