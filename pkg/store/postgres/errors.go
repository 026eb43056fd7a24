package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	stateDivisionByZero     = "22012"
	stateUniqueViolation    = "23505"
	stateForeignKey         = "23503"
	stateNotNull            = "23502"
	stateReadOnly           = "25006"
	stateNoPrepared         = "26000"
	stateSerialization      = "40001"
	stateDeadlock           = "40P01"
	stateDuplicatePrepared  = "42P05"
	stateTooManyConnections = "53300"
	stateStaleColumns       = "0A000" // "cached plan must not change result type"
	statePrivilege          = "42501"
	stateNoSchema           = "3F000" // also: no schema of the search path may be used
	stateNoDatabase         = "3D000"
	stateNoTable            = "42P01"
	stateNoColumn           = "42703"
	stateLockTimeout        = "55P03"
	stateCancelled          = "57014" // by statement_timeout
)

// mapError turns what the driver says into a *store.Error, or the context's error if
// that is why the driver gave up.
func mapError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var own *store.Error
	if errors.As(err, &own) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return &store.Error{Code: codeOf(pg.Code), Constraint: constraintOf(pg), Fix: fixOf(pg), Err: quiet(pg)}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &store.Error{Code: store.CodeUnavailable, Err: connectionError(err)}
}

func codeOf(state string) store.Code {
	switch {
	case state == stateUniqueViolation:
		return store.CodeConflict
	case state == stateForeignKey:
		return store.CodeReference
	case state == stateNotNull:
		return store.CodeNull
	case state == stateDeadlock, state == stateSerialization:
		return store.CodeDeadlock
	// Class 08 connection exception, 57P0x the server shuts down, starts or was told
	// to drop us. A pooler that cannot reach the server says 08P01 or 58000.
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "57P"), state == stateTooManyConnections,
		state == "58000", state == stateCancelled:
		return store.CodeUnavailable
	case state == stateLockTimeout:
		return store.CodeLocked
	case state == "53100":
		return store.CodeFull
	case state == stateReadOnly:
		return store.CodeReadOnly
	case state == statePrivilege, state == stateNoSchema, state == stateNoDatabase, strings.HasPrefix(state, "28"):
		return store.CodeRefused
	}
	return store.CodeOther
}

// fixOf tells the operator what to do about a refusal. It has no names: callers see it.
func fixOf(pg *pgconn.PgError) string {
	switch {
	case pg.Code == stateNoSchema || pg.Code == statePrivilege && strings.Contains(pg.Message, " schema "):
		return "its role may not create tables: grant usage, create on schema public to the role of DATABASE_URL"
	case pg.Code == statePrivilege:
		return "its role may not use the tables: grant select, insert, update, delete on all tables in schema public " +
			"to the role of DATABASE_URL, or make that role their owner"
	case pg.Code == stateNoDatabase:
		return "there is no such database: create it, or correct the name in DATABASE_URL"
	case strings.HasPrefix(pg.Code, "28"):
		return "it refuses the user or the password of DATABASE_URL: correct them, or allow the user in pg_hba.conf"
	}
	return ""
}

func constraintOf(pg *pgconn.PgError) string {
	if pg.Code == stateUniqueViolation {
		return pg.ConstraintName
	}
	return ""
}

// quietError is a server error without its text, which quotes arguments.
type quietError struct{ err *pgconn.PgError }

func (e quietError) Error() string { return "SQLSTATE " + e.err.Code }
func (e quietError) Unwrap() error { return e.err }

// quiet hides the text of data exceptions (class 22): "invalid input syntax for type
// bigint: …" quotes the argument. The others name tables, columns and constraints;
// pgconn puts the values of a key, in the error's detail, into no text.
func quiet(pg *pgconn.PgError) error {
	if strings.HasPrefix(pg.Code, "22") {
		return quietError{pg}
	}
	return pg
}

// lostError hides a driver's text of unknown content.
type lostError struct{ err error }

func (e lostError) Error() string { return "connection lost" }
func (e lostError) Unwrap() error { return e.err }

// connectionError keeps the texts that are known to be about the network: dialling
// (host, port, user and database, no password) and reading or writing.
func connectionError(err error) error {
	var dial *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &dial) || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return lostError{err}
}
