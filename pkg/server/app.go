package server

import (
	"errors"
	"log/slog"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Deps are what an App works with. All are required but Redis.
type Deps struct {
	Config    *config.Config
	DB        store.DB
	Secrets   *auth.Secrets
	Gateway   *gateway.Gateway
	Providers *provider.Table
	Upstream  *provider.Caller
	Throttle  quota.Throttle
	// Redis is the Throttle if one is configured, else nil.
	Redis *quota.RedisThrottle
	Log   *slog.Logger
	Now   func() time.Time
}

// App serves the routes. It is safe for concurrent use; make one a process.
type App struct {
	Deps
	table   *table
	hasher  *auth.Hasher
	budget  *budget
	proxies proxies
	sharing sharing
	dialects
}

// New returns an App. The error names the dependency that is missing.
func New(d Deps) (*App, error) {
	for name, missing := range map[string]bool{
		"Config": d.Config == nil, "DB": d.DB == nil, "Secrets": d.Secrets == nil, "Gateway": d.Gateway == nil,
		"Providers": d.Providers == nil, "Upstream": d.Upstream == nil, "Throttle": d.Throttle == nil,
		"Log": d.Log == nil, "Now": d.Now == nil,
	} {
		if missing {
			return nil, errors.New("server: " + name + " is missing")
		}
	}
	return &App{
		Deps:     d,
		table:    newTable(Routes()),
		hasher:   auth.NewHasher(d.Config.AuthConcurrency),
		budget:   newBudget(d.Config.Limits.BodyBudgetBytes),
		proxies:  proxies{home: d.Config.Home, trusted: d.Config.TrustedProxies},
		sharing:  sharing{origins: d.Config.CORSOrigins},
		dialects: newDialects(d.Providers.IDs()),
	}, nil
}

// Close drops the connections to the providers and to Redis. The database is the caller's.
func (a *App) Close() {
	a.Upstream.Close()
	if a.Redis != nil {
		a.Redis.Close()
	}
}
