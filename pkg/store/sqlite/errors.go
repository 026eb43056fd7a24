package sqlite

import (
	"errors"
	"strings"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// errAborted is what comes of ignoring the error of a Run inside Tx.
var errAborted = &store.Error{Code: store.CodeOther, Err: errors.New("a statement of the transaction had failed")}

// mapError turns the driver's error into a *store.Error. SQLite's texts name tables and
// columns, never values.
func mapError(err error) error {
	if err == nil {
		return nil
	}
	var own *store.Error
	if errors.As(err, &own) || errors.Is(err, ErrClosed) {
		return err
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return &store.Error{Code: store.CodeOther, Err: err}
	}
	return &store.Error{Code: codeOf(e.Code()), Constraint: constraintOf(e), Err: err}
}

func codeOf(rc int) store.Code {
	switch rc {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return store.CodeConflict
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return store.CodeReference
	case lib.SQLITE_CONSTRAINT_NOTNULL:
		return store.CodeNull
	}
	switch rc & 0xff { // the primary code, https://www.sqlite.org/rescode.html
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_PROTOCOL:
		return store.CodeLocked
	case lib.SQLITE_CANTOPEN, lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return store.CodeMissing
	case lib.SQLITE_IOERR:
		return store.CodeUnavailable
	case lib.SQLITE_FULL:
		return store.CodeFull
	case lib.SQLITE_READONLY:
		return store.CodeReadOnly
	}
	return store.CodeOther
}

// constraintOf reads "table.column" out of "… UNIQUE constraint failed: table.column (2067)".
func constraintOf(e *sqlite.Error) string {
	if codeOf(e.Code()) != store.CodeConflict {
		return ""
	}
	_, after, ok := strings.Cut(e.Error(), "UNIQUE constraint failed: ")
	if !ok {
		return ""
	}
	columns, _, _ := strings.Cut(after, " (")
	return columns
}

// missesSchema says that a table or a column that a statement names does not exist. SQLite has no code for it.
func missesSchema(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == lib.SQLITE_ERROR &&
		(strings.Contains(e.Error(), "no such table: ") || strings.Contains(e.Error(), "no such column: "))
}
