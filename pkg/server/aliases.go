package server

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// aliasView is an alias as the API shows it.
type aliasView struct {
	ID        store.ID            `json:"id"`
	Name      string              `json:"name"`
	Targets   []store.AliasTarget `json:"targets"`
	Strategy  *string             `json:"strategy"` // null: the order of the targets
	Shared    bool                `json:"shared"`   // for everyone, and the admin's to change
	CreatedAt timestamp           `json:"createdAt"`
	UpdatedAt timestamp           `json:"updatedAt"`
}

func viewAlias(a store.Alias) aliasView {
	v := aliasView{ID: a.ID, Name: a.Name, Targets: a.Targets, Shared: a.User.IsZero(),
		CreatedAt: timestamp(a.CreatedAt), UpdatedAt: timestamp(a.UpdatedAt)}
	if a.Strategy != "" {
		v.Strategy = &a.Strategy
	}
	return v
}

// listAliases lists the user's aliases and those that are for everyone, by name.
func (a *App) listAliases(c *call) error {
	aliases, err := store.Aliases(c.r.Context(), a.DB, c.who.user.ID)
	if err != nil {
		return err
	}
	views := make([]aliasView, len(aliases))
	for i := range aliases {
		views[i] = viewAlias(aliases[i])
	}
	return c.reply(http.StatusOK, struct {
		Aliases []aliasView `json:"aliases"`
	}{views})
}

func (a *App) aliasByPath(c *call) (store.Alias, error) {
	id, err := c.objectID()
	if err != nil {
		return store.Alias{}, err
	}
	return store.AliasByID(c.r.Context(), a.DB, c.who.user.ID, id)
}

func (a *App) getAlias(c *call) error {
	alias, err := a.aliasByPath(c)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, viewAlias(alias))
}

// mayChangeAlias refuses to change an alias that is for everyone, unless the admin does.
func (c *call) mayChangeAlias(aliases ...store.Alias) error {
	for i := range aliases {
		if aliases[i].User.IsZero() && c.who.user.Role != store.RoleAdmin {
			return fault.New(fault.Forbidden, "only the admin may share an alias, or change one that is shared")
		}
	}
	return nil
}

func (a *App) createAlias(c *call) error {
	var in aliasBody
	if err := c.decode(&in); err != nil {
		return err
	}
	alias := store.Alias{ID: store.NewID(c.now()), User: c.who.user.ID, CreatedAt: c.now(), UpdatedAt: c.now()}
	var issues fault.Issues
	in.require(&issues)
	if err := a.applyAlias(c, &issues, &in, &alias); err != nil {
		return err
	}
	if err := c.mayChangeAlias(alias); err != nil {
		return err
	}
	err := a.createWithin(c.r.Context(), c.who.user.ID, store.OwnedAliases, a.Config.Caps.Aliases, "aliases", "ALIAS_LIMIT",
		func(r store.Runner) error { return store.CreateAlias(c.r.Context(), r, alias) })
	if err != nil {
		return aliasFault(err, alias.Name)
	}
	a.logAlias(c, "alias created", &alias)
	return c.reply(http.StatusCreated, viewAlias(alias))
}

func (a *App) updateAlias(c *call) error {
	var in aliasBody
	if err := c.decode(&in); err != nil {
		return err
	}
	var issues fault.Issues
	if err := a.applyAlias(c, &issues, &in, &store.Alias{User: c.who.user.ID}); err != nil {
		return err
	}
	before, err := a.aliasByPath(c)
	if err != nil {
		return err
	}
	alias := before
	alias.UpdatedAt = c.now()
	if err := a.applyAlias(c, &issues, &in, &alias); err != nil {
		return err
	}
	if err := c.mayChangeAlias(before, alias); err != nil {
		return err
	}
	if err := store.UpdateAlias(c.r.Context(), a.DB, alias, before); err != nil {
		return aliasFault(err, alias.Name)
	}
	a.logAlias(c, "alias changed", &alias)
	return c.reply(http.StatusOK, viewAlias(alias))
}

func (a *App) deleteAlias(c *call) error {
	alias, err := a.aliasByPath(c)
	if err != nil {
		return err
	}
	if err := c.mayChangeAlias(alias); err != nil {
		return err
	}
	if err := store.DeleteAlias(c.r.Context(), a.DB, alias); err != nil {
		return err
	}
	a.logAlias(c, "alias deleted", &alias)
	return c.noContent()
}

func aliasFault(err error, name string) error {
	if store.CodeOf(err) == store.CodeConflict {
		return fault.New(fault.Conflict, "there is an alias of the name %q already: change that one", printableText(name))
	}
	return err
}

// logAlias notes who changed an alias that is for everyone.
func (a *App) logAlias(c *call, what string, alias *store.Alias) {
	if alias.User.IsZero() {
		a.Log.Info(what, "alias", alias.ID.String(), "by", c.who.user.ID.String(), "request", c.requestID())
	}
}
