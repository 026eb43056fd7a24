package server

import (
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// userView is a user as the API shows it.
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

// login opens a session for an address and its password.
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
	u, err := a.checkPassword(c, email, in.Password.Reveal())
	if err != nil {
		return err
	}
	attempt.succeeded()
	if !u.Enabled {
		return fault.New(fault.Forbidden, "this account is disabled; the admin can enable it")
	}
	a.rehash(c, u, in.Password)
	return a.openSession(c, u, http.StatusOK)
}

func errCredentials() error {
	return fault.New(fault.Unauthorized, "the address or the password is wrong")
}

// checkPassword takes the same time whether the user exists or not.
func (a *App) checkPassword(c *call, email, password string) (store.User, error) {
	ctx := c.r.Context()
	if len(password) > auth.MaxPasswordLength {
		return store.User{}, errCredentials() // for every address alike
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

// rehash keeps the password at today's cost. If it fails it is tried at the next login.
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

// openSession makes a session and answers with it: as a token, and as a cookie.
func (a *App) openSession(c *call, u store.User, status int) error {
	token, err := a.newSession(c, u.ID)
	if err != nil {
		return err
	}
	return c.reply(status, struct {
		User  userView `json:"user"`
		Token string   `json:"token"`
	}{viewUser(u), token})
}

func (a *App) newSession(c *call, user store.ID) (token string, err error) {
	s := store.Session{
		ID: store.NewID(c.now()), UserID: user, UserAgent: userAgent(c.r.UserAgent()), Address: c.client.String(),
		CreatedAt: c.now(), LastSeenAt: c.now(), ExpiresAt: c.begun.AddDate(0, 0, a.Config.SessionDays).UnixMilli(),
	}
	if !c.client.IsValid() {
		s.Address = ""
	}
	if token, err = a.signSession(s, c.begun); err != nil {
		return "", err
	}
	if err := store.CreateSession(c.r.Context(), a.DB, s); err != nil {
		return "", err
	}
	c.setSessionCookie(token, s.ExpiresAt)
	return token, nil
}

// maxUserAgent is how much of a User-Agent is kept, in bytes: enough to recognise a browser.
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

// logout ends the session it is called with.
func (a *App) logout(c *call) error {
	err := store.DeleteSession(c.r.Context(), a.DB, c.who.user.ID, c.who.session.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	c.clearSessionCookies()
	return c.noContent()
}
