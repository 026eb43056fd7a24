package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// alias makes an alias of the user whose targets are the models.
func (w *world) alias(name string, models ...string) store.Alias {
	w.t.Helper()
	a := store.Alias{User: w.user, Name: name}
	for _, m := range models {
		a.Targets = append(a.Targets, store.AliasTarget{Model: m})
	}
	return w.addAlias(a)
}

func (w *world) addAlias(a store.Alias) store.Alias {
	w.t.Helper()
	a.ID = store.NewID(w.clock.Load())
	if err := store.CreateAlias(w.t.Context(), w.db.DB, a); err != nil {
		w.t.Fatal(err)
	}
	return a
}

const (
	claude     = "claude-sonnet-4-5"
	overloaded = `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`
)

// logged returns what the row of the request and its trace say.
func (w *world) logged(id store.ID) (r store.Request, trace gateway.Trace) {
	w.t.Helper()
	r, text, err := store.RequestByID(w.t.Context(), w.db.DB, w.user, id)
	if err != nil {
		w.t.Fatal(err)
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &trace); err != nil {
			w.t.Fatal(err)
		}
	}
	return r, trace
}

func TestAliasServesItsFirstTarget(t *testing.T) {
	w := newWorld(t)
	gpt := w.add(key{})
	w.add(key{provider: "anthropic", answer: answerClaude})
	w.alias("claude-opus-4-5", model, claude) // it shadows a model
	for range 2 {
		w.db.runs.Store(0)
		request := w.request("claude-opus-4-5")
		c, err := w.do(request)
		if err != nil {
			t.Fatal(err)
		}
		if c.KeyID() != gpt || c.Model() != model || c.Alias() != "claude-opus-4-5" || c.Attempts() != 1 {
			t.Errorf("%s, %s, %s, %d", c.Provider(), c.Model(), c.Alias(), c.Attempts())
		}
		if r, _ := w.logged(request.ID); r.Model != model || r.Asked != "claude-opus-4-5" {
			t.Errorf("the row: %+v", r)
		}
	}
	if n := w.db.runs.Load(); n != 2 {
		t.Errorf("%d round trips of a warm request", n)
	}
	request := w.request(model)
	if c, err := w.do(request); err != nil || c.Alias() != "" {
		t.Errorf("not an alias: %v", err)
	}
	if r, _ := w.logged(request.ID); r.Asked != "" {
		t.Errorf("asked: %q", r.Asked)
	}
}

// The user's own alias comes before that for everyone.
func TestAliasForEveryone(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	w.addAlias(store.Alias{Name: "fast", Targets: []store.AliasTarget{{Model: model}}})
	if c, err := w.do(w.request("fast")); err != nil || c.Model() != model {
		t.Fatal(err)
	}
	w.alias("fast", "gpt-4.1")
	if c, err := w.do(w.request("fast")); err != nil || c.Model() != "gpt-4.1" {
		t.Fatal(err)
	}
}

func TestAliasFailsOver(t *testing.T) {
	refused := `{"error":{"message":"no","type":"invalid_request_error","code":%q}}`
	for name, answer := range map[string]http.HandlerFunc{
		"overload":      answerError(529, overloaded),
		"limit":         answerError(429, `{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}`),
		"no credit":     answerError(400, `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}`),
		"unknown model": answerError(404, `{"type":"error","error":{"type":"not_found_error","message":"model: claude-sonnet-4-5"}}`),
	} {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprint(name, streamed), func(t *testing.T) {
				w := newWorld(t)
				w.add(key{provider: "anthropic", answer: answer})
				second := w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
					if streamed {
						answerStream("hi")(rw, r)
					} else {
						answerText("hi")(rw, r)
					}
				}})
				w.alias("best", claude, model)
				request := w.request("best")
				request.Chat.Stream = streamed
				c, err := w.do(request)
				if err != nil {
					t.Fatal(err)
				}
				if c.KeyID() != second || c.Model() != model || c.Attempts() != 2 {
					t.Errorf("%s, %s, %d attempts", c.Provider(), c.Model(), c.Attempts())
				}
				r, trace := w.logged(request.ID)
				if r.Model != model || r.Asked != "best" || r.Attempts != 2 || trace.Alias != "best" || len(trace.Attempts) == 0 || trace.Attempts[0].Model != claude {
					t.Errorf("%+v, %+v", r, trace)
				}
			})
		}
	}
	t.Run("not for the caller's fault", func(t *testing.T) {
		w := newWorld(t)
		w.add(key{answer: answerError(400, fmt.Sprintf(refused, "invalid_value"))})
		w.add(key{provider: "anthropic", answer: answerClaude})
		w.alias("best", model, claude)
		_, err := w.do(w.request("best"))
		wantCode(t, err, fault.Validation)
		if w.callsOf(2) != 0 {
			t.Error("the next target was asked")
		}
	})
}

// A model that a limit does not let serve is left for the next target; so is one whose keys are spent.
func TestAliasPassesLimits(t *testing.T) {
	w := newWorld(t)
	spent := w.add(key{provider: "anthropic", answer: answerClaude, limit: 1})
	other := w.add(key{})
	w.alias("best", claude, "gpt-4.1", model)
	w.limit(store.Limit{Metric: store.MetricRequests, Amount: 1, Models: []string{"gpt-4.1"}})
	for _, want := range []string{claude, "gpt-4.1", model, model} {
		request := w.request("best")
		c, err := w.do(request)
		if err != nil {
			t.Fatal(err)
		}
		if c.Model() != want {
			t.Fatalf("%s serves, want %s", c.Model(), want)
		}
		_, trace := w.logged(request.ID)
		var reasons []string
		for _, s := range trace.Skipped {
			if s.Model == claude && s.ID == spent || s.Model == "gpt-4.1" && s.ID == other {
				reasons = append(reasons, s.Reason)
			}
		}
		if want == model && len(reasons) != 2 {
			t.Errorf("the trace does not tell why %v", trace)
		}
	}
}

func TestAliasTargetsNarrowKeys(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	second := w.add(key{})
	groq := w.add(key{provider: "groq", models: `["*"]`})
	w.addAlias(store.Alias{User: w.user, Name: "mine", Targets: []store.AliasTarget{{Model: model, KeyIDs: []store.ID{second}}}})
	w.addAlias(store.Alias{User: w.user, Name: "groq's", Targets: []store.AliasTarget{{Model: model, Provider: "groq"}}})
	w.mustAsk("mine", dialect.Route{}, second, model)
	w.mustAsk("groq's", dialect.Route{}, groq, model)
	_, err := w.do(w.routed("groq's", dialect.Route{Provider: "openai"}))
	wantCode(t, err, fault.NoEligibleKey)
}

func (w *world) routed(model string, route dialect.Route) gateway.Request {
	r := w.request(model)
	r.Route = route
	return r
}

func TestAliasParameters(t *testing.T) {
	w := newWorld(t)
	var body []byte
	w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		answerText("hi")(rw, r)
	}})
	cool, most := 0.25, int64(77)
	w.addAlias(store.Alias{User: w.user, Name: "short", Targets: []store.AliasTarget{{Model: "gpt-5.1",
		Parameters: &store.AliasParameters{MaxTokens: &most, ReasoningEffort: "low"}}}})
	w.addAlias(store.Alias{User: w.user, Name: "cool", Targets: []store.AliasTarget{{Model: "gpt-4.1", Parameters: &store.AliasParameters{Temperature: &cool}}}})
	for _, from := range []dialect.Name{"", "openai"} {
		for name, want := range map[string][]string{"short": {`"reasoning_effort":"low"`, `"max_completion_tokens":77`, `"model":"gpt-5.1"`},
			"cool": {`"temperature":0.25`, `"model":"gpt-4.1"`}} {
			request := w.request(name)
			hot := 1.5
			request.Dialect = from
			request.Body = []byte(`{"model":"` + name + `","messages":[{"role":"user","content":"Say hello."}],"max_tokens":500,"reasoning_effort":"high"}`)
			request.Chat.MaxTokens = &[]int64{500}[0]
			request.Chat.Reasoning = &chat.Reasoning{Effort: "high"}
			if name == "cool" {
				request.Body = []byte(`{"model":"` + name + `","messages":[{"role":"user","content":"Say hello."}],"temperature":1.5}`)
				request.Chat.MaxTokens, request.Chat.Reasoning, request.Chat.Temperature = nil, nil, &hot
			}
			if _, err := w.do(request); err != nil {
				t.Fatal(err)
			}
			for _, text := range want {
				if !strings.Contains(string(body), text) {
					t.Errorf("%s of %q: no %s in %s", name, from, text, body)
				}
			}
		}
	}
}

// What a model cannot do it is not asked for, if there is another.
func TestAliasChecksWhatModelsCanDo(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	w.add(key{provider: "groq"})
	w.alias("either", "groq/llama-3.1-8b-instant", model)
	for name, change := range map[string]func(*chat.Request){
		"image": func(r *chat.Request) {
			r.Messages[0].Parts = append(r.Messages[0].Parts, chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/a.png"}})
		},
		"schema": func(r *chat.Request) {
			r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema, Name: "a", Schema: json.RawMessage(`{"type":"object"}`)}
		},
	} {
		request := w.request("either")
		change(request.Chat)
		c, err := w.do(request)
		if err != nil {
			t.Fatal(err)
		}
		if c.Model() != model {
			t.Errorf("%s: %s was asked", name, c.Model())
		}
		if _, trace := w.logged(request.ID); !slices.ContainsFunc(trace.Skipped, func(s gateway.SkippedKey) bool { return strings.Contains(s.Reason, "does not have") }) {
			t.Errorf("%s: %+v", name, trace)
		}
	}
	if c, err := w.do(w.request("either")); err != nil || c.Model() == model {
		t.Errorf("a text: %v", err)
	}
	w.alias("short or long", "groq/llama-3.1-8b-instant", "gpt-4.1")
	request := w.request("short or long")
	request.Chat.Messages[0].Parts[0].Text = strings.Repeat("many words ", 80_000)
	if c, err := w.do(request); err != nil || c.Model() != "gpt-4.1" {
		t.Errorf("a long text: %v", err)
	}
}

func TestScopesOfTokensAndAliases(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	w.add(key{provider: "anthropic", answer: answerClaude})
	w.alias("best", claude, model)
	scope := func(models, providers string) {
		w.run("update tokens set allowed_models = $1, allowed_providers = $2", models, providers)
		w.run("update users set revision = revision + 1")
	}
	for _, step := range []struct{ models, providers, serves string }{
		{`[]`, `[]`, claude},
		{`["gpt-*"]`, `[]`, model},
		{`["best"]`, `[]`, claude},
		{`["best"]`, `["openai"]`, model},
		{`["bes*"]`, `[]`, ""}, // a pattern names models
		{`["gemini-*"]`, `[]`, ""},
		{`[]`, `["openai"]`, model},
	} {
		scope(step.models, step.providers)
		request := w.request("best")
		c, err := w.do(request)
		if step.serves == "" {
			wantCode(t, err, fault.Forbidden)
			continue
		}
		if err != nil {
			t.Fatal(step, err)
		}
		if c.Model() != step.serves {
			t.Errorf("%+v: %s serves", step, c.Model())
		}
		if step.serves == model {
			if _, trace := w.logged(request.ID); !slices.ContainsFunc(trace.Skipped, func(s gateway.SkippedKey) bool {
				return s.Model == claude && strings.Contains(s.Reason, "the gateway token may not use")
			}) {
				t.Errorf("%+v: %+v", step, trace)
			}
		}
	}
	scope(`["gpt-*"]`, `[]`)
	request := w.routed(claude, dialect.Route{Models: []string{"gpt-4.1"}})
	if c, err := w.do(request); err != nil || c.Model() != "gpt-4.1" {
		t.Errorf("a chain: %v", err)
	}
}

func TestModelsListAliases(t *testing.T) {
	w := newWorld(t)
	w.add(key{models: `["gpt-4o-mini","gpt-4.1"]`})
	w.alias("best", claude, model)
	w.alias("gpt-4.1", model)
	w.alias("nothing", claude)
	models, err := w.g.Models(t.Context(), w.request("").Principal)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range models {
		names = append(names, m.ID)
		if m.ID == "gpt-4.1" && m.Known.ID != model {
			t.Errorf("the alias does not shadow the model: %+v", m)
		}
	}
	if got := strings.Join(names, " "); got != "best gpt-4.1 gpt-4o-mini" {
		t.Errorf("listed: %s", got)
	}
	if m, err := w.g.Model(t.Context(), w.request("").Principal, "best"); err != nil || m.Known.ID != model {
		t.Errorf("%+v, %v", m, err)
	}
}

// The request's models serve after its model, once each, and one may be an alias.
func TestChain(t *testing.T) {
	w := newWorld(t)
	w.add(key{provider: "anthropic", answer: answerError(529, overloaded)})
	var body []byte
	second := w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		answerText("hi")(rw, r)
	}})
	w.alias("cheap", model)
	request := w.routed(claude, dialect.Route{Models: []string{claude, "cheap"}})
	request.Dialect = "openai"
	request.Body = []byte(`{"model":"` + claude + `","models":["` + claude + `","cheap"],"messages":[{"role":"user","content":"Say hello."}],"unknown_field":1}`)
	request.Chat.Foreign = []chat.Foreign{{Name: "models"}}
	c, err := w.do(request)
	if err != nil {
		t.Fatal(err)
	}
	if c.KeyID() != second || c.Alias() != "cheap" || w.callsOf(1) != 1 {
		t.Errorf("%s serves by %q after %d calls", c.Model(), c.Alias(), w.callsOf(1))
	}
	if strings.Contains(string(body), "models") || !strings.Contains(string(body), "unknown_field") {
		t.Errorf("sent: %s", body)
	}
	if r, _ := w.logged(request.ID); r.Asked != claude || r.Model != model {
		t.Errorf("%+v", r)
	}
}

// Pinned to a provider that takes a list of models itself, the bytes pass.
func TestChainOfTheProvider(t *testing.T) {
	w := newWorld(t)
	var body []byte
	w.add(key{provider: "openrouter", answer: func(rw http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		answerText("hi")(rw, r)
	}})
	list := `"models":["openai/gpt-4o","mistralai/mistral-large"]`
	for _, request := range []gateway.Request{
		w.routed("openrouter/openai/gpt-4o-mini", dialect.Route{}), w.routed("openai/gpt-4o-mini", dialect.Route{Provider: "openrouter"}),
		w.routed("openai/gpt-4o-mini", dialect.Route{Providers: []string{"openrouter"}}),
	} {
		request.Dialect, request.Route.Models = "openai", []string{"openai/gpt-4o", "mistralai/mistral-large"}
		request.Body = []byte(`{"model":"` + request.Chat.Model + `",` + list + `,"messages":[{"role":"user","content":"Say hello."}]}`)
		if _, err := w.do(request); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(body), list) {
			t.Errorf("sent: %s", body)
		}
	}
}

func TestWeightedTargets(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	w.addAlias(store.Alias{User: w.user, Name: "mix", Strategy: "weighted",
		Targets: []store.AliasTarget{{Model: "gpt-4.1", Weight: 1}, {Model: model, Weight: 3}}})
	const n = 400
	served := map[string]int{}
	for range n {
		c, err := w.do(w.request("mix"))
		if err != nil {
			t.Fatal(err)
		}
		served[c.Model()]++
	}
	if got := float64(served[model]) / n; math.Abs(got-0.75) > 0.12 { // more than five standard deviations
		t.Errorf("%v", served)
	}
}

func TestCheapestServes(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	w.add(key{provider: "anthropic", answer: answerClaude})
	w.alias("any", claude, "gpt-4.1", model)
	for strategy, want := range map[string]string{"cheapest": model, "": claude, "exhaust-first": claude, "round-robin": claude} {
		if c, err := w.do(w.routed("any", dialect.Route{Strategy: strategy})); err != nil || c.Model() != want {
			t.Errorf("%q: %v", strategy, err)
		}
	}
	w.limit(store.Limit{Metric: store.MetricRequests, Amount: 0, Models: []string{model}})
	if c, err := w.do(w.routed("any", dialect.Route{Strategy: "cheapest"})); err != nil || c.Model() != "gpt-4.1" {
		t.Errorf("the second cheapest: %v", err)
	}
}

// A target whose price is not known does not keep the others from serving under a limit of cost.
func TestUnpricedTargetUnderALimitOfCost(t *testing.T) {
	w := newWorld(t)
	w.add(key{models: `["*"]`})
	w.alias("any", "not-priced-at-all", model)
	w.limit(store.Limit{Metric: store.MetricCost, Amount: 1e9})
	if c, err := w.do(w.request("any")); err != nil || c.Model() != model {
		t.Errorf("%v", err)
	}
	_, err := w.do(w.request("not-priced-at-all"))
	wantCode(t, err, fault.Validation)
}
