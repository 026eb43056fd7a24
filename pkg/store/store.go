// Package store holds all SQL of the gateway, written once and run on PostgreSQL
// and SQLite through a thin executor.
//
// The executors are the sub-packages postgres and sqlite; functions link
// only the first. A function that holds SQL takes an executor, or returns a
// statement for a bigger transaction, and stands beside the type that it is about:
// users.go, sessions.go, tokens.go, keys.go, requests.go, usage.go.
//
// Conventions: ids are UUIDv7, 16 bytes, made in Go. Times are Unix
// milliseconds and days are days since the epoch, both UTC and always
// passed in. Costs are nano-dollars. Columns keep the names of the first schema:
// sealed and sealing_key are encryption, given_back is a release.
package store

import (
	"context"
	"errors"
	"time"
)

// Kind names the database engine behind an executor.
type Kind string

// The engines.
const (
	Postgres Kind = "postgres"
	SQLite   Kind = "sqlite"
)

// Row is one row of a result. Scan takes the usual destinations: *int64, *int,
// *string, *bool, *[]byte, *float64, *ID, and for columns that may be null pointers to pointers
// of the first six. Null is also nil in a *[]byte and the zero ID in an *ID; nil drops a
// column. A []byte stays valid after Scan returns, the Row does not.
type Row interface {
	Scan(dest ...any) error
}

// Stmt is one SQL statement with its arguments and a receiver of its rows.
// Arguments are []byte, string, int64, int, bool, float64, ID (null if zero), nil, or
// pointers to these where nil means null. A nil []byte is null as well. Strings must be
// UTF-8 without NUL.
//
// Sums and averages must be cast (cast(sum(x) as bigint)): PostgreSQL makes them
// numeric, which no destination takes.
type Stmt struct {
	SQL  string
	Args []any
	// Each is called once for every row that the statement returned, in order; nil
	// drops them. [Runner] says when it is called, and what its error does.
	Each func(Row) error
	// Affected, if not nil, receives the number of rows that were written or returned.
	Affected *int64
}

// Runner runs statements.
type Runner interface {
	// Run runs all statements in their order, or none of them: one
	// transaction, and on PostgreSQL one network round trip, for any number of statements.
	// Runs of nothing but selects see one moment of the database on SQLite; on
	// PostgreSQL each statement sees its own (read committed).
	//
	// Every Each is called, and every Affected set, after the transaction has
	// committed (inside Tx: after all statements of this Run succeeded), so that they
	// see nothing that is rolled back or run again, and never twice. Therefore an
	// error from an Each can undo nothing: it is returned as it is, the rest of the rows
	// of the Run are dropped, and the statements stay committed (inside Tx, returning it from fn
	// still rolls back). If Run returns any other error, no Each was called and
	// nothing was written, with one exception: when the connection breaks or the
	// context ends while the database commits, or waits for a lock, the outcome is unknown (PostgreSQL
	// only: CodeUnavailable, or the context's error).
	//
	// Errors are database errors as [Error] with a Code, or the context's. On
	// SQLite the context ends waiting and reading, not a write that has begun.
	Run(ctx context.Context, stmts ...Stmt) error
}

// DB is an open database with the current schema.
type DB interface {
	Runner
	// Tx runs fn inside one transaction with as many round trips as fn makes. It
	// commits if fn returns nil and rolls back otherwise, returning fn's error as it is. On
	// SQLite it holds the write lock from its start. On PostgreSQL a Run that failed
	// leaves a transaction that can only be rolled back. Inside fn only the given runner may
	// be used, by one goroutine at a time, and not after fn returned.
	Tx(ctx context.Context, fn func(Runner) error) error
	Kind() Kind
	// Timeout is how long a run that begins now may take. Every Run, and every Run inside a Tx, ends by then with
	// CodeUnavailable, unless its context is of [Unbounded].
	Timeout() time.Duration
	// Ping asks the database for an answer.
	Ping(ctx context.Context) error
	// Migrate brings the schema to [SchemaVersion] now and returns what it was before;
	// safe from any number of processes at once.
	Migrate(ctx context.Context) (from int, err error)
	Close() error
}

// Code classifies a database error.
type Code string

// The codes that callers tell apart.
const (
	CodeConflict    Code = "conflict"    // a unique key is taken
	CodeReference   Code = "reference"   // a foreign key points nowhere
	CodeNull        Code = "null"        // a column that must have a value would get none
	CodeDeadlock    Code = "deadlock"    // rolled back to resolve a deadlock or a serialization failure: run again
	CodeUnavailable Code = "unavailable" // cannot connect, connection lost, no answer in time, too many connections
	CodeLocked      Code = "locked"      // another process held a lock for too long
	CodeMissing     Code = "missing"     // the file of the database cannot be opened
	CodeFull        Code = "full"        // no space left
	CodeReadOnly    Code = "read-only"   // nothing can be written: a standby, a file without permission
	CodeRefused     Code = "refused"     // wrong password, no such database, a missing privilege: the operator has to act
	CodeOther       Code = "other"
)

// Error is a database error. Its text is for the log; it never holds argument values.
type Error struct {
	Code Code
	// Constraint names the unique constraint or, on SQLite, "table.column", for CodeConflict.
	Constraint string
	// Fix says what the operator has to do, for CodeRefused. Callers may see it.
	Fix string
	Err error
}

func (e *Error) Error() string {
	text := "database: " + string(e.Code) + ": " + e.Err.Error()
	if e.Fix != "" {
		text += "; " + e.Fix
	}
	return text
}

// Unwrap returns the driver's error.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the database error in err's chain, or "" if there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// FixOf returns what the operator has to do about err, or "" if that is not known.
func FixOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Fix
	}
	return ""
}

// ErrNotFound is returned by the lookups of this package when there is no such row,
// or it belongs to another user.
var ErrNotFound = errors.New("not found")

// First returns an Each that scans the first row into dest and sets *found. It drops later rows.
func First(found *bool, dest ...any) func(Row) error {
	return func(r Row) error {
		if *found {
			return nil
		}
		*found = true
		return r.Scan(dest...)
	}
}
