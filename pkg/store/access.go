package store

// Principal is who makes a request: a user by a gateway token or by a session of the dashboard. Exactly one of Token
// and Session is set. A token sees the jobs that it submitted, a session all jobs of its user.
type Principal struct {
	User, Token, Session ID
}

// Who may use what. The conditions stand here once, and every statement that lets somebody in is made of them. They
// read the time (Unix milliseconds) from $2, and know the tokens as t, the sessions as s, their users as u and the
// provider keys as k.
const (
	fromToken   = "from tokens t join users u on u.id = t.user_id"
	fromSession = "from sessions s join users u on u.id = s.user_id"

	// tokenValid and sessionValid hold while the credential and its user may do anything at all.
	tokenValid   = "t.enabled and not t.blocked and (t.expires_at is null or t.expires_at > $2) and u.enabled"
	sessionValid = "s.expires_at > $2 and u.enabled"

	// keyEnabled holds unless the owner or the admin has switched the key off.
	keyEnabled = "k.enabled and not k.blocked"
	// keyReady holds if a request may use the key, its quota and cooldowns apart. A limit of 0 allows none.
	keyReady = keyEnabled + " and coalesce(k.daily_limit, 1) > 0"
)

// credential returns the id of the token or session.
func (p Principal) credential() ID {
	if p.Token.IsZero() {
		return p.Session
	}
	return p.Token
}

// valid returns the clauses from "from" on that select a row while the credential is valid. id numbers the parameter
// that holds the credential's id; $2 is the time.
func (p Principal) valid(id int) string {
	if p.Token.IsZero() {
		return fromSession + " where s.id = " + placeholder(id) + " and " + sessionValid
	}
	return fromToken + " where t.id = " + placeholder(id) + " and " + tokenValid
}

// access returns a statement that sets *ok if the credential is valid.
func (p Principal) access(now int64, ok *bool) Stmt {
	return Stmt{SQL: "select 1 " + p.valid(1), Args: []any{p.credential(), now}, Each: First(ok, nil)}
}
