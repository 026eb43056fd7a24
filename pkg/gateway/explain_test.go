package gateway_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// What is explained is what happens, whatever the keys, limits, cooldowns, aliases and strategies.
func TestExplainAgreesWithTheDecision(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			w := newWorld(t)
			one := func(texts ...string) string { return texts[rng.IntN(len(texts))] }
			models := slices.Clip([]string{model, "gpt-4.1", claude, "claude-opus-4-5", "llama-3.1-8b-instant", "llama-3.3-70b-versatile", "nobody-has-this"})
			var keys []store.ID
			for range 1 + rng.IntN(6) {
				k := key{provider: one("openai", "anthropic", "groq"), priority: 1 + rng.IntN(2), models: one(`[]`, `[]`, `["*"]`, `["gpt-4.1","claude-*"]`)}
				if k.provider == "anthropic" {
					k.answer = answerClaude
				}
				if rng.IntN(3) == 0 {
					k.limit = int64(1 + rng.IntN(2))
				}
				id := w.add(k)
				keys = append(keys, id)
				switch rng.IntN(6) {
				case 0:
					w.run("update provider_keys set enabled = $1 where id = $2", false, id)
				case 1:
					w.coolDown(id, one("rate_limited", "bad_key", "overloaded"), one(append(models, "")...))
				}
			}
			for _, name := range []string{"best", "other"} {
				a := store.Alias{User: w.user, Name: name, Strategy: one("", "", "cheapest", "weighted", "round-robin", "least-latency")}
				for range 1 + rng.IntN(3) {
					target := store.AliasTarget{Model: one(models...), Weight: rng.Int64N(4)}
					if rng.IntN(4) == 0 {
						target.KeyIDs = []store.ID{keys[rng.IntN(len(keys))]}
					}
					a.Targets = append(a.Targets, target)
				}
				w.addAlias(a)
			}
			for range rng.IntN(3) {
				l := store.Limit{Metric: store.Metric(1 + rng.IntN(3)), Amount: rng.Int64N(3), Models: []string{one("gpt-*", "claude-*", "*")}}
				if l.Metric == store.MetricCost {
					l.Amount *= 1e9
				} else if l.Metric == store.MetricTokens {
					l.Amount *= 5000
				}
				if rng.IntN(3) == 0 {
					l.Fallback = one(models...)
				}
				w.limit(l)
			}
			w.run("update users set strategy = $1, revision = revision + 1", one("round-robin", "exhaust-first", "cheapest", "weighted", "least-latency"))
			w.run("update tokens set allowed_models = $1", one(`[]`, `[]`, `["best"]`, `["gpt-*","llama*"]`))
			served := 0
			for n := range 12 {
				request := w.routed(one(append(models, "best", "best", "other", "groq/llama-3.1-8b-instant")...), dialect.Route{})
				if rng.IntN(2) == 0 {
					request.Route.Models = []string{one(append(models, "best")...), one(append(models, "other")...)}
				}
				if rng.IntN(3) == 0 {
					request.Chat.Messages[0].Parts = append(request.Chat.Messages[0].Parts, chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/a.png"}})
				}
				if rng.IntN(2) == 0 { // a conversation, which stays with its key
					request.Chat.Messages = append(request.Chat.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Text, Text: "hello"}}},
						chat.Message{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "And now?"}}})
				}
				if rng.IntN(4) == 0 {
					request.Route.Strategy = one("round-robin", "cheapest", "weighted", "least-latency")
				}
				used := w.int("select coalesce(sum(used), 0) from key_days")
				explained, err := w.g.Explain(t.Context(), request)
				if err != nil {
					t.Fatal(err)
				}
				if w.int("select coalesce(sum(used), 0) from key_days") != used {
					t.Fatal("an explanation reserves")
				}
				g := w.g
				if n%2 == 1 { // a process that knows nothing yet
					g = w.newGateway(gateway.Settings{Timeout: time.Minute, FirstEvent: time.Minute, IdleTimeout: time.Minute, MaxAttempts: 10})
				}
				c, err := g.Start(t.Context(), request)
				if err != nil {
					var f *fault.Error
					if errors.As(err, &f); explained.Chosen != nil || explained.Refusal == nil || explained.Refusal.Code != f.Code {
						t.Fatalf("%s %v: refused with %v, explained: %+v %+v\n%+v", request.Chat.Model, request.Route.Models, err, explained.Chosen, explained.Refusal, explained.Candidates)
					}
					continue
				}
				c.Close()
				served++
				if explained.Chosen == nil || explained.Chosen.KeyID != c.KeyID() || explained.Chosen.Model != c.Model() || explained.Alias != c.Alias() {
					t.Fatalf("%s %v by %q: %s with %s serves, explained: %+v %+v\n%+v", request.Chat.Model, request.Route.Models, request.Route.Strategy, c.KeyID(), c.Model(), explained.Chosen,
						explained.Refusal, explained.Candidates)
				}
				if first := explained.Candidates[0]; !first.Usable || first.KeyID != explained.Chosen.KeyID {
					t.Fatalf("the first candidate is %+v", first)
				}
			}
			t.Logf("%d served", served)
		})
	}
}

// coolDown starts a cooldown of the key for the model, or for all; an hour long.
func (w *world) coolDown(id store.ID, class, model string) {
	now := w.clock.Load()
	f := store.Failure{User: w.user, Revision: w.int("select revision from users"), Subject: id, Model: model, Now: now, Began: now, Until: now + time.Hour.Milliseconds(), Class: class}
	if err := w.db.DB.Run(w.t.Context(), store.HoldUser(w.user), store.StartCooldown(f)); err != nil {
		w.t.Fatal(err)
	}
}

func TestExplainSaysWhy(t *testing.T) {
	w := newWorld(t)
	disabled, cools, small, works := w.add(key{}), w.add(key{}), w.add(key{provider: "groq"}), w.add(key{limit: 5})
	spent := w.add(key{limit: 1})
	other := w.add(key{provider: "anthropic", answer: answerClaude})
	w.run("update provider_keys set enabled = $1 where id = $2", false, disabled)
	w.coolDown(cools, "bad_key", "")
	w.run("insert into key_days (key_id, day, used) values ($1, $2, 1)", spent, store.DayOf(w.clock.Load()))
	w.limit(store.Limit{Metric: store.MetricRequests, Amount: 0, Models: []string{"claude-*"}})
	w.run("update users set revision = revision + 1")
	w.addAlias(store.Alias{User: w.user, Name: "best", Targets: []store.AliasTarget{{Model: claude}, {Model: "llama-3.1-8b-instant"}, {Model: model}}})
	request := w.request("best")
	request.Chat.Messages[0].Parts = append(request.Chat.Messages[0].Parts, chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/a.png"}})
	request.Chat.Foreign = []chat.Foreign{{Name: "colour"}}
	e, err := w.g.Explain(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if e.Chosen == nil || e.Chosen.KeyID != works || e.Chosen.Model != model || e.Alias != "best" || e.EstimatedTokens < 1 {
		t.Errorf("%+v, %+v", e, e.Chosen)
	}
	if c := e.Candidates[0]; c.EstimatedCost == nil || *c.EstimatedCost <= 0 || !strings.Contains(strings.Join(c.Warnings, " "), "colour") {
		t.Errorf("%+v", c)
	}
	for id, want := range map[store.ID]string{disabled: "disabled", cools: "cooldown until", small: "image_input", spent: "daily limit of 1", other: "a limit of requests of the token"} {
		found := false
		for _, c := range e.Candidates {
			found = found || c.KeyID == id && !c.Usable && strings.Contains(c.Reason, want)
		}
		if !found {
			t.Errorf("no %q in %+v", want, e.Candidates)
		}
	}
	if strings.Contains(fmt.Sprint(e.Candidates), "0 requests") {
		t.Error("a token learns the amounts of limits")
	}
	session := store.NewID(w.clock.Load())
	w.run("insert into sessions (id, user_id, created_at, expires_at, last_seen_at, user_agent, address) values ($1, $2, 0, $3, 0, '', '')", session, w.user, int64(1)<<50)
	request.Principal = gateway.Principal{Session: session, User: w.user}
	w.addAlias(store.Alias{User: w.user, Name: "none", Targets: []store.AliasTarget{{Model: "nobody-has-this"}}})
	request.Chat.Model = "none"
	if e, err := w.g.Explain(t.Context(), request); err != nil || e.Chosen != nil || e.Refusal == nil || e.Refusal.Code != fault.NotFound {
		t.Errorf("%+v, %v", e, err)
	}
}
