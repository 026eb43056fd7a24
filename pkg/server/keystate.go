package server

import (
	"slices"

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

// keyStatusView says whether a key can serve, for its owner and for the admin. The fields cooldown* are those of the
// cooldown of the whole key or, if there is none, of the one that ends first; without a cooldown they are null.
type keyStatusView struct {
	State           keyState       `json:"state"`
	CooldownUntil   *timestamp     `json:"cooldownUntil"`
	CooldownClass   *string        `json:"cooldownClass"`
	CooldownMessage *string        `json:"cooldownMessage"` // the provider's words; empty if it said nothing
	Cooldowns       []cooldownView `json:"cooldowns"`
}

// cooldownView is a cooldown that has not ended.
type cooldownView struct {
	Model *string    `json:"model"` // null: all models of the key
	Class string     `json:"class"`
	Until timestamp  `json:"until"` // of a rejected key it may have passed: the next request tries the key again
	Since *timestamp `json:"since"` // null: unknown
	// ResetsAt is the end that the provider named, if it is later: the key is tried meanwhile.
	ResetsAt *timestamp `json:"resetsAt"`
	Message  string     `json:"message"`
}

func (a *App) viewStatus(k store.Key, usedToday, now int64) keyStatusView {
	cooldowns := running(k.Cooldowns, now)
	v := keyStatusView{State: a.stateOf(k, cooldowns, usedToday), Cooldowns: []cooldownView{}}
	if first := foremost(cooldowns); first != nil {
		v.CooldownUntil, v.CooldownClass, v.CooldownMessage = since(first.Until), &first.Class, &first.Message
	}
	for _, c := range cooldowns {
		view := cooldownView{Class: c.Class, Until: timestamp(c.Until), Since: since(c.Since), ResetsAt: since(c.ResetsAt), Message: c.Message}
		if c.Model != "" {
			view.Model = &c.Model
		}
		v.Cooldowns = append(v.Cooldowns, view)
	}
	return v
}

// running returns the cooldowns that have not ended. That of a rejected key stands until the key is accepted.
func running(all []store.Cooldown, now int64) (cooldowns []store.Cooldown) {
	for _, c := range all {
		if c.Until > now || c.HalfOpen && rejects(c) {
			cooldowns = append(cooldowns, c)
		}
	}
	return cooldowns
}

// foremost returns the cooldown of the whole key or, if there is none, the one that ends first; nil without any.
func foremost(cooldowns []store.Cooldown) (first *store.Cooldown) {
	for i := range cooldowns {
		c := &cooldowns[i]
		if c.Model == "" {
			return c
		}
		if first == nil || c.Until < first.Until {
			first = c
		}
	}
	return first
}

func (a *App) stateOf(k store.Key, cooldowns []store.Cooldown, usedToday int64) keyState {
	switch {
	case k.Blocked:
		return keyBlocked
	case !k.Enabled:
		return keyDisabled
	}
	if _, err := a.openKey(k); err != nil {
		return keyUndecryptable
	}
	p, _, err := a.providerOf(k, true)
	if err != nil {
		return keyUnsupported
	}
	if ok, _ := p.Callable(); !ok {
		return keyUnsupported
	}
	if slices.ContainsFunc(cooldowns, rejects) {
		return keyRejected
	}
	if len(cooldowns) > 0 {
		return keyCooldown
	}
	if k.DailyLimit != nil && usedToday >= *k.DailyLimit {
		return keySpent
	}
	return keyReady
}

// rejects reports whether the provider refuses the key as such.
func rejects(c store.Cooldown) bool {
	class := chat.Class(c.Class)
	return c.Model == "" && (class == chat.BadKey || class == chat.Forbidden)
}

func (a *App) openKey(k store.Key) (string, error) {
	secret, _, err := a.Secrets.Decrypt(k.Encrypted, k.EncryptionKeyID, gateway.KeyBinding(k.ID, k.UserID))
	return string(secret), err
}
