package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// limit sets a limit and returns its id.
func (p *person) limit(subject, rest string) string {
	p.w.t.Helper()
	return p.post("/api/limits", fmt.Sprintf(`{"subject":%s,%s}`, subject, rest)).want(201).text("id")
}

func ofToken(id string) string { return fmt.Sprintf(`{"type":"token","id":%q}`, id) }

func TestLimitToTheLetter(t *testing.T) {
	w := newWorld(t).freeze()
	ann := w.user("ann")
	ann.key("openai", apiKey)
	token, _, holder := ann.token("app")
	if r := ann.get("/api/limits").want(200); r.body != `{"limits":[]}` {
		t.Errorf("no limits: %s", r.body)
	}
	r := ann.post("/api/limits", `{"subject":`+ofToken(token)+`,"metric":"cost","window":"month","amount":1.5}`).want(201)
	r.members("", "id", "subject", "metric", "window", "amount", "strict", "used", "held", "remaining", "unconfirmed", "resetsAt", "createdAt")
	r.is("subject.type", "token", "subject.id", token, "metric", "cost", "window", "month", "amount", "1.5", "strict", "false", "used", "0", "held", "0",
		"remaining", "1.5", "unconfirmed", "0")
	id := r.text("id")
	w.wait(2 * time.Millisecond)
	requests := ann.limit(ofToken(token), `"metric":"requests","window":"total","amount":2,"models":["gpt-*"]`)
	holder.chat(hello).want(200)
	ann.get("/api/limits/"+requests).want(200).is("used", "1", "remaining", "1", "resetsAt", "null", "models.0", "gpt-*")
	if spent := ann.get("/api/limits/" + id).want(200).text("used"); !strings.HasPrefix(spent, "0.0000") {
		t.Errorf("%s dollars are used", spent)
	}
	for _, path := range []string{"/api/limits", "/api/limits?type=token&id=" + token, "/api/tokens/" + token} {
		ann.get(path).want(200).is("limits.0.id", id, "limits.1.id", requests, "limits.1.used", "1")
	}
	if n := ann.get("/api/limits?type=key").want(200).count("limits"); n != 0 {
		t.Errorf("%d limits of keys", n)
	}
	own := holder.get("/v1/limits").want(200)
	own.is("limits.1.metric", "requests", "limits.1.remaining", "1", "limits.1.subject.id", token)

	changed := ann.patch("/api/limits/"+id, `{"amount":0.000000001,"models":["claude-*"],"onReached":{"model":"gpt-4o-mini"}}`).want(200)
	changed.is("amount", "0.000000001", "models.0", "claude-*", "onReached.model", "gpt-4o-mini", "remaining", "0")
	ann.patch("/api/limits/"+id, `{"onReached":null}`).want(200).members("", "id", "subject", "metric", "window", "amount", "models", "strict", "used", "held",
		"remaining", "unconfirmed", "resetsAt", "createdAt")

	holder.chat(hello).want(200)
	refused := holder.chat(hello).refused(429, "RATE_LIMIT_EXCEEDED", "the limit of 2 requests of this token is reached: 2 requests used")
	refused.is("error.details.limit.subject.type", "token", "error.details.limit.amount", "2", "error.details.limit.used", "2", "error.details.limit.held", "0",
		"error.details.limit.resetsAt", "null")
	refused.members("error.details.limit", "subject", "metric", "window", "amount", "used", "held", "resetsAt")
	if refused.header.Get("Retry-After") == "" || refused.header.Get("X-Should-Retry") != "false" {
		t.Errorf("headers of a refusal: %v", refused.header)
	}
	ann.post("/api/limits/"+requests+"/reset", `{"note":"\u0007"}`).refused(400, "VALIDATION_ERROR", "note")
	ann.client.with("Content-Type", "text/plain").post("/api/limits/"+requests+"/reset", `{"note":"x"}`).refused(415, "UNSUPPORTED_MEDIA_TYPE", "")
	ann.post("/api/limits/"+requests+"/reset", `{"notes":""}`).refused(400, "VALIDATION_ERROR", "notes")
	holder.chat(hello).want(429)
	ann.post("/api/limits/"+requests+"/reset", `{"note":"agreed with Bob"}`).want(204)
	holder.chat(hello).want(200)
	if d := ann.post("/api/limits/"+requests+"/reset", "").want(204); d.body != "" {
		t.Errorf("a body: %s", d.body)
	}
	holder.chat(hello).want(200)
	ann.delete("/api/limits/" + requests).want(204)
	ann.delete("/api/limits/"+requests).refused(404, "NOT_FOUND", "")
	holder.chat(hello).want(200)
	holder.chat(hello).want(200)
}

func TestLimitRefusesBadFields(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	token, _, _ := ann.token("app")
	id := ann.limit(ofToken(token), `"metric":"cost","window":"day","amount":1`)
	body := func(change ...string) string {
		b := `{"subject":` + ofToken(token) + `,"metric":"tokens","window":"day","amount":5}`
		return strings.NewReplacer(change...).Replace(b)
	}
	for in, path := range map[string]string{
		body(`"token"`, `"endUser"`):                             "subject.token",
		body(`"token"`, `"person"`):                              "subject.type",
		body(token, store.NewID(1).String()):                     "subject.id",
		body(token, "1"):                                         "subject.id",
		body(`"tokens"`, `"concurrent"`):                         "metric",
		body(`"day"`, `"year"`):                                  "window",
		body(`:5`, `:-1`):                                        "amount",
		body(`:5`, `:1.5`):                                       "amount",
		body(`:5`, `:"5"`):                                       "amount",
		body(`:5`, `:1e3`):                                       "amount",
		body(`:5`, `:null`):                                      "amount",
		body(`:5`, `:9000000000000000`):                          "amount",
		body(`"tokens"`, `"cost"`, `:5`, `:0.0000000001`):        "amount",
		body(`"tokens"`, `"cost"`, `:5`, `:1000000.1`):           "amount",
		body(`:5`, `:5,"models":["a b","*"]`):                    "models[0]",
		body(`:5`, `:5,"strict":true,"onReached":{"model":"m"}`): "strict",
		body(`:5`, `:5,"onReached":{"model":"*"}`):               "onReached.model",
		body(`:5`, `:5,"onReached":{"model":""}`):                "onReached.model",
		body(`:5`, `:5,"onReached":{}`):                          "onReached.model",
		body(`"tokens"`, `"requests"`, `:5`, `:5,"strict":true,"onReached":{"model":"m"}`): "strict",
		body(`:5`, `:5,"other":1`):                      "other",
		`{"metric":"tokens","window":"day","amount":5}`: "subject",
	} {
		ann.post("/api/limits", in).refused(400, "VALIDATION_ERROR", fmt.Sprintf(`"path":%q`, path))
	}
	for in, path := range map[string]string{`{"amount":-1}`: "amount", `{"strict":true,"onReached":{"model":"m"}}`: "strict", `{"metric":"tokens"}`: "metric", `{"models":[""]}`: "models[0]"} {
		ann.patch("/api/limits/"+id, in).refused(400, "VALIDATION_ERROR", fmt.Sprintf(`"path":%q`, path))
	}
	for query, path := range map[string]string{"type=person": "type", "id=1": "id", "other=1": "other", "userId=x": "userId", "scope=mine": "scope", "limit=5": "limit"} {
		ann.get("/api/limits?"+query).refused(400, "VALIDATION_ERROR", fmt.Sprintf(`"path":%q`, path))
	}
	ann.post("/api/limits", body(`"tokens"`, `"requests"`, `:5`, `:5,"strict":true`)).want(201).is("strict", "true")
	for range store.LimitsPerSubject {
		ann.post("/api/limits", body())
	}
	ann.post("/api/limits", body()).refused(409, "CONFLICT", "20 limits of a subject")
}

// Owners set limits of what is theirs; those of users and of the gateway are the admin's, and the user sees them.
func TestWhoMaySetWhichLimit(t *testing.T) {
	w := newWorld(t)
	ann, bob, root := w.user("ann"), w.user("bob"), w.admin("root")
	key := ann.key("openai", apiKey)
	token, _, holder := ann.token("ann's")
	const rest = `"metric":"requests","window":"day","amount":1`
	ofUser := fmt.Sprintf(`{"type":"user","id":%q}`, ann.id)
	ofKey := fmt.Sprintf(`{"type":"key","id":%q}`, key)
	for _, subject := range []string{ofToken(token), ofKey} {
		for _, other := range []*person{bob, root} {
			other.post("/api/limits", `{"subject":`+subject+`,`+rest+`}`).refused(400, "VALIDATION_ERROR", `"path":"subject.id"`)
		}
	}
	for _, subject := range []string{ofUser, `{"type":"gateway"}`} {
		for _, other := range []*person{ann, bob} {
			other.post("/api/limits", `{"subject":`+subject+`,`+rest+`}`).refused(403, "FORBIDDEN", "admin")
		}
	}
	mine := ann.limit(ofKey, `"metric":"requests","window":"day","amount":7`)
	w.wait(2 * time.Millisecond)
	user := root.limit(ofUser, rest)
	w.wait(2 * time.Millisecond)
	gateway := root.limit(`{"type":"gateway"}`, `"metric":"cost","window":"month","amount":9`)
	list := ann.get("/api/limits").want(200)
	list.is("limits.0.id", mine, "limits.1.id", user, "limits.1.amount", "1", "limits.2.id", gateway, "limits.2.metric", "cost")
	list.members("limits.2", "id", "subject", "metric", "window", "resetsAt")
	if n := bob.get("/api/limits").want(200).count("limits"); n != 1 {
		t.Errorf("another user sees %d limits, want the gateway's", n)
	}
	root.get("/api/limits?userId="+ann.id.String()).want(200).is("limits.0.id", mine, "limits.1.id", user, "limits.2.amount", "9")
	bob.get("/api/limits?userId="+ann.id.String()).refused(403, "FORBIDDEN", "admin")
	bob.get("/api/limits?scope=all").refused(403, "FORBIDDEN", "admin")
	page := root.get("/api/limits?scope=all&limit=2").want(200).is("limits.0.id", mine, "limits.1.id", user, "limits.1.used", "0")
	page = root.get("/api/limits?scope=all&limit=2&cursor="+page.text("nextCursor")).want(200).is("limits.0.id", gateway, "nextCursor", "null")
	page.members("", "limits", "nextCursor")
	if n := root.get("/api/limits?scope=all&type=user").want(200).count("limits"); n != 1 {
		t.Errorf("%d limits of users", n)
	}
	for _, step := range []struct {
		who    *person
		id     string
		status int
		code   string
	}{{ann, user, 403, "FORBIDDEN"}, {ann, gateway, 403, "FORBIDDEN"}, {bob, user, 404, "NOT_FOUND"}, {bob, mine, 404, "NOT_FOUND"}, {root, mine, 404, "NOT_FOUND"}} {
		path := "/api/limits/" + step.id
		step.who.patch(path, `{"amount":5}`).refused(step.status, step.code, "")
		step.who.delete(path).refused(step.status, step.code, "")
		step.who.post(path+"/reset", "").refused(step.status, step.code, "")
	}
	holder.chat(hello).want(200)
	refused := holder.chat(hello).refused(429, "RATE_LIMIT_EXCEEDED", "a limit of requests of the user is reached")
	refused.members("error.details.limit", "subject", "metric", "window", "resetsAt")
	ann.chat(hello).refused(429, "RATE_LIMIT_EXCEEDED", "1 requests used") // the user's own session learns more
	if own := holder.get("/v1/limits").want(200); strings.Contains(own.body, "amount") {
		t.Errorf("a token learns %s", own.body)
	}
	root.patch("/api/limits/"+user, `{"amount":5}`).want(200).is("used", "1", "remaining", "4")
	holder.chat(hello).want(200)
	root.delete("/api/limits/" + gateway).want(204)
}

// Each dialect refuses in its own shape, with the same details, and tells the tightest limit in headers of its own.
func TestLimitsInEveryDialect(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	token, secret, _ := ann.token("app")
	ann.limit(ofToken(token), `"metric":"requests","window":"hour","amount":100`)
	ann.limit(ofToken(token), `"metric":"requests","window":"day","amount":10`)
	ann.limit(ofToken(token), `"metric":"tokens","window":"total","amount":1000000`)
	most := ann.limit(ofToken(token), `"metric":"requests","window":"day","amount":1000`)
	const messages = `"messages":[{"role":"user","content":"hi"}]`
	asks := []struct{ path, body, header, remaining string }{
		{"/v1/chat/completions", `{"model":"gpt-4o-mini",` + messages + `}`, "X-Ratelimit-Remaining-Requests", "9"},
		{"/v1/responses", `{"model":"gpt-4o-mini","input":"hi"}`, "X-Ratelimit-Remaining-Requests", "8"},
		{"/v1/messages", `{"model":"gpt-4o-mini","max_tokens":20,` + messages + `}`, "Anthropic-Ratelimit-Requests-Remaining", "7"},
		{"/v1beta/models/gpt-4o-mini:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}]}`, "", ""},
		{"/api/chat", hello, "X-Ratelimit-Remaining-Requests", "5"},
	}
	caller := w.anyone().with("Authorization", "Bearer "+secret)
	for _, ask := range asks {
		r := caller.post(ask.path, ask.body).want(200)
		if ask.header != "" && r.header.Get(ask.header) != ask.remaining {
			t.Errorf("%s: %s is %q, want %s", ask.path, ask.header, r.header.Get(ask.header), ask.remaining)
		}
	}
	ann.patch("/api/limits/"+most, `{"amount":5}`).want(200)
	for _, ask := range asks {
		r := caller.post(ask.path, ask.body).want(429)
		for _, part := range []string{"limit of 5 requests of this token", "resetsAt"} {
			if !strings.Contains(r.body, part) {
				t.Errorf("%s: %s lacks %q", ask.path, r.body, part)
			}
		}
		if r.header.Get("Retry-After") == "" || r.header.Get("X-Should-Retry") != "false" {
			t.Errorf("%s: headers %v", ask.path, r.header)
		}
		if ask.header == "" {
			continue
		}
		other := func(part string) string { return strings.Replace(ask.header, "Remaining", part, 1) }
		if r.header.Get(ask.header) != "0" || r.header.Get(other("Limit")) != "5" || r.header.Get(other("Reset")) == "" {
			t.Errorf("%s: a refusal does not tell the tightest limit: %v", ask.path, r.header)
		}
		tokens := strings.Replace(ask.header, "Requests", "Tokens", 1)
		if n := r.header.Get(tokens); len(n) != 6 || r.header.Get(strings.Replace(tokens, "Remaining", "Reset", 1)) != "" {
			t.Errorf("%s: %s is %q", ask.path, tokens, n)
		}
	}
}

// A steered answer says so.
func TestSteeredAnswer(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	token, _, holder := ann.token("app")
	ann.limit(ofToken(token), `"metric":"requests","window":"day","amount":0,"models":["gpt-4o"],"onReached":{"model":"gpt-4o-mini"}`)
	r := holder.chat(strings.Replace(hello, "gpt-4o-mini", "gpt-4o", 1)).want(200)
	if r.header.Get("X-LLM-Model") != "gpt-4o-mini" || r.header.Get("X-LLM-Steered-From") != "gpt-4o" {
		t.Errorf("headers %v", r.header)
	}
	ann.get("/api/requests").want(200).is("requests.0.steered", "true", "requests.0.model", "gpt-4o-mini")
}

// An asynchronous request that a limit refuses waits until the limit starts again.
func TestRefusedJobWaitsForItsLimit(t *testing.T) {
	w := newChatWorld(t)
	key := w.ann.key("openai", apiKey)
	id := w.ann.limit(`{"type":"key","id":"`+key+`"}`, `"metric":"requests","window":"day","amount":0`)
	w.holder.chat(later("job")).want(202)
	w.holder.get("/api/chat/job?timeout=1000").want(202).is("status", "queued")
	var ms int64
	err := w.db.DB.Run(t.Context(), store.Stmt{SQL: "select due_at from jobs", Each: func(r store.Row) error { return r.Scan(&ms) }})
	if err != nil {
		t.Fatal(err)
	}
	due := time.UnixMilli(ms)
	if next := time.UnixMilli(store.DayStart(store.DayOf(w.now().UnixMilli()) + 1)); due.Before(next.Add(-time.Second)) || due.After(next.Add(time.Minute)) {
		t.Errorf("the job is due at %s, want %s", due, next)
	}
	w.ann.delete("/api/limits/" + id).want(204)
	w.wait(25 * time.Hour)
	w.holder.get("/api/chat/job").want(200)
}

func TestScopesOverHTTP(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	r := ann.post("/api/tokens", `{"name":"small","allowedModels":["gpt-4o-mini"],"allowedProviders":["openai"],"allowedEndpoints":["chat","completions"],"maxConcurrent":3}`).want(201)
	r.is("allowedModels.0", "gpt-4o-mini", "allowedProviders.0", "openai", "allowedEndpoints.1", "completions", "maxConcurrent", "3")
	holder := w.anyone().with("Authorization", "Bearer "+r.text("token"))
	holder.chat(hello).want(200)
	holder.post("/v1/messages", `{"model":"gpt-4o-mini","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`).want(403)
	holder.chat(strings.Replace(hello, "gpt-4o-mini", "gpt-4o", 1)).refused(403, "FORBIDDEN", "may not use the model")
	chatOnly := w.anyone().with("Authorization", "Bearer "+ann.post("/api/tokens", `{"name":"chat","allowedEndpoints":["chat"]}`).want(201).text("token"))
	chatOnly.chat(hello).want(200)
	const messages = `"messages":[{"role":"user","content":"hi"}]}`
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"model":"gpt-4o-mini",` + messages, "/v1/responses": `{"model":"gpt-4o-mini","input":"hi"}`,
		"/v1/messages": `{"model":"gpt-4o-mini","max_tokens":5,` + messages, "/v1/messages/count_tokens": `{"model":"gpt-4o-mini",` + messages,
		"/v1/embeddings": `{"model":"text-embedding-3-small","input":"hi"}`, "/v1/completions": `{"model":"gpt-4o-mini","prompt":"hi"}`,
		"/v1beta/models/gpt-4o-mini:generateContent": `{"contents":[{"parts":[{"text":"hi"}]}]}`,
	} {
		if r := chatOnly.post(path, body).want(403); !strings.Contains(r.body, "may not use the endpoint") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	if models := holder.get("/v1/models").want(200); !strings.Contains(models.body, `"gpt-4o-mini"`) || strings.Contains(models.body, `"gpt-4o"`) {
		t.Errorf("models: %s", models.body)
	}
	path := "/api/tokens/" + r.text("id")
	ann.patch(path, `{"allowedModels":[],"allowedEndpoints":null,"maxConcurrent":null}`).want(200).is("maxConcurrent", "null").is("allowedProviders.0", "openai")
	holder.chat(strings.Replace(hello, "gpt-4o-mini", "gpt-4o", 1)).want(200)
	if n := ann.get("/api/limits").want(200).count("limits"); n != 0 {
		t.Errorf("%d limits", n)
	}
	for body, field := range map[string]string{`{"allowedModels":["a b"]}`: "allowedModels[0]", `{"allowedProviders":["nobody"]}`: "allowedProviders[0]",
		`{"allowedEndpoints":["everything"]}`: "allowedEndpoints[0]", `{"maxConcurrent":0}`: "maxConcurrent", `{"endUserSource":"x"}`: "endUserSource"} {
		ann.patch(path, body).refused(400, "VALIDATION_ERROR", fmt.Sprintf(`"path":%q`, field))
	}
}

// Pages of other sites may read the headers of limits, too.
func TestRateLimitsAreExposedToPages(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	token, secret, _ := ann.token("app")
	ann.limit(ofToken(token), `"metric":"requests","window":"day","amount":1`)
	page := w.anyone().with("Authorization", "Bearer "+secret).with("Origin", "https://example.com")
	for _, status := range []int{200, 429} {
		r := page.post("/api/chat", hello).want(status)
		if e := r.header.Get("Access-Control-Expose-Headers"); !strings.Contains(e, "X-Ratelimit-Remaining-Requests") {
			t.Errorf("%d exposes %s", status, e)
		}
	}
}

// A job that needs more than a limit's amount does not wait for it.
func TestJobBeyondALimitFails(t *testing.T) {
	w := newChatWorld(t)
	key := w.ann.key("openai", apiKey)
	w.ann.limit(`{"type":"key","id":"`+key+`"}`, `"metric":"tokens","window":"month","amount":10`)
	w.holder.chat(later("job")).want(202)
	w.holder.get("/api/chat/job").refused(429, "RATE_LIMIT_EXCEEDED", "a limit of tokens of the key")
}
