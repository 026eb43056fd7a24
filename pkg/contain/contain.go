// Package contain starts goroutines, and calls what may panic. A panic is logged with its stack and does not end the
// process, because others are served by it. internal/deps checks that no other package of pkg starts a goroutine.
package contain

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// ErrPanic is the error of [Call] after a panic.
var ErrPanic = errors.New("panic")

// Go runs f in a goroutine. What names it in the log; a nil log is [slog.Default]. What waits for f to be done has to be
// told in a deferred call.
func Go(log *slog.Logger, what string, f func()) {
	go Call(log, what, func() error { f(); return nil })
}

// Call returns the error of f, or ErrPanic.
func Call(log *slog.Logger, what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if log == nil {
				log = slog.Default()
			}
			log.Error("panic", "in", what, "what", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = ErrPanic
		}
	}()
	return f()
}
