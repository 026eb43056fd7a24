package parity

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// memory is how much of an answer a caller keeps for the next turn.
type memory string

const (
	all  memory = "all"  // as the SDK's types, with reasoning
	bare memory = "bare" // text and calls only, as in programs without support for reasoning
)

func (m memory) of(s *answer) json.RawMessage {
	if m == bare {
		return s.bare
	}
	return s.kept
}

// conversation has two turns: the model calls tools and then receives their results.
type conversation struct {
	p       *person
	s       *caller
	model   string
	memory  memory
	effort  string
	first   request
	history []turn
}

// begin makes the first turn and expects calls of both tools.
func (c *conversation) begin(streamed bool) (*reply, error) {
	c.first = request{model: c.model, system: "Be brief.", turns: []turn{{text: "call all"}}, tools: both(), effort: c.effort, streamed: streamed}
	got, r, err := c.p.exchange(c.s, &c.first)
	if err == nil && (got.failed != nil || len(got.calls) != 2) {
		err = fmt.Errorf("no calls: %d %s", r.status, r.body)
	}
	if err != nil {
		return r, fmt.Errorf("first turn: %w", err)
	}
	c.answer(&got)
	return r, nil
}

// answer adds the model's turn and the results of its calls to the history.
func (c *conversation) answer(got *answer) {
	c.history = append(c.history, turn{model: c.memory.of(got)})
	results := turn{}
	for _, one := range got.calls {
		results.results = append(results.results, result{one.id, one.name, one.name + " works"})
	}
	c.history = append(c.history, results)
}

// next makes the next turn and expects the answer to the tools' results.
func (c *conversation) next(streamed bool) (*reply, error) {
	a := c.first
	a.turns, a.streamed = append(append([]turn{}, a.turns...), c.history...), streamed
	got, r, err := c.p.exchange(c.s, &a)
	if err == nil && (got.failed != nil || got.text != "The tool said: weather works; now works") {
		err = fmt.Errorf("not the answer: %d %s", r.status, r.body)
	}
	if err != nil {
		return r, fmt.Errorf("next turn: %w", err)
	}
	return r, nil
}

// callAgain makes a turn in which the model calls again, and the turn after it.
func (c *conversation) callAgain(streamed bool) error {
	a := c.first
	a.turns, a.streamed = append(append([]turn{}, a.turns...), c.history...), streamed
	a.turns = append(a.turns, turn{text: "call all"})
	got, r, err := c.p.exchange(c.s, &a)
	if err == nil && (got.failed != nil || len(got.calls) != 2) {
		err = fmt.Errorf("no calls: %d %s", r.status, r.body)
	}
	if err == nil {
		err = c.checkIDs(got.calls)
	}
	if err != nil {
		return fmt.Errorf("third turn: %w", err)
	}
	c.history = append(c.history, turn{text: "call all"})
	c.answer(&got)
	_, err = c.next(streamed)
	return err
}

// checkIDs fails if a call has the id of another one of the conversation: some of the emulated providers number their
// calls anew in each answer.
func (c *conversation) checkIDs(calls []call) error {
	seen := map[string]bool{}
	for _, one := range c.history {
		for _, r := range one.results {
			seen[r.id] = true
		}
	}
	for _, one := range calls {
		if one.id != "" && seen[one.id] {
			return fmt.Errorf("the id %q comes twice", one.id)
		}
		seen[one.id] = true
	}
	return nil
}

// everyConversation runs the test for each model, dialect, memory and delivery, providers in parallel.
func everyConversation(t *testing.T, test func(pr provided, model string, s *caller, m memory, streamed bool) error) {
	var combinations atomic.Int64
	t.Run("providers", func(t *testing.T) {
		for _, pr := range providers() {
			t.Run(pr.id, func(t *testing.T) {
				t.Parallel()
				for _, model := range pr.models {
					for _, s := range callers() {
						for _, m := range []memory{all, bare} {
							for _, streamed := range []bool{false, true} {
								combinations.Add(1)
								if err := test(pr, model, s, m, streamed); err != nil {
									t.Errorf("%s, %s, keeps %s, streamed %v: %v", model, s.name, m, streamed, err)
								}
							}
						}
					}
				}
			})
		}
	})
	t.Logf("%d combinations of model, dialect, memory and delivery", combinations.Load())
}

// Providers that require their reasoning back receive it, whatever the caller keeps.
func TestReasoningSurvives(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, pr := range providers() {
		p.key(pr.id, "")
	}
	everyConversation(t, func(pr provided, model string, s *caller, m memory, streamed bool) error {
		for _, effort := range []string{"", "high"} {
			c := &conversation{p: p, s: s, model: pr.id + "/" + model, memory: m, effort: effort}
			if _, err := c.begin(streamed); err != nil {
				return err
			}
			if _, err := c.next(streamed); err != nil {
				return fmt.Errorf("effort %q: %w", effort, err)
			}
			if err := c.callAgain(streamed); err != nil {
				return fmt.Errorf("effort %q: %w", effort, err)
			}
		}
		return nil
	})
}

// A conversation moves to another provider and back: no provider receives another's reasoning, and another's call ids
// cause no error.
func TestTurnsChangeProvider(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, pr := range providers() {
		p.key(pr.id, "")
	}
	everyConversation(t, func(pr provided, model string, s *caller, m memory, streamed bool) error {
		for i, other := range providers() {
			if other.id == pr.id || (len(s.name)+len(model)+i)%4 != 0 {
				continue
			}
			c := &conversation{p: p, s: s, model: pr.id + "/" + model, memory: m, effort: "high"}
			if _, err := c.begin(streamed); err != nil {
				return err
			}
			c.first.model = other.id + "/" + other.models[i%len(other.models)]
			if _, err := c.next(streamed); err != nil {
				return fmt.Errorf("at %s: %w", c.first.model, err)
			}
			if err := c.callAgain(streamed); err != nil {
				return fmt.Errorf("at %s: %w", c.first.model, err)
			}
			elsewhere := c.first.model
			c.first.model = c.model
			if _, err := c.next(streamed); err != nil {
				return fmt.Errorf("back from %s: %w", elsewhere, err)
			}
			if err := c.callAgain(streamed); err != nil {
				return fmt.Errorf("back from %s: %w", elsewhere, err)
			}
		}
		return nil
	})
}

// Of several keys, the one that made a turn makes the next, because its reasoning may be invalid for the others. If it
// is spent, another continues. A restart changes nothing.
func TestKeyAffinity(t *testing.T) {
	w := newWorld(t)
	everyConversation(t, func(pr provided, model string, s *caller, m memory, streamed bool) error {
		p := w.person()
		if _, err := store.SetProfile(context.Background(), w.db, p.id, store.ProfileChange{Strategy: store.To("round-robin")}, time.Now().UnixMilli()); err != nil {
			return err
		}
		keys := map[string]store.ID{}
		for _, account := range []string{"a", "b", "c"} { // the last dash ends an account's name
			id := p.key(pr.id, "sk-emulated-"+account+"-1")
			keys[id.String()] = id
		}
		c := &conversation{p: p, s: s, model: pr.id + "/" + model, memory: m, effort: "high"}
		r, err := c.begin(streamed)
		if err != nil {
			return err
		}
		made := r.header.Get("X-LLM-Key-ID")
		for range 2 {
			r, err := c.next(streamed)
			if err != nil {
				return err
			}
			if sticks(pr.id, model, s.name) && r.header.Get("X-LLM-Key-ID") != made {
				return fmt.Errorf("the turn of %s went to %s", made, r.header.Get("X-LLM-Key-ID"))
			}
		}
		p.spend(keys[made])
		if r, err = c.next(streamed); err != nil {
			return fmt.Errorf("with another key: %w", err)
		}
		if r.header.Get("X-LLM-Key-ID") == made {
			return fmt.Errorf("the spent key was used")
		}
		if err := c.callAgain(streamed); err != nil {
			return fmt.Errorf("with another key: %w", err)
		}
		return nil
	})
}

// sticks reports whether the provider requires its reasoning back, so that a conversation has key affinity. Gemini 2.5
// does not, and gives calls no ids that tell the turns of its dialect apart.
func sticks(provider, model, dialect string) bool {
	switch provider {
	case "gemini":
		return !strings.HasPrefix(model, "gemini-2.5") || !strings.HasPrefix(dialect, "gemini")
	case "anthropic", "openrouter", "fireworks", "deepseek":
		return true
	}
	return false
}

func TestTurnsSurviveARestart(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	var open []*conversation
	for _, pr := range providers() {
		p.key(pr.id, "")
		for _, model := range pr.models {
			for i, s := range callers() {
				c := &conversation{p: p, s: s, model: pr.id + "/" + model, memory: bare, effort: "high"}
				if _, err := c.begin(i%2 == 0); err != nil {
					t.Errorf("%s, %s: %v", model, s.name, err)
					continue
				}
				open = append(open, c)
			}
		}
	}
	w.restart()
	for i, c := range open {
		if _, err := c.next(i%2 == 0); err != nil {
			t.Errorf("%s, %s: %v", c.model, c.s.name, err)
		}
	}
	// Saved reasoning is encrypted.
	err := w.db.Run(t.Context(), store.Stmt{SQL: "select sealed from turns", Each: func(r store.Row) error {
		var encrypted []byte
		err := r.Scan(&encrypted)
		if strings.Contains(string(encrypted), "The user wants") || strings.Contains(string(encrypted), "signature") {
			t.Errorf("saved reasoning is not encrypted: %s", encrypted)
		}
		return err
	}})
	w.must(err)
}
