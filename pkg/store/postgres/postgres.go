// Package postgres is the executor of package store for PostgreSQL, over a pgx pool.
//
// It uses the extended protocol directly: every Run is one pipeline with one Sync,
// which is one implicit transaction and one network round trip, and a statement that
// the connection has not prepared yet is prepared within the same trip.
package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Mode is how statements are sent.
type Mode string

// The modes.
const (
	// ModeExec sends every statement in full, unnamed: it works behind every
	// pooler, and a new connection costs no more than an old one.
	ModeExec Mode = "exec"
	// ModePrepared prepares every statement once a connection, which halves the
	// server's CPU. The process falls back to ModeExec for good at the first sign
	// of a pooler that mixes connections (SQLSTATE 42P05 or 26000).
	ModePrepared Mode = "prepared"
)

// Options are the settings of Open.
type Options struct {
	// URL is a connection string of libpq: a URL or keywords and values. Of pgx's own
	// parameters it may have default_query_exec_mode, which wins over Mode ("cache_statement" is
	// ModePrepared, everything else ModeExec), and pool_max_conns, which wins over MaxConns.
	URL string
	// MigrateURL is where migrations run, if not at URL: with a pooler that cannot be
	// used for them, the direct address.
	MigrateURL string
	// MaxConns is the size of the pool; 0 is 8.
	MaxConns int
	// Mode is ModeExec if empty.
	Mode Mode
	// Timeout bounds every run; 0 is 5 seconds.
	Timeout time.Duration
}

// DB is an open database. It implements [store.DB].
type DB struct {
	pool      *pool
	migrateTo *pgconn.Config
	maxConns  int
	timeout   time.Duration
	limits    store.Stmt // begins every transaction
	watch     watch

	prepared atomic.Bool // named statements are in use
	current  atomic.Bool // the schema is known to be new enough
	migrate  sync.Mutex  // one migration at a time in this process

	pendingLock sync.Mutex
	pending     *migration // that a run has found necessary; nil: none is under way
}

var _ store.DB = (*DB)(nil)

const (
	defaultMaxConns = 8
	defaultTimeout  = 5 * time.Second
	// A serverless database takes some seconds to wake up (Neon: up to 5, 2026-11).
	connectTimeout = 10 * time.Second
	// Of several hosts, one that is down must not use up the time of the next.
	connectTimeoutOfSeveral = 3 * time.Second
	// Idle connections go before the usual firewalls and serverless databases cut them.
	maxIdle = 4 * time.Minute
)

// Open prepares a pool and connects to nothing yet. Its error says what is wrong with
// the connection string without showing it.
func Open(o Options) (*DB, error) {
	to, err := parseAddress("database URL", o.URL)
	if err != nil {
		return nil, err
	}
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	prepareConfig(to.conn, o.URL, timeout)
	migrateTo := to.conn.Copy()
	if o.MigrateURL != "" && o.MigrateURL != o.URL {
		unpooled, err := parseAddress("database URL for migrations", o.MigrateURL)
		if err != nil {
			return nil, err
		}
		migrateTo = unpooled.conn
		prepareConfig(migrateTo, o.MigrateURL, timeout)
	}
	prepared := o.Mode == ModePrepared
	if to.mode != "" {
		prepared = to.mode == "cache_statement"
	}
	db := &DB{migrateTo: migrateTo, maxConns: cmp.Or(to.maxConns, o.MaxConns, defaultMaxConns), timeout: timeout, limits: limitsOf(timeout)}
	db.prepared.Store(prepared)
	db.pool = newPool(to.conn, db.maxConns, to.lifetime, to.idleTime)
	return db, nil
}

// prepareConfig sets how connections are opened. Of several hosts it takes the one that can be written, as after a
// failover the old primary may come back as a standby.
func prepareConfig(cfg *pgconn.Config, address string, timeout time.Duration) {
	several := slices.ContainsFunc(cfg.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return f.Host != cfg.Host || f.Port != cfg.Port
	})
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
		if several {
			cfg.ConnectTimeout = connectTimeoutOfSeveral
		}
	}
	cfg.DialFunc = newDialer(cfg.ConnectTimeout, max(timeout, connectTimeout)).DialContext
	if several && !strings.Contains(address, "target_session_attrs") {
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// parseError keeps what pgx found wrong and drops the connection string, which may hold a password.
func parseError(what string, err error) error {
	msg := "cannot be parsed"
	var perr *pgconn.ParseConfigError
	if errors.As(err, &perr) {
		// "cannot parse `postgres://…`: what is wrong (more, which may quote parts of it)"
		if _, after, ok := strings.Cut(perr.Error(), "`: "); ok {
			after, _, _ = strings.Cut(after, " (")
			msg = after
		}
	}
	return errors.New(what + ": " + msg)
}

// Kind is store.Postgres.
func (db *DB) Kind() store.Kind { return store.Postgres }

// Ping sends a query.
func (db *DB) Ping(ctx context.Context) error { return db.Run(ctx, store.Stmt{SQL: "select 1"}) }

// Close waits for the runs under way and closes the connections.
func (db *DB) Close() error {
	db.pool.close()
	return nil
}
