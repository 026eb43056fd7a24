package server

import (
	"crypto/rand"
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// tokenView is a gateway token as the API shows it, without its secret, which is not stored.
type tokenView struct {
	ID        store.ID   `json:"id"`
	Name      string     `json:"name"`
	Enabled   bool       `json:"enabled"`
	Blocked   bool       `json:"blocked"` // by the admin: its owner cannot enable it
	ExpiresAt *timestamp `json:"expiresAt"`
	CreatedAt timestamp  `json:"createdAt"`
	tokenScope
}

func viewToken(t store.Token) tokenView {
	return tokenView{
		ID: t.ID, Name: t.Name, Enabled: t.Enabled && !t.Blocked, Blocked: t.Blocked,
		ExpiresAt: (*timestamp)(t.ExpiresAt), CreatedAt: timestamp(t.CreatedAt),
		tokenScope: viewScope(&t),
	}
}

type usedTokenView struct {
	tokenView
	LastUsedAt *timestamp `json:"lastUsedAt"`
	UsageCount int64      `json:"usageCount"`
}

// listTokens lists the user's tokens, oldest first.
func (a *App) listTokens(c *call) error {
	q := c.query()
	page := q.ownPage()
	if err := q.err(); err != nil {
		return err
	}
	tokens, err := store.Tokens(c.r.Context(), a.DB, c.who.user.ID)
	if err != nil {
		return err
	}
	tokens, next := cutWhole(tokens, page, func(t store.TokenUse) store.ID { return t.ID })
	views := make([]usedTokenView, len(tokens))
	for i, t := range tokens {
		views[i] = usedTokenView{viewToken(t.Token), since(t.LastUsedAt), t.Requests}
	}
	return c.reply(http.StatusOK, struct {
		Tokens     []usedTokenView `json:"tokens"`
		NextCursor *store.ID       `json:"nextCursor,omitempty"`
	}{views, next})
}

// maxTokenDays is the longest life of a token that expires.
const maxTokenDays = 3650

// expiry checks a number of days from now; nil is never.
func (c *call) expiry(issues *fault.Issues, days jsonx.Optional[int64]) *int64 {
	if !days.Set || days.Null {
		return nil
	}
	if days.Value < 1 || days.Value > maxTokenDays {
		issues.Add("expiresInDays", "must be a whole number from 1 to %d, or null for never", maxTokenDays)
		return nil
	}
	at := c.begun.AddDate(0, 0, int(days.Value)).UnixMilli()
	return &at
}

// createToken makes a token. This answer alone holds its secret.
func (a *App) createToken(c *call) error {
	var in struct {
		Name          string                `json:"name" jsonx:"required"`
		ExpiresInDays jsonx.Optional[int64] `json:"expiresInDays"`
		scopeBody
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	var issues fault.Issues
	var change store.TokenChange
	if err := a.checkScope(c, &issues, &in.scopeBody, &change); err != nil {
		return err
	}
	t := store.Token{
		ID: store.NewID(c.now()), UserID: c.who.user.ID, Enabled: true, CreatedAt: c.now(),
		Name: requireName(&issues, in.Name), ExpiresAt: c.expiry(&issues, in.ExpiresInDays),
		TokenScope: store.TokenScope{AllowedModels: orEmpty(change.AllowedModels.To), AllowedProviders: orEmpty(change.AllowedProviders.To), AllowedEndpoints: orEmpty(change.AllowedEndpoints.To),
			EndUsers: change.EndUsers.To, EndUserSource: change.EndUserSource.To},
		MaxConcurrent: change.MaxConcurrent.To,
	}
	if err := issues.Err(); err != nil {
		return err
	}
	token, err := a.Secrets.NewToken(rand.Reader)
	if err != nil {
		return err
	}
	digest := a.Secrets.Digest(token)
	t.Hash = digest[:]
	err = a.createWithin(c.r.Context(), t.UserID, store.OwnedTokens, a.Config.Caps.Tokens, "gateway tokens", "TOKEN_LIMIT",
		func(r store.Runner) error { return store.CreateToken(c.r.Context(), r, t) })
	if err != nil {
		return err
	}
	return c.reply(http.StatusCreated, struct {
		tokenView
		Token string `json:"token"`
	}{viewToken(t), token})
}

func requireName(issues *fault.Issues, name string) string {
	before := len(*issues)
	name = checkName(issues, "name", name)
	if name == "" && len(*issues) == before {
		issues.Add("name", "must not be empty")
	}
	return name
}

// updateToken changes the name, the switch, the expiry and the scope of a token.
func (a *App) updateToken(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	var in struct {
		Name          jsonx.Optional[string] `json:"name"`
		Enabled       *bool                  `json:"enabled"`
		ExpiresInDays jsonx.Optional[int64]  `json:"expiresInDays"`
		scopeBody
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	var change store.TokenChange
	var issues fault.Issues
	if in.Name.Set {
		change.Name = store.To(requireName(&issues, in.Name.Value))
	}
	if in.ExpiresInDays.Set {
		change.ExpiresAt = store.To(c.expiry(&issues, in.ExpiresInDays))
	}
	if in.Enabled != nil {
		change.Enabled = store.To(*in.Enabled)
	}
	if err := a.checkScope(c, &issues, &in.scopeBody, &change); err != nil {
		return err
	}
	if err := issues.Err(); err != nil {
		return err
	}
	ctx := c.r.Context()
	if change.Enabled.To {
		t, err := store.TokenByID(ctx, a.DB, c.who.user.ID, id)
		if err != nil {
			return err
		}
		if t.Blocked {
			return errBlocked("token")
		}
	}
	t, err := store.UpdateToken(ctx, a.DB, c.who.user.ID, id, change, c.now())
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, viewToken(t))
}

func errBlocked(what string) error {
	return fault.New(fault.Forbidden, "the admin has disabled this %s: only the admin can enable it", what)
}

// deleteToken deletes a token, which revokes it for good.
func (a *App) deleteToken(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	if err := store.DeleteToken(c.r.Context(), a.DB, c.who.user.ID, id); err != nil {
		return err
	}
	return c.noContent()
}

type ownedTokenView struct {
	tokenView
	UserID store.ID `json:"userId"`
	Email  string   `json:"email"`
}

// listAllTokens lists all tokens for the admin.
func (a *App) listAllTokens(c *call) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	tokens, err := store.AllTokens(c.r.Context(), a.DB, page.more())
	if err != nil {
		return err
	}
	tokens, next := cut(tokens, page, func(t store.OwnedToken) store.ID { return t.ID })
	views := make([]ownedTokenView, len(tokens))
	for i, t := range tokens {
		views[i] = ownedTokenView{viewToken(t.Token), t.UserID, t.OwnerEmail}
	}
	return c.reply(http.StatusOK, struct {
		Tokens     []ownedTokenView `json:"tokens"`
		NextCursor *store.ID        `json:"nextCursor"`
	}{views, next})
}

// blocking is the body by which the admin blocks another user's key or token.
type blocking struct {
	Blocked bool `json:"blocked" jsonx:"required"`
}

// blockToken sets the admin's switch of any token.
func (a *App) blockToken(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	var in blocking
	if err := c.decode(&in); err != nil {
		return err
	}
	t, err := store.BlockToken(c.r.Context(), a.DB, id, in.Blocked)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, viewToken(t))
}
