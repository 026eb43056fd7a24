package server

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/internal/version"
	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/outbound"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
)

// Open returns an App on Postgres that only the environment configures. It does not connect yet. env behaves like
// os.LookupEnv. The error is a *config.Error, or names the setting that is not valid; it holds no values.
func Open(env func(string) (string, bool), platform config.Platform) (*App, error) {
	cfg, err := config.Load(env, platform)
	if err != nil {
		return nil, err
	}
	if cfg.Database.Kind != config.Postgres {
		return nil, errors.New("DATABASE_URL must name a Postgres database here")
	}
	mode := postgres.ModePrepared
	if platform == config.PlatformFunctions {
		mode = postgres.ModeExec
	}
	db, err := postgres.Open(postgres.Options{
		URL: cfg.Database.URL, MigrateURL: cfg.Database.MigrationURL, MaxConns: cfg.Database.Pool, Mode: mode,
		Timeout: cfg.Database.Timeout,
	})
	if err != nil {
		return nil, err
	}
	app, err := Assemble(cfg, db, NewLogger(cfg))
	if err != nil {
		db.Close()
		return nil, err
	}
	return app, nil
}

func openFromEnvironment() (*App, error) { return Open(os.LookupEnv, config.PlatformFunctions) }

// NewLogger returns the configured logger, which writes to standard error.
func NewLogger(cfg *config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == config.LogJSON {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// Assemble returns an App on an open database. The error names the setting that is not valid.
func Assemble(cfg *config.Config, db store.DB, log *slog.Logger) (*App, error) {
	secrets, err := auth.NewSecrets(auth.Material{
		JWTSecret: cfg.Secrets.JWT, PreviousJWTSecrets: cfg.Secrets.PreviousJWT,
		EncryptionKey: cfg.Secrets.Encryption, PreviousEncryptionKeys: cfg.Secrets.PreviousEncryption,
	})
	if err != nil {
		return nil, err
	}
	providers, err := provider.NewTable(cfg.BaseURLs)
	if err != nil {
		return nil, err
	}
	if ignored := cfg.Database.Ignored; ignored != "" {
		log.Warn("DATABASE_URL has parameters that neither PostgreSQL nor its driver knows: they are ignored",
			"parameters", ignored)
	}
	guard := outbound.NewGuard()
	deps := Deps{
		Guard: guard, Config: cfg, DB: db, Secrets: secrets, Providers: providers, Log: log, Now: time.Now,
		Upstream: provider.NewClient(provider.ClientConfig{
			UserAgent: "llm-gateway/" + version.String(), MaxBytes: cfg.Limits.MaxUpstreamBytes, Via: secrets.InstanceID(),
			Guard: guard, CustomViaProxy: cfg.CustomEndpoints.ViaProxy,
		}),
		Throttle: quota.NewSQLThrottle(db),
	}
	if cfg.RedisURL != "" {
		redisThrottle, err := quota.NewRedisThrottle(cfg.RedisURL, deps.Throttle, log)
		if err != nil {
			return nil, err
		}
		deps.Throttle, deps.Redis = redisThrottle, redisThrottle
	}
	deps.Gateway = gateway.New(gateway.Deps{
		DB: db, Quota: quota.New(db), Secrets: secrets, Providers: providers, Upstream: deps.Upstream,
		Cost: cfg.Prices.Cost, Dearest: cfg.Prices.Dearest, Log: log, Now: deps.Now, OnSettled: newRetention(cfg, db, log).settled,
	}, gateway.Settings{
		Strategy: gateway.Strategy(cfg.Strategy), Timeout: cfg.Limits.Request,
		FirstEvent: cfg.Limits.FirstEvent, ReasoningFirstEvent: cfg.Limits.ReasoningFirstEvent,
		HeartbeatAfter: cfg.Limits.HeartbeatAfter, MaxAttempts: cfg.Limits.MaxAttempts, IdleTimeout: cfg.Limits.UpstreamIdle,
		UpstreamRequests: cfg.Limits.UpstreamRequests,
		Backlog:          backlogBytes(cfg),
		CustomEndpoints:  cfg.CustomEndpoints,
		Trace:            gateway.TraceMode(cfg.Trace), TraceSamplePercent: cfg.TraceSamplePercent,
	})
	return New(deps)
}

// backlogBytes is 0 on functions, which do not run between requests.
func backlogBytes(cfg *config.Config) int64 {
	if cfg.Platform == config.PlatformFunctions {
		return 0
	}
	return cfg.Limits.BacklogBytes
}

// refuse replies that the configuration is not valid, for a process without an App.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	now := time.Now()
	c := &call{
		w: newResponse(w, r, time.Minute), r: r, id: store.NewID(now.UnixMilli()), begun: now, proxied: true,
		bodyTimeout: 10 * time.Second,
	}
	d := newDialects(nil)
	_, _, path := newTable(Routes()).findOf(d, r.URL.EscapedPath())
	c.dialect, c.claimed = d.of(path, r.Header)
	c.secure()
	sharing{}.head(c)
	c.drain()
	f := fault.Wrap(err, fault.Unavailable, "the gateway is not configured: %s", settingProblems(err))
	f.RetryAfter = time.Minute
	slog.Error("not configured", "cause", settingProblems(err))
	writeFault(c.w, f, c.dialect, c.requestID())
}

// settingProblems lists the problems of the configuration, by variable. They hold no values.
func settingProblems(err error) string {
	var invalid *config.Error
	if !errors.As(err, &invalid) {
		return err.Error()
	}
	var problems []string
	for _, p := range invalid.Problems {
		problems = append(problems, p.String())
	}
	return strings.Join(problems, "; ")
}
