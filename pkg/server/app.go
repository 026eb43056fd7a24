package server

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/jobs"
	"github.com/alicetears/llm-gateway/pkg/outbound"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Deps are what an App works with. All are required but Redis, OnServed and OnFirstAccount.
type Deps struct {
	Config    *config.Config
	DB        store.DB
	Secrets   *auth.Secrets
	Gateway   *gateway.Gateway
	Providers *provider.Table
	Upstream  *provider.Client
	// Guard is that of Upstream: it is told at which addresses the process listens. May be nil in tests.
	Guard    *outbound.Guard
	Throttle quota.Throttle
	// Redis is the Throttle if one is configured, else nil.
	Redis *quota.RedisThrottle
	Log   *slog.Logger
	Now   func() time.Time
	// OnServed, if set, is called after every answer. It may be set until the first request comes.
	OnServed func(Served)
	// OnFirstAccount is called when this App has created the first account, after which the set-up token is useless.
	OnFirstAccount func()
}

// App serves the routes. It is safe for concurrent use; make one a process.
type App struct {
	Deps
	table   *table
	hasher  *auth.Hasher
	budget  *budget
	proxies proxies
	// warnedOfProxy says that the log has the warning of a proxy that is not listed.
	warnedOfProxy atomic.Bool
	sharing       sharing
	*dialects
	// Jobs are the asynchronous requests.
	Jobs *jobs.Queue

	probe     sync.Mutex
	lastProbe *proof
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
	a := &App{
		Deps:     d,
		table:    newTable(Routes()),
		hasher:   auth.NewHasher(d.Config.AuthConcurrency),
		budget:   newBudget(d.Config.Limits.BodyBudgetBytes, d.Config.Limits.MaxBodyBytes+1),
		proxies:  proxies{platform: d.Config.Platform, trusted: d.Config.TrustedProxies},
		sharing:  sharing{origins: d.Config.CORSOrigins},
		dialects: newDialects(d.Providers.IDs()),
	}
	a.Jobs = jobs.New(jobs.Deps{DB: d.DB, Secrets: d.Secrets, Executor: a, Log: d.Log, Now: d.Now}, jobs.Settings{
		Lease: jobLease(d.Config.Limits.Request), BeginWithin: beginWithin(d.Config), Retention: d.Config.Jobs.Retention, Limit: store.OpenJobs{Number: d.Config.Jobs.Limit, Bytes: d.Config.Jobs.LimitBytes}, MaxBytes: d.Config.Jobs.MaxBytes,
	})
	return a, nil
}

// functionTime is how long a function has for one request; Vercel ends it at 300 s, and its answer has to be written.
const functionTime = 295 * time.Second

// beginWithin is how long after its start a request may still begin to run a job, which may take the time of any call.
func beginWithin(c *config.Config) time.Duration {
	if c.Platform != config.PlatformFunctions {
		return 0
	}
	return max(functionTime-c.Limits.Request, time.Second)
}

// jobLease is longer than any call: what is not over then is not being worked at any more.
func jobLease(deadline time.Duration) time.Duration { return deadline + deadline/10 + 5*time.Second }

// Close drops the connections to the providers and to Redis. The database is the caller's.
func (a *App) Close() {
	a.Upstream.Close()
	if a.Redis != nil {
		a.Redis.Close()
	}
}
