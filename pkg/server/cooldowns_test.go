package server_test

import (
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// cool starts a cooldown of the person's key; without a model it is one of the whole key.
func (p *person) cool(key, model, class, message string, length time.Duration) {
	p.w.t.Helper()
	keyID, err := store.ParseID(key)
	if err != nil {
		p.w.t.Fatal(err)
	}
	u, err := store.UserByID(p.w.t.Context(), p.w.db, p.id)
	if err != nil {
		p.w.t.Fatal(err)
	}
	ms, now := length.Milliseconds(), p.w.now().UnixMilli()
	f := store.Failure{User: u.ID, Revision: u.Revision, Subject: keyID, Model: model, Now: now, Began: now, Steps: [5]int64{ms, ms, ms, ms, ms},
		HalfOpen: true, Class: class, Message: message}
	if err := p.w.db.Run(p.w.t.Context(), store.HoldUser(u.ID), store.StartCooldown(f)); err != nil {
		p.w.t.Fatal(err)
	}
}

// The owner sees every cooldown of a key; the key's own fields are those of the whole key or of the one that ends first.
func TestCooldownsOfAKey(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	id := ann.key("openai", apiKey)
	ann.cool(id, "gpt-4o", "daily_quota", "quota", 2*time.Hour)
	ann.cool(id, "gpt-5", "overloaded", "busy", time.Hour)
	r := ann.get("/api/keys/" + id)
	r.is("state", "cooldown", "cooldownClass", "overloaded", "cooldownMessage", "busy", "cooldowns.0.model", "gpt-4o", "cooldowns.0.class", "daily_quota",
		"cooldowns.0.message", "quota", "cooldowns.1.model", "gpt-5", "cooldowns.1.until", r.text("cooldownUntil"))
	ann.chat(hello).want(200) // of another model
	ann.cool(id, "", "out_of_money", "pay", time.Minute)
	ann.get("/api/keys/"+id).is("state", "cooldown", "cooldownClass", "out_of_money", "cooldownMessage", "pay", "cooldowns.0.model", "null")
	if n := ann.get("/api/keys").count("keys.0.cooldowns"); n != 3 {
		t.Errorf("%d cooldowns, want 3", n)
	}
	if r := ann.chat(hello); r.status == 200 {
		t.Errorf("a key that cools down served: %s", r.body)
	}
	w.ahead.Store(int64(3 * time.Hour))
	ann.get("/api/keys/"+id).is("state", "ready", "cooldowns", "[]")
	ann.cool(id, "", "bad_key", "no", time.Minute)
	w.ahead.Store(int64(4 * time.Hour))
	ann.get("/api/keys/"+id).is("state", "rejected", "cooldownClass", "bad_key", "cooldowns.0.class", "bad_key") // until it is accepted
	ann.chat(hello).want(200)
	ann.get("/api/keys/"+id).is("state", "ready", "cooldowns", "[]")
}

// A person can end any cooldown: by a test that the key passes, by a reset, and with another secret.
func TestAPersonEndsCooldowns(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db)
		ann, ben := w.user("ann"), w.user("ben")
		id, theirs := ann.key("openai", apiKey), ben.key("openai", apiKey)
		for name, end := range map[string]func(){
			"test":   func() { ann.post("/api/keys/"+id+"/test", "").want(200).is("ok", "true", "key.state", "ready") },
			"reset":  func() { ann.post("/api/keys/"+id+"/reset", "").want(200) },
			"secret": func() { ann.patch("/api/keys/"+id, `{"apiKey":"sk-`+mark+`-0009"}`).want(200).is("state", "ready") },
		} {
			for _, class := range []string{"rate_limited", "bad_key", "timeout", "daily_quota"} {
				ann.cool(id, "", class, "x", time.Hour)
				ann.cool(id, "gpt-4o", class, "x", time.Hour)
				ben.cool(theirs, "", class, "x", time.Hour)
				if n := ann.get("/api/keys/" + id).count("cooldowns"); n != 2 {
					t.Errorf("%s: %d cooldowns, want 2", name, n)
				}
				end()
				ann.get("/api/keys/"+id).is("state", "ready", "cooldowns", "[]", "cooldownUntil", "null")
				ann.chat(hello).want(200)
				if n := ben.get("/api/keys/" + theirs).count("cooldowns"); n != 1 {
					t.Errorf("%s: %d cooldowns of another's key, want 1", name, n)
				}
			}
		}
	})
}
