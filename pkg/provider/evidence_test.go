package provider

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// pages are answers of what stands between the gateway and a provider. %[1]s is a text, %[2]d the status.
var pages = []string{
	``, ` `, `%[1]s`, `<html><head><title>%[1]s</title></head><body><center><h1>%[2]d</h1></center><hr>nginx</body></html>`,
	`<!DOCTYPE html><title>Attention Required! | Cloudflare</title><p>%[1]s`, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>%[1]s</Message></Error>`,
	`{}`, `[]`, `null`, `"%[1]s"`, `{"error":null}`, `{"error":{}}`, `{"error":true}`, `{"error":{"message":"%[1]s"}}`, `{"error":"%[1]s"}`,
	`{"success":false,"errors":[{"code":1010,"message":"%[1]s"}],"messages":[],"result":null}`, // Cloudflare
	`{"title":"Error 1015","status":%[2]d,"detail":"%[1]s","instance":"x","error_code":1015}`,  // Cloudflare
	`{"message":"%[1]s","statusCode":%[2]d}`, `{"statusCode":%[2]d,"error":"Forbidden","message":"%[1]s"}`,
	`{"fault":{"faultstring":"%[1]s","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}`,                // Apigee
	`{"code":16,"message":"%[1]s","details":[]}`,                                                       // envoy, gRPC
	`{"timestamp":"2026-11-24T12:00:00Z","status":%[2]d,"error":"%[1]s","path":"/v1"}`,                 // Spring
	`{"type":"https://example.com/errors/403","title":"%[1]s","status":%[2]d,"detail":"%[1]s"}`,        // RFC 9457
	`{"error":{"code":"%[2]d","message":"%[1]s"}}`, `{"error":{"code":"FORBIDDEN","message":"%[1]s"}}`, // edges of hosting providers
	`{"error_msg":"%[1]s"}`, `{"errors":["%[1]s"]}`, `{"status":"error","code":%[2]d,"message":"%[1]s"}`,
	`{"root_cause":[],"reason":"%[1]s","status":%[2]d}`, `{"error":[{"code":2001,"message":"%[1]s"}]}`,
	`{"error":{"message":"%[1]s","type":`, `{"error":{"message":"%[1]s","type":"x","code":"y"}} trailing`,
}

// phrases are what a page may say: words that providers use as well.
func phrases(tab *Table) []string {
	list := []string{"", "Forbidden", "invalid_api_key", "Access denied", "Limit 10, Requested 20", "prompt is too long: 20 tokens > 10 maximum",
		"This organization has been disabled.", "rate_limit_exceeded", "model_not_found", "payment required"}
	for _, p := range tab.All() {
		for _, s := range p.signals {
			list = append(list, s.text, s.word)
		}
	}
	return list
}

// A page says nothing about a key, a model or the request, whatever its status and its words are.
func TestPagesSayNothingAboutKeys(t *testing.T) {
	tab := table(t, nil)
	words := phrases(tab)
	for _, p := range tab.All() {
		for _, page := range pages {
			for _, status := range []int{300, 302, 400, 401, 402, 403, 404, 407, 412, 413, 422, 429, 431, 451, 498, 500, 502, 503, 504, 520, 529} {
				word := words[rand.N(len(words))]
				body := strings.NewReplacer("%[1]s", word, "%[2]d", strconv.Itoa(status)).Replace(page)
				expectPage(t, p, status, body)
			}
		}
	}
}

func expectPage(t *testing.T, p *Provider, status int, body string) {
	t.Helper()
	err := p.Client.DecodeError([]byte(body))
	p.Classify(err, Answer{Status: status, Header: http.Header{"Server": {"nginx"}}, Body: []byte(body)}, noon)
	policy := FailurePolicy(err, noon)
	if err.Class != chat.Transport || err.Scope != chat.ScopeHost || err.Evidence || err.CallerCaused() || policy.Failover != FailoverAny {
		t.Errorf("%s, %d %s: %+v", p.ID, status, body, err)
	}
	if err.Code != "" || err.Type != "" || !strings.HasPrefix(err.Message, p.Name+" answered with status") {
		t.Errorf("%s, %d %s: %q %q %q", p.ID, status, body, err.Code, err.Type, err.Message)
	}
	if _, until := afterFailure(err, noon); until != 0 || policy.Cooldown.Scope != chat.ScopeHost {
		t.Errorf("%s, %d: %+v, key until %d", p.ID, status, policy.Cooldown, until)
	}
}

// Random JSON of the members that gateways use, but in no provider's format, is a page as well.
func TestRandomJSONSaysNothingAboutKeys(t *testing.T) {
	tab := table(t, nil)
	words := phrases(tab)
	members := []string{"message", "status", "statusCode", "success", "errors", "title", "trace", "reason", "fault", "path", "ray_id", "description"}
	rnd := rand.New(rand.NewPCG(1, 2))
	var value func(depth int) any
	value = func(depth int) any {
		switch n := rnd.IntN(6); {
		case n == 0:
			return rnd.IntN(600)
		case n == 1:
			return rnd.IntN(2) == 0
		case n == 2 && depth < 3:
			return []any{value(depth + 1), value(depth + 1)}
		case n == 3 && depth < 3:
			m := map[string]any{}
			for range rnd.IntN(4) {
				m[members[rnd.IntN(len(members))]] = value(depth + 1)
			}
			return m
		}
		return words[rnd.IntN(len(words))]
	}
	for range 3000 {
		m := map[string]any{"request": "x"} // which Mistral's short forms do not have
		for range rnd.IntN(5) {
			m[members[rnd.IntN(len(members))]] = value(0)
		}
		body, _ := json.Marshal(m)
		p := tab.All()[rnd.IntN(len(tab.All()))]
		expectPage(t, p, 300+rnd.IntN(300), string(body))
	}
}

// The error formats of other providers prove nothing about this one's keys: a gateway of another vendor wrote them.
func TestForeignFormats(t *testing.T) {
	tab := table(t, nil)
	for provider, body := range map[string]string{
		"openai":    `{"detail":"Unauthorized"}`,
		"anthropic": openAIError("Invalid key", "invalid_request_error", "invalid_api_key"),
		"gemini":    anthropicError("authentication_error", "invalid x-api-key", ""),
		"groq":      `{"error":{"code":401,"message":"Unauthorized","status":"UNAUTHENTICATED"}}`,
		"mistral":   `{"message":"Unauthorized"}`,
		"deepseek":  `{"code":"Unauthenticated","error":"No key"}`,
	} {
		expectPage(t, tab.ByID(provider), 401, body)
	}
}

// The words of a page are kept for people, and a time that it names for the host.
func TestWordsOfAPage(t *testing.T) {
	p := table(t, nil).ByID("openai")
	for body, want := range map[string]string{
		"<html><head><title>Access &amp; Security</title></head><body>x</body></html>": ": Access & Security",
		"<html><body><h1>403\n Forbidden</h1></body></html>":                           ": 403 Forbidden",
		"<html><body>x</body></html>":                                                  "in its place",
		"RBAC: access denied":                                                          ": RBAC: access denied",
		`{"message":"Missing Authentication Token"}`:                                   ": Missing Authentication Token",
		strings.Repeat("x", 500):                                                       ": " + strings.Repeat("x", maxPage),
		"\xff\xfe":                                                                     "in its place",
		"":                                                                             "in its place",
	} {
		err := p.Client.DecodeError([]byte(body))
		p.Classify(err, Answer{Status: 503, Header: http.Header{"Retry-After": {"30"}}, Body: []byte(body)}, noon)
		if !strings.HasSuffix(err.Message, want) {
			t.Errorf("%q: %q", body, err.Message)
		}
		if rule := FailurePolicy(err, noon).Cooldown; rule.Until != noon+30_000 {
			t.Errorf("until %d", rule.Until)
		}
	}
}

// An error inside an answer has no body of its own: what the dialect read of it is the evidence.
func TestErrorsInsideAnswers(t *testing.T) {
	p := table(t, nil).ByID("groq")
	coded := &chat.Error{Type: "tokens", Code: "rate_limit_exceeded", Message: "Rate limit reached"}
	p.Classify(coded, Answer{}, noon)
	if coded.Class != chat.RateLimited || coded.Scope != chat.ScopeModel || !coded.Evidence {
		t.Errorf("%+v", coded)
	}
	text := &chat.Error{Message: "upstream connect error"}
	p.Classify(text, Answer{}, noon)
	if text.Class != chat.Transport || text.Scope != chat.ScopeHost || text.Evidence || text.Message != "upstream connect error" {
		t.Errorf("%+v", text)
	}
}

func FuzzPages(f *testing.F) {
	for _, page := range pages {
		f.Add([]byte(page), 403)
	}
	tab := table(f, nil)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		for _, p := range tab.All() {
			err := p.Client.DecodeError(body)
			p.Classify(err, Answer{Status: status, Body: body}, noon)
			if !json.Valid(body) && status >= 300 && (err.Scope != chat.ScopeHost || err.Evidence) {
				t.Fatalf("%s, %d %q: %+v", p.ID, status, body, err)
			}
			if !err.Evidence && err.Scope != chat.ScopeHost || err.Class == "" {
				t.Fatalf("%s, %d %q: %+v", p.ID, status, body, err)
			}
			rule := FailurePolicy(err, noon).Cooldown
			if !rule.None() && (rule.End(noon, 0) <= noon || rule.End(noon, 9) > noon+maxCooldown.Milliseconds()) {
				t.Fatalf("%s: %+v", p.ID, rule)
			}
			if err.Limit > 0 && err.Requested <= err.Limit {
				t.Fatalf("%s: %d of %d tokens", p.ID, err.Requested, err.Limit)
			}
			if err.RetryAfter < 0 || err.RetryAfter > 24*time.Hour {
				t.Fatalf("%s: after %v", p.ID, err.RetryAfter)
			}
		}
	})
}
