package server

import (
	"errors"
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

type userAnswer struct {
	User userView `json:"user"`
}

// me replies with the user of the request.
func (a *App) me(c *call) error {
	return c.reply(http.StatusOK, userAnswer{viewUser(c.who.user)})
}

// updateMe changes the part of an account that its owner may change.
func (a *App) updateMe(c *call) error {
	var in struct {
		Name     jsonx.Optional[string] `json:"name"`
		Strategy jsonx.Optional[string] `json:"strategy"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	var change store.ProfileChange
	var issues fault.Issues
	if in.Name.Set {
		name := checkName(&issues, "name", in.Name.Value)
		if name == "" && len(issues) == 0 {
			issues.Add("name", "must not be empty")
		}
		change.Name = store.To(name)
	}
	if in.Strategy.Set {
		switch s := config.Strategy(in.Strategy.Value); {
		case in.Strategy.Null, s == config.ExhaustFirst, s == config.RoundRobin:
			change.Strategy = store.To(string(s))
		default:
			issues.Add("strategy", "must be %q, %q, or null for the gateway's default", config.ExhaustFirst, config.RoundRobin)
		}
	}
	if err := issues.Err(); err != nil {
		return err
	}
	u, err := store.SetProfile(c.r.Context(), a.DB, c.who.user.ID, change, c.now())
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, userAnswer{viewUser(u)})
}

// changePassword ends all sessions of the user, and replies with a new one.
func (a *App) changePassword(c *call) error {
	var in struct {
		Current auth.Secret `json:"currentPassword" jsonx:"required"`
		New     auth.Secret `json:"newPassword" jsonx:"required"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := auth.CheckPassword(in.New.Reveal()); err != nil {
		var issues fault.Issues
		issues.Add("newPassword", "%s", err)
		return issues.Err()
	}
	ctx, u := c.r.Context(), c.who.user
	// Throttled, so that nobody can guess the password with a session that was left open.
	bucket := quota.Bucket("password", u.ID.String())
	if err := a.try(c, bucket, perAccount); err != nil {
		return err
	}
	switch err := a.verify(c, in.Current, u); {
	case errors.Is(err, auth.ErrWrongPassword):
		return fault.New(fault.Forbidden, "currentPassword: this is not the current password")
	case err != nil:
		return err
	}
	if err := a.Throttle.Clear(ctx, c.now(), bucket); err != nil {
		return err
	}
	var err error
	if u.PasswordHash, err = a.hasher.Hash(ctx, in.New.Reveal()); err != nil {
		return err
	}
	if err := store.SetPassword(ctx, a.DB, u.ID, u.PasswordHash, store.ID{}, c.now()); err != nil {
		return err
	}
	return a.openSession(c, u, http.StatusOK)
}

func (a *App) verify(c *call, password auth.Secret, u store.User) error {
	if len(password.Reveal()) > auth.MaxPasswordLength {
		return auth.ErrWrongPassword
	}
	return a.hasher.Verify(c.r.Context(), password.Reveal(), u.PasswordHash)
}

type sessionView struct {
	ID         store.ID  `json:"id"`
	CreatedAt  timestamp `json:"createdAt"`
	LastSeenAt timestamp `json:"lastSeenAt"`
	ExpiresAt  timestamp `json:"expiresAt"`
	Current    bool      `json:"current"`
	UserAgent  string    `json:"userAgent"`
	Address    string    `json:"address"`
}

// listSessions lists the user's sessions.
func (a *App) listSessions(c *call) error {
	sessions, err := store.Sessions(c.r.Context(), a.DB, c.who.user.ID, c.now())
	if err != nil {
		return err
	}
	views := make([]sessionView, len(sessions))
	for i, s := range sessions {
		views[i] = sessionView{
			ID: s.ID, CreatedAt: timestamp(s.CreatedAt), LastSeenAt: timestamp(s.LastSeenAt), ExpiresAt: timestamp(s.ExpiresAt),
			Current: s.ID == c.who.session.ID, UserAgent: s.UserAgent, Address: s.Address,
		}
	}
	return c.reply(http.StatusOK, struct {
		Sessions []sessionView `json:"sessions"`
	}{views})
}

// deleteSession ends one of the user's sessions.
func (a *App) deleteSession(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	if err := store.DeleteSession(c.r.Context(), a.DB, c.who.user.ID, id); err != nil {
		return err
	}
	if id == c.who.session.ID {
		c.clearSessionCookies()
	}
	return c.noContent()
}
