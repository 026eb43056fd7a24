package server

import (
	"errors"
	"net/http"

	"github.com/alicetears/llm-gateway/internal/version"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/store"
)

type settingsView struct {
	RegistrationEnabled bool `json:"registrationEnabled" jsonx:"required"`
}

// gatewayView is the gateway's settings: the admin's switch, and those of the environment.
type gatewayView struct {
	settingsView
	Strategy           config.Strategy `json:"strategy"`
	RetentionDays      int             `json:"retentionDays"`
	TraceRetentionDays int             `json:"traceRetentionDays"`
	SessionDays        int             `json:"sessionDays"`
	Version            string          `json:"version"`
	// UnlistedProxy is the peer of this request if it seems to be a proxy that is not in TRUSTED_PROXIES; null otherwise.
	UnlistedProxy *string `json:"unlistedProxy"`
}

// settings answers the gateway's settings, for the admin.
func (a *App) settings(c *call) error {
	i, err := store.InstanceStatus(c.r.Context(), a.DB)
	if err != nil {
		return err
	}
	v := gatewayView{
		settingsView: settingsView{i.RegistrationEnabled}, Strategy: a.Config.Strategy, RetentionDays: a.Config.RetentionDays,
		TraceRetentionDays: a.Config.TraceRetentionDays, SessionDays: a.Config.SessionDays, Version: version.String(),
	}
	if a.proxies.unlisted(c.r) {
		peer := parseAddress(c.r.RemoteAddr).String()
		v.UnlistedProxy = &peer
	}
	return c.reply(http.StatusOK, v)
}

// updateSettings opens and closes registration.
func (a *App) updateSettings(c *call) error {
	var in settingsView
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := store.SetRegistration(c.r.Context(), a.DB, in.RegistrationEnabled, c.now()); err != nil {
		return err
	}
	return c.reply(http.StatusOK, in)
}

// adminUserView is a user as the admin sees it.
type adminUserView struct {
	userView
	Enabled bool `json:"enabled"`
}

// listUsers lists all users, oldest first.
func (a *App) listUsers(c *call) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	users, err := store.Users(c.r.Context(), a.DB, page.more())
	if err != nil {
		return err
	}
	users, next := cut(users, page, func(u store.User) store.ID { return u.ID })
	views := make([]adminUserView, len(users))
	for i, u := range users {
		views[i] = adminUserView{viewUser(u), u.Enabled}
	}
	return c.reply(http.StatusOK, struct {
		Users      []adminUserView `json:"users"`
		NextCursor *store.ID       `json:"nextCursor"`
	}{views, next})
}

// updateUser changes a user's switch and role.
func (a *App) updateUser(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	var in struct {
		Enabled *bool                  `json:"enabled"`
		Role    jsonx.Optional[string] `json:"role"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	var change store.UserChange
	var issues fault.Issues
	if in.Enabled != nil {
		change.Enabled = store.To(*in.Enabled)
	}
	if in.Role.Set {
		role := store.Role(in.Role.Value)
		if role != store.RoleAdmin && role != store.RoleUser {
			issues.Add("role", "must be %q or %q", store.RoleAdmin, store.RoleUser)
		}
		change.Role = store.To(role)
	}
	if in.Enabled == nil && !in.Role.Set {
		issues.Add("", "give enabled, role, or both")
	}
	if err := issues.Err(); err != nil {
		return err
	}
	u, err := store.UpdateUser(c.r.Context(), a.DB, id, change, c.now())
	if errors.Is(err, store.ErrLastAdmin) {
		return fault.New(fault.Conflict, "this is the last enabled admin: it can be neither disabled nor demoted")
	}
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, struct {
		User adminUserView `json:"user"`
	}{adminUserView{viewUser(u), u.Enabled}})
}

// deleteUser deletes another user for the admin, with all that belongs to it.
func (a *App) deleteUser(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	if id == c.who.user.ID {
		return fault.New(fault.Conflict, "this is your own account: delete it with POST /api/auth/me/delete and your password")
	}
	if err := a.deleteAccount(c, id); err != nil {
		return err
	}
	return c.noContent()
}
