package server

import "github.com/alicetears/llm-gateway/pkg/store"

// keyView is a provider key as the API shows it. It holds only the last four characters of the secret.
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
	// EndingModels are named by the key and end within 60 days, or have ended.
	EndingModels   []endingModelView `json:"endingModels"`
	*customKeyView                   // nil: the key is one of a provider
	keyStatusView
}

func (a *App) viewKey(k store.KeyUse, now int64) keyView {
	v := keyView{
		ID: k.ID, Provider: providerName(k.Key), customKeyView: viewCustom(k.Key), Name: k.Name, Priority: k.Priority,
		Enabled: k.Enabled && !k.Blocked, Blocked: k.Blocked,
		AllowedModels: k.AllowedModels, DailyLimit: k.DailyLimit,
		UsedToday: k.UsedToday, RemainingQuota: remaining(k), ResetDate: resetDate(now),
		CreatedAt: timestamp(k.CreatedAt), UpdatedAt: timestamp(k.UpdatedAt), LastUsedAt: since(k.LastUsedAt), UsageCount: k.Requests,
		LastFour: k.LastFour, EndingModels: a.endingModels(&k.Key), keyStatusView: a.viewStatus(k.Key, k.UsedToday, now),
	}
	if v.AllowedModels == nil {
		v.AllowedModels = []string{}
	}
	if k.DefaultModel != "" {
		v.DefaultModel = &k.DefaultModel
	}
	return v
}

// remaining returns the requests that are left of today's quota; nil without a limit.
func remaining(k store.KeyUse) *int64 {
	if k.DailyLimit == nil {
		return nil
	}
	n := max(0, *k.DailyLimit-k.UsedToday)
	return &n
}

// resetDate returns the next UTC midnight.
func resetDate(now int64) timestamp { return timestamp(store.DayStart(store.DayOf(now) + 1)) }
