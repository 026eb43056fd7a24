package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func TestAliasesToTheLetter(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db, "ALIAS_LIMIT=3").freeze()
		ann, bob := w.user("ann"), w.user("bob")
		key := ann.key("openai", apiKey)
		if r := ann.get("/api/aliases").want(200); r.body != `{"aliases":[]}` {
			t.Errorf("no aliases: %s", r.body)
		}
		r := ann.post("/api/aliases", `{"name":"claude-sonnet-4-5","targets":[{"model":"gpt-4o-mini","keyIds":["`+key+`"],"weight":2,
			"parameters":{"temperature":0.5,"maxTokens":50,"topP":1,"reasoningEffort":null}},{"model":"gpt-4.1","provider":"openai"}]}`).want(201)
		r.members("", "id", "name", "targets", "strategy", "shared", "createdAt", "updatedAt")
		r.is("name", "claude-sonnet-4-5", "targets.0.model", "gpt-4o-mini", "targets.0.keyIds.0", key, "targets.0.weight", "2",
			"targets.0.parameters.temperature", "0.5", "targets.1.provider", "openai", "shared", "false", "strategy", "null")
		id := r.text("id")
		ann.post("/api/aliases", `{"name":"claude-sonnet-4-5","targets":[{"model":"x"}]}`).refused(409, "CONFLICT", "already")
		bob.post("/api/aliases", `{"name":"claude-sonnet-4-5","targets":[{"model":"x"}]}`).want(201)
		for method, body := range map[string]string{"GET": "", "PATCH": `{"name":"b"}`, "DELETE": ""} {
			bob.do(method, "/api/aliases/"+id, body).refused(404, "NOT_FOUND", "no such object")
		}
		_, _, holder := ann.token("app")
		served := holder.chat(`{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}]}`).want(200)
		for name, want := range map[string]string{"X-LLM-Model": "gpt-4o-mini", "X-LLM-Alias": "claude-sonnet-4-5", "X-LLM-Attempts": "1", "X-LLM-Key-ID": key} {
			if got := served.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		ann.get("/api/requests").want(200).is("requests.0.model", "gpt-4o-mini", "requests.0.askedModel", "claude-sonnet-4-5")

		ann.patch("/api/aliases/"+id, `{"name":"fast","targets":[{"model":"gpt-4.1"}],"strategy":"cheapest"}`).want(200).is("name", "fast",
			"targets.0.model", "gpt-4.1", "strategy", "cheapest")
		ann.get("/api/aliases/"+id).want(200).is("name", "fast")
		if got := holder.chat(`{"model":"fast","messages":[{"role":"user","content":"hi"}]}`).want(200).header.Get("X-LLM-Model"); got != "gpt-4.1" {
			t.Errorf("after the change: %s", got)
		}
		ann.patch("/api/aliases/"+id, `{"strategy":null}`).want(200).is("strategy", "null", "name", "fast")
		ann.post("/api/aliases", `{"name":"other","targets":[{"model":"x"}]}`).want(201)
		ann.patch("/api/aliases/"+id, `{"name":"other"}`).refused(409, "CONFLICT", "already")
		for n := range 1 {
			ann.post("/api/aliases", fmt.Sprintf(`{"name":"more-%d","targets":[{"model":"x"}]}`, n)).want(201)
		}
		ann.post("/api/aliases", `{"name":"too-many","targets":[{"model":"x"}]}`).refused(409, "CONFLICT", "ALIAS_LIMIT")
		ann.delete("/api/aliases/" + id).want(204)
		ann.delete("/api/aliases/"+id).refused(404, "NOT_FOUND", "")
	})
}

func TestAliasesThatAreWrong(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.user("ann"), w.user("bob")
	theirs := bob.key("openai", apiKey)
	target := func(rest string) string { return `{"name":"a","targets":[{"model":"m",` + rest + `}]}` }
	for body, path := range map[string]string{
		`{"targets":[{"model":"m"}]}`:             "name",
		`{"name":"","targets":[{"model":"m"}]}`:   "name",
		`{"name":"a*","targets":[{"model":"m"}]}`: "name",
		`{"name":"a"}`:                                             "targets",
		`{"name":"a","targets":[]}`:                                "targets",
		`{"name":"a","targets":[{"model":""}]}`:                    "targets[0].model",
		`{"name":"a","targets":[{"model":"m*"}]}`:                  "targets[0].model",
		target(`"provider":"nobody"`):                              "targets[0].provider",
		target(`"weight":0`):                                       "targets[0].weight",
		target(`"weight":1001`):                                    "targets[0].weight",
		target(`"keyIds":["x"]`):                                   "targets[0].keyIds[0]",
		target(`"keyIds":["` + theirs + `"]`):                      "targets[0].keyIds[0]",
		target(`"parameters":{"temperature":3}`):                   "targets[0].parameters.temperature",
		target(`"parameters":{"topP":-1}`):                         "targets[0].parameters.topP",
		target(`"parameters":{"maxTokens":0}`):                     "targets[0].parameters.maxTokens",
		target(`"parameters":{"reasoningEffort":"huge"}`):          "targets[0].parameters.reasoningEffort",
		`{"name":"a","targets":[{"model":"m"}],"strategy":"luck"}`: "strategy",
		`{"name":"a","targets":[` + strings.Repeat(`{"model":"m"},`, 16) + `{"model":"m"}]}`: "targets",
	} {
		ann.post("/api/aliases", body).refused(400, "VALIDATION_ERROR", fmt.Sprintf(`"path":%q`, path))
	}
	_, _, holder := ann.token("app")
	holder.with("X-LLM-Strategy", "luck").chat(hello).refused(400, "VALIDATION_ERROR", "X-LLM-Strategy")
	ann.patch("/api/auth/me", `{"strategy":"cheapest"}`).want(200)
	ann.patch("/api/auth/me", `{"strategy":"luck"}`).refused(400, "VALIDATION_ERROR", "strategy")
}

// Only the admin makes aliases for everyone.
func TestSharedAliases(t *testing.T) {
	w := newWorld(t)
	ann, root := w.user("ann"), w.admin("root")
	ann.key("openai", apiKey)
	body := `{"name":"house","targets":[{"model":"gpt-4o-mini"}],"shared":true}`
	ann.post("/api/aliases", body).refused(403, "FORBIDDEN", "admin")
	_, _, holder := ann.token("app")
	holder.chat(`{"model":"house","messages":[{"role":"user","content":"hi"}]}`).refused(404, "NOT_FOUND", "")
	id := root.post("/api/aliases", body).want(201).is("shared", "true").text("id")
	holder.chat(`{"model":"house","messages":[{"role":"user","content":"hi"}]}`).want(200)
	ann.get("/api/aliases").want(200).is("aliases.0.name", "house", "aliases.0.shared", "true")
	for method, body := range map[string]string{"PATCH": `{"name":"mine"}`, "DELETE": ""} {
		ann.do(method, "/api/aliases/"+id, body).refused(403, "FORBIDDEN", "admin")
	}
	own := ann.post("/api/aliases", `{"name":"own","targets":[{"model":"gpt-4o-mini"}]}`).want(201).text("id")
	ann.patch("/api/aliases/"+own, `{"shared":true}`).refused(403, "FORBIDDEN", "admin")
	root.patch("/api/aliases/"+id, `{"shared":false}`).want(200)
	holder.chat(`{"model":"house","messages":[{"role":"user","content":"hi"}]}`).refused(404, "NOT_FOUND", "")
}

// Aliases serve in every dialect, streamed and not, and stand in every list of models.
func TestAliasesAndChainsInEveryDialect(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	ann.post("/api/aliases", `{"name":"best","targets":[{"model":"claude-sonnet-4-5"},{"model":"gpt-4o-mini"}]}`).want(201)
	_, _, holder := ann.token("app")
	ask := map[string]string{
		"/api/chat":            `"messages":[{"role":"user","content":"hi"}]`,
		"/v1/chat/completions": `"messages":[{"role":"user","content":"hi"}]`,
		"/v1/messages":         `"max_tokens":50,"messages":[{"role":"user","content":"hi"}]`,
		"/v1/responses":        `"input":"hi"`,
	}
	for path, rest := range ask {
		for _, streamed := range []bool{false, true} {
			for model, alias := range map[string]string{`"model":"best",`: "best", `"model":"claude-opus-4-5","models":["claude-opus-4-5","best"],`: "best",
				`"model":"claude-opus-4-5","models":["gpt-4o-mini"],`: ""} {
				r := holder.post(path, fmt.Sprintf(`{%s%s,"stream":%v}`, model, rest, streamed)).want(200)
				if r.header.Get("X-LLM-Model") != "gpt-4o-mini" || r.header.Get("X-LLM-Alias") != alias || r.header.Get("X-LLM-Attempts") != "1" {
					t.Errorf("%s %s: %v", path, model, r.header)
				}
				if w := r.header.Get("X-LLM-Warnings"); strings.Contains(w, "models") {
					t.Errorf("%s: %s", path, w)
				}
			}
		}
	}
	for _, method := range []string{"generateContent", "streamGenerateContent?alt=sse"} {
		r := holder.post("/v1beta/models/best:"+method, `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`).want(200)
		if r.header.Get("X-LLM-Alias") != "best" {
			t.Errorf("%s: %v", method, r.header)
		}
	}
	for name, r := range map[string]reply{"openai": holder.get("/v1/models"), "gemini": holder.get("/v1beta/models"),
		"anthropic": holder.with("anthropic-version", "2023-06-01").get("/v1/models?limit=1000")} {
		if !strings.Contains(r.want(200).body, `best"`) {
			t.Errorf("%s does not list the alias", name)
		}
	}
	holder.get("/v1/models/best").want(200)
}
