package server

import (
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// userView is the API's representation of a user.
type userView struct {
	ID        store.ID   `json:"id"`
	Email     string     `json:"email"`
	Name      string     `json:"name"`
	Role      store.Role `json:"role"`
	Strategy  *string    `json:"strategy"` // null: the gateway's default
	CreatedAt timestamp  `json:"createdAt"`
}

func viewUser(u store.User) userView {
	v := userView{ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, CreatedAt: timestamp(u.CreatedAt)}
	if u.Strategy != "" {
		v.Strategy = &u.Strategy
	}
	return v
}

// login opens a session for an e-mail address and its password.
func (a *App) login(c *call) error {
	if err := c.refuseCrossSite(); err != nil {
		return err
	}
	var in struct {
		Email    string      `json:"email" jsonx:"required"`
		Password auth.Secret `json:"password" jsonx:"required"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	email, err := auth.NormalizeEmail(in.Email)
	if err != nil {
		var issues fault.Issues
		issues.Add("email", "%s", err)
		return issues.Err()
	}
	attempt, err := a.attemptLogin(c, email)
	if err != nil {
		return err
	}
	u, token, err := a.verifyAndOpenSession(c, email, in.Password.Reveal())
	if errors.Is(err, store.ErrNotFound) {
		// The stored hash changed meanwhile: the password was changed, or another login hashed it again.
		u, token, err = a.verifyAndOpenSession(c, email, in.Password.Reveal())
	}
	if errors.Is(err, store.ErrNotFound) {
		return errCredentials()
	}
	if err != nil {
		return err
	}
	attempt.succeeded()
	a.rehash(c, u, in.Password)
	return c.replySession(http.StatusOK, u, token)
}

// verifyAndOpenSession opens a session if the password is correct. It returns [store.ErrNotFound] if the stored hash
// changed meanwhile.
func (a *App) verifyAndOpenSession(c *call, email, password string) (u store.User, token string, err error) {
	if u, err = a.checkPassword(c, email, password); err != nil {
		return u, "", err
	}
	if !u.Enabled {
		return u, "", fault.New(fault.Forbidden, "this account is disabled; the admin can enable it")
	}
	token, err = a.newSession(c, u)
	return u, token, err
}

func errCredentials() error {
	return fault.New(fault.Unauthorized, "the address or the password is wrong")
}

// checkPassword takes the same time whether the user exists or not, so that its time does not reveal it.
func (a *App) checkPassword(c *call, email, password string) (store.User, error) {
	ctx := c.r.Context()
	if len(password) > auth.MaxPasswordLength {
		return store.User{}, errCredentials() // before the query, for every address alike
	}
	u, _, err := store.UserByEmail(ctx, a.DB, email)
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = a.hasher.VerifyDummy(ctx, password)
	case err == nil:
		err = a.hasher.Verify(ctx, password, u.PasswordHash)
	default:
		return store.User{}, err
	}
	if errors.Is(err, auth.ErrWrongPassword) {
		return store.User{}, errCredentials()
	}
	return u, err
}

// rehash hashes the password again if its hash has other parameters than the current ones. After a failure, the next
// login does it.
func (a *App) rehash(c *call, u store.User, password auth.Secret) {
	if !auth.NeedsRehash(u.PasswordHash) {
		return
	}
	hash, err := a.hasher.Hash(c.r.Context(), password.Reveal())
	if err == nil {
		err = store.RehashPassword(c.r.Context(), a.DB, u.ID, u.PasswordHash, hash)
	}
	if err != nil {
		a.logFault(c, c.faultOf(err))
	}
}

// openSession opens a session for a user whose password was just set, and replies with it.
func (a *App) openSession(c *call, u store.User, status int) error {
	token, err := a.newSession(c, u)
	if errors.Is(err, store.ErrNotFound) {
		return errCredentials() // a concurrent request changed the password or disabled the user
	}
	if err != nil {
		return err
	}
	return c.replySession(status, u, token)
}

func (c *call) replySession(status int, u store.User, token string) error {
	return c.reply(status, struct {
		User  userView `json:"user"`
		Token string   `json:"token"`
	}{viewUser(u), token})
}

// newSession opens a session and sets its cookie. It returns [store.ErrNotFound] if u.PasswordHash is not the stored hash
// any more.
func (a *App) newSession(c *call, u store.User) (token string, err error) {
	s := store.Session{
		ID: store.NewID(c.now()), UserID: u.ID, UserAgent: userAgent(c.r.UserAgent()), Address: c.client.String(),
		CreatedAt: c.now(), LastSeenAt: c.now(), ExpiresAt: c.begun.AddDate(0, 0, a.Config.SessionDays).UnixMilli(),
	}
	if !c.client.IsValid() {
		s.Address = ""
	}
	if token, err = a.signSession(s, c.begun); err != nil {
		return "", err
	}
	if err := store.OpenSession(c.r.Context(), a.DB, s, u.PasswordHash); err != nil {
		return "", err
	}
	c.setSessionCookie(token, s.ExpiresAt)
	return token, nil
}

// maxUserAgent is the maximum length of a stored User-Agent, in bytes. It suffices to recognise a browser.
const maxUserAgent = 200

func userAgent(s string) string {
	s = printableText(s)
	if len(s) <= maxUserAgent {
		return s
	}
	cut := maxUserAgent
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// logout ends the session that authenticates the request.
func (a *App) logout(c *call) error {
	err := store.DeleteSession(c.r.Context(), a.DB, c.who.user.ID, c.who.session.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	c.clearSessionCookies()
	return c.noContent()
}
