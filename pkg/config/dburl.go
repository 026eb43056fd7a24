package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Address parameters come from hosts, ORMs and other drivers. A parameter that is neither the driver's nor a setting of
// the server would end every connection: PostgreSQL refuses the start ("unrecognized configuration parameter"), and
// PgBouncer as well. Such a parameter is for another client, so it is left out.

// driverParameters are the parameters of libpq that the driver supports, and its own (pgconn.ParseConfig,
// pgxpool.ParseConfig and pgx.ParseConfig of pgx 5.12).
var driverParameters = words(`channel_binding connect_timeout database dbname host krbspn krbsrvname
 max_protocol_version min_protocol_version passfile password port require_auth service servicefile ssl sslcert
 sslcertmode sslkey sslmode sslnegotiation sslpassword sslrootcert sslsni target_session_attrs user
 default_query_exec_mode description_cache_capacity statement_cache_capacity
 pool_health_check_period pool_max_conn_idle_time pool_max_conn_lifetime pool_max_conn_lifetime_jitter pool_max_conns
 pool_min_conns pool_min_idle_conns pool_ping_timeout`)

// serverSettings are the settings that a client may change, in lower case: of pg_settings those whose context is user,
// superuser or backend (PostgreSQL 15 to 18). client_encoding is missing because it must stay UTF-8.
var serverSettings = words(`allow_in_place_tablespaces allow_system_table_mods application_name
 array_nulls backend_flush_after backslash_quote backtrace_functions bytea_output check_function_bodies
 client_connection_check_interval client_min_messages commit_delay commit_siblings compute_query_id
 constraint_exclusion cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost createrole_self_grant
 cursor_tuple_fraction datestyle deadlock_timeout default_statistics_target default_table_access_method
 default_tablespace default_text_search_config default_toast_compression default_transaction_deferrable
 default_transaction_isolation default_transaction_read_only dynamic_library_path effective_cache_size
 effective_io_concurrency escape_string_warning event_triggers exit_on_error extension_control_path extra_float_digits
 file_copy_method force_parallel_mode from_collapse_limit gin_fuzzy_search_limit gin_pending_list_limit
 hash_mem_multiplier icu_validation_level idle_in_transaction_session_timeout idle_session_timeout
 ignore_checksum_failure ignore_system_indexes intervalstyle io_combine_limit join_collapse_limit lc_messages
 lc_monetary lc_numeric lc_time lo_compat_privileges local_preload_libraries lock_timeout
 logical_decoding_work_mem maintenance_io_concurrency maintenance_work_mem max_parallel_maintenance_workers
 max_parallel_workers max_parallel_workers_per_gather max_stack_depth min_parallel_index_scan_size
 min_parallel_table_scan_size options parallel_leader_participation parallel_setup_cost parallel_tuple_cost
 password_encryption plan_cache_mode post_auth_delay quote_all_identifiers random_page_cost
 recursive_worktable_factor restrict_nonsystem_relation_kind role row_security
 scram_iterations search_path seq_page_cost session_authorization
 session_preload_libraries session_replication_role standard_conforming_strings statement_timeout
 stats_fetch_consistency synchronize_seqscans synchronous_commit tcp_keepalives_count tcp_keepalives_idle
 tcp_keepalives_interval tcp_user_timeout temp_buffers temp_file_limit temp_tablespaces timezone
 timezone_abbreviations track_activities track_cost_delay_timing track_counts track_functions track_io_timing
 track_wal_io_timing transaction_deferrable transaction_isolation transaction_read_only transaction_timeout
 transform_null_equals update_process_title wal_compression wal_consistency_checking wal_init_zero wal_recycle
 wal_sender_timeout wal_skip_threshold work_mem xmlbinary xmloption zero_damaged_pages`)

// settingFamilies are prefixes of further settings of the server.
var settingFamilies = []string{"debug_", "enable_", "geqo", "jit", "log_", "trace_", "vacuum_"}

// unpreparedParameters are parameters of other clients by which an operator says that a pooler is in the way which does
// not keep prepared statements: of Prisma, SQLAlchemy, asyncpg and the JDBC driver.
var unpreparedParameters = map[string]string{
	"pgbouncer": "true", "prepared_statements": "false", "prepared_statement_cache_size": "0",
	"statement_cache_size": "0", "preparethreshold": "0",
}

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

// knownParameter reports whether the driver or the server understands a parameter. A name with a dot is a setting of an
// extension, which the server takes whatever it is.
func knownParameter(name string) bool {
	lower := strings.ToLower(name)
	if driverParameters[name] || serverSettings[lower] || strings.Contains(name, ".") {
		return true
	}
	return slices.ContainsFunc(settingFamilies, func(family string) bool { return strings.HasPrefix(lower, family) })
}

// parameterName keeps what may be a part of a password out of the log: the rest of an address with an unescaped "?".
var parameterName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,39}$`)

// cleanPostgres returns the address with those parameters only that the driver and the server understand, and the names
// of the others. ok is false if something stands where the name of a parameter is expected.
func cleanPostgres(address string) (clean string, ignored []string, ok bool) {
	base, query, found := strings.Cut(address, "?")
	if !found {
		return address, nil, true
	}
	var kept []string
	unprepared, unverified := false, false
	for part := range strings.SplitSeq(query, "&") {
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(rawName)
		value, errValue := url.QueryUnescape(rawValue)
		switch {
		case part == "":
		case err != nil || errValue != nil || !parameterName.MatchString(name):
			return "", nil, false
		case name == "ssl" || name == "sslmode":
			mode := sslMode(name, value)
			unverified = unverified || mode == noVerify
			kept = append(kept, "sslmode="+url.QueryEscape(strings.Replace(mode, noVerify, "require", 1)))
		case !knownParameter(name):
			unprepared = unprepared || unpreparedParameters[strings.ToLower(name)] == strings.ToLower(value)
			ignored = append(ignored, name)
		case value != "":
			kept = append(kept, part)
		}
	}
	kept = slices.DeleteFunc(kept, func(part string) bool {
		// With a root certificate, libpq's "require" verifies.
		return part == "sslmode=" || unverified && strings.HasPrefix(part, "sslrootcert=")
	})
	if unprepared && !strings.Contains(query, "default_query_exec_mode=") {
		kept = append(kept, "default_query_exec_mode=exec")
	}
	if len(kept) == 0 {
		return base, ignored, true
	}
	return base + "?" + strings.Join(kept, "&"), ignored, true
}

// noVerify is the mode of node-postgres that encrypts without looking at the certificate, which is libpq's "require".
const noVerify = "no-verify"

// sslMode returns the sslmode of a parameter sslmode, or of ssl, which JDBC and node-postgres have. Anything else is the
// driver's to refuse.
func sslMode(name, value string) string {
	if name == "sslmode" {
		return value
	}
	switch strings.ToLower(value) {
	case "true", "1", "require":
		return "require"
	case "false", "0", "disable":
		return "disable"
	}
	return value
}
