package gateway_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// What a provider says, as OpenAI says it.
var (
	saysRateLimit = answerError(429, `{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}`, "Retry-After", "20")
	saysBadKey    = answerError(401, `{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}`)
	saysNoCredit  = answerError(402, `{"error":{"message":"Insufficient balance","type":"invalid_request_error","code":"x"}}`)
	saysForbidden = answerError(403, `{"error":{"message":"Country, region, or territory not supported","type":"request_forbidden","code":"unsupported_country_region_territory"}}`)
	saysNoModel   = answerError(404, `{"error":{"message":"The model does not exist","code":"model_not_found"}}`)
	saysBroken    = answerError(500, `{"error":{"message":"Something broke"}}`)
)

// The cause that the caller is told does not depend on the order in which the keys were tried: what passes by itself goes
// before what somebody has to repair.
func TestOneCauseIsToldOfSeveral(t *testing.T) {
	tests := []struct {
		name    string
		answers []http.HandlerFunc
		code    fault.Code
		class   chat.Class
		wait    time.Duration
	}{
		{"rejected", []http.HandlerFunc{saysBadKey}, fault.Provider, chat.BadKey, 0},
		{"no credit", []http.HandlerFunc{saysNoCredit}, fault.Provider, chat.OutOfMoney, 0},
		{"forbidden", []http.HandlerFunc{saysForbidden}, fault.Provider, chat.Forbidden, 0},
		{"unknown model", []http.HandlerFunc{saysNoModel}, fault.NotFound, chat.ModelUnknown, 0},
		{"limited", []http.HandlerFunc{saysRateLimit}, fault.RateLimit, chat.RateLimited, 20 * time.Second},
		{"rejected and limited", []http.HandlerFunc{saysBadKey, saysRateLimit}, fault.RateLimit, chat.RateLimited, 20 * time.Second},
		{"limited and rejected", []http.HandlerFunc{saysRateLimit, saysBadKey}, fault.RateLimit, chat.RateLimited, 20 * time.Second},
		{"unknown model and rejected", []http.HandlerFunc{saysNoModel, saysBadKey}, fault.NotFound, chat.ModelUnknown, 0},
		{"unknown model and limited", []http.HandlerFunc{saysNoModel, saysRateLimit}, fault.RateLimit, chat.RateLimited, 20 * time.Second},
		{"broken and rejected", []http.HandlerFunc{saysBroken, saysBadKey}, fault.Provider, chat.Transport, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			for _, answer := range tt.answers {
				w.add(key{answer: answer})
			}
			_, err := w.do(w.request(model))
			f := wantCode(t, err, tt.code)
			if class := f.Details.(map[string]any)["class"]; class != tt.class || f.RetryAfter != tt.wait {
				t.Errorf("class %v, Retry-After %v, want %v, %v", class, f.RetryAfter, tt.class, tt.wait)
			}
		})
	}
}

// While every key cools down after a refusal, the caller is told to wait; a key that may never serve is another matter.
func TestKeysThatCoolDownAreUnavailable(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{"rejected": saysBadKey, "no credit": saysNoCredit} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.add(key{answer: answer})
			w.do(w.request(model))
			_, err := w.do(w.request(model))
			f := wantCode(t, err, fault.Unavailable)
			if f.RetryAfter <= 0 || f.RetryAfter > 6*time.Hour || w.callsOf(1) != 1 {
				t.Errorf("Retry-After %v after %d calls", f.RetryAfter, w.callsOf(1))
			}
			w.run(`update provider_keys set allowed_models = '["gpt-5"]'`)
			w.run(`update users set revision = revision + 1`)
			_, err = w.do(w.request(model))
			wantCode(t, err, fault.NoEligibleKey)
		})
	}
}

// The caller is told which provider failed, at which model, and in its own words.
func TestTheProvidersWordsAreTold(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: answerError(403, `{"error":{"message":"Project p of sk-test-0001-abcdefghijklmnop is not allowed`+strings.Repeat(" x", 2000)+`","type":"invalid_request_error","code":"c"}}`)})
	_, err := w.do(w.request(model))
	f := wantCode(t, err, fault.Provider)
	details := f.Details.(map[string]any)
	if !strings.Contains(f.Message, "OpenAI does not allow") || !strings.Contains(f.Message, "Project p of ") ||
		strings.Contains(f.Message, "abcdefgh") || len(f.Message) > 1<<10+200 || details["provider"] != "openai" || details["model"] != model {
		t.Errorf("%d bytes: %q %v", len(f.Message), f.Message, f.Details)
	}
}

// A model that no provider is known to have is unknown; one that somebody else has, or that a key's settings keep it from
// serving, is not.
func TestAModelThatNobodyHas(t *testing.T) {
	w := newWorld(t)
	_, err := w.do(w.request("no-such-model"))
	wantCode(t, err, fault.NoEligibleKey) // there is no key at all
	w.add(key{models: `["gpt-4o-mini"]`})
	for model, code := range map[string]fault.Code{
		"no-such-model": fault.NotFound, "": fault.NoEligibleKey, "gpt-5": fault.NoEligibleKey, "claude-opus-5": fault.NoEligibleKey,
	} {
		_, err := w.do(w.request(model))
		wantCode(t, err, code)
	}
}

// The trace of a request keeps what each failed attempt was told.
func TestTheTraceKeepsTheProvidersWords(t *testing.T) {
	w := newWorld(t)
	id := w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Request-Id", "req-42")
		saysBadKey(rw, r)
	}})
	w.do(w.request(model))
	var text string
	err := w.db.DB.Run(t.Context(), store.Stmt{SQL: `select trace from request_traces`, Each: func(r store.Row) error { return r.Scan(&text) }})
	if err != nil {
		t.Fatal(err)
	}
	var trace gateway.Trace
	if err := json.Unmarshal([]byte(text), &trace); err != nil || len(trace.Attempts) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	a := trace.Attempts[0]
	if a.KeyID != id || a.Status != 401 || a.Class != chat.BadKey || a.Scope != chat.ScopeKey || a.RequestID != "req-42" ||
		a.Message != "Incorrect API key provided" {
		t.Errorf("%+v", a)
	}
}
