package postgres_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
)

var roles atomic.Int64

// newRole creates a role without any privilege and returns it with the address under which it connects.
func newRole(t *testing.T, address string) (role, roleAddress string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	role = fmt.Sprintf("limited_%d_%s", roles.Add(1), strings.TrimPrefix(u.Path, "/"))
	execute(t, address, "create role "+role+" login")
	t.Cleanup(func() { execute(t, address, "drop owned by "+role+"; drop role "+role) })
	u.User = url.User(role)
	return role, u.String()
}

func execute(t *testing.T, address, sql string) {
	t.Helper()
	ctx := context.Background() // also in a Cleanup
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}

func wantRefused(t *testing.T, err error, fix string) {
	t.Helper()
	if store.CodeOf(err) != store.CodeRefused || !strings.Contains(store.FixOf(err), fix) ||
		!strings.Contains(store.Condition(err), fix) {
		t.Errorf("%v; fix: %q", err, store.FixOf(err))
	}
}

// What a refusal says to grant is enough.
func TestMissingPrivileges(t *testing.T) {
	address := pgtest.New(t)
	execute(t, address, "revoke create on schema public from public")
	role, asRole := newRole(t, address)
	db := open(t, postgres.Options{URL: asRole})
	const create = "grant usage, create on schema public"
	_, err := store.InstanceStatus(t.Context(), db)
	wantRefused(t, err, create)
	_, err = db.Migrate(t.Context())
	wantRefused(t, err, create)
	execute(t, address, "revoke usage on schema public from public")
	_, err = store.InstanceStatus(t.Context(), db)
	wantRefused(t, err, create)
	execute(t, address, create+" to "+role)
	if _, err := store.InstanceStatus(t.Context(), db); err != nil {
		t.Error(err)
	}

	other, asOther := newRole(t, address)
	execute(t, address, "grant usage on schema public to "+other)
	guest := open(t, postgres.Options{URL: asOther})
	const use = "grant select, insert, update, delete on all tables in schema public"
	_, err = store.InstanceStatus(t.Context(), guest)
	wantRefused(t, err, use)
	execute(t, address, use+" to "+other)
	if _, err := store.InstanceStatus(t.Context(), guest); err != nil {
		t.Error(err)
	}
}

func TestWrongDatabase(t *testing.T) {
	u, err := url.Parse(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Path += "_missing"
	_, err = store.InstanceStatus(t.Context(), open(t, postgres.Options{URL: u.String()}))
	wantRefused(t, err, "there is no such database")
}
