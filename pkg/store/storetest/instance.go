package storetest

import "github.com/alicetears/llm-gateway/pkg/store"

func testInstance(w *world) {
	w.instance(store.Instance{})
	for _, open := range []bool{true, true, false} {
		must(w.T, store.SetRegistration(ctx, w.db, open, start))
		w.instance(store.Instance{RegistrationEnabled: open})
	}
	w.user()
	w.instance(store.Instance{SetUp: true})
	must(w.T, store.SetRegistration(ctx, w.db, true, start))
	w.instance(store.Instance{SetUp: true, RegistrationEnabled: true})
	if n := number(w.T, w.db, "select count(*) from instance"); n != 1 {
		w.Errorf("%d rows, want one", n)
	}
	err := w.db.Run(ctx, store.Stmt{SQL: "insert into instance (id, set_up, registration_enabled, updated_at) values (2, true, true, 0)"})
	if store.CodeOf(err) != store.CodeOther {
		w.Errorf("a second row was taken: %v", err)
	}
}

func (w *world) instance(want store.Instance) {
	w.Helper()
	got, err := store.InstanceStatus(ctx, w.db)
	if err != nil || got != want {
		w.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
