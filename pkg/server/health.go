package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// condition is the state of a dependency. The routes are public, so the cause is only in the log.
type condition string

const (
	healthy condition = "ok"
	down    condition = "down"
	old     condition = "old" // the schema's version
)

// conditions are those of the database that are not just down.
var conditions = map[store.Code]condition{
	store.CodeLocked: "locked", store.CodeMissing: "missing", store.CodeFull: "full", store.CodeReadOnly: "read-only",
	store.CodeRefused: "refused",
}

type readiness struct {
	Database condition  `json:"database"`
	Schema   condition  `json:"schema"`
	Redis    *condition `json:"redis,omitempty"` // only if there is one
	problem  string
}

// readiness checks every dependency.
func (a *App) readiness(c *call) readiness {
	ctx, cancel := context.WithTimeout(c.r.Context(), a.DB.Timeout()+time.Second)
	defer cancel()
	r := readiness{Database: healthy, Schema: healthy}
	version, err := a.proveWriting(ctx, time.Now())
	switch code := store.CodeOf(err); {
	case err == nil && version >= store.SchemaVersion:
	case err == nil || code == store.CodeOther:
		r.Schema = old
	default:
		r.Database, r.Schema = cmp.Or(conditions[code], down), down
	}
	r.problem = store.Condition(err)
	if err != nil {
		a.logFault(c, unavailable(err, "not ready"))
	}
	if a.Redis != nil {
		state := healthy
		if err := a.Redis.Ping(ctx); err != nil {
			state = down
			a.logFault(c, unavailable(errors.New("no answer from Redis"), "not ready"))
		}
		r.Redis = &state
	}
	return r
}

// proveWriting writes to the database, unless a write that began after asked has proved it, or one
// that failed since. Any number of probes at once write once, as anybody may send them.
func (a *App) proveWriting(ctx context.Context, asked time.Time) (version int, err error) {
	a.probe.Lock()
	defer a.probe.Unlock()
	if p := a.lastProbe; p != nil && (p.began.After(asked) || p.err != nil && p.ended.After(asked)) {
		return p.version, p.err
	}
	p := &proof{began: time.Now()}
	if p.version, p.err = store.ProveWriting(ctx, a.DB); p.err == nil && p.version < store.SchemaVersion {
		// The database was replaced by an older one.
		if _, err := a.DB.Migrate(ctx); err == nil {
			p.version = store.SchemaVersion
		}
	}
	p.ended = time.Now()
	a.lastProbe = p
	return p.version, p.err
}

// proof is the result of a write.
type proof struct {
	began   time.Time
	ended   time.Time
	version int
	err     error
}

// serves reports whether the gateway can answer requests. It can without Redis.
func (r readiness) serves() bool { return r.Database == healthy && r.Schema == healthy }

func (r readiness) status() string {
	switch {
	case !r.serves():
		return "unavailable"
	case r.Redis != nil && *r.Redis != healthy:
		return "degraded"
	}
	return "ok"
}

type healthView struct {
	Status string     `json:"status"`
	Checks *readiness `json:"checks,omitempty"`
	// Problem says why the database cannot serve, and what to do about it.
	Problem   string    `json:"problem,omitempty"`
	Timestamp timestamp `json:"timestamp"`
}

// live answers that the process runs. It checks no dependency: a restart of the gateway repairs no database, and
// checks by a monitor would keep a serverless database awake.
func (a *App) live(c *call) error {
	return c.reply(http.StatusOK, healthView{Status: "ok", Timestamp: timestamp(c.now())})
}

// ready answers whether the gateway can serve, and which dependency fails.
func (a *App) ready(c *call) error {
	r := a.readiness(c)
	status := http.StatusOK
	if !r.serves() {
		status = http.StatusServiceUnavailable
	}
	return c.reply(status, healthView{Status: r.status(), Checks: &r, Problem: r.problem, Timestamp: timestamp(c.now())})
}
