package server

import (
	"net/http"
	"sync"
)

// Mount returns a handler of the whole route table, made of one handler for each group: those of api/.
// Vercel's functions do not use it, as Vercel routes requests to the handlers itself. Mount panics if
// a group has no handler.
func Mount(handlers map[Group]http.HandlerFunc) http.Handler {
	t, d := newTable(Routes()), newDialects(nil)
	for _, r := range Routes() {
		if handlers[r.Group] == nil {
			panic("server: no handler for the group " + string(r.Group))
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e, _, _ := t.findOf(d, r.URL.EscapedPath()); e != nil {
			handlers[e.group](w, r)
			return
		}
		Serve("", w, r) // no group has it: not found
	})
}

// Serve answers a request with the process's App; the handlers of api/ call it. If the configuration is
// wrong, it answers 503 and says what is wrong.
func Serve(group Group, w http.ResponseWriter, r *http.Request) {
	app, err := Default()
	if err != nil {
		refuse(w, r, err)
		return
	}
	app.Serve(group, w, r)
}

// process holds the App of this process. The handlers of api/ share it here, as Vercel wants plain functions.
var process struct {
	mu  sync.RWMutex
	app *App
}

// Install makes app the one that Default returns.
func Install(app *App) {
	process.mu.Lock()
	defer process.mu.Unlock()
	process.app = app
}

// Default returns the installed App. On functions none is installed: Default opens it from the environment
// at the first request. After an error the next request tries again.
func Default() (*App, error) {
	process.mu.RLock()
	app := process.app
	process.mu.RUnlock()
	if app != nil {
		return app, nil
	}
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.app != nil {
		return process.app, nil
	}
	app, err := openFromEnvironment()
	if err != nil {
		return nil, err
	}
	process.app = app
	return app, nil
}
