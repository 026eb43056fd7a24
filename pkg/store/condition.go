package store

import (
	"cmp"
	"context"
	"errors"
)

// Condition says why a database cannot serve: what err's code means to a caller, with what the operator has to do where
// that is known. It names no host, user or file. It is "" if err is no sign that the database cannot serve.
func Condition(err error) string {
	switch CodeOf(err) {
	case CodeUnavailable, CodeDeadlock:
		return "the database does not answer; try again shortly"
	case CodeLocked:
		return "another process has locked the database; try again shortly"
	case CodeMissing:
		return "the database's file is missing, damaged or cannot be opened"
	case CodeFull:
		return "the database has no space left"
	case CodeReadOnly:
		return "the database can only be read at the moment"
	case CodeRefused:
		return "the database refuses the gateway: " + cmp.Or(FixOf(err), "its log says why")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "this took too long; try again shortly"
	}
	return ""
}
