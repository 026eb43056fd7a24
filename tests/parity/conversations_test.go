package parity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// reasoningModels are models that require their reasoning back, of several ways to number tool calls.
func reasoningModels() []provided {
	return []provided{
		{"openrouter", []string{"moonshotai/kimi-k2.6", "anthropic/claude-haiku-4.5"}},
		{"fireworks", []string{"accounts/fireworks/models/kimi-k2p6"}},
		{"deepseek", []string{"deepseek-v4-pro"}},
		{"anthropic", []string{"claude-haiku-4-5", "claude-sonnet-5-5"}},
		{"openai", []string{"gpt-5-nano"}},
		{"gemini", []string{"gemini-3.1-pro-preview"}},
	}
}

// application is a program with one token, one provider key and many end users.
type application struct {
	*person
	secret   string
	requests int64
}

func (w *world) application(provider string) *application {
	app := &application{person: w.person()}
	app.secret = fmt.Sprintf("sk-emulated-app%d-1", w.people)
	app.key(provider, app.secret)
	return app
}

// exchange returns the answer and the request that the provider received.
func (app *application) exchange(s *caller, a *request) (answer, string, error) {
	got, r, err := app.person.exchange(s, a)
	if err != nil || got.failed != nil {
		return got, "", fmt.Errorf("%d %s: %w", r.status, r.body, err)
	}
	return got, app.sent(), nil
}

// sent returns the next request that the provider received.
func (app *application) sent() string {
	app.requests++
	for range 1000 { // the emulator records it when the whole answer is out
		n, last := int64(0), ""
		for _, r := range app.emu.Requests() {
			if r.Key == app.secret {
				n, last = n+1, string(r.Body)
			}
		}
		if n == app.requests {
			return last
		}
		time.Sleep(2 * time.Millisecond)
	}
	app.t.Errorf("the provider did not get %d requests", app.requests)
	return ""
}

// customer is an end user of an application.
type customer struct {
	app     *application
	s       *caller
	name    string
	first   request
	history []turn
}

// customer begins a conversation with a customer whose first message holds the name.
func (app *application) customer(s *caller, model, name, system string, streamed bool) (*customer, error) {
	c := &customer{app: app, s: s, name: name, first: request{model: model, system: system, turns: []turn{{text: "call for " + name}},
		tools: []tool{{"weather", weather}}, choice: "auto", effort: "high", streamed: streamed}}
	return c, c.next()
}

// next sends the turns, expects a tool call, and adds the call's result to the history.
func (c *customer) next(turns ...turn) error {
	a := c.first
	a.turns = slices.Concat(a.turns, c.history, turns)
	got, _, err := c.app.exchange(c.s, &a)
	if err == nil && len(got.calls) != 1 {
		err = fmt.Errorf("%d calls", len(got.calls))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	results := turn{results: []result{{got.calls[0].id, got.calls[0].name, "it works"}}}
	c.history = append(append(c.history, turns...), turn{model: got.bare}, results)
	return nil
}

// sent continues the conversation and returns the request that the provider received.
func (c *customer) sent() (string, error) {
	a := c.first
	a.turns = slices.Concat(a.turns, c.history)
	_, sent, err := c.app.exchange(c.s, &a)
	if err != nil {
		err = fmt.Errorf("%s: %w", c.name, err)
	}
	return sent, err
}

// showsReasoning reports whether reasoning is readable in requests to the provider. The others receive it encrypted.
func showsReasoning(provider string) bool {
	return provider == "openrouter" || provider == "fireworks" || provider == "deepseek" || provider == "anthropic"
}

func reasoningOf(name string) string { return "The user wants an answer: call for " + name }

// everyReasoningModel runs the test for each model, dialect and delivery, one after the other.
func everyReasoningModel(t *testing.T, test func(app *application, pr provided, model string, s *caller, streamed bool) error) {
	w := newWorld(t)
	for _, pr := range reasoningModels() {
		for _, model := range pr.models {
			for _, s := range callers() {
				for _, streamed := range []bool{false, true} {
					if err := test(w.application(pr.id), pr, pr.id+"/"+model, s, streamed); err != nil {
						t.Errorf("%s, %s, streamed %v: %v", model, s.name, streamed, err)
					}
				}
			}
		}
	}
}

// Reasoning of one conversation never enters another, even where both use one token and the model numbers its calls
// anew in each.
func TestReasoningNeverEntersAnotherConversation(t *testing.T) {
	everyReasoningModel(t, func(app *application, pr provided, model string, s *caller, streamed bool) error {
		alice, err := app.customer(s, model, "alice", "Be brief.", streamed)
		if err != nil {
			return err
		}
		bob, err := app.customer(s, model, "bob", "Be brief.", streamed)
		if err != nil {
			return err
		}
		for _, c := range []*customer{alice, bob, alice} {
			other := map[string]string{"alice": "bob", "bob": "alice"}[c.name]
			sent, err := c.sent()
			switch {
			case err != nil:
				return err
			case strings.Contains(sent, reasoningOf(other)):
				return fmt.Errorf("%s's request has what was thought of %s: %s", c.name, other, sent)
			case showsReasoning(pr.id) && strings.Count(sent, reasoningOf(c.name)) != 1:
				return fmt.Errorf("%s's request lacks what was thought of %s: %s", c.name, c.name, sent)
			}
			if err := c.next(turn{text: "call again"}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Two conversations have the same messages; only the system text differs.
func TestReasoningIsBoundToSystemText(t *testing.T) {
	everyReasoningModel(t, func(app *application, pr provided, model string, s *caller, streamed bool) error {
		alice, err := app.customer(s, model, "me", "You talk to Alice.", streamed)
		if err != nil {
			return err
		}
		if _, err := app.customer(s, model, "me", "You talk to Bob.", streamed); err != nil {
			return err
		}
		sent, err := alice.sent()
		if err == nil && showsReasoning(pr.id) && !strings.HasPrefix(s.name, "gemini") && strings.Count(sent, reasoningOf("me")) != 1 {
			err = fmt.Errorf("the thoughts are lost: %s", sent)
		}
		return err
	})
}

// A conversation continues when its system text changes. Where the provider binds reasoning to that text, it continues
// without.
func TestSystemTextMayChange(t *testing.T) {
	everyReasoningModel(t, func(app *application, pr provided, model string, s *caller, streamed bool) error {
		c, err := app.customer(s, model, "me", "It is 12:01.", streamed)
		if err != nil {
			return err
		}
		c.first.system = "It is 12:02."
		sent, err := c.sent()
		if err != nil {
			return err
		}
		bound := strings.Contains(model, "claude")
		if showsReasoning(pr.id) && strings.Contains(sent, reasoningOf("me")) == bound {
			return fmt.Errorf("bound to the system text %v: %s", bound, sent)
		}
		return c.next(turn{text: "call again"})
	})
}

// An edited history is another conversation: it does not receive the reasoning of the original.
func TestEditedHistoryGetsNoReasoning(t *testing.T) {
	everyReasoningModel(t, func(app *application, pr provided, model string, s *caller, streamed bool) error {
		c, err := app.customer(s, model, "alice", "", streamed)
		if err != nil {
			return err
		}
		c.first.turns = []turn{{text: "call for bob"}}
		sent, err := c.sent()
		if err == nil && strings.Contains(sent, reasoningOf("alice")) {
			err = fmt.Errorf("the request has what was thought of alice: %s", sent)
		}
		return err
	})
}

// Requests that name different end users are different conversations, even with equal messages and call ids.
func TestReasoningIsBoundToEndUser(t *testing.T) {
	w := newWorld(t)
	const model = "fireworks/accounts/fireworks/models/kimi-k2p6"
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"model":"` + model + `","user":"USER","reasoning_effort":"high","tools":[{"type":"function","function":{"name":"now"}}],
			"messages":[{"role":"user","content":"call for me"}TURN]}`,
		"/v1/messages": `{"model":"` + model + `","metadata":{"user_id":"USER"},"max_tokens":2000,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"},"tools":[{"name":"now","input_schema":{"type":"object"}}],
			"messages":[{"role":"user","content":"call for me"}TURN]}`,
	} {
		app := w.application("fireworks")
		turn := `,{"role":"assistant","content":null,"tool_calls":[{"id":"functions.now:0","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"functions.now:0","content":"noon"}`
		if path == "/v1/messages" {
			turn = `,{"role":"assistant","content":[{"type":"tool_use","id":"functions.now:0","name":"now","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"functions.now:0","content":"noon"}]}`
		}
		send := func(user, turn string) string {
			r := app.send("POST", path, []byte(strings.NewReplacer("USER", user, "TURN", turn).Replace(body)), "Authorization", "Bearer "+app.token)
			if r.status != 200 {
				t.Fatalf("%s: %d %s", path, r.status, r.body)
			}
			return app.sent()
		}
		send("alice", "")
		if sent := send("bob", turn); strings.Contains(sent, reasoningOf("me")) {
			t.Errorf("%s: bob's request has what was thought for alice: %s", path, sent)
		}
		if sent := send("alice", turn); !strings.Contains(sent, reasoningOf("me")) {
			t.Errorf("%s: alice's request lacks what was thought for her: %s", path, sent)
		}
	}
}

// The emulated Kimi numbers calls through a conversation and from 0 in the next.
func TestEmulatedKimiNumbersItsCalls(t *testing.T) {
	w := newWorld(t)
	app := w.application("fireworks")
	for range 2 {
		c, err := app.customer(openAICaller(), "fireworks/accounts/fireworks/models/kimi-k2p6", "me", "", false)
		w.must(err)
		w.must(c.next(turn{text: "call again"}))
		var ids []string
		for _, one := range c.history {
			var m openAIMessage
			if one.model != nil {
				w.must(json.Unmarshal(one.model, &m))
				ids = append(ids, m.Calls[0].ID)
			}
		}
		if got := strings.Join(ids, " "); got != "functions.weather:0 functions.weather:1" {
			t.Errorf("the calls are %s", got)
		}
	}
}
