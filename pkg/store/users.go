package store

import (
	"context"
	"errors"
)

// Role says what a user may do.
type Role string

// The roles.
const (
	RoleAdmin Role = "admin"
	RoleUser  Role = "user"
)

// User is an account.
type User struct {
	ID           ID
	Email        string // trimmed, lower case
	Name         string
	Role         Role
	PasswordHash string // argon2id, PHC string
	Enabled      bool
	Strategy     string // of key selection; empty: the gateway's default
	Revision     int64  // grows with every change to what routing uses
	CreatedAt    int64
	UpdatedAt    int64
}

// Errors of accounts.
var (
	ErrSetUp              = errors.New("the gateway is set up already")
	ErrRegistrationClosed = errors.New("registration is closed")
	ErrEmailTaken         = errors.New("the e-mail address is taken")
	ErrLastAdmin          = errors.New("the last enabled admin can be neither disabled nor demoted")
)

const userColumns = `u.id, u.email, u.name, u.role, u.password, u.enabled, coalesce(u.strategy, ''), u.revision,
 u.created_at, u.updated_at`

func scanUser(u *User) []any {
	return []any{&u.ID, &u.Email, &u.Name, (*string)(&u.Role), &u.PasswordHash, &u.Enabled, &u.Strategy, &u.Revision,
		&u.CreatedAt, &u.UpdatedAt}
}

const insertUser = "insert into users (id, email, name, role, password, enabled, strategy, revision, created_at, updated_at) "

func (u *User) args(role Role, enabled bool) []any {
	return []any{u.ID, u.Email, u.Name, string(role), u.PasswordHash, enabled, u.Strategy, u.CreatedAt}
}

// CreateFirstUser adds u as the admin of a gateway that has no user yet, and closes registration.
// It returns [ErrSetUp] if there is a user already. It ignores u's role, strategy and revision.
func CreateFirstUser(ctx context.Context, db DB, u User) error {
	return emailTaken(db.Tx(ctx, func(r Runner) error {
		err := one(ctx, r, Stmt{
			SQL:  "update instance set set_up = true, registration_enabled = false, updated_at = $1 where id = 1 and not set_up",
			Args: []any{u.CreatedAt},
		}, nil)
		if errors.Is(err, ErrNotFound) {
			return ErrSetUp
		}
		if err != nil {
			return err
		}
		u.Strategy = ""
		return r.Run(ctx, addUser(u, RoleAdmin, true))
	}))
}

// CreateUser adds u as an ordinary user if registration is open, which the same
// statement checks: [ErrRegistrationClosed], [ErrEmailTaken].
func CreateUser(ctx context.Context, r Runner, u User) error {
	u.Strategy = ""
	err := one(ctx, r, Stmt{
		SQL: insertUser + `select $1, $2, $3, $4, $5, $6, nullif($7, ''), 1, $8, $8
			from instance where id = 1 and set_up and registration_enabled`,
		Args: u.args(RoleUser, true),
	}, nil)
	if errors.Is(err, ErrNotFound) {
		return ErrRegistrationClosed
	}
	return emailTaken(err)
}

// AddUser adds u as it is, on the operator's behalf, whether registration is open
// or not: [ErrEmailTaken]. The gateway counts as set up from then on.
func AddUser(ctx context.Context, r Runner, u User) error {
	return emailTaken(r.Run(ctx,
		addUser(u, u.Role, u.Enabled),
		Stmt{SQL: "update instance set set_up = true, updated_at = $1 where id = 1 and not set_up", Args: []any{u.CreatedAt}},
	))
}

func addUser(u User, role Role, enabled bool) Stmt {
	return Stmt{
		SQL:  insertUser + "values ($1, $2, $3, $4, $5, $6, nullif($7, ''), 1, $8, $8)",
		Args: u.args(role, enabled),
	}
}

func emailTaken(err error) error {
	if CodeOf(err) == CodeConflict {
		return ErrEmailTaken
	}
	return err
}

// UserByEmail finds a user by the address (trimmed, lower case), and tells the state of the
// gateway either way: [ErrNotFound] comes with a valid Instance.
func UserByEmail(ctx context.Context, r Runner, email string) (User, Instance, error) {
	var u User
	var i Instance
	found, known := false, false
	err := r.Run(ctx,
		Stmt{SQL: "select " + userColumns + " from users u where u.email = $1", Args: []any{email}, Each: First(&found, scanUser(&u)...)},
		Stmt{SQL: instanceSQL, Each: First(&known, &i.SetUp, &i.RegistrationEnabled)},
	)
	if err == nil && !found {
		err = ErrNotFound
	}
	return u, i, err
}

// UserByID finds a user: [ErrNotFound].
func UserByID(ctx context.Context, r Runner, id ID) (User, error) {
	var u User
	err := one(ctx, r, Stmt{SQL: "select " + userColumns + " from users u where u.id = $1", Args: []any{id}}, scanUser(&u))
	return u, err
}

// Users lists all users, oldest first, for the admin.
func Users(ctx context.Context, r Runner, p Page) ([]User, error) {
	return list(ctx, r, Stmt{
		SQL:  "select " + userColumns + " from users u where u.id > $1 order by u.id limit $2",
		Args: []any{p.After[:], p.Limit},
	}, scanUser)
}

// UserChange is what an admin changes about a user.
type UserChange struct {
	Enabled Field[bool]
	Role    Field[Role]
}

// UpdateUser changes a user for the admin: [ErrNotFound], [ErrLastAdmin]. Disabling
// ends the user's sessions. The revision stays then, because every reservation reads that field itself; another role
// raises it, because it decides where custom endpoints may be.
func UpdateUser(ctx context.Context, db DB, id ID, c UserChange, now int64) (User, error) {
	var u User
	err := db.Tx(ctx, func(r Runner) error {
		var others int64
		found, counted := false, false
		// The lock comes first, so that two admins who demote each other see one another.
		err := r.Run(ctx, lockInstance(now),
			Stmt{SQL: "select " + userColumns + " from users u where u.id = $1", Args: []any{id}, Each: First(&found, scanUser(&u)...)},
			otherAdmins(id, &counted, &others),
		)
		if err != nil {
			return err
		}
		if !found {
			return ErrNotFound
		}
		wasAdmin, role := u.Enabled && u.Role == RoleAdmin, u.Role
		c.apply(&u, now)
		if wasAdmin && !(u.Enabled && u.Role == RoleAdmin) && others == 0 {
			return ErrLastAdmin
		}
		stmts := []Stmt{{
			SQL:  "update users set enabled = $2, role = $3, updated_at = $4 where id = $1",
			Args: []any{id, u.Enabled, string(u.Role), now},
		}}
		if u.Role != role {
			stmts = append(stmts, bumpRevision(id))
			u.Revision++
		}
		if !u.Enabled {
			stmts = append(stmts, Stmt{SQL: "delete from sessions where user_id = $1", Args: []any{id}})
		}
		return r.Run(ctx, stmts...)
	})
	if err != nil {
		return User{}, err
	}
	return u, nil
}

func (c UserChange) apply(u *User, now int64) {
	if c.Enabled.Set {
		u.Enabled = c.Enabled.To
	}
	if c.Role.Set {
		u.Role = c.Role.To
	}
	u.UpdatedAt = now
}

// SetPassword changes a user's password, ends all sessions but keep (which may be zero), and disables the gateway tokens
// if revokeTokens is set: [ErrNotFound].
func SetPassword(ctx context.Context, r Runner, id ID, hash string, keep ID, revokeTokens bool, now int64) error {
	after := []Stmt{deleteOtherSessions(id, keep)}
	if revokeTokens {
		after = append(after, disableTokens(id))
	}
	return one(ctx, r,
		Stmt{SQL: "update users set password = $2, updated_at = $3 where id = $1", Args: []any{id, hash, now}}, nil,
		after...,
	)
}

// RehashPassword replaces the hash of the same password. It changes nothing if the hash is not oldHash any more.
func RehashPassword(ctx context.Context, r Runner, id ID, oldHash, newHash string) error {
	return r.Run(ctx, Stmt{SQL: "update users set password = $3 where id = $1 and password = $2", Args: []any{id, oldHash, newHash}})
}

// ProfileChange is what users change about themselves.
type ProfileChange struct {
	Name     Field[string]
	Strategy Field[string] // empty: back to the gateway's default
}

// SetProfile changes a user's own settings: [ErrNotFound].
func SetProfile(ctx context.Context, r Runner, id ID, c ProfileChange, now int64) (User, error) {
	var u User
	err := one(ctx, r, Stmt{
		SQL: `update users as u set name = case when $2 then $3 else u.name end,
			strategy = case when $4 then nullif($5, '') else u.strategy end,
			revision = u.revision + case when $4 then 1 else 0 end, updated_at = $6
			where u.id = $1 returning ` + userReturning,
		Args: []any{id, c.Name.Set, c.Name.To, c.Strategy.Set, c.Strategy.To, now},
	}, scanUser(&u))
	return u, err
}

// SQLite does not know a table's alias in returning.
const userReturning = "id, email, name, role, password, enabled, coalesce(strategy, ''), revision, created_at, updated_at"

// bumpRevision returns the statement that makes every process load the user's routing table again.
func bumpRevision(user ID) Stmt {
	return Stmt{SQL: "update users set revision = revision + 1 where id = $1", Args: []any{user}}
}
