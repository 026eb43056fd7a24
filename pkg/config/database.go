package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// DatabaseKind is which database holds the gateway's data.
type DatabaseKind string

const (
	Postgres DatabaseKind = "postgres"
	SQLite   DatabaseKind = "sqlite"
)

// sqliteFile is the default database's name in DATA_DIR.
const sqliteFile = "gateway.db"

// Database says where the data is. Its methods print no password.
type Database struct {
	Kind         DatabaseKind
	URL          string        // Postgres only
	MigrationURL string        // Postgres only: the URL without a pooler if one is known, else URL
	Path         string        // SQLite only: the file
	Pool         int           // maximum connections of this process
	Timeout      time.Duration // of each statement
	// Ignored lists the address's parameters that neither PostgreSQL nor its driver knows, separated by ", ".
	Ignored string

	// fallback is true if no database was named: it is the binary's local SQLite.
	fallback bool
}

func (r *reader) database(dataDir string) Database {
	d := Database{Pool: r.integer("DATABASE_POOL", 4, 8), Timeout: r.duration("DATABASE_TIMEOUT", time.Second, time.Minute)}
	value, name, st := r.first("DATABASE_URL", "POSTGRES_URL")
	migrations, migrationsName, migrationsState := r.first("DATABASE_URL_UNPOOLED", "POSTGRES_URL_NON_POOLING")
	switch {
	case st == broken:
		return d
	case st == unset && r.platform == PlatformFunctions:
		r.problem("DATABASE_URL", "is not set (nor is POSTGRES_URL)",
			"connect a Postgres database to the project, or set it to postgres://user:password@host/database")
		return d
	case st == unset:
		d.Kind, d.Path, d.fallback = SQLite, filepath.Join(dataDir, sqliteFile), true
		return d
	}
	if path, isFile := sqlitePath(value); isFile {
		d.Kind, d.Path = SQLite, path
		r.checkSQLite(name, path)
		return d
	}
	d.Kind = Postgres
	d.URL = r.postgres(&d, name, value)
	d.MigrationURL = d.URL
	if migrationsState == set {
		d.MigrationURL = r.postgres(&d, migrationsName, migrations)
	}
	return d
}

// postgres returns an address of PostgreSQL without the parameters of other clients.
func (r *reader) postgres(d *Database, name, value string) string {
	if !r.checkPostgres(name, value) {
		return ""
	}
	clean, ignored, ok := cleanPostgres(value)
	if !ok {
		r.problem(name, "has something after its ? that is no parameter",
			"percent-encode special characters in the password (? is %3F, & is %26, = is %3D)")
		return ""
	}
	if d.Ignored == "" { // those of an address for migrations are the same, or fewer
		d.Ignored = strings.Join(ignored, ", ")
	}
	return clean
}

// sqlitePath takes sqlite:path, sqlite:/path, sqlite:///path, and the same with file:.
func sqlitePath(value string) (path string, found bool) {
	for _, scheme := range []string{"sqlite:", "file:"} {
		if len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
			return strings.TrimPrefix(value[len(scheme):], "//"), true
		}
	}
	return "", false
}

func (r *reader) checkSQLite(name, path string) {
	const fix = "write it as sqlite:/path/to/file"
	switch {
	case r.platform == PlatformFunctions:
		r.problem(name, "names a SQLite file, and functions keep no disk", "use Postgres")
	case path == "" || strings.HasSuffix(path, "/"):
		r.problem(name, "names no file", fix)
	case strings.ContainsAny(path, "?#\x00"):
		r.problem(name, "has parameters, which the gateway sets itself", fix)
	case strings.HasPrefix(path, ":memory:"):
		r.problem(name, "names a database in memory, which would lose everything", fix)
	}
}

// checkPostgres reports whether value may be an address of PostgreSQL.
func (r *reader) checkPostgres(name, value string) bool {
	const fix = "write it as postgres://user:password@host/database"
	if quoted(value) {
		r.problem(name, "is wrapped in quotes", "remove them")
		return false
	}
	lower := strings.ToLower(value)
	if !strings.HasPrefix(lower, "postgres://") && !strings.HasPrefix(lower, "postgresql://") {
		if r.platform == PlatformBinary {
			r.problem(name, "begins neither with postgres:// nor with sqlite:", fix)
		} else {
			r.problem(name, "does not begin with postgres://", fix)
		}
		return false
	}
	u, err := url.Parse(value) // its error quotes the URL, password and all
	if err != nil {
		r.problem(name, "is not a valid URL",
			"percent-encode special characters in the password (@ is %40, / is %2F, # is %23, % is %25)")
		return false
	}
	if u.Host == "" && u.Query().Get("host") == "" {
		r.problem(name, "names no host", fix)
		return false
	}
	return true
}

func (r *reader) redisURL() string {
	const fix = "write it as rediss://default:password@host:6379"
	value, name, st := r.first("REDIS_URL", "KV_URL")
	if st != set {
		return ""
	}
	u, err := url.Parse(value)
	switch {
	case quoted(value):
		r.problem(name, "is wrapped in quotes", "remove them")
	case err == nil && u.Scheme == "https":
		r.problem(name, "is the address of a REST interface", "use the one that begins with rediss://")
	case err == nil && u.Scheme != "redis" && u.Scheme != "rediss":
		r.problem(name, "begins neither with redis:// nor with rediss://", fix)
	case err != nil:
		r.problem(name, "is not a valid URL", "percent-encode special characters in the password, and "+fix)
	case u.Hostname() == "":
		r.problem(name, "names no host", fix)
	}
	return value
}

func quoted(value string) bool { return strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'") }

// withoutCredentials shows the scheme, the host and the path of a URL. Parameters go too: Postgres takes a password there.
func withoutCredentials(value string) string {
	if path, isFile := sqlitePath(value); isFile {
		path, _, _ = strings.Cut(path, "?")
		return "sqlite:" + path
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "set"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// LoadDatabase reads the address of one database as Load reads DATABASE_URL on the binary. The error does not contain it.
func LoadDatabase(address string) (Database, error) {
	const name = "DATABASE_URL"
	r := newReader(func(n string) (string, bool) {
		if n == name {
			return address, true
		}
		return "", false
	}, PlatformBinary)
	d := r.database("")
	if len(r.problems) > 0 {
		return Database{}, fmt.Errorf("%s; %s", r.problems[0].Wrong, r.problems[0].Fix)
	}
	return d, nil
}
