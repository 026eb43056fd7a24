package server

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// keyState says in a word whether a key can serve, and if not, why.
type keyState string

// The states, the strongest reason first.
const (
	keyBlocked       keyState = "blocked"       // by the admin
	keyDisabled      keyState = "disabled"      // by its owner
	keyUndecryptable keyState = "undecryptable" // its secret cannot be decrypted, until it is entered again
	keyUnsupported   keyState = "unsupported"   // this version cannot call the provider
	keyRejected      keyState = "rejected"      // the provider refuses it
	keyCooldown      keyState = "cooldown"      // until cooldownUntil; also while only some of its models cool down
	keySpent         keyState = "spent"         // until resetDate
	keyReady         keyState = "ready"
)

// keyStatusView says whether a key can serve, for its owner and for the admin. Without a cooldown its fields are null.
type keyStatusView struct {
	State           keyState       `json:"state"`
	CooldownUntil   *timestamp     `json:"cooldownUntil"`
	CooldownClass   *string        `json:"cooldownClass"`
	CooldownMessage *string        `json:"cooldownMessage"` // the provider's words; empty if it said nothing
	Cooldowns       []cooldownView `json:"cooldowns"`
}

// cooldownView is a cooldown that has not ended.
type cooldownView struct {
	Model   *string    `json:"model"` // null: all models of the key
	Class   string     `json:"class"`
	Until   timestamp  `json:"until"`
	Since   *timestamp `json:"since"` // null: unknown
	Message string     `json:"message"`
}

func (a *App) viewStatus(k store.Key, usedToday, now int64) keyStatusView {
	v := keyStatusView{State: a.stateOf(k, usedToday, now), Cooldowns: []cooldownView{}}
	if k.CooldownUntil > now {
		v.CooldownUntil, v.CooldownClass, v.CooldownMessage = since(k.CooldownUntil), &k.CooldownClass, &k.CooldownMessage
		v.Cooldowns = append(v.Cooldowns, cooldownView{
			Class: k.CooldownClass, Until: timestamp(k.CooldownUntil), Since: since(k.CooldownSince), Message: k.CooldownMessage,
		})
	}
	return v
}

func (a *App) stateOf(k store.Key, usedToday, now int64) keyState {
	switch {
	case k.Blocked:
		return keyBlocked
	case !k.Enabled:
		return keyDisabled
	}
	if _, err := a.openKey(k); err != nil {
		return keyUndecryptable
	}
	p := a.Providers.ByID(k.Provider)
	if p == nil {
		return keyUnsupported
	}
	if ok, _ := p.Callable(); !ok {
		return keyUnsupported
	}
	if k.CooldownUntil > now {
		if refused(k) {
			return keyRejected
		}
		return keyCooldown
	}
	if k.DailyLimit != nil && usedToday >= *k.DailyLimit {
		return keySpent
	}
	return keyReady
}

// refused reports whether the provider refuses a key that cools down.
func refused(k store.Key) bool {
	class := chat.Class(k.CooldownClass)
	return class == chat.BadKey || class == chat.Forbidden
}

func (a *App) openKey(k store.Key) (string, error) {
	secret, _, err := a.Secrets.Decrypt(k.Encrypted, k.EncryptionKeyID, gateway.KeyBinding(k.ID, k.UserID))
	return string(secret), err
}
