package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/auth"
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
		if !in.Strategy.Null {
			checkStrategy(&issues, "strategy", in.Strategy.Value)
		}
		change.Strategy = store.To(in.Strategy.Value)
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
		Current      auth.Secret `json:"currentPassword" jsonx:"required"`
		New          auth.Secret `json:"newPassword" jsonx:"required"`
		RevokeTokens bool        `json:"revokeTokens"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := auth.CheckPassword(in.New.Reveal(), c.who.user.Email); err != nil {
		var issues fault.Issues
		issues.Add("newPassword", "%s", err)
		return issues.Err()
	}
	if err := a.confirmPassword(c, "currentPassword", in.Current); err != nil {
		return err
	}
	ctx, u := c.r.Context(), c.who.user
	var err error
	if u.PasswordHash, err = a.hasher.Hash(ctx, in.New.Reveal()); err != nil {
		return err
	}
	if err := store.SetPassword(ctx, a.DB, u.ID, u.PasswordHash, store.ID{}, in.RevokeTokens, c.now()); err != nil {
		return err
	}
	return a.openSession(c, u, http.StatusOK)
}

// confirmPassword checks the password of the request's user, which stands in the field. Its tries are throttled, so that
// nobody can guess the password with a session that was left open.
func (a *App) confirmPassword(c *call, field string, password auth.Secret) error {
	bucket := quota.Bucket("password", c.who.user.ID.String())
	if err := a.try(c, bucket, perAccount); err != nil {
		return err
	}
	err := auth.ErrWrongPassword
	if len(password.Reveal()) <= auth.MaxPasswordLength {
		err = a.hasher.Verify(c.r.Context(), password.Reveal(), c.who.user.PasswordHash)
	}
	if errors.Is(err, auth.ErrWrongPassword) {
		return fault.New(fault.Forbidden, "%s: this is not the current password", field)
	}
	if err != nil {
		return err
	}
	return a.Throttle.Clear(c.r.Context(), c.now(), bucket)
}

// revoke ends all other sessions of the user, and disables the gateway tokens if the request says so.
func (a *App) revoke(c *call) error {
	var in struct {
		Tokens bool `json:"tokens"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	sessions, tokens, err := store.Revoke(c.r.Context(), a.DB, c.who.user.ID, c.who.session.ID, in.Tokens)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, struct {
		Sessions int64 `json:"sessions"`
		Tokens   int64 `json:"tokens"`
	}{sessions, tokens})
}

// deleteMe deletes the account of the request's user with all that belongs to it.
func (a *App) deleteMe(c *call) error {
	var in struct {
		Password auth.Secret `json:"password" jsonx:"required"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := a.confirmPassword(c, "password", in.Password); err != nil {
		return err
	}
	if err := a.deleteAccount(c, c.who.user.ID); err != nil {
		return err
	}
	c.clearSessionCookies()
	return c.noContent()
}

// deleteAccount deletes a user, and then as much of its request log as a short time allows. The retention deletes the rest.
func (a *App) deleteAccount(c *call, id store.ID) error {
	err := store.DeleteUser(c.r.Context(), a.DB, id, c.now())
	if errors.Is(err, store.ErrLastAdmin) {
		return fault.New(fault.Conflict, "this is the last enabled admin, whose account cannot be deleted: make another user an admin first")
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), retentionTime)
	defer cancel()
	if _, err := store.PurgeDeletedUsers(ctx, a.DB, retentionBatch); err != nil && ctx.Err() == nil {
		a.logFault(c, c.faultOf(err))
	}
	return nil
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
