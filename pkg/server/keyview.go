package server

import (
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// keyState says in a word whether a key can serve, and if not, why.
type keyState string

// The states, the strongest reason first.
const (
	keyBlocked    keyState = "blocked"     // by the admin
	keyDisabled   keyState = "disabled"    // by its owner
	keyUnopenable keyState = "unopenable"  // its secret cannot be opened; entering it again heals it
	keyUnknown    keyState = "unsupported" // this version cannot speak to the provider
	keyRejected   keyState = "rejected"    // the provider refuses it
	keyResting    keyState = "resting"     // until restUntil
	keySpent      keyState = "quota_spent" // until resetDate
	keyReady      keyState = "ready"
)

// keyView is a provider key as the API shows it. Of the secret only the last four characters are.
type keyView struct {
	ID             store.ID   `json:"id"`
	Provider       string     `json:"provider"`
	Name           string     `json:"name"`
	Priority       int        `json:"priority"`
	Enabled        bool       `json:"enabled"`
	Blocked        bool       `json:"blocked"` // by the admin: its owner cannot enable it
	AllowedModels  []string   `json:"allowedModels"`
	DefaultModel   *string    `json:"defaultModel"`
	DailyLimit     *int64     `json:"dailyLimit"`
	UsedToday      int64      `json:"usedToday"`
	RemainingQuota *int64     `json:"remainingQuota"` // null: no limit
	ResetDate      timestamp  `json:"resetDate"`
	CreatedAt      timestamp  `json:"createdAt"`
	UpdatedAt      timestamp  `json:"updatedAt"`
	LastUsedAt     *timestamp `json:"lastUsedAt"`
	UsageCount     int64      `json:"usageCount"`
	LastFour       string     `json:"lastFour"`
	State          keyState   `json:"state"`
	StateMessage   string     `json:"stateMessage"`
	RestUntil      *timestamp `json:"restUntil"`
	RestClass      *string    `json:"restClass"`
}

func (a *App) viewKey(k store.KeyUse, now int64) keyView {
	v := keyView{
		ID: k.ID, Provider: k.Provider, Name: k.Name, Priority: k.Priority,
		Enabled: k.Enabled && !k.Blocked, Blocked: k.Blocked,
		AllowedModels: k.AllowedModels, DailyLimit: k.DailyLimit,
		UsedToday: k.UsedToday, RemainingQuota: remaining(k), ResetDate: resetDate(now),
		CreatedAt: timestamp(k.CreatedAt), UpdatedAt: timestamp(k.UpdatedAt), LastUsedAt: since(k.LastUsedAt), UsageCount: k.Requests,
		LastFour: k.LastFour,
	}
	if v.AllowedModels == nil {
		v.AllowedModels = []string{}
	}
	if k.DefaultModel != "" {
		v.DefaultModel = &k.DefaultModel
	}
	if k.CooldownUntil > now {
		v.RestUntil, v.RestClass = since(k.CooldownUntil), &k.CooldownClass
	}
	v.State, v.StateMessage = a.stateOf(k, now)
	return v
}

// remaining is what a key may still do today; nil: there is no limit.
func remaining(k store.KeyUse) *int64 {
	if k.DailyLimit == nil {
		return nil
	}
	n := max(0, *k.DailyLimit-k.UsedToday)
	return &n
}

// resetDate is the next UTC midnight.
func resetDate(now int64) timestamp { return timestamp(store.DayStart(store.DayOf(now) + 1)) }

func (a *App) stateOf(k store.KeyUse, now int64) (keyState, string) {
	switch {
	case k.Blocked:
		return keyBlocked, "disabled by the admin"
	case !k.Enabled:
		return keyDisabled, "disabled"
	}
	if _, err := a.openKey(k.Key); err != nil {
		return keyUnopenable, err.Error() + "; enter the key again"
	}
	p := a.Providers.ByID(k.Provider)
	if p == nil {
		return keyUnknown, "this version of the gateway does not know the provider"
	}
	if ok, why := p.Callable(); !ok {
		return keyUnknown, why
	}
	if k.CooldownUntil > now {
		return restOf(k)
	}
	if left := remaining(k); left != nil && *left == 0 {
		return keySpent, "today's quota is spent; it begins anew at " + clock(int64(resetDate(now)))
	}
	return keyReady, "ready"
}

func restOf(k store.KeyUse) (keyState, string) {
	note := ""
	if k.CooldownMessage != "" {
		note = ": " + k.CooldownMessage
	}
	switch class := chat.Class(k.CooldownClass); {
	case class == chat.BadKey || k.CooldownUntil >= provider.UntilEdited:
		return keyRejected, "the provider refuses the key" + note
	case class == chat.Forbidden:
		return keyRejected, "the provider does not let the key do this" + note + "; it is tried again at " + clock(k.CooldownUntil)
	default:
		return keyResting, strings.ReplaceAll(k.CooldownClass, "_", " ") + note + "; the key rests until " + clock(k.CooldownUntil)
	}
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04 UTC") }

func (a *App) openKey(k store.Key) (string, error) {
	secret, _, err := a.Secrets.Decrypt(k.Encrypted, k.EncryptionKeyID, gateway.KeyBinding(k.ID, k.UserID))
	return string(secret), err
}
