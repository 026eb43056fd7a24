package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/outbound"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
)

const (
	goodSecret  = "q3Vn8sLx0ZtYw2Kd7Rf5Hb1Gm9Pc4Jv6uEiAoTyXzQkMh+NrBgSaWlDjCe/FpU5O"
	otherSecret = "Zp7wQ1xYt5VbN3mKc9Rs2Hd8Lf4Gj6Ta0UyEoIiAqXzWkMh+NrBgSvPlDjCe/FuJ"
	goodURL     = "postgres://app:s3cr3t-pw@db.example.com:5432/gateway?sslmode=require&password=param-pw"
)

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func load(t *testing.T, platform Platform, env map[string]string) *Config {
	t.Helper()
	c, err := Load(lookup(env), platform)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func problems(t *testing.T, platform Platform, env map[string]string) []Problem {
	t.Helper()
	c, err := Load(lookup(env), platform)
	configError, ok := errors.AsType[*Error](err)
	if !ok || c != nil {
		t.Fatalf("%v: got %v, %v; want an *Error", env, c, err)
	}
	return configError.Problems
}

func TestDefaultsOfTheBinary(t *testing.T) {
	c := load(t, PlatformBinary, nil)
	want := Config{
		Platform:        PlatformBinary,
		Database:        Database{Kind: SQLite, Path: filepath.Join("data", "gateway.db"), Pool: 8, Timeout: 5 * time.Second, fallback: true},
		Secrets:         Secrets{Local: true},
		Strategy:        ExhaustFirst,
		Host:            "127.0.0.1",
		Port:            3000,
		DataDir:         "./data",
		LogLevel:        slog.LevelInfo,
		LogFormat:       LogText,
		CORSOrigins:     []string{"*"},
		CustomEndpoints: outbound.Policy{Admins: outbound.Loopback, Users: outbound.Public},
		BaseURLs:        map[string]string{},
		Limits: Limits{
			Request: 15 * time.Minute, FirstEvent: 15 * time.Second, ReasoningFirstEvent: 5 * time.Minute, HeartbeatAfter: 45 * time.Second,
			UpstreamIdle: 10 * time.Minute, Heartbeat: 15 * time.Second, MaxAttempts: 10,
			ReadHeader: 10 * time.Second, BodyProgress: 10 * time.Second, Write: time.Minute, Shutdown: 30 * time.Second,
			MaxHeaderBytes: 64 << 10, MaxBodyBytes: 32 << 20, BodyBudgetBytes: 256 << 20, MaxUpstreamBytes: 64 << 20, UpstreamRequests: 1000, BacklogBytes: 64 << 20,
		},
		Caps:          Caps{Keys: 200, Tokens: 500, Aliases: 100, Patterns: 100},
		Jobs:          Jobs{Retention: 24 * time.Hour, Limit: 1000, LimitBytes: 256 << 20, MaxBytes: 8 << 20, Concurrency: 8},
		AnswerStore:   AnswerStore{Mode: StoreAsk, Retention: 24 * time.Hour},
		RetentionDays: 30, TraceRetentionDays: 7, Trace: TraceAll, TraceSamplePercent: 5, SessionDays: 30, AuthConcurrency: 2,
	}
	c.shown = nil
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got  %#v\nwant %#v", *c, want)
	}
}

func TestDefaultsOfFunctions(t *testing.T) {
	c := load(t, PlatformFunctions, map[string]string{"JWT_SECRET": goodSecret, "POSTGRES_URL": goodURL})
	if c.Database != (Database{Kind: Postgres, URL: goodURL, MigrationURL: goodURL, Pool: 4, Timeout: 5 * time.Second}) {
		t.Errorf("database %v", c.Database)
	}
	if c.Secrets.JWT != goodSecret || c.Secrets.Local {
		t.Error("secrets")
	}
	l := c.Limits
	if l.Request != 285*time.Second || l.MaxBodyBytes != 4<<20 || l.BodyBudgetBytes != 64<<20 || l.FirstEvent != 15*time.Second {
		t.Errorf("%+v", l)
	}
}

func TestEverythingSet(t *testing.T) {
	c := load(t, PlatformBinary, map[string]string{
		"DATABASE_URL": " " + goodURL + "\n", "POSTGRES_URL": "postgres://other/x", "DATABASE_URL_UNPOOLED": "postgresql://direct/gateway",
		"JWT_SECRET": goodSecret + "\n", "JWT_SECRET_PREVIOUS": "old one, older one,,", "ENCRYPTION_KEY": otherSecret,
		"ENCRYPTION_KEY_PREVIOUS": "x", "SETUP_TOKEN": "letmein-please", "CRON_SECRET": "0123456789abcdef",
		"KV_URL": "rediss://default:pw@kv.example.com:6379", "KEY_SELECTION_STRATEGY": "Round-Robin", "HOST": "[::1]", "PORT": "0",
		"DATA_DIR": "/var/lib/gateway", "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json", "DATABASE_POOL": "6",
		"TRUSTED_PROXIES":   "10.1.2.3/8, 192.0.2.7,::ffff:192.0.2.9,::ffff:10.0.0.0/104,2001:db8::1/32",
		"CORS_ORIGINS":      "https://App.Example.com/, http://localhost:5173,https://x.example:443,http://y.example:80,https://[2001:DB8::1]:443,chrome-extension://abcdef",
		"SECURITY_CONTACT":  "security@example.com",
		"OPENAI_BASE_URL":   "HTTPS://proxy.example.com/openai/v1//",
		"DEEPSEEK_BASE_URL": "http://127.0.0.1:8080", "REQUEST_TIMEOUT": "90", "FIRST_EVENT_TIMEOUT": "1m30s", "SHUTDOWN_TIMEOUT": "0",
		"MAX_BODY_BYTES": "1gb", "BODY_BUDGET_BYTES": "2 GiB", "MAX_HEADER_BYTES": "8192", "RETENTION_DAYS": "365",
	})
	if c.Database != (Database{Kind: Postgres, URL: goodURL, MigrationURL: "postgresql://direct/gateway", Pool: 6, Timeout: 5 * time.Second}) {
		t.Errorf("database %s %s", c.Database.URL, c.Database.MigrationURL)
	}
	wantSecrets := Secrets{JWT: goodSecret, PreviousJWT: []string{"old one", "older one"}, Encryption: otherSecret,
		PreviousEncryption: []string{"x"}, Setup: "letmein-please", Cron: "0123456789abcdef"}
	if !reflect.DeepEqual(c.Secrets, wantSecrets) {
		t.Error("the secrets are not what was set")
	}
	var prefixes []netip.Prefix
	for _, p := range []string{"10.0.0.0/8", "192.0.2.7/32", "192.0.2.9/32", "10.0.0.0/8", "2001:db8::/32"} {
		prefixes = append(prefixes, netip.MustParsePrefix(p))
	}
	for name, pair := range map[string][2]any{
		"redis":    {c.RedisURL, "rediss://default:pw@kv.example.com:6379"},
		"strategy": {c.Strategy, RoundRobin}, "host": {c.Host, "::1"}, "port": {c.Port, 0},
		"level": {c.LogLevel, slog.LevelDebug}, "format": {c.LogFormat, LogJSON}, "proxies": {c.TrustedProxies, prefixes},
		"contact": {c.SecurityContact, "mailto:security@example.com"},
		"origins": {c.CORSOrigins, []string{"https://app.example.com", "http://localhost:5173", "https://x.example",
			"http://y.example", "https://[2001:db8::1]", "chrome-extension://abcdef"}},
		"base URLs":   {c.BaseURLs, map[string]string{"openai": "https://proxy.example.com/openai/v1", "deepseek": "http://127.0.0.1:8080"}},
		"request":     {c.Limits.Request, 90 * time.Second},
		"first event": {c.Limits.FirstEvent, 90 * time.Second}, "shutdown": {c.Limits.Shutdown, time.Duration(0)},
		"body": {c.Limits.MaxBodyBytes, int64(1 << 30)}, "budget": {c.Limits.BodyBudgetBytes, int64(2 << 30)},
		"header": {c.Limits.MaxHeaderBytes, 8192}, "retention": {c.RetentionDays, 365},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	env := map[string]string{
		"DATABASE_URL": "mysql://leak-1@host/db", "JWT_SECRET": "leak-2", "ENCRYPTION_KEY": "leak-3", "SETUP_TOKEN": "leak-4",
		"CRON_SECRET": "leak-5", "REDIS_URL": "https://leak-6", "KEY_SELECTION_STRATEGY": "leak-7", "PORT": "leak-8", "HOST": "leak 9",
		"LOG_LEVEL": "leak-10", "LOG_FORMAT": "leak-11", "TRUSTED_PROXIES": "leak-12", "CORS_ORIGINS": "leak-13",
		"GROQ_BASE_URL": "leak-14", "REQUEST_TIMEOUT": "leak-15", "MAX_BODY_BYTES": "leak-16", "RETENTION_DAYS": "leak-17",
		"DATABASE_POOL": "9", "SESSION_DAYS": "0", "DATABASE_URL_UNPOOLED": "postgres://u:leak-18%zz@h/d", "JWT_SECRET_PREVIOUS_FILE": "/nowhere/leak-19",
	}
	// A SETUP_TOKEN of six characters is too short, as is each other secret.
	for _, platform := range []Platform{PlatformBinary, PlatformFunctions} {
		env["DATABASE_URL"] = "postgres://u:leak-1%zz@h/d"
		got := problems(t, platform, env)
		var names []string
		for _, p := range got {
			names = append(names, strings.TrimSuffix(p.Variable, "_FILE"))
			if p.Wrong == "" || p.Fix == "" {
				t.Errorf("%s: says too little: %+v", platform, p)
			}
		}
		var want []string
		for _, v := range Variables() { // in the order of the listing
			if env[v.Name] != "" || env[v.Name+"_FILE"] != "" {
				want = append(want, v.Name)
			}
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s:\n got %v\nwant %v", platform, names, want)
		}
		text := (&Error{Problems: got}).Error()
		if strings.Contains(text, "leak") {
			t.Errorf("%s: a value is in the error: %s", platform, text)
		}
		if lines := strings.Count(text, "\n"); lines != len(env) || !strings.Contains(text, fmt.Sprintf("%d problems", len(env))) {
			t.Errorf("%s: %d lines for %d problems:\n%s", platform, lines, len(env), text)
		}
	}
}

func TestProblems(t *testing.T) {
	pg := map[string]string{"JWT_SECRET": goodSecret, "DATABASE_URL": goodURL}
	for name, c := range map[string]struct {
		platform Platform
		env      map[string]string
		variable string
		says     string
	}{
		"no database on functions":    {PlatformFunctions, map[string]string{"DATABASE_URL": ""}, "DATABASE_URL", "is not set (nor is POSTGRES_URL)"},
		"no secret with Postgres":     {PlatformBinary, map[string]string{"JWT_SECRET": " "}, "JWT_SECRET", "openssl rand -base64 48"},
		"no secret with other SQLite": {PlatformBinary, map[string]string{"JWT_SECRET": "", "DATABASE_URL": "sqlite:/x/y.db"}, "JWT_SECRET", "is not set"},
		"SQLite on functions":         {PlatformFunctions, map[string]string{"DATABASE_URL": "file:/x.db"}, "DATABASE_URL", "keep no disk"},
		"SQLite without a file":       {PlatformBinary, map[string]string{"DATABASE_URL": "sqlite://"}, "DATABASE_URL", "names no file"},
		"SQLite with parameters":      {PlatformBinary, map[string]string{"DATABASE_URL": "file:x.db?mode=ro"}, "DATABASE_URL", "parameters"},
		"SQLite in memory":            {PlatformBinary, map[string]string{"DATABASE_URL": "sqlite::memory:"}, "DATABASE_URL", "memory"},
		"quoted URL":                  {PlatformBinary, map[string]string{"DATABASE_URL": `"postgres://h/d"`}, "DATABASE_URL", "quotes"},
		"psql command":                {PlatformFunctions, map[string]string{"DATABASE_URL": "psql postgres://h/d"}, "DATABASE_URL", "does not begin with postgres://"},
		"keyword form":                {PlatformBinary, map[string]string{"DATABASE_URL": "host=h dbname=d"}, "DATABASE_URL", "begins neither"},
		"no host":                     {PlatformBinary, map[string]string{"DATABASE_URL": "postgres:///d"}, "DATABASE_URL", "names no host"},
		"bad escape":                  {PlatformBinary, map[string]string{"DATABASE_URL": "postgres://u:p%w@h/d"}, "DATABASE_URL", "percent-encode"},
		"bad second choice":           {PlatformBinary, map[string]string{"DATABASE_URL": "", "POSTGRES_URL": "x"}, "POSTGRES_URL", "begins neither"},
		"bad migration URL":           {PlatformBinary, map[string]string{"POSTGRES_URL_NON_POOLING": "sqlite:/x"}, "POSTGRES_URL_NON_POOLING", "begins neither"},
		"Redis over REST":             {PlatformBinary, map[string]string{"KV_URL": "https://x.upstash.io"}, "KV_URL", "REST"},
		"Redis without host":          {PlatformBinary, map[string]string{"REDIS_URL": "redis://"}, "REDIS_URL", "names no host"},
		"Redis quoted":                {PlatformBinary, map[string]string{"REDIS_URL": "'redis://h'"}, "REDIS_URL", "quotes"},
		"Redis bad escape":            {PlatformBinary, map[string]string{"REDIS_URL": "redis://u:%w@h"}, "REDIS_URL", "percent-encode"},
		"certificate without key":     {PlatformBinary, map[string]string{"TLS_CERT_FILE": "/x.pem"}, "TLS_KEY_FILE", "but TLS_CERT_FILE is"},
		"key without certificate":     {PlatformBinary, map[string]string{"TLS_KEY_FILE": "/x.pem"}, "TLS_CERT_FILE", "but TLS_KEY_FILE is"},
		"port too high":               {PlatformBinary, map[string]string{"PORT": "65536"}, "PORT", "0 to 65535"},
		"host with port":              {PlatformBinary, map[string]string{"HOST": "0.0.0.0:80"}, "HOST", "PORT"},
		"proxy star":                  {PlatformBinary, map[string]string{"TRUSTED_PROXIES": "*"}, "TRUSTED_PROXIES", "10.0.0.0/8"},
		"proxy with zone":             {PlatformBinary, map[string]string{"TRUSTED_PROXIES": "fe80::1%eth0"}, "TRUSTED_PROXIES", "neither"},
		"proxy wide mapped":           {PlatformBinary, map[string]string{"TRUSTED_PROXIES": "::ffff:0:0/90"}, "TRUSTED_PROXIES", "neither"},
		"contact without scheme":      {PlatformBinary, map[string]string{"SECURITY_CONTACT": "example.com/security"}, "SECURITY_CONTACT", "neither"},
		"contact with a name":         {PlatformBinary, map[string]string{"SECURITY_CONTACT": "Ann <ann@example.com>"}, "SECURITY_CONTACT", "neither"},
		"contact on two lines":        {PlatformBinary, map[string]string{"SECURITY_CONTACT": "https://a.b/x\nExpires: never"}, "SECURITY_CONTACT", "neither"},
		"origin with path":            {PlatformBinary, map[string]string{"CORS_ORIGINS": "https://a.b/c"}, "CORS_ORIGINS", "not an origin"},
		"origin null":                 {PlatformBinary, map[string]string{"CORS_ORIGINS": "null"}, "CORS_ORIGINS", "not an origin"},
		"origin wildcard":             {PlatformBinary, map[string]string{"CORS_ORIGINS": "https://*.b.c"}, "CORS_ORIGINS", "not an origin"},
		"star among origins":          {PlatformBinary, map[string]string{"CORS_ORIGINS": "https://a.b,*"}, "CORS_ORIGINS", "lists *"},
		"base URL with key":           {PlatformBinary, map[string]string{"GEMINI_BASE_URL": "https://h/?key=x"}, "GEMINI_BASE_URL", "query"},
		"base URL with empty query":   {PlatformBinary, map[string]string{"GEMINI_BASE_URL": "https://h/?"}, "GEMINI_BASE_URL", "query"},
		"base URL with fragment":      {PlatformBinary, map[string]string{"GEMINI_BASE_URL": "https://h/#"}, "GEMINI_BASE_URL", "fragment"},
		"base URL with user":          {PlatformBinary, map[string]string{"MISTRAL_BASE_URL": "https://u:p@h"}, "MISTRAL_BASE_URL", "user name"},
		"base URL without host":       {PlatformBinary, map[string]string{"TOGETHER_BASE_URL": "https:///v1"}, "TOGETHER_BASE_URL", "names no host"},
		"base URL of another kind":    {PlatformBinary, map[string]string{"FIREWORKS_BASE_URL": "ftp://h"}, "FIREWORKS_BASE_URL", "https://"},
		"timeout of nothing":          {PlatformBinary, map[string]string{"REQUEST_TIMEOUT": "0"}, "REQUEST_TIMEOUT", "out of range"},
		"timeout below nothing":       {PlatformBinary, map[string]string{"SHUTDOWN_TIMEOUT": "-1s"}, "SHUTDOWN_TIMEOUT", "out of range"},
		"timeout overflow":            {PlatformBinary, map[string]string{"WRITE_TIMEOUT": "9223372036854775807"}, "WRITE_TIMEOUT", "not a duration"},
		"size below":                  {PlatformBinary, map[string]string{"MAX_HEADER_BYTES": "1"}, "MAX_HEADER_BYTES", "between 1KB and 16MB"},
		"budget below body":           {PlatformBinary, map[string]string{"MAX_BODY_BYTES": "512MB"}, "BODY_BUDGET_BYTES", "less than MAX_BODY_BYTES"},
		"setup token with space":      {PlatformBinary, map[string]string{"SETUP_TOKEN": "let me in please"}, "SETUP_TOKEN", "ASCII"},
		"secret with comma":           {PlatformBinary, map[string]string{"JWT_SECRET": goodSecret + ",x"}, "JWT_SECRET", "comma"},
		"weak encryption key":         {PlatformBinary, map[string]string{"ENCRYPTION_KEY": "short"}, "ENCRYPTION_KEY", "shorter than 32"},
	} {
		env := maps.Clone(pg)
		maps.Copy(env, c.env)
		got := problems(t, c.platform, env)
		if len(got) != 1 || got[0].Variable != c.variable || !strings.Contains(got[0].String(), c.says) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestDatabaseURLs(t *testing.T) {
	for value, path := range map[string]string{
		"sqlite:/var/lib/x.db": "/var/lib/x.db", "sqlite:///var/lib/x.db": "/var/lib/x.db", "SQLite:x.db": "x.db", "file:./x y.db": "./x y.db",
	} {
		c := load(t, PlatformBinary, map[string]string{"DATABASE_URL": value, "JWT_SECRET": goodSecret, "DATABASE_URL_UNPOOLED": "ignored"})
		if c.Database != (Database{Kind: SQLite, Path: path, Pool: 8, Timeout: 5 * time.Second}) || c.Secrets.Local {
			t.Errorf("%s: %v", value, c.Database)
		}
	}
	for _, value := range []string{"postgres://h/d", "postgresql://h", "POSTGRES://h/d", "postgres:///d?host=/run/postgresql", "postgres://u:p%40x@[::1]:5432/d"} {
		c := load(t, PlatformBinary, map[string]string{"DATABASE_URL": value, "JWT_SECRET": goodSecret})
		if c.Database.Kind != Postgres || c.Database.URL != value || c.Database.MigrationURL != value {
			t.Errorf("%s: %v", value, c.Database)
		}
	}
	c := load(t, PlatformBinary, map[string]string{"DATABASE_URL": "postgres://a/d", "JWT_SECRET": goodSecret, "POSTGRES_URL_NON_POOLING": "postgres://b/d"})
	if c.Database.MigrationURL != "postgres://b/d" {
		t.Errorf("migrations go to %s", c.Database.MigrationURL)
	}
	// With an own secret and the default database no secret is made.
	if c := load(t, PlatformBinary, map[string]string{"JWT_SECRET": goodSecret}); c.Secrets.Local || c.Database.Kind != SQLite {
		t.Errorf("%v", c.Database)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := load(t, PlatformBinary, map[string]string{
		"DATABASE_URL_FILE": write("db", goodURL+"\n"), "JWT_SECRET_FILE": write("jwt", goodSecret+"\r\n"), "JWT_SECRET_PREVIOUS_FILE": write("old", "one\ntwo\r\n\nthree,four\n"),
		"ENCRYPTION_KEY_FILE": write("enc", otherSecret), "REDIS_URL_FILE": write("redis", "redis://h"), "SETUP_TOKEN_FILE": write("setup", "letmein-please"),
		"CRON_SECRET_FILE": write("cron", "0123456789abcdef"), "CRON_SECRET": "", "ENCRYPTION_KEY_PREVIOUS_FILE": "",
	})
	want := Secrets{JWT: goodSecret, PreviousJWT: []string{"one", "two", "three", "four"}, Encryption: otherSecret, Setup: "letmein-please", Cron: "0123456789abcdef"}
	if !reflect.DeepEqual(c.Secrets, want) || c.Database.URL != goodURL || c.RedisURL != "redis://h" {
		t.Error("the files' values did not arrive")
	}
	if got := c.Redacted(); got["JWT_SECRET"] != "set (from a file)" || got["DATABASE_URL"] != "postgres://db.example.com:5432/gateway (from a file)" {
		t.Errorf("%q %q", got["JWT_SECRET"], got["DATABASE_URL"])
	}

	pg := map[string]string{"DATABASE_URL": goodURL, "JWT_SECRET": goodSecret}
	for name, c := range map[string]struct {
		set      map[string]string
		variable string
		says     string
	}{
		"both":      {map[string]string{"JWT_SECRET_FILE": write("x", goodSecret)}, "JWT_SECRET", "both set"},
		"missing":   {map[string]string{"JWT_SECRET": "", "JWT_SECRET_FILE": dir + "/leak"}, "JWT_SECRET_FILE", "cannot be opened (no such file"},
		"a folder":  {map[string]string{"JWT_SECRET": "", "JWT_SECRET_FILE": dir}, "JWT_SECRET_FILE", "cannot be read"},
		"empty":     {map[string]string{"JWT_SECRET": "", "JWT_SECRET_FILE": write("e", " \n")}, "JWT_SECRET_FILE", "empty"},
		"huge":      {map[string]string{"JWT_SECRET": "", "JWT_SECRET_FILE": write("h", strings.Repeat("x", maxFileSize+1))}, "JWT_SECRET_FILE", "more than 64 KB"},
		"weak":      {map[string]string{"JWT_SECRET": "", "JWT_SECRET_FILE": write("w", "short")}, "JWT_SECRET", "shorter"},
		"the value": {map[string]string{"JWT_SECRET": "", "JWT_SECRET_FILE": "leak-" + goodSecret}, "JWT_SECRET_FILE", "cannot be opened"},
		"database":  {map[string]string{"DATABASE_URL": "", "DATABASE_URL_FILE": dir + "/leak"}, "DATABASE_URL_FILE", "cannot be opened"},
	} {
		env := maps.Clone(pg)
		maps.Copy(env, c.set)
		got := problems(t, PlatformFunctions, env)
		if len(got) != 1 || got[0].Variable != c.variable || !strings.Contains(got[0].Wrong, c.says) || strings.Contains(got[0].String(), "leak") {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The listed variables are exactly those that are read, on both platforms; NAME_FILE only for secrets and URLs.
func TestVariablesAreThoseThatAreRead(t *testing.T) {
	for _, platform := range []Platform{PlatformBinary, PlatformFunctions} {
		read := map[string]bool{}
		env := map[string]string{"JWT_SECRET": goodSecret, "DATABASE_URL": goodURL}
		if _, err := Load(func(name string) (string, bool) { read[name] = true; return lookup(env)(name) }, platform); err != nil {
			t.Fatal(err)
		}
		listed := map[string]bool{}
		for _, v := range Variables() {
			if listed[v.Name] || v.Description == "" {
				t.Errorf("%s is listed twice or not described", v.Name)
			}
			listed[v.Name] = true
			if v.HasFile() {
				listed[v.Name+"_FILE"] = true
			}
		}
		if !maps.Equal(read, listed) {
			t.Errorf("%s: read %v\nlisted %v", platform, slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(listed)))
		}
	}
}

// Every listed default must be one that the operator could have written.
func TestDefaultsAreValid(t *testing.T) {
	for _, platform := range []Platform{PlatformBinary, PlatformFunctions} {
		env := map[string]string{"JWT_SECRET": goodSecret, "DATABASE_URL": goodURL}
		implied := load(t, platform, env)
		for _, v := range Variables() {
			if def := v.DefaultFor(platform); def != "" {
				env[v.Name] = def
			}
		}
		explicit := load(t, platform, env)
		if !reflect.DeepEqual(implied, explicit) {
			t.Errorf("%s: %v\n%v", platform, implied, explicit)
		}
	}
}

func TestConfigNeverPrintsSecrets(t *testing.T) {
	hidden := []string{goodSecret, otherSecret, "s3cr3t-pw", "param-pw", "redis-pw", "old-secret", "older-key", "letmein-please", "0123456789abcdef"}
	c := load(t, PlatformBinary, map[string]string{
		"DATABASE_URL": goodURL, "DATABASE_URL_UNPOOLED": goodURL, "JWT_SECRET": goodSecret, "JWT_SECRET_PREVIOUS": "old-secret",
		"ENCRYPTION_KEY": otherSecret, "ENCRYPTION_KEY_PREVIOUS": "older-key", "REDIS_URL": "redis://:redis-pw@cache:6379/0",
		"SETUP_TOKEN": "letmein-please", "CRON_SECRET": "0123456789abcdef",
	})
	var out strings.Builder
	for _, v := range []any{c, *c, c.Secrets, &c.Secrets, c.Database, &c.Database, struct{ C Config }{*c}, struct{ C *Config }{c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(encoded)
	}
	fmt.Fprint(&out, c.Redacted())
	// fmt calls no methods on unexported fields, but does not follow a pointer there either.
	fmt.Fprintf(&out, "%v %+v %#v", struct{ c *Config }{c}, struct{ c *Config }{c}, struct{ c *Config }{c})
	for _, secret := range hidden {
		if strings.Contains(out.String(), secret) || strings.Contains(out.String(), fmt.Sprintf("%x", secret)) {
			t.Errorf("%s is printed", secret)
		}
	}
	want := map[string]string{
		"DATABASE_URL": "postgres://db.example.com:5432/gateway", "REDIS_URL": "redis://cache:6379/0", "JWT_SECRET": "set",
		"KV_URL": "not set", "PORT": "3000", "REQUEST_TIMEOUT": "15m", "TRUSTED_PROXIES": "",
	}
	got := c.Redacted()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is shown as %q, want %q", name, got[name], value)
		}
	}
	if len(got) != len(Variables()) {
		t.Errorf("%d of %d variables are shown", len(got), len(Variables()))
	}
	got["PORT"] = "changed"
	if c.Redacted()["PORT"] != "3000" {
		t.Error("Redacted gives its own map away")
	}
}

func TestUnknownPlatform(t *testing.T) {
	if _, err := Load(lookup(nil), Platform(0)); err == nil {
		t.Error("accepted")
	}
}

// A copy of the example must not contain a secret that everybody knows.
func TestEnvExampleHasNoSecret(t *testing.T) {
	text, err := os.Open(filepath.Join("..", "..", ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	env, err := ParseDotEnv(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"JWT_SECRET", "ENCRYPTION_KEY"} {
		if env[name] != "" && weakness(env[name]) == "" {
			t.Errorf(".env.example sets %s to something that is accepted", name)
		}
	}
}

func TestPrices(t *testing.T) {
	env := map[string]string{"MODEL_PRICES": `{"openai/x":{"input":1,"output":-2}}`}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	if _, err := Load(lookup, PlatformBinary); err == nil || !strings.Contains(err.Error(), "MODEL_PRICES openai/x: output must be USD per million tokens") {
		t.Errorf("%v", err)
	}
	env["MODEL_PRICES"] = `{"openai/x":{"input":1,"output":2}}`
	c, err := Load(lookup, PlatformBinary)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Prices.Cost(catalog.Request{Provider: "openai", Model: "x"}, &chat.Usage{Input: 1_000_000}); got != (catalog.Charge{Nanos: 1_000_000_000, Priced: true}) {
		t.Errorf("%+v", got)
	}
}
