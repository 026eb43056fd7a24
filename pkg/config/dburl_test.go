package config

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Addresses as hosts and ORMs give them out lead to the same database without what is not PostgreSQL's.
func TestForeignParametersAreIgnored(t *testing.T) {
	const base = "postgres://u:p%40x@h:6543/d"
	for query, want := range map[string]string{
		"":                                      "",
		"?sslmode=require":                      "?sslmode=require",
		"?sslmode=no-verify":                    "?sslmode=require",
		"?sslmode=no-verify&sslrootcert=/x.pem": "?sslmode=require",
		"?ssl=true":                             "?sslmode=require",
		"?ssl=0":                                "?sslmode=disable",
		"?ssl=no-verify":                        "?sslmode=require",
		"?sslmode=":                             "",
		"?supa=base-pooler.x":                   "",
		"?pgbouncer=true":                       "?default_query_exec_mode=exec",
		"?pgbouncer=true&default_query_exec_mode=cache_statement":          "?default_query_exec_mode=cache_statement",
		"?prepareThreshold=0&sslmode=require":                              "?sslmode=require&default_query_exec_mode=exec",
		"?connection_limit=1&sslmode=require&pool_timeout=0":               "?sslmode=require",
		"?schema=public&sslaccept=strict&sslidentity=x":                    "",
		"?workaround=supabase-pooler.vercel":                               "",
		"?sslmode=require&channel_binding=require&uselibpqcompat=true":     "?sslmode=require&channel_binding=require",
		"?currentSchema=x&ApplicationName=y&reWriteBatchedInserts=true":    "",
		"?keepalives=1&keepalives_idle=30&gssencmode=disable&hostaddr=::1": "",
		"?never_heard_of=1": "",
		"?options=-c%20search_path%3Dx&TimeZone=UTC&statement_timeout=5s":        "?options=-c%20search_path%3Dx&TimeZone=UTC&statement_timeout=5s",
		"?client_encoding=latin1&search_path=x&app.tenant=7&enable_hashjoin=off": "?search_path=x&app.tenant=7&enable_hashjoin=off",
		"?pool_max_conns=3&application_name=gateway&":                            "?pool_max_conns=3&application_name=gateway",
	} {
		clean, ignored, ok := cleanPostgres(base + query)
		if !ok || clean != base+want {
			t.Errorf("%s: %s, %v", query, clean, ok)
		}
		cfg, err := pgxpool.ParseConfig(clean)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		for _, name := range ignored {
			if _, sent := cfg.ConnConfig.RuntimeParams[name]; sent {
				t.Errorf("%s: %s is sent to the server", query, name)
			}
		}
	}
}

// The names of what was ignored are logged, so nothing else may be taken for a name.
func TestPartsOfPasswordsAreNoParameters(t *testing.T) {
	for _, address := range []string{
		"postgres://u:123?s3cret@h/d", "postgres://u:123?s3cret&more@h/d?sslmode=require", "postgres://u:1?%zz=1", "postgres://h/d?a%00b=1",
		"postgres://h/d?" + strings.Repeat("x", 41) + "=1",
	} {
		got := problems(t, PlatformBinary, map[string]string{"DATABASE_URL": address, "JWT_SECRET": goodSecret})
		if len(got) != 1 || got[0].Variable != "DATABASE_URL" || strings.Contains(got[0].String(), "s3cret") {
			t.Errorf("%s: %v", address, got)
		}
	}
	c := load(t, PlatformBinary, map[string]string{"DATABASE_URL": "postgres://u:s3cret@h/d?supa=val&sslmode=require",
		"DATABASE_URL_UNPOOLED": "postgres://u:s3cret@h/d?schema=x", "JWT_SECRET": goodSecret})
	if c.Database.Ignored != "supa" || c.Database.URL != "postgres://u:s3cret@h/d?sslmode=require" ||
		c.Database.MigrationURL != "postgres://u:s3cret@h/d" {
		t.Errorf("%q", c.Database.Ignored)
	}
}
