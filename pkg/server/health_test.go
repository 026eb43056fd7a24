package server_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/redistest"
	"github.com/alicetears/llm-gateway/pkg/store"
)

func TestHealthy(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db)
		r := w.anyone().get("/health/ready").want(200).is("status", "ok", "checks.database", "ok", "checks.schema", "ok")
		r.members("", "status", "checks", "timestamp")
		r.members("checks", "database", "schema")
		r.near("timestamp", time.Now())
		for _, path := range []string{"/health", "/health/live"} {
			before := w.db.runs.Load()
			r := w.anyone().get(path).want(200).is("status", "ok")
			r.members("", "status", "timestamp")
			r.near("timestamp", time.Now())
			if w.db.runs.Load() != before {
				t.Errorf("%s asks the database", path)
			}
		}
	})
}

// ready names the failing dependency without details of the deployment.
func TestReadyNamesWhatFails(t *testing.T) {
	t.Parallel()
	t.Run("the database is gone", func(t *testing.T) {
		server := pgtest.Start(t, pgtest.Fast)
		w := newWorldOn(t, openPostgres(t, server.New(t)))
		ann := w.user("ann")
		_, _, holder := ann.token("test")
		w.anyone().get("/health/ready").want(200)
		server.Stop()
		r := w.anyone().get("/health/ready").want(503).is("status", "unavailable", "checks.database", "down")
		if strings.Contains(r.body, "127.0.0.1") || strings.Contains(r.body, "refused") {
			t.Errorf("too much is told: %s", r.body)
		}
		for _, path := range []string{"/health", "/health/live"} {
			w.anyone().get(path).want(200)
		}
		for _, r := range []reply{ann.get("/api/keys"), ann.post("/api/tokens", `{"name":"x"}`), holder.chat(hello), w.anyone().login(ann.email, password),
			w.anyone().post("/api/auth/register", registration("bob")), w.anyone().get("/api/auth/status")} {
			r.refused(503, "UNAVAILABLE", "try again")
			if r.header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", r.what)
			}
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		w.anyone().get("/health/ready").want(200).is("status", "ok")
		ann.get("/api/keys").want(200)
	})
	t.Run("the schema is old", func(t *testing.T) {
		w := newWorld(t)
		if err := w.db.DB.Run(t.Context(), store.Stmt{SQL: "update schema_version set version = 0"}); err != nil {
			t.Fatal(err)
		}
		w.anyone().get("/health/ready").want(503).is("status", "unavailable", "checks.schema", "old", "checks.database", "ok")
	})
	t.Run("the database can only be read", func(t *testing.T) {
		w := newWorld(t)
		w.anyone().get("/health/ready").want(200)
		only := func(is string) {
			if err := w.db.DB.Run(t.Context(), store.Stmt{SQL: "pragma query_only = " + is}); err != nil {
				t.Fatal(err)
			}
		}
		only("1")
		w.anyone().get("/health/ready").want(503).is("checks.database", "read-only")
		only("0")
		w.anyone().get("/health/ready").want(200)
	})
	t.Run("the database was emptied", func(t *testing.T) {
		address := pgtest.New(t)
		w := newWorldOn(t, openPostgres(t, address))
		w.anyone().get("/health/ready").want(200)
		if err := w.db.DB.Run(t.Context(), store.Stmt{SQL: "drop schema public cascade"}, store.Stmt{SQL: "create schema public"}); err != nil {
			t.Fatal(err)
		}
		w.anyone().get("/health/ready").want(200)
		w.anyone().get("/api/auth/status").want(200)
	})
	t.Run("the database refuses", func(t *testing.T) {
		w := newWorld(t)
		ann := w.user("ann")
		_, _, holder := ann.token("test")
		const fix = "grant usage, create on schema public"
		defer w.db.failing(&store.Error{Code: store.CodeRefused, Fix: fix, Err: errors.New("permission denied")})()
		w.anyone().get("/health/ready").want(503).is("checks.database", "refused", "problem", "the database refuses the gateway: "+fix)
		for _, r := range []reply{ann.get("/api/keys"), holder.chat(hello), w.anyone().get("/api/auth/status")} {
			r.refused(503, "UNAVAILABLE", fix)
		}
	})
	t.Run("the database's error is not told", func(t *testing.T) {
		w := newWorld(t)
		ann := w.user("ann")
		repair := w.db.broken()
		w.anyone().get("/health/ready").want(503).is("checks.database", "down")
		ann.get("/api/keys").refused(503, "UNAVAILABLE", "")
		repair()
		ann.get("/api/keys").want(200)
	})
	t.Run("Redis is gone", func(t *testing.T) {
		redis := redistest.New(t)
		w := newWorld(t, "REDIS_URL="+redis.URL)
		redis.Stop()
		w.anyone().get("/health/ready").want(200).is("status", "degraded", "checks.redis", "down").members("checks", "database", "schema", "redis")
	})
}
