package server

import (
	"net/http"
	"sync"
)

// Mount serves the whole route table with one handler a group: those of api/, in all
// platforms but Vercel's functions, which Vercel mounts itself. It panics if a group has no handler.
func Mount(handlers map[Group]http.HandlerFunc) http.Handler {
	t := newTable(Routes())
	for _, r := range Routes() {
		if handlers[r.Group] == nil {
			panic("server: no handler for the group " + string(r.Group))
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e, _ := t.find(r.URL.EscapedPath()); e != nil {
			handlers[e.group](w, r)
			return
		}
		Serve("", w, r) // no group has it: not found
	})
}

// Serve is what the handlers of api/ do: it answers with the process's App. Where there can
// be none, because the configuration is wrong, it answers 503 and says what is wrong.
func Serve(group Group, w http.ResponseWriter, r *http.Request) {
	app, err := Default()
	if err != nil {
		refuse(w, r, err)
		return
	}
	app.Serve(group, w, r)
}

// process holds the App of this process. The handlers of api/ are plain functions, as Vercel
// wants them, so this is the one thing that they can share.
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

// Default returns the installed App; on functions, where nobody installs one, it makes it from
// the environment at the first request. An error is not kept: the next request tries again.
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
