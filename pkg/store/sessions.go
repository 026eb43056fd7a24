package store

import "context"

// Session is a login.
type Session struct {
	ID         ID
	UserID     ID
	UserAgent  string
	Address    string // the client's, as the server determined it
	CreatedAt  int64
	LastSeenAt int64 // to the minute, see TouchSession
	ExpiresAt  int64
}

// MaxSessions is how many sessions a user may have; the oldest go.
const MaxSessions = 100

// touchEvery is how old LastSeenAt may get, in milliseconds.
const touchEvery = 60_000

const sessionColumns = "s.id, s.user_id, s.user_agent, s.address, s.created_at, s.last_seen_at, s.expires_at"

func scanSession(s *Session) []any {
	return []any{&s.ID, &s.UserID, &s.UserAgent, &s.Address, &s.CreatedAt, &s.LastSeenAt, &s.ExpiresAt}
}

const insertSession = "insert into sessions (id, user_id, user_agent, address, created_at, last_seen_at, expires_at) "

func (s *Session) args() []any {
	return []any{s.ID, s.UserID, s.UserAgent, s.Address, s.CreatedAt, s.LastSeenAt, s.ExpiresAt}
}

// CreateSession adds a session; CodeReference if there is no such user.
func CreateSession(ctx context.Context, r Runner, s Session) error {
	return r.Run(ctx, Stmt{SQL: insertSession + "values ($1, $2, $3, $4, $5, $6, $7)", Args: s.args()}, dropOldSessions(s.UserID))
}

// OpenSession adds a session for a user who gave the password of that hash. It returns [ErrNotFound] if the user has
// another password by now, or is disabled. So a change of the password also ends logins that are under way.
func OpenSession(ctx context.Context, r Runner, s Session, passwordHash string) error {
	var n int64
	err := r.Run(ctx,
		// Waits for a change that is under way, and makes a later one wait for this session.
		Stmt{SQL: "update users set password = password where id = $1 and password = $2 and enabled", Args: []any{s.UserID, passwordHash}},
		Stmt{
			SQL:  insertSession + "select $1, $2, $3, $4, $5, $6, $7 from users where id = $2 and password = $8 and enabled",
			Args: append(s.args(), passwordHash), Affected: &n,
		},
		dropOldSessions(s.UserID),
	)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

func dropOldSessions(userID ID) Stmt {
	return Stmt{
		SQL: `delete from sessions where user_id = $1
			and id not in (select id from sessions where user_id = $1 order by id desc limit $2)`,
		Args: []any{userID, MaxSessions},
	}
}

// SessionByID finds a session that has not expired, with its user. It returns [ErrNotFound] also if the user is disabled.
func SessionByID(ctx context.Context, r Runner, id ID, now int64) (Session, User, error) {
	var s Session
	var u User
	err := one(ctx, r, Stmt{
		SQL:  "select " + sessionColumns + ", " + userColumns + " " + fromSession + " where s.id = $1 and " + sessionValid,
		Args: []any{id, now},
	}, append(scanSession(&s), scanUser(&u)...))
	return s, u, err
}

// Stale reports whether it is time for TouchSession.
func (s Session) Stale(now int64) bool { return s.LastSeenAt <= now-touchEvery }

// TouchSession notes that the session is in use, at most once a minute.
func TouchSession(ctx context.Context, r Runner, id ID, now int64) error {
	return r.Run(ctx, Stmt{
		SQL:  "update sessions set last_seen_at = $2 where id = $1 and last_seen_at <= $3",
		Args: []any{id, now, now - touchEvery},
	})
}

// Sessions lists a user's sessions that have not expired, newest first.
func Sessions(ctx context.Context, r Runner, userID ID, now int64) ([]Session, error) {
	return list(ctx, r, Stmt{
		SQL:  "select " + sessionColumns + " from sessions s where s.user_id = $1 and s.expires_at > $2 order by s.id desc",
		Args: []any{userID, now},
	}, scanSession)
}

// DeleteSession ends a session of the user: [ErrNotFound].
func DeleteSession(ctx context.Context, r Runner, userID, id ID) error {
	return one(ctx, r, Stmt{SQL: "delete from sessions where id = $1 and user_id = $2", Args: []any{id, userID}}, nil)
}

// Revoke ends all sessions of the user but keep, which may be zero, and disables its gateway tokens if tokens is set. It
// returns how many of each it changed.
func Revoke(ctx context.Context, r Runner, userID, keep ID, tokens bool) (endedSessions, disabledTokens int64, err error) {
	sessions := deleteOtherSessions(userID, keep)
	sessions.Affected = &endedSessions
	stmts := []Stmt{sessions}
	if tokens {
		disable := disableTokens(userID)
		disable.Affected = &disabledTokens
		stmts = append(stmts, disable)
	}
	err = r.Run(ctx, stmts...)
	return endedSessions, disabledTokens, err
}

func disableTokens(userID ID) Stmt {
	return Stmt{SQL: "update tokens set enabled = $2 where user_id = $1 and enabled", Args: []any{userID, false}}
}

func deleteOtherSessions(userID, keep ID) Stmt {
	return Stmt{SQL: "delete from sessions where user_id = $1 and id <> $2", Args: []any{userID, keep[:]}}
}

// PurgeSessions deletes up to limit expired sessions and returns their number.
func PurgeSessions(ctx context.Context, r Runner, now int64, limit int) (n int64, err error) {
	err = r.Run(ctx, Stmt{
		SQL:      "delete from sessions where id in (select id from sessions where expires_at <= $1 limit $2)",
		Args:     []any{now, limit},
		Affected: &n,
	})
	return n, err
}
