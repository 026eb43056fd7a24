package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// becomes waits until the URL answers with the status.
func becomes(t *testing.T, url string, status int) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		got, text, _ := get(t, url)
		if got == status {
			return text
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s answers %d, not %d: %s", url, got, status, text)
		}
	}
}

func TestDatabaseOutages(t *testing.T) {
	server := pgtest.Start(t, pgtest.Fast)
	url := server.New(t)
	server.Stop()
	s := newShell(t, "DATABASE_URL="+url, firstSecret)
	out, _ := s.start("serve")
	base := out.Wait(t, `ready on (\S+)\n`)
	if status, text, header := get(t, base+"/api/auth/status"); status != 503 || header.Get("Retry-After") == "" ||
		!strings.Contains(text, "UNAVAILABLE") {
		t.Errorf("without a database: %d %v %s", status, header, text)
	}
	becomes(t, base+"/health/live", 200)
	becomes(t, base+"/health/ready", 503)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	becomes(t, base+"/api/auth/status", 200)
	becomes(t, base+"/health/ready", 200)
	out.Wait(t, "/#setup=") // printed once the database answers
	server.Stop()
	becomes(t, base+"/api/auth/status", 503)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	becomes(t, base+"/api/auth/status", 200)
}

func TestRedisUnreachable(t *testing.T) {
	nobody, _ := freeAddress(t)
	s := newShell(t, "REDIS_URL=redis://"+nobody)
	w := s.visit(t) // registers, which is throttled
	w.key(t, "sk-emulated-0001")
	text := becomes(t, w.base+"/health/ready", 200)
	var health struct {
		Status string
		Checks struct{ Redis string }
	}
	if err := json.Unmarshal([]byte(text), &health); err != nil || health.Status != "degraded" ||
		health.Checks.Redis != "down" {
		t.Errorf("%v: %s", err, text)
	}
}

// A newer gateway migrates the database while an older one runs, which is then restarted.
func TestOlderBinaryWithANewerSchema(t *testing.T) {
	for engine, address := range map[string]string{"SQLite": "sqlite:data.db", "PostgreSQL": pgtest.New(t)} {
		t.Run(engine, func(t *testing.T) {
			s := newShell(t, firstSecret, "DATABASE_URL="+address)
			w := s.visit(t)
			w.key(t, "sk-emulated-0001")
			in, err := install(s.config(t))
			if err != nil {
				t.Fatal(err)
			}
			defer in.close()
			for _, sql := range []string{"alter table requests add column later bigint", "alter table provider_keys add column later bigint not null default 7",
				"create table later (id bytea)", "update schema_version set version = version + 1"} {
				if err := in.db.Run(t.Context(), store.Stmt{SQL: sql}); err != nil {
					t.Fatal(err)
				}
			}
			w.key(t, "sk-emulated-0002")
			if resp := w.stream(t); resp.StatusCode != http.StatusOK {
				t.Errorf("a chat gets %s", resp.Status)
			}
			becomes(t, w.base+"/health/ready", 200)
			w.stop()
			out, _ := s.start("serve")
			becomes(t, out.Wait(t, `ready on (\S+)\n`)+"/health/ready", 200)
		})
	}
}
