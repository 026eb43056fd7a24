package server

import (
	"net/http"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// listKeys lists the user's keys, oldest first.
func (a *App) listKeys(c *call) error {
	q := c.query()
	filter := store.KeyFilter{Provider: q.text("provider")}
	slug := ""
	switch {
	case filter.Provider == provider.CustomID:
		filter = store.KeyFilter{Custom: true}
	case filter.Provider == "" || a.Providers.ByID(filter.Provider) != nil:
	case provider.IsSlug(filter.Provider):
		slug, filter.Custom = filter.Provider, true
	default:
		q.issues.Add("provider", "%s", a.unknownProvider())
	}
	enabled, page := q.boolean("enabled"), q.ownPage()
	if err := q.err(); err != nil {
		return err
	}
	keys, err := store.Keys(c.r.Context(), a.DB, c.who.user.ID, filter, store.DayOf(c.now()))
	if err != nil {
		return err
	}
	if slug != "" && len(keys) == 0 {
		q.issues.Add("provider", "%s", a.unknownProvider())
		return q.err()
	}
	views := []keyView{}
	for _, k := range keys {
		// A blocked key is not enabled, whatever its owner's switch says.
		if v := a.viewKey(k, c.now()); enabled == nil || *enabled == v.Enabled {
			views = append(views, v)
		}
	}
	paged, next := cutWhole(views, page, func(v keyView) store.ID { return v.ID })
	return c.reply(http.StatusOK, struct {
		Keys       []keyView `json:"keys"`
		Total      int       `json:"total"`
		NextCursor *store.ID `json:"nextCursor,omitempty"`
	}{paged, len(views), next})
}

func (a *App) unknownProvider() string {
	return "unknown provider; these are known: " + a.providerIDs()
}

func (a *App) providerIDs() string {
	return strings.Join(append(a.Providers.IDs(), provider.CustomID), ", ")
}

// createKey adds a key.
func (a *App) createKey(c *call) error {
	var in keyBody
	if err := c.decode(&in); err != nil {
		return err
	}
	var issues fault.Issues
	if in.Provider.Value == provider.CustomID {
		return a.createCustom(c, &in)
	}
	in.customBody.refuse(&issues)
	name := "key"
	p := a.Providers.ByID(in.Provider.Value)
	switch {
	case !in.Provider.Set || in.Provider.Null:
		issues.Add("provider", "required; these are known: %s", a.providerIDs())
	case p == nil:
		issues.Add("provider", "%s", a.unknownProvider())
	default:
		name = p.Name
	}
	if !in.APIKey.Set || in.APIKey.Null {
		issues.Add("apiKey", "required")
		in.APIKey.Set = false
	}
	in.complete(name)
	k := store.Key{
		ID: store.NewID(c.now()), UserID: c.who.user.ID, Provider: in.Provider.Value, CreatedAt: c.now(), UpdatedAt: c.now(),
	}
	change := in.change(&issues, a.encryptFor(k.ID, k.UserID))
	if err := issues.Err(); err != nil {
		return err
	}
	if err := a.checkPatternCap(c.who.user, change.AllowedModels.To); err != nil {
		return err
	}
	secret := trimSecret(in.APIKey.Value.Reveal())
	return a.addKey(c, k, change, func(r store.Runner) error {
		return a.checkTwin(c.r.Context(), r, k, secret, change.AllowedModels.To)
	})
}

// addKey stores a new key with the fields of the change, if check, which may be nil, does not refuse it in the transaction.
func (a *App) addKey(c *call, k store.Key, change store.KeyChange, check func(store.Runner) error) error {
	secret := change.Secret.To
	k.Encrypted, k.EncryptionKeyID, k.LastFour = secret.Encrypted, secret.EncryptionKeyID, secret.LastFour
	k.Name, k.Priority, k.Enabled = change.Name.To, change.Priority.To, change.Enabled.To
	k.AllowedModels, k.DefaultModel, k.DailyLimit = change.AllowedModels.To, change.DefaultModel.To, change.DailyLimit.To
	err := a.createWithin(c.r.Context(), k.UserID, store.OwnedKeys, a.Config.Caps.Keys, "keys", "KEY_LIMIT",
		func(r store.Runner) error {
			if check != nil {
				if err := check(r); err != nil {
					return err
				}
			}
			return store.CreateKey(c.r.Context(), r, k)
		})
	if err != nil && k.Custom != "" {
		return slugConflict(err, k.Provider)
	}
	if err != nil {
		return err
	}
	return c.reply(http.StatusCreated, a.viewKey(store.KeyUse{Key: k}, c.now()))
}

// createCustom adds a key of a custom endpoint.
func (a *App) createCustom(c *call, in *keyBody) error {
	var issues fault.Issues
	k := store.Key{ID: store.NewID(c.now()), UserID: c.who.user.ID, CreatedAt: c.now(), UpdatedAt: c.now()}
	custom, slug := a.endpointChange(c, &issues, in, nil, "")
	name := slug
	if preset := provider.PresetByID(custom.Preset); preset != nil {
		name = preset.Name
	}
	in.complete(name)
	in.APIKey.Set = false // it is a part of the endpoint
	change := in.change(&issues, nil)
	if err := issues.Err(); err != nil {
		return err
	}
	if err := a.checkPatternCap(c.who.user, change.AllowedModels.To); err != nil {
		return err
	}
	if err := a.slugTaken(c, slug, k.ID); err != nil {
		return err
	}
	settings, secret := a.encryptCustom(&custom, k.ID, k.UserID)
	k.Provider, k.Custom, change.Secret = slug, settings, store.To(secret)
	return a.addKey(c, k, change, nil)
}

// changeCustom takes the fields of an endpoint over into the change.
func (a *App) changeCustom(c *call, issues *fault.Issues, in *keyBody, k store.Key, change *store.KeyChange) error {
	if !in.customBody.any() && !in.APIKey.Set {
		return nil
	}
	old, err := a.customOf(c, k)
	if err != nil {
		return err
	}
	custom, slug := a.endpointChange(c, issues, in, old, k.Provider)
	if issues.Err() != nil {
		return nil
	}
	if err := a.slugTaken(c, slug, k.ID); err != nil {
		return err
	}
	settings, secret := a.encryptCustom(&custom, k.ID, k.UserID)
	change.Custom, change.Secret = store.To(store.CustomChange{Slug: slug, Settings: settings}), store.To(secret)
	return nil
}

// key finds the user's key in the path.
func (a *App) key(c *call) (store.KeyUse, error) {
	id, err := c.objectID()
	if err != nil {
		return store.KeyUse{}, err
	}
	return store.KeyByID(c.r.Context(), a.DB, c.who.user.ID, id, store.DayOf(c.now()))
}

func (a *App) getKey(c *call) error {
	k, err := a.key(c)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, a.viewKey(k, c.now()))
}

// replaceKey sets all fields; those that the body leaves out get their defaults. Only the secret stays if it
// is left out, because no client can read it.
func (a *App) replaceKey(c *call) error {
	return a.changeKey(c, func(in *keyBody, k store.KeyUse) {
		name := k.Provider
		if v := viewCustom(k.Key); v != nil && v.Preset != nil {
			if preset := provider.PresetByID(*v.Preset); preset != nil {
				name = preset.Name
			}
		} else if p := a.Providers.ByID(k.Provider); p != nil {
			name = p.Name
		}
		in.complete(name)
	})
}

// updateKey sets the fields that the body has.
func (a *App) updateKey(c *call) error {
	return a.changeKey(c, func(*keyBody, store.KeyUse) {})
}

func (a *App) changeKey(c *call, prepare func(*keyBody, store.KeyUse)) error {
	k, err := a.key(c)
	if err != nil {
		return err
	}
	var in keyBody
	if err := c.decode(&in); err != nil {
		return err
	}
	var issues fault.Issues
	if in.Provider.Set && in.Provider.Value != providerName(k.Key) {
		issues.Add("provider", "cannot be changed (it is %q): add a key of the other provider instead", providerName(k.Key))
	}
	wasAsked := in.Enabled.Set
	prepare(&in, k)
	var change store.KeyChange
	if k.Custom == "" {
		in.customBody.refuse(&issues)
		change = in.change(&issues, a.encryptFor(k.ID, k.UserID))
	} else {
		others := in
		others.APIKey.Set = false
		change = others.change(&issues, nil)
		if err := a.changeCustom(c, &issues, &in, k.Key, &change); err != nil {
			return err
		}
	}
	if err := issues.Err(); err != nil {
		return err
	}
	if change.AllowedModels.Set {
		if err := a.checkPatternCap(c.who.user, change.AllowedModels.To); err != nil {
			return err
		}
	}
	if k.Blocked && wasAsked && change.Enabled.To {
		return errBlocked("key")
	}
	if k.Key, err = a.storeChange(c, &in, k.Key, change); err != nil {
		return slugConflict(err, change.Custom.To.Slug)
	}
	return c.reply(http.StatusOK, a.viewKey(k, c.now()))
}

// storeChange changes a key, if that makes no twin of another one.
func (a *App) storeChange(c *call, in *keyBody, k store.Key, change store.KeyChange) (changed store.Key, err error) {
	ctx := c.r.Context()
	if k.Custom != "" || !change.Secret.Set && !change.AllowedModels.Set {
		return store.UpdateKey(ctx, a.DB, k.UserID, k.ID, change, c.now())
	}
	err = a.DB.Tx(ctx, func(r store.Runner) error {
		// The key is read again: another request may have changed it meanwhile.
		if err := r.Run(ctx, store.HoldUser(k.UserID)); err != nil {
			return err
		}
		now, err := store.KeyByID(ctx, r, k.UserID, k.ID, store.DayOf(c.now()))
		if err != nil {
			return err
		}
		if secret, models, changes := a.twinOf(in, change, now.Key); changes {
			if err := a.checkTwin(ctx, r, now.Key, secret, models); err != nil {
				return err
			}
		}
		changed, err = store.UpdateKey(ctx, r, k.UserID, k.ID, change, c.now())
		return err
	})
	return changed, err
}

func (a *App) deleteKey(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	if err := store.DeleteKey(c.r.Context(), a.DB, c.who.user.ID, id); err != nil {
		return err
	}
	return c.noContent()
}

// resetKey sets the used part of today's quota to 0 and ends the key's cooldowns.
func (a *App) resetKey(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	if err := store.ResetKey(c.r.Context(), a.DB, c.who.user.ID, id, store.DayOf(c.now())); err != nil {
		return err
	}
	return c.reply(http.StatusOK, struct {
		ID        store.ID  `json:"id"`
		UsedToday int64     `json:"usedToday"`
		ResetDate timestamp `json:"resetDate"`
	}{id, 0, resetDate(c.now())})
}

type keyStatView struct {
	ID             store.ID `json:"id"`
	Provider       string   `json:"provider"`
	Name           string   `json:"name"`
	UsedToday      int64    `json:"usedToday"`
	DailyLimit     *int64   `json:"dailyLimit"`
	RemainingQuota *int64   `json:"remainingQuota"`
}

// keyStats answers how much of today's quotas is used.
func (a *App) keyStats(c *call) error {
	keys, err := store.Keys(c.r.Context(), a.DB, c.who.user.ID, store.KeyFilter{}, store.DayOf(c.now()))
	if err != nil {
		return err
	}
	stats := make([]keyStatView, len(keys))
	for i, k := range keys {
		stats[i] = keyStatView{k.ID, k.Provider, k.Name, k.UsedToday, k.DailyLimit, remaining(k)}
	}
	return c.reply(http.StatusOK, struct {
		Stats     []keyStatView `json:"stats"`
		Timestamp timestamp     `json:"timestamp"`
	}{stats, timestamp(c.now())})
}

// Bounds of the days of a key's usage in one answer.
const (
	defaultKeyDays = 30
	maxKeyDays     = 366
)

type keyDayView struct {
	Date string `json:"date"`
	countsView
}

// keyUsage answers the usage of a key, day by day, newest first.
func (a *App) keyUsage(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	q := c.query()
	limit := q.integer("limit", 1, maxKeyDays, defaultKeyDays)
	if err := q.err(); err != nil {
		return err
	}
	days, err := store.KeyDays(c.r.Context(), a.DB, c.who.user.ID, id, store.DayOf(c.now()), int(limit))
	if err != nil {
		return err
	}
	usage := make([]keyDayView, len(days))
	for i, d := range days {
		usage[i] = keyDayView{dateOf(d.Day), viewCounts(d.Counts)}
	}
	return c.reply(http.StatusOK, struct {
		KeyID store.ID     `json:"keyId"`
		Usage []keyDayView `json:"usage"`
		Count int          `json:"count"`
	}{id, usage, len(usage)})
}

type ownedKeyView struct {
	ID        store.ID  `json:"id"`
	Provider  string    `json:"provider"`
	Slug      string    `json:"slug,omitempty"`
	Name      string    `json:"name"`
	Enabled   bool      `json:"enabled"`
	Blocked   bool      `json:"blocked"`
	LastFour  string    `json:"lastFour"`
	CreatedAt timestamp `json:"createdAt"`
	UserID    store.ID  `json:"userId"`
	Email     string    `json:"email,omitempty"`
	keyStatusView
}

func (a *App) viewOwnedKey(k store.OwnedKey, now int64) ownedKeyView {
	return ownedKeyView{
		ID: k.ID, Provider: providerName(k.Key), Slug: slugOf(k.Key), Name: k.Name, Enabled: k.Enabled && !k.Blocked, Blocked: k.Blocked, LastFour: k.LastFour,
		CreatedAt: timestamp(k.CreatedAt), UserID: k.UserID, Email: k.OwnerEmail, keyStatusView: a.viewStatus(k.Key, k.UsedToday, now),
	}
}

// listAllKeys lists all keys for the admin.
func (a *App) listAllKeys(c *call) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	keys, err := store.AllKeys(c.r.Context(), a.DB, page.more(), store.DayOf(c.now()))
	if err != nil {
		return err
	}
	keys, next := cut(keys, page, func(k store.OwnedKey) store.ID { return k.ID })
	views := make([]ownedKeyView, len(keys))
	for i, k := range keys {
		views[i] = a.viewOwnedKey(k, c.now())
	}
	return c.reply(http.StatusOK, struct {
		Keys       []ownedKeyView `json:"keys"`
		NextCursor *store.ID      `json:"nextCursor"`
	}{views, next})
}

// blockKey sets the admin's switch of any key.
func (a *App) blockKey(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	var in blocking
	if err := c.decode(&in); err != nil {
		return err
	}
	k, err := store.BlockKey(c.r.Context(), a.DB, id, in.Blocked, c.now())
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, a.viewOwnedKey(k, c.now()))
}
