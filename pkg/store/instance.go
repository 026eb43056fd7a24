package store

import "context"

// Instance is the state of the whole gateway.
type Instance struct {
	SetUp               bool // the first user exists
	RegistrationEnabled bool // others may register
}

const instanceSQL = "select set_up, registration_enabled from instance where id = 1"

// InstanceStatus reads the state of the gateway.
func InstanceStatus(ctx context.Context, r Runner) (Instance, error) {
	var i Instance
	err := one(ctx, r, Stmt{SQL: instanceSQL}, []any{&i.SetUp, &i.RegistrationEnabled})
	return i, err
}

// SetRegistration opens or closes registration for everybody but the first user.
func SetRegistration(ctx context.Context, r Runner, enabled bool, now int64) error {
	return one(ctx, r, Stmt{
		SQL:  "update instance set registration_enabled = $1, updated_at = $2 where id = 1",
		Args: []any{enabled, now},
	}, nil)
}

// lockInstance makes transactions that begin with it run one after another.
func lockInstance(now int64) Stmt {
	return Stmt{SQL: "update instance set updated_at = $1 where id = 1", Args: []any{now}}
}
