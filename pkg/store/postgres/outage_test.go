package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
)

// shortTimeout is the timeout of databases that do not answer in these tests.
const shortTimeout = 400 * time.Millisecond

func backend(t *testing.T, db store.Runner) (pid int64, err error) {
	t.Helper()
	err = db.Run(t.Context(), store.Stmt{SQL: "select pg_backend_pid()", Each: func(r store.Row) error { return r.Scan(&pid) }})
	return pid, err
}

// together runs do n times at once.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

const pause = "select pg_sleep(0.1)"

// warm opens all connections of the pool.
func warm(t *testing.T, db *postgres.DB) {
	t.Helper()
	together(16, func(int) {
		if err := db.Run(t.Context(), store.Stmt{SQL: pause}); err != nil {
			t.Error(err)
		}
	})
}

// Connections that went silent end with their first statement, and all others with them.
func TestFrozenConnectionsAreRenewed(t *testing.T) {
	gate, address := pgtest.NewGate(t, pgtest.New(t))
	db := open(t, postgres.Options{URL: address, Timeout: shortTimeout})
	for range 2 {
		warm(t, db)
		gate.Freeze()
		if _, err := backend(t, db); store.CodeOf(err) != store.CodeUnavailable {
			t.Errorf("a frozen connection: %v", err)
		}
		together(8, func(int) {
			if _, err := backend(t, db); err != nil {
				t.Errorf("after the renewal: %v", err)
			}
		})
	}
	warm(t, db)
	gate.Freeze()
	err := db.Tx(t.Context(), func(r store.Runner) error { return r.Run(t.Context(), store.Stmt{SQL: "select 1"}) })
	if store.CodeOf(err) != store.CodeUnavailable {
		t.Errorf("a frozen transaction: %v", err)
	}
	if _, err := backend(t, db); err != nil {
		t.Error(err)
	}
}

// A database that is silent on every connection fails every run, however many wait, and serves when it is back.
func TestBlockedDatabase(t *testing.T) {
	gate, address := pgtest.NewGate(t, pgtest.New(t))
	db := open(t, postgres.Options{URL: address, Timeout: shortTimeout})
	warm(t, db)
	gate.Block()
	for range 2 {
		together(40, func(int) {
			if _, err := backend(t, db); store.CodeOf(err) != store.CodeUnavailable {
				t.Errorf("a blocked database: %v", err)
			}
		})
	}
	gate.Unblock()
	serves(t, db)
}

// serves waits until the database answers again.
func serves(t *testing.T, db *postgres.DB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		_, err := backend(t, db)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// A lock that is not free is told as such, and is no reason to open other connections.
func TestLockIsNoDeadNetwork(t *testing.T) {
	db := open(t, postgres.Options{URL: pgtest.New(t), Timeout: shortTimeout})
	exec := func(r store.Runner, sql string) error { return r.Run(t.Context(), store.Stmt{SQL: sql}) }
	if err := exec(db, "create table counts (n bigint)"); err != nil {
		t.Fatal(err)
	}
	if err := exec(db, "insert into counts values (1)"); err != nil {
		t.Fatal(err)
	}
	err := db.Tx(t.Context(), func(r store.Runner) error {
		if err := exec(r, "update counts set n = 2"); err != nil {
			return err
		}
		before, err := backend(t, db)
		if err != nil {
			return err
		}
		if err := exec(db, "update counts set n = 3"); store.CodeOf(err) != store.CodeLocked {
			t.Errorf("a held lock: %v", err)
		}
		after, err := backend(t, db)
		if before != after {
			t.Errorf("another connection: %d, %d", before, after)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	// A statement that takes too long ends on the server, too.
	if err := exec(db, "select pg_sleep(60)"); store.CodeOf(err) != store.CodeUnavailable {
		t.Errorf("a slow statement: %v", err)
	}
	if err := db.Run(store.Unbounded(t.Context()), store.Stmt{SQL: "select pg_sleep(1)"}); err != nil {
		t.Errorf("an unbounded statement: %v", err)
	}
	var running int64
	count := store.Stmt{SQL: "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid() and state = 'active'",
		Each: func(r store.Row) error { return r.Scan(&running) }}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err := db.Run(t.Context(), count); err != nil {
			t.Fatal(err)
		}
		if running == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the slow statement still runs")
		}
	}
}

// A database that sleeps takes longer to accept a connection than any statement may take.
func TestWakingUp(t *testing.T) {
	gate, address := pgtest.NewGate(t, pgtest.New(t))
	gate.Delay(3 * shortTimeout)
	db := open(t, postgres.Options{URL: address, Timeout: shortTimeout})
	together(4, func(int) {
		if _, err := backend(t, db); err != nil {
			t.Error(err)
		}
	})
}

// While one more connection is being opened, or cannot be opened, those that are open serve.
func TestOpenConnectionsServeWhileOthersCannotBeOpened(t *testing.T) {
	for name, by := range map[string]func(testing.TB, string) string{
		"directly":          func(_ testing.TB, url string) string { return url },
		"through PgBouncer": pgtest.PgBouncer,
	} {
		t.Run(name, func(t *testing.T) {
			address := pgtest.New(t)
			role, asRole := newRole(t, address)
			execute(t, address, "alter role "+role+" connection limit 2; grant usage, create on schema public to "+role)
			db := open(t, postgres.Options{URL: by(t, asRole)})
			for range 3 {
				together(32, func(int) {
					if err := db.Run(t.Context(), store.Stmt{SQL: "select pg_sleep(0.02)"}); err != nil {
						t.Error(err)
					}
				})
			}
			db.Close()
		})
	}
	gate, slow := pgtest.NewGate(t, pgtest.New(t))
	db := open(t, postgres.Options{URL: slow, Timeout: shortTimeout})
	if _, err := backend(t, db); err != nil {
		t.Fatal(err)
	}
	gate.Delay(time.Minute)
	together(4, func(int) {
		if err := db.Run(t.Context(), store.Stmt{SQL: "select pg_sleep(0.02)"}); err != nil {
			t.Errorf("beside a connection that does not open: %v", err)
		}
	})
}

// A server whose connections others use up is waited for.
func TestNoConnectionIsFree(t *testing.T) {
	address := pgtest.New(t)
	role, asRole := newRole(t, address)
	execute(t, address, "alter role "+role+" connection limit 1; grant usage, create on schema public to "+role)
	other := open(t, postgres.Options{URL: asRole})
	if _, err := backend(t, other); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, func() { other.Close() })
	next := open(t, postgres.Options{URL: asRole})
	if _, err := backend(t, next); err != nil {
		t.Error(err)
	}
	next.Close()
	if _, err := backend(t, open(t, postgres.Options{URL: asRole, Timeout: shortTimeout})); err != nil {
		t.Error(err)
	}
}

// Background runs leave connections to the others.
func TestBackgroundRunsLeaveConnections(t *testing.T) {
	db := open(t, postgres.Options{URL: pgtest.New(t), MaxConns: 4, Timeout: 10 * shortTimeout})
	ctx, release := context.WithCancel(t.Context())
	var held, done sync.WaitGroup
	for i := range 6 {
		if i < 2 {
			held.Add(1)
		}
		done.Go(func() {
			db.Tx(store.Background(t.Context()), func(r store.Runner) error {
				err := r.Run(store.Background(t.Context()), store.Stmt{SQL: "select 1"})
				if i < 2 {
					held.Done()
				}
				<-ctx.Done()
				return err
			})
		})
		if i == 1 {
			held.Wait()
		}
	}
	together(4, func(int) {
		if _, err := backend(t, db); err != nil {
			t.Error(err)
		}
	})
	short, cancel := context.WithTimeout(store.Background(t.Context()), shortTimeout/4)
	defer cancel()
	if err := db.Run(short, store.Stmt{SQL: "select 1"}); err == nil {
		t.Error("a background run got one of the last connections")
	}
	release()
	done.Wait()
	if err := db.Run(store.Background(t.Context()), store.Stmt{SQL: "select 1"}); err != nil {
		t.Error(err)
	}
}

// A database that is emptied, or replaced by an older one, under a running process is migrated and serves.
func TestDatabaseThatBecomesEmptyOrOlder(t *testing.T) {
	address := pgtest.New(t)
	db := open(t, postgres.Options{URL: address})
	empty := func() { execute(t, address, "drop schema public cascade; create schema public") }
	check := func(what string) {
		t.Helper()
		if _, err := store.InstanceStatus(t.Context(), db); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := store.PurgeCooldowns(t.Context(), db, 1, 1); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if version, err := store.CurrentSchema(t.Context(), db); err != nil || version != store.SchemaVersion {
			t.Errorf("%s: version %d, %v", what, version, err)
		}
	}
	check("new")
	for range 2 {
		empty()
		check("empty")
	}
	empty()
	execute(t, address, store.Migration(store.Postgres, 1)+"; update schema_version set version = 1")
	if _, err := store.PurgeCooldowns(t.Context(), db, 1, 1); err != nil {
		t.Errorf("older: %v", err)
	}
	check("older")
	empty()
	err := db.Tx(t.Context(), func(r store.Runner) error {
		return r.Run(t.Context(), store.Stmt{SQL: "update instance set set_up = true"})
	})
	if err != nil {
		t.Errorf("a transaction: %v", err)
	}
}
