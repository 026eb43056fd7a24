package chaos

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alicetears/llm-gateway/internal/pgtest"
)

// execute runs a statement as the superuser, on a connection of its own.
func execute(t *testing.T, address, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}

// A killed gateway loses nothing that a caller has got.
func TestKill(t *testing.T) {
	address := pgtest.New(t)
	for name, where := range map[string]string{
		"postgres": address, "sqlite": "sqlite:" + filepath.Join(t.TempDir(), "gateway.db"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "DATABASE_URL="+where, where)
			w.unknown = callers
			w.under(func() {
				for i := range processes {
					w.procs[i].proc.Stop(syscall.SIGKILL)
					w.start(i)
				}
			})
		})
	}
}

// The database crashes and comes back.
func TestStop(t *testing.T) {
	server := pgtest.Start(t, pgtest.Durable)
	address := server.New(t)
	w := newWorld(t, "DATABASE_URL="+address, address)
	w.under(func() {
		server.Stop()
		time.Sleep(duration(t))
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	})
}

// The network to the database goes silent: for a while, or for the open connections.
func TestFreeze(t *testing.T) {
	address := pgtest.New(t)
	gate, through := pgtest.NewGate(t, address)
	w := newWorld(t, "DATABASE_URL="+through, address)
	w.under(func() {
		gate.Freeze()
		time.Sleep(duration(t))
		gate.Block()
		time.Sleep(duration(t))
		gate.Unblock()
		gate.Cut()
	})
}

// The database can only be read for a while, as during a failover.
func TestReadOnly(t *testing.T) {
	address := pgtest.New(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	w := newWorld(t, "DATABASE_URL="+address, address)
	w.under(func() {
		execute(t, address, "alter database "+name+" set default_transaction_read_only = on")
		end(t, address, name)
		time.Sleep(duration(t))
		execute(t, address+"&default_transaction_read_only=off", "alter database "+name+" reset default_transaction_read_only")
		end(t, address, name)
	})
}

// end ends all connections to the database, so that new settings hold.
func end(t *testing.T, address, name string) {
	t.Helper()
	execute(t, address,
		"select pg_terminate_backend(pid) from pg_stat_activity where datname = '"+name+"' and pid <> pg_backend_pid()")
}

// Others use up the server's connections.
func TestConnectionLimit(t *testing.T) {
	address := pgtest.New(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	role := "chaos_" + name
	execute(t, address, "create role "+role+" login; grant usage, create on schema public to "+role)
	t.Cleanup(func() { execute(t, address, "drop owned by "+role+"; drop role "+role) })
	u.User = url.User(role)
	asRole := u.String()
	w := newWorld(t, "DATABASE_URL="+asRole, asRole)
	w.reopen(address) // not with a connection of the role
	w.under(func() {
		execute(t, address, "alter role "+role+" connection limit 3")
		execute(t, address, "select pg_terminate_backend(pid) from pg_stat_activity where usename = '"+role+"'")
		time.Sleep(duration(t))
		execute(t, address, "alter role "+role+" connection limit -1")
	})
	if w.failed > callers {
		t.Errorf("%d requests failed: three connections serve everybody", w.failed)
	}
}

// Gateways end and start while the database is away: what they owe is saved, and written later.
func TestRestartDuringAnOutage(t *testing.T) {
	server := pgtest.Start(t, pgtest.Durable)
	address := server.New(t)
	w := newWorld(t, "DATABASE_URL="+address, address)
	w.under(func() {
		server.Stop()
		time.Sleep(200 * time.Millisecond)
		for i := range processes {
			w.stopGently(i)
			w.start(i)
		}
		time.Sleep(duration(t))
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	})
}

// The primary crashes, and a standby takes its place.
func TestFailover(t *testing.T) {
	primary := pgtest.Start(t, pgtest.Durable)
	standby := primary.Standby(t)
	both := primary.Both(t, primary.New(t), standby)
	w := newWorld(t, "DATABASE_URL="+both, both)
	w.under(func() {
		primary.Stop()
		time.Sleep(duration(t))
		if err := standby.Promote(); err != nil {
			t.Fatal(err)
		}
	})
}
