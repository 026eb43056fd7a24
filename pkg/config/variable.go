package config

import "github.com/alicetears/llm-gateway/pkg/outbound"

// Kind says how a variable's value is shown and where it may come from.
type Kind int

const (
	// Plain values may be shown.
	Plain Kind = iota
	// SecretValue is never shown. It may come from a file named by NAME_FILE.
	SecretValue
	// SecretURL is shown without user info and parameters. It may come from a file named by NAME_FILE.
	SecretURL
)

// Variable describes one environment variable. The loader takes its defaults from here.
type Variable struct {
	Name string
	// Default on the binary; empty means none.
	Default string
	// FunctionsDefault on functions, where it differs.
	FunctionsDefault string
	Kind             Kind
	Description      string
	// Provider is the id of the provider whose base URL the variable replaces; empty for all other variables.
	Provider string
}

// HasFile reports whether NAME_FILE is read too.
func (v Variable) HasFile() bool { return v.Kind != Plain }

// DefaultFor returns the default on a platform, or "" if there is none.
func (v Variable) DefaultFor(platform Platform) string {
	if platform == PlatformFunctions && v.FunctionsDefault != "" {
		return v.FunctionsDefault
	}
	return v.Default
}

// Variables lists every variable the gateway reads, in the order of docs/configuration.md.
func Variables() []Variable {
	variables := []Variable{
		{Name: "DATABASE_URL", Kind: SecretURL,
			Description: "Postgres: `postgres://user:password@host/database`. The binary also accepts `sqlite:/path/to/file`, and uses SQLite in `DATA_DIR` if no URL is set. Parameters of other clients, such as `pgbouncer` or `connection_limit`, are ignored with a line in the log. Required on functions."},
		{Name: "POSTGRES_URL", Kind: SecretURL, Description: "Read if `DATABASE_URL` is not set."},
		{Name: "DATABASE_URL_UNPOOLED", Kind: SecretURL,
			Description: "The same database without a pooler, for migrations. Default: the database's URL."},
		{Name: "POSTGRES_URL_NON_POOLING", Kind: SecretURL, Description: "Read if `DATABASE_URL_UNPOOLED` is not set."},
		{Name: "DATABASE_POOL", Default: "8", FunctionsDefault: "4",
			Description: "Maximum number of database connections of one process, 4 to 8. The dashboard uses half of them at most."},
		{Name: "DATABASE_TIMEOUT", Default: "5s",
			Description: "How long a statement may take, the wait for a connection included; then callers get 503. 1s to 1m. A database that wakes up has 10 s more to accept a connection."},
		{Name: "JWT_SECRET", Kind: SecretValue,
			Description: "Signs sessions and keys the digests of gateway tokens; encrypts provider keys if there is no `ENCRYPTION_KEY`. At least 32 characters, no comma: `openssl rand -base64 48`. Required, except with the binary's default SQLite: the binary then generates one and stores it in `DATA_DIR/secret`."},
		{Name: "JWT_SECRET_PREVIOUS", Kind: SecretValue,
			Description: "Previous values of `JWT_SECRET`, newest first, separated by commas. Sessions and tokens made under them stay valid: a gateway token works as long as the secret that made it is listed. With several replicas, list a new secret here on all of them before the first one uses it."},
		{Name: "ENCRYPTION_KEY", Kind: SecretValue,
			Description: "Encrypts provider keys. At least 32 characters, no comma: `openssl rand -base64 48`. It may be added later."},
		{Name: "ENCRYPTION_KEY_PREVIOUS", Kind: SecretValue,
			Description: "Previous values of `ENCRYPTION_KEY`, separated by commas. A provider key encrypted under one of them is decrypted, and encrypted under the current one when it is next used."},
		{Name: "SETUP_TOKEN", Kind: SecretValue,
			Description: "Required by the first registration, at least 8 characters. Without it the binary derives one from `JWT_SECRET`, prints it in a link and writes it to `DATA_DIR/setup-token` until the first account exists; functions refuse the first registration."},
		{Name: "CRON_SECRET", Kind: SecretValue,
			Description: "Bearer token of the scheduled call to `/api/cron` (Vercel sends it), at least 16 characters."},
		{Name: "REDIS_URL", Kind: SecretURL,
			Description: "`redis://` or `rediss://`. Holds login throttles instead of the database; never quotas."},
		{Name: "KV_URL", Kind: SecretURL, Description: "Read if `REDIS_URL` is not set."},
		{Name: "KEY_SELECTION_STRATEGY", Default: string(ExhaustFirst),
			Description: "Order of keys of equal priority: `exhaust-first` uses a key until its quota is spent, `round-robin` uses all in turn, `least-latency` goes by how soon keys answered lately, `cheapest` by the price of the request, `weighted` by chance. Users, aliases and requests can override it."},
		{Name: "HOST", Default: "127.0.0.1", Description: "Address to listen on."},
		{Name: "PORT", Default: "3000", Description: "Port to listen on; 0 picks a free one."},
		{Name: "TLS_CERT_FILE",
			Description: "File with the certificate and its chain, PEM: the binary then serves HTTPS. Read again when it changes. Binary only."},
		{Name: "TLS_KEY_FILE", Description: "File with the certificate's private key, PEM."},
		{Name: "DATA_DIR", Default: "./data",
			Description: "Folder of the SQLite database and of the generated secret. Binary only."},
		{Name: "LOG_LEVEL", Default: "info", Description: "`debug`, `info`, `warn` or `error`."},
		{Name: "LOG_FORMAT", Default: string(LogText), Description: "`text` or `json`."},
		{Name: "METRICS_ADDRESS",
			Description: "Address and port, such as `127.0.0.1:9464`, where `/metrics` is served for Prometheus, without a password unless `METRICS_TOKEN` is set. Also of a worker. Binary only. [More](observability.md)"},
		{Name: "METRICS_TOKEN", Kind: SecretValue,
			Description: "Bearer token of `/metrics`, at least 16 characters; with it the port of the gateway serves `/metrics`, too. Binary only."},
		{Name: "TRUSTED_PROXIES",
			Description: "Addresses and networks, separated by commas, whose `X-Forwarded-For` is trusted. On Vercel the header is always trusted."},
		{Name: "SECURITY_CONTACT",
			Description: "Where to report security problems of this installation, a URL or an e-mail address: `/.well-known/security.txt` then tells it (RFC 9116)."},
		{Name: "MODEL_PRICES",
			Description: "Prices that override list prices, USD per million tokens, as JSON: `{\"openai/gpt-5-mini\":{\"input\":0.25,\"output\":2,\"cacheRead\":0.025}}`; a name may end in `*`."},
		{Name: "CORS_ORIGINS", Default: "*",
			Description: "Browser origins, separated by commas, that may call `/api/chat` and the routes of SDKs, such as `/v1` and `/v1beta`; `*` is any."},
		{Name: outbound.Variable,
			Description: "Where the base URLs that users name may lead: `off`, `public`, `loopback` (this machine too), `private` (private networks, too). The last two hold for keys of admins; `loopback:users` and `private:users` for those of everyone. Functions take only `off` and `public`. Default: `public`, and on a binary that listens on the loopback only, `loopback`."},
		{Name: "CUSTOM_ENDPOINTS_VIA_PROXY", Default: "false",
			Description: "`true` sends requests to these base URLs through `HTTPS_PROXY` and `HTTP_PROXY`, too. The proxy then resolves names, and has to keep them from addresses that users must not reach; otherwise the gateway connects to them directly."},
	}
	variables = append(variables, baseURLVariables()...)
	return append(variables, limitVariables()...)
}

// Durations are written as "90s", "15m" or plain seconds; sizes as plain bytes, or with KB, MB or GB (powers of 1024).
func limitVariables() []Variable {
	return []Variable{
		{Name: "REQUEST_TIMEOUT", Default: "15m", FunctionsDefault: "285s",
			Description: "Deadline of a chat request, all attempts and the whole stream included. Functions end at 300 s."},
		{Name: "FIRST_EVENT_TIMEOUT", Default: "15s",
			Description: "How long a provider may send no event of a stream before the next key is tried. Comments and keep-alives are no events. At most half of the time that REQUEST_TIMEOUT leaves. One attempt of a request is abandoned in this way, because its provider may bill it."},
		{Name: "REASONING_FIRST_EVENT_TIMEOUT", Default: "5m",
			Description: "The same for models that reason, and for answers that are not streamed."},
		{Name: "HEARTBEAT_AFTER", Default: "45s",
			Description: "How long a streamed answer waits for its first content before it sends its status and heartbeats. Keys fail over after that, too; the headers then name no key, and an error is told in the stream."},
		{Name: "MAX_ATTEMPTS", Default: "10",
			Description: "Maximum number of calls of providers for one request, 1 to 100."},
		{Name: "UPSTREAM_IDLE_TIMEOUT", Default: "10m",
			Description: "How long a provider may send no byte; keep-alive comments and blank lines count as bytes. A reasoning model may send nothing for minutes if the request does not stream."},
		{Name: "HEARTBEAT_INTERVAL", Default: "15s",
			Description: "Time without an event in a streamed answer after which the gateway sends a comment to the caller."},
		{Name: "READ_HEADER_TIMEOUT", Default: "10s",
			Description: "Time for the caller to send the request's headers."},
		{Name: "BODY_PROGRESS_TIMEOUT", Default: "10s",
			Description: "How long a caller may pause while it sends a body, which also has to keep up 4 kB a second."},
		{Name: "WRITE_TIMEOUT", Default: "60s",
			Description: "How long one write may wait for a caller that does not read."},
		{Name: "SHUTDOWN_TIMEOUT", Default: "30s",
			Description: "How long running answers may continue after SIGTERM; 0 ends them at once."},
		{Name: "MAX_HEADER_BYTES", Default: "64KB", Description: "Largest request header, all fields together."},
		{Name: "MAX_BODY_BYTES", Default: "32MB", FunctionsDefault: "4MB",
			Description: "Largest request body. Its JSON may hold 524,288 values."},
		{Name: "BODY_BUDGET_BYTES", Default: "256MB", FunctionsDefault: "64MB",
			Description: "Memory for all request bodies at one time, decoding included: three times their size, and 256 bytes for each JSON value. Beyond it requests get 503. At least `MAX_BODY_BYTES`. A user may hold half of it, or one body."},
		{Name: "UPSTREAM_REQUESTS", Default: "1000",
			Description: "Requests that may be with providers at one time. A user may have half of them."},
		{Name: "MAX_UPSTREAM_BYTES", Default: "64MB",
			Description: "Largest line of a provider's stream, and largest answer after decoding."},
		{Name: "BACKLOG_BYTES", Default: "64MB",
			Description: "Memory for usage and results of jobs that wait for a database which is away; beyond it new requests get 503. What is left at the end of the process goes to a file in `DATA_DIR`. Binary only."},
		{Name: "KEY_LIMIT", Default: "200", Description: "Maximum number of provider keys of one user."},
		{Name: "TOKEN_LIMIT", Default: "500", Description: "Maximum number of gateway tokens of one user."},
		{Name: "ALIAS_LIMIT", Default: "100", Description: "Maximum number of aliases of one user, at most 1000."},
		{Name: "KEY_PATTERN_LIMIT", Default: "100",
			Description: "Maximum number of entries in a key's `allowedModels`, at most 500, which are the admin's limit."},
		{Name: "JOB_RETENTION", Default: "24h", Description: "How long the result of an asynchronous request is kept."},
		{Name: "JOB_LIMIT", Default: "1000",
			Description: "Maximum number of queued and running asynchronous requests of one user."},
		{Name: "JOB_LIMIT_BYTES", Default: "256MB", FunctionsDefault: "64MB",
			Description: "Maximum size of these requests together, as they are stored."},
		{Name: "JOB_MAX_BYTES", Default: "8MB", FunctionsDefault: "4MB", Description: "Largest asynchronous request."},
		{Name: "WORKER_CONCURRENCY", Default: "8",
			Description: "Number of asynchronous requests that a worker runs at once."},
		{Name: "RESPONSE_STORE", Default: string(StoreAsk),
			Description: "Which answers of `/v1/responses` are stored, encrypted, for `previous_response_id` and `GET /v1/responses/{id}`: `ask` where the request's `store` is true or left out, `on` all of them, `off` none; then requests that need it are refused."},
		{Name: "RESPONSE_RETENTION", Default: "24h",
			Description: "How long a stored response is kept. Each has at most 1 MB, and those of a user 50 MB: the oldest go first."},
		{Name: "RETENTION_DAYS", Default: "30", Description: "Days the request log is kept."},
		{Name: "TRACE_RETENTION_DAYS", Default: "7",
			Description: "Days the failed attempts and skipped keys of requests are kept."},
		{Name: "REQUEST_TRACES", Default: string(TraceAll),
			Description: "Of which requests a trace of the attempts is kept: `on` all, `sampled` those that failed or failed over and `TRACE_SAMPLE_PERCENT` of the others, `failed` those that failed or failed over, `off` none."},
		{Name: "TRACE_SAMPLE_PERCENT", Default: "5",
			Description: "The share of the requests whose first attempt answered that `REQUEST_TRACES=sampled` keeps a trace of, 1 to 100."},
		{Name: "SESSION_DAYS", Default: "30", Description: "Days a login lasts."},
		{Name: "AUTH_CONCURRENCY", Default: "2",
			Description: "Passwords hashed at the same time; each takes 19 MiB and a core."},
	}
}
