package provider

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

func TestCheck(t *testing.T) {
	const models = `{"object":"list","data":[]}`
	for _, tt := range []struct {
		name, provider string
		status         int
		body           string
		class          chat.Class
		says           string
	}{
		{"lives", "openai", 200, models, "", "shows when it is used"},
		{"bare array", "together", 200, `[{"id":"x"}]`, "", ""},
		{"anthropic", "anthropic", 200, `{"data":[]}`, "", ""},
		{"unknown", "openai", 401, `{"error":{"message":"Incorrect API key provided: ` + secret + `","code":"invalid_api_key"}}`, chat.BadKey, "[redacted]"},
		{"unknown as 400", "gemini", 400, `{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}`, chat.BadKey, "API key not valid."},
		{"anthropic unknown", "anthropic", 401, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}`, chat.BadKey, "invalid x-api-key"},
		{"credit left", "openrouter", 200, `{"data":{"label":"x","limit":10,"limit_remaining":0.5}}`, "", "credit is not used up"},
		{"no limit", "openrouter", 200, `{"data":{"label":"x","limit":null,"limit_remaining":null}}`, "", ""},
		{"credit used up", "openrouter", 200, `{"data":{"label":"x","limit":10,"limit_remaining":-0.01}}`, chat.OutOfMoney, "-0.01"},
		{"balance", "deepseek", 200, `{"is_available":true,"balance_infos":[]}`, "", ""},
		{"no balance", "deepseek", 200, `{"is_available":false,"balance_infos":[]}`, chat.OutOfMoney, "balance"},
		{"no JSON", "mistral", 200, `<html>`, chat.Transport, "base URL"},
		{"busy", "groq", 503, `{"error":{"message":"busy, status 503","type":"internal_server_error"}}`, chat.Overloaded, "503"},
		{"no body", "groq", 503, ``, chat.Transport, "503"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, c := serve(t, tt.provider, func(w http.ResponseWriter, r *http.Request) {
				want := strings.TrimPrefix(r.URL.RequestURI(), "/base")
				p := table(t, nil).ByID(tt.provider)
				name, value := p.Auth.Header(secret)
				if r.Method != "GET" || want != p.check.path || r.Header.Get(name) != value || r.Header.Get("Content-Type") != "" {
					t.Errorf("%s %s %v", r.Method, r.RequestURI, r.Header)
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			res := c.Check(deadline(t), p, secret)
			if res.Class != tt.class || res.OK != (tt.class == "") || res.Status != tt.status || !strings.Contains(res.Message, tt.says) || res.Message == "" {
				t.Errorf("%+v", res)
			}
			if strings.Contains(res.Message, secret) {
				t.Error("the key is repeated")
			}
			if res.Latency <= 0 || (res.Err == nil) != res.OK {
				t.Errorf("%+v", res)
			}
		})
	}
}

// A check names no model: a key that may not list the models is refused, and a limit is none of the key's.
func TestChecksAreAboutNoModel(t *testing.T) {
	for status, want := range map[int]chat.Scope{401: chat.ScopeKey, 402: chat.ScopeKey, 403: chat.ScopeKey, 404: chat.ScopeAttempt,
		429: chat.ScopeAttempt, 500: chat.ScopeHost, 503: chat.ScopeHost} {
		p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, `{"error":{"message":"no","type":"x","code":null}}`)
		})
		if res := c.Check(deadline(t), p, secret); res.Err == nil || res.Err.Scope != want {
			t.Errorf("%d: %+v", status, res.Err)
		}
	}
}

func TestCheckWithinItsTime(t *testing.T) {
	p, c := serve(t, "openai", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if res := c.Check(ctx, p, secret); res.OK || res.Class != chat.Timeout || res.Status != 0 {
		t.Errorf("%+v", res)
	}
}
