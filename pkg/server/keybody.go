package server

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Bounds of a key's fields.
const (
	maxSecret     = 512 // bytes
	maxPriority   = 1000
	maxDailyLimit = 1_000_000_000_000
	defaultRank   = 1
)

// keyBody is the body of POST, PUT and PATCH.
type keyBody struct {
	Provider      jsonx.Optional[string]      `json:"provider"`
	APIKey        jsonx.Optional[auth.Secret] `json:"apiKey"`
	Name          jsonx.Optional[string]      `json:"name"`
	Priority      jsonx.Optional[int64]       `json:"priority"`
	Enabled       jsonx.Optional[bool]        `json:"enabled"`
	AllowedModels jsonx.Optional[[]string]    `json:"allowedModels"`
	DefaultModel  jsonx.Optional[string]      `json:"defaultModel"`
	DailyLimit    jsonx.Optional[int64]       `json:"dailyLimit"`
	customBody
}

// complete sets fields that are absent or null to their defaults, for POST and PUT.
func (b *keyBody) complete(providerName string) {
	fill(&b.Name, providerName)
	fill(&b.Priority, defaultRank)
	fill(&b.Enabled, true)
	fill(&b.AllowedModels, []string{})
	if !b.DefaultModel.Set {
		b.DefaultModel.Set, b.DefaultModel.Null = true, true
	}
	if !b.DailyLimit.Set {
		b.DailyLimit.Set, b.DailyLimit.Null = true, true
	}
}

func fill[T any](field *jsonx.Optional[T], value T) {
	if !field.Set || field.Null {
		*field = jsonx.Optional[T]{Set: true, Value: value}
	}
}

// change checks the body's fields. Null is an issue in all fields but names and lists.
func (b *keyBody) change(issues *fault.Issues, encrypt func(secret string) store.Secret) store.KeyChange {
	var c store.KeyChange
	if b.APIKey.Set {
		if secret := checkSecret(issues, b.APIKey.Value.Reveal()); secret != "" {
			c.Secret = store.To(encrypt(secret))
		}
	}
	if b.Name.Set {
		c.Name = store.To(requireName(issues, b.Name.Value))
	}
	if b.Priority.Set {
		if b.Priority.Null || b.Priority.Value < 0 || b.Priority.Value > maxPriority {
			issues.Add("priority", "must be a whole number from 0 to %d; the lowest is tried first", maxPriority)
		}
		c.Priority = store.To(int(b.Priority.Value))
	}
	if b.Enabled.Set {
		if b.Enabled.Null {
			issues.Add("enabled", "must be true or false")
		}
		c.Enabled = store.To(b.Enabled.Value)
	}
	if b.AllowedModels.Set {
		c.AllowedModels = store.To(checkPatterns(issues, "allowedModels", b.AllowedModels.Value))
	}
	if b.DefaultModel.Set {
		c.DefaultModel = store.To(checkModel(issues, "defaultModel", b.DefaultModel))
	}
	if b.DailyLimit.Set {
		c.DailyLimit = store.To(checkLimit(issues, b.DailyLimit))
	}
	return c
}

// quotes are those in which a secret may be pasted: of code, of a shell, and of a text processor.
const quotes = "\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"

// checkSecret returns the secret without blanks and quotes around it, or "" if it is not valid. A value of a header must be
// printable ASCII; a blank within comes from a mistake in copying.
func checkSecret(issues *fault.Issues, secret string) string {
	secret = trimSecret(secret)
	switch {
	case secret == "":
		issues.Add("apiKey", "must not be empty")
	case len(secret) > maxSecret:
		issues.Add("apiKey", "must be at most %d characters long", maxSecret)
	case strings.IndexFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		issues.Add("apiKey", "must be printable ASCII without blanks")
	default:
		return secret
	}
	return ""
}

func trimSecret(secret string) string {
	return strings.TrimFunc(secret, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(quotes, r) })
}

// minShown is the length of the shortest secret whose last four characters are shown.
const minShown = 8

func lastFour(secret string) string {
	if len(secret) < minShown {
		return ""
	}
	return secret[len(secret)-4:]
}

func checkPatterns(issues *fault.Issues, path string, patterns []string) []string {
	if len(patterns) > provider.MaxPatterns {
		issues.Add(path, "must hold at most %d entries", provider.MaxPatterns)
		return nil
	}
	checked := make([]string, 0, len(patterns))
	for i, p := range patterns {
		p = strings.TrimSpace(p)
		if err := provider.CheckPattern(p); err != nil {
			issues.Add(fmt.Sprintf("%s[%d]", path, i), "%s", err)
		}
		checked = append(checked, p)
	}
	return checked
}

func checkModel(issues *fault.Issues, path string, model jsonx.Optional[string]) string {
	name := strings.TrimSpace(model.Value)
	if model.Null || name == "" {
		return ""
	}
	if err := provider.CheckPattern(name); err != nil {
		issues.Add(path, "%s", err)
	} else if strings.HasSuffix(name, "*") {
		issues.Add(path, "must be one model, not a pattern")
	}
	return name
}

func checkLimit(issues *fault.Issues, limit jsonx.Optional[int64]) *int64 {
	if limit.Null {
		return nil
	}
	if limit.Value < 0 || limit.Value > maxDailyLimit {
		issues.Add("dailyLimit", "must be a whole number from 0 to %d, or null for no limit", int64(maxDailyLimit))
	}
	return &limit.Value
}

// encryptFor returns a function that encrypts a secret for a row.
func (a *App) encryptFor(id, user store.ID) func(secret string) store.Secret {
	return func(secret string) store.Secret {
		blob, keyID := a.Secrets.Encrypt([]byte(secret), gateway.KeyBinding(id, user))
		return store.Secret{Encrypted: blob, EncryptionKeyID: keyID, LastFour: lastFour(secret)}
	}
}
