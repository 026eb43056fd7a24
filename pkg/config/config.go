// Package config reads the gateway's configuration from the environment once, at start, and reports all problems
// together. Variables lists the variables that it reads.
package config

import (
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/outbound"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// Config is the whole configuration, validated. It may be printed and logged: its methods print what Redacted returns.
// Store it by pointer: fmt does not call the methods of a value in an unexported field, and would print the secrets there.
type Config struct {
	Platform       Platform
	Database       Database
	Secrets        Secrets
	RedisURL       string // redis:// or rediss://, with its password; empty: none
	Strategy       Strategy
	Host           string // address or name, without brackets
	Port           int    // 0 to 65535; 0 asks for a free one
	TLS            TLS    // binary only
	DataDir        string // binary only
	LogLevel       slog.Level
	LogFormat      LogFormat
	Metrics        Metrics        // binary only
	TrustedProxies []netip.Prefix // masked; IPv4 never in its IPv6 form
	// SecurityContact is the URL for reports of security problems; empty: none.
	SecurityContact string
	CORSOrigins     []string // as browsers write them, or just "*"
	Prices          catalog.Overrides
	// CustomEndpoints says to which addresses the base URLs that users name may lead.
	CustomEndpoints outbound.Policy
	BaseURLs        map[string]string // provider id to URL without a slash at the end; only what was overridden
	Limits          Limits
	Caps            Caps

	Jobs               Jobs
	AnswerStore        AnswerStore
	RetentionDays      int
	TraceRetentionDays int
	Trace              TraceMode // of which requests a trace is kept
	TraceSamplePercent int       // 1 to 100
	SessionDays        int
	AuthConcurrency    int // passwords hashed at once

	shown map[string]string
}

// TraceMode says of which requests a trace of attempts is kept.
type TraceMode string

const (
	TraceAll     TraceMode = "on"
	TraceSampled TraceMode = "sampled"
	TraceFailed  TraceMode = "failed"
	TraceOff     TraceMode = "off"
)

// Strategy is how a key is chosen among those of equal priority.
type Strategy string

const (
	ExhaustFirst Strategy = "exhaust-first"
	RoundRobin   Strategy = "round-robin"
	Cheapest     Strategy = "cheapest"
	LeastLatency Strategy = "least-latency"
	Weighted     Strategy = "weighted"
)

// LogFormat is how log lines are written.
type LogFormat string

const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Secrets are the operator's secrets. They do not print.
type Secrets struct {
	// JWT is empty only if Local is set.
	JWT                string
	PreviousJWT        []string // newest first
	Encryption         string   // empty: provider keys are encrypted under a key derived from JWT
	PreviousEncryption []string
	Setup              string // SETUP_TOKEN; empty: none was set
	Cron               string // CRON_SECRET; empty: none was set
	// Local is true if the secret is stored beside the local SQLite database: the caller of Load sets JWT
	// to the result of LoadOrCreateSecret(DataDir).
	Local bool
}

// Limits bound the resources that one request, one client and one provider can use.
type Limits struct {
	Request    time.Duration // deadline of a chat request, everything included
	FirstEvent time.Duration // until a stream's first event
	// ReasoningFirstEvent is FirstEvent for models that reason, and for whole answers.
	ReasoningFirstEvent time.Duration
	HeartbeatAfter      time.Duration // until a stream's client gets its status without an answer
	UpstreamIdle        time.Duration // between two bytes of a provider
	Heartbeat           time.Duration // time without an event before a comment is sent
	ReadHeader          time.Duration // for the request's headers
	BodyProgress        time.Duration // between two bytes of a request's body
	Write               time.Duration // for one write to the client
	Shutdown            time.Duration // for running answers after a signal; may be 0

	MaxAttempts      int // calls of providers for one request
	UpstreamRequests int // with providers at one time
	MaxHeaderBytes   int
	MaxBodyBytes     int64
	BodyBudgetBytes  int64 // all bodies held at one time; at least MaxBodyBytes
	MaxUpstreamBytes int64 // one line of a stream, or one decoded answer
	BacklogBytes     int64 // usage that waits for the database
}

// Caps are how much one user may create.
type Caps struct {
	Keys     int
	Tokens   int
	Aliases  int
	Patterns int // of a key, for users who are not the admin
}

// Jobs are the settings of asynchronous requests.
type Jobs struct {
	Retention   time.Duration // of results
	Limit       int           // queued and running ones of one user
	LimitBytes  int64         // of the requests of those
	MaxBytes    int64         // of one request
	Concurrency int           // of a worker
}

// AnswerStore are the settings of stored answers.
type AnswerStore struct {
	Mode      StoreMode
	Retention time.Duration
}

// StoreMode says which answers are stored.
type StoreMode string

const (
	StoreAsk StoreMode = "ask" // those whose request does not say no
	StoreAll StoreMode = "on"
	StoreOff StoreMode = "off" // requests that need it are refused
)

// Load reads the configuration through env, which behaves like os.LookupEnv. An empty value counts as not set; white
// space around a value is dropped. For a secret or a URL, NAME_FILE may name a file that contains the value; setting
// both is an error. Load reads such files and nothing else; it writes nothing.
//
// The error is an *Error with all problems. It never contains a variable's value.
func Load(env func(string) (string, bool), platform Platform) (*Config, error) {
	if platform != PlatformBinary && platform != PlatformFunctions {
		return nil, errors.New("config: unknown platform")
	}
	r := newReader(env, platform)
	c := &Config{Platform: platform, DataDir: r.text("DATA_DIR")}
	c.Database = r.database(c.DataDir)
	c.Secrets = r.secrets(c.Database.fallback)
	c.RedisURL = r.redisURL()
	c.Strategy = Strategy(r.choice("KEY_SELECTION_STRATEGY", string(ExhaustFirst), string(RoundRobin), string(LeastLatency),
		string(Cheapest), string(Weighted)))
	c.Host = r.host("HOST")
	c.Port = r.integer("PORT", 0, 65535)
	c.TLS = r.tls()
	c.LogLevel = r.logLevel("LOG_LEVEL")
	c.LogFormat = LogFormat(r.choice("LOG_FORMAT", string(LogText), string(LogJSON)))
	c.Metrics = r.metrics()
	c.TrustedProxies = r.prefixes("TRUSTED_PROXIES")
	c.SecurityContact = r.contact("SECURITY_CONTACT")
	c.CORSOrigins = r.origins("CORS_ORIGINS")
	c.Prices = r.prices("MODEL_PRICES")
	c.CustomEndpoints = r.customEndpoints(c.Host)
	c.BaseURLs = r.baseURLs()
	c.Limits = r.limits()
	c.Caps = Caps{
		Keys: r.integer("KEY_LIMIT", 1, 10_000), Tokens: r.integer("TOKEN_LIMIT", 1, 100_000), Aliases: r.integer("ALIAS_LIMIT", 1, 1000),
		Patterns: r.integer("KEY_PATTERN_LIMIT", 1, provider.MaxPatterns),
	}
	c.Jobs = r.jobs()
	c.AnswerStore = AnswerStore{
		Mode:      StoreMode(r.choice("RESPONSE_STORE", string(StoreAsk), string(StoreAll), string(StoreOff))),
		Retention: r.duration("RESPONSE_RETENTION", time.Minute, 90*24*time.Hour),
	}
	c.RetentionDays = r.integer("RETENTION_DAYS", 1, 3650)
	c.TraceRetentionDays = r.integer("TRACE_RETENTION_DAYS", 1, 3650)
	c.Trace = TraceMode(r.choice("REQUEST_TRACES", string(TraceAll), string(TraceSampled), string(TraceFailed), string(TraceOff)))
	c.TraceSamplePercent = r.integer("TRACE_SAMPLE_PERCENT", 1, 100)
	c.SessionDays = r.integer("SESSION_DAYS", 1, 365)
	c.AuthConcurrency = r.integer("AUTH_CONCURRENCY", 1, 64)
	c.shown = r.shown
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}
