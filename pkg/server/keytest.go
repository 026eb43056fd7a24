package server

import (
	"context"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// checkTime bounds the check of a key by its provider.
const checkTime = 15 * time.Second

type keyTestView struct {
	ID        store.ID   `json:"id"`
	OK        bool       `json:"ok"`
	Class     chat.Class `json:"class,omitempty"`
	Message   string     `json:"message"`
	Status    int        `json:"status,omitempty"` // the provider's
	LatencyMs int64      `json:"latencyMs"`
	Key       keyView    `json:"key"`
}

// testKey asks the provider whether it accepts a key. All cooldowns of a key that passes end, and a key that the
// provider refuses begins one.
func (a *App) testKey(c *call) error {
	k, p, secret, err := a.keyAtProvider(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), checkTime)
	defer cancel()
	res := a.Upstream.Check(ctx, p, secret)
	if err := c.r.Context().Err(); err != nil {
		return err // the client hung up, which says nothing about the key
	}
	if err := a.concludeTest(c, k, res); err != nil {
		return err
	}
	if k, err = a.key(c); err != nil {
		return err
	}
	return c.reply(http.StatusOK, keyTestView{
		ID: k.ID, OK: res.OK, Class: res.Class, Message: res.Message, Status: res.Status, LatencyMs: res.Latency.Milliseconds(),
		Key: a.viewKey(k, c.now()),
	})
}

func (a *App) concludeTest(c *call, k store.KeyUse, res provider.CheckResult) error {
	ctx := c.r.Context()
	if res.OK {
		if len(k.Cooldowns) == 0 {
			return nil
		}
		return store.EndCooldowns(ctx, a.DB, k.UserID, k.ID)
	}
	if !aboutKey(res.Class) || res.Err == nil {
		return nil
	}
	rule := provider.FailurePolicy(res.Err, c.now()).Cooldown
	if rule.None() {
		return nil
	}
	// The test names no model, so what it finds is about the whole key.
	f := store.Failure{User: k.UserID, Revision: c.who.user.Revision, Subject: k.ID, Now: c.now(), Began: c.now(), Until: rule.Until,
		HalfOpen: rule.HalfOpen, Class: string(res.Class), Message: res.Message}
	for i, step := range rule.Steps {
		f.Steps[i] = step.Milliseconds()
	}
	return a.DB.Run(ctx, store.HoldUser(k.UserID), store.StartCooldown(f))
}

// aboutKey reports whether a failure of the class is the key's own, and lasts until a person changes something.
func aboutKey(class chat.Class) bool {
	return class == chat.BadKey || class == chat.Forbidden || class == chat.OutOfMoney
}
