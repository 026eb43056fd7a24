package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// address is a database URL, or the same as key and value pairs.
type address struct {
	conn     *pgconn.Config
	mode     string        // default_query_exec_mode; empty: not set
	maxConns int           // pool_max_conns; 0: not set
	lifetime time.Duration // pool_max_conn_lifetime
	idleTime time.Duration // pool_max_conn_idle_time
}

const defaultLifetime = time.Hour

// parseAddress reads an address with pgx's parameters, which the server must not get. Those of pgx's own pool and caches
// that this pool does not have are ignored. The error shows nothing of the address.
func parseAddress(what, text string) (*address, error) {
	conn, err := pgconn.ParseConfig(text)
	if err != nil {
		return nil, parseError(what, err)
	}
	a := &address{conn: conn, lifetime: defaultLifetime, idleTime: maxIdle}
	take := func(name string) (value string) {
		value = conn.RuntimeParams[name]
		delete(conn.RuntimeParams, name)
		return value
	}
	a.mode = take("default_query_exec_mode")
	if a.mode != "" && !slices.Contains(modes, a.mode) {
		return nil, fmt.Errorf("%s: default_query_exec_mode must be one of %s", what, strings.Join(modes, ", "))
	}
	if text := take("pool_max_conns"); text != "" {
		if a.maxConns, err = strconv.Atoi(text); err != nil || a.maxConns < 1 {
			return nil, errors.New(what + ": pool_max_conns must be a number above 0")
		}
	}
	for name, d := range map[string]*time.Duration{"pool_max_conn_lifetime": &a.lifetime, "pool_max_conn_idle_time": &a.idleTime} {
		if text := take(name); text != "" {
			if *d, err = time.ParseDuration(text); err != nil {
				return nil, fmt.Errorf("%s: %s must be a duration such as 30s", what, name)
			}
		}
	}
	for name := range conn.RuntimeParams {
		if strings.HasPrefix(name, "pool_") || strings.HasSuffix(name, "_cache_capacity") {
			delete(conn.RuntimeParams, name)
		}
	}
	return a, nil
}

// modes are the values of default_query_exec_mode, as pgx names them. Only cache_statement names statements here.
var modes = []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}
