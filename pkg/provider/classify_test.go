package provider

import (
	"net/http"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// noon is 2026-11-24 12:00 UTC, a Tuesday.
const noon = 1795521600000

func TestClassify(t *testing.T) {
	const month = 1796083200000 // 2026-12-01 00:00 UTC
	tests := []struct {
		name     string
		provider string
		status   int
		header   http.Header
		body     string
		class    chat.Class
		after    time.Duration
		resetAt  int64
	}{
		{"unknown key", "openai", 401, nil, `{"error":{"message":"Incorrect API key provided: x.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, chat.BadKey, 0, 0},
		{"unsupported country", "openai", 403, nil, `{"error":{"message":"Country, region, or territory not supported","type":"request_forbidden","param":null,"code":"unsupported_country_region_territory"}}`, chat.Forbidden, 0, 0},
		{"quota as 429", "openai", 429, nil, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`, chat.OutOfMoney, 0, 0},
		{"credit", "openai", 429, nil, `{"error":{"message":"x","type":"insufficient_quota","code":"credit_balance_exhausted"}}`, chat.OutOfMoney, 0, 0},
		{"spend limit", "openai", 429, nil, `{"error":{"message":"x","type":"x","code":"project_spend_limit_exceeded"}}`, chat.OutOfMoney, 0, month},
		{"rate, retry-after", "openai", 429, http.Header{"Retry-After": {"7"}}, `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`, chat.RateLimited, 7 * time.Second, 0},
		{"rate, milliseconds win", "openai", 429, http.Header{"Retry-After": {"7"}, "Retry-After-Ms": {"250.5"}}, `{"error":{"message":"x","type":"tokens","code":"rate_limit_exceeded"}}`, chat.RateLimited, 250500 * time.Microsecond, 0},
		{"rate, window", "openai", 429, http.Header{"X-Ratelimit-Remaining-Requests": {"12"}, "X-Ratelimit-Reset-Requests": {"6m0s"}, "X-Ratelimit-Remaining-Tokens": {"0"}, "X-Ratelimit-Reset-Tokens": {"1.5s"}}, `{"error":{"message":"x","type":"tokens","code":"rate_limit_exceeded"}}`, chat.RateLimited, 1500 * time.Millisecond, 0},
		{"rate, day", "openai", 429, nil, `{"error":{"message":"Rate limit reached for gpt-5 on requests per day (RPD): Limit 200, Used 200. Please try again in 7m12s.","type":"requests","code":"rate_limit_exceeded"}}`, chat.DailyQuota, 7*time.Minute + 12*time.Second, 0},
		{"slow down", "openai", 503, nil, `{"error":{"message":"x","type":"server_error","code":"slow_down"}}`, chat.Overloaded, 0, 0},
		{"overloaded", "openai", 503, http.Header{"Retry-After": {"3"}}, `{"error":{"message":"x","type":"service_unavailable_error","code":"server_is_overloaded"}}`, chat.Overloaded, 3 * time.Second, 0},
		{"no model", "openai", 404, nil, `{"error":{"message":"The model does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}`, chat.ModelUnknown, 0, 0},
		{"no model, responses", "openai", 400, nil, `{"error":{"message":"x","type":"invalid_request_error","code":"model_not_found"}}`, chat.ModelUnknown, 0, 0},
		{"too long", "openai", 400, nil, `{"error":{"message":"x","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`, chat.ContextLength, 0, 0},
		{"policy", "openai", 400, nil, `{"error":{"message":"x","type":"invalid_request_error","code":"content_policy_violation"}}`, chat.ContentPolicy, 0, 0},
		{"flagged prompt", "openai", 400, nil, `{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}`, chat.ContentPolicy, 0, 0},
		{"flagged prompt in a stream", "openai", 200, nil, `{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy.","type":"invalid_request_error","code":"invalid_prompt"}}`, chat.ContentPolicy, 0, 0},
		{"invalid prompt", "openai", 400, nil, `{"error":{"message":"Invalid prompt: the prompt is not well-formed","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}`, chat.BadRequest, 0, 0},
		{"bad value", "openai", 400, nil, `{"error":{"message":"Invalid value","type":"invalid_request_error","param":"temperature","code":"decimal_below_min_value"}}`, chat.BadRequest, 0, 0},
		{"broken", "openai", 500, nil, `{"error":{"message":"x","type":"server_error","code":null}}`, chat.Transport, 0, 0},
		{"html of a proxy", "openai", 502, nil, `<html>Bad Gateway</html>`, chat.Transport, 0, 0},
		{"wrong base URL", "openai", 404, nil, `<html>Not Found</html>`, chat.Transport, 0, 0},
		{"redirect", "openai", 302, nil, ``, chat.Transport, 0, 0},

		{"unknown key", "anthropic", 401, nil, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"request_id":"r"}`, chat.BadKey, 0, 0},
		{"billing", "anthropic", 402, nil, `{"type":"error","error":{"type":"billing_error","message":"x"}}`, chat.OutOfMoney, 0, 0},
		{"usage limit", "anthropic", 400, nil, `{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."}}`, chat.OutOfMoney, 0, month},
		{"workspace limit", "anthropic", 400, nil, `{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified workspace API usage limits."}}`, chat.OutOfMoney, 0, month},
		{"spend limit as 429", "anthropic", 429, nil, `{"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}}`, chat.OutOfMoney, 0, month},
		{"rate", "anthropic", 429, http.Header{"Retry-After": {"12"}}, `{"type":"error","error":{"type":"rate_limit_error","message":"x"}}`, chat.RateLimited, 12 * time.Second, 0},
		{"rate, window", "anthropic", 429, http.Header{"Anthropic-Ratelimit-Tokens-Remaining": {"0"}, "Anthropic-Ratelimit-Tokens-Reset": {"2026-11-24T12:00:30Z"}}, `{"type":"error","error":{"type":"rate_limit_error","message":"x"}}`, chat.RateLimited, 30 * time.Second, 0},
		{"overloaded", "anthropic", 529, nil, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, chat.Overloaded, 0, 0},
		{"overloaded in a stream", "anthropic", 200, nil, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, chat.Overloaded, 0, 0},
		{"too long", "anthropic", 400, nil, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}`, chat.ContextLength, 0, 0},
		{"filtered", "anthropic", 400, nil, `{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}`, chat.ContentPolicy, 0, 0},
		{"too large", "anthropic", 413, nil, `{"type":"error","error":{"type":"request_too_large","message":"x"}}`, chat.TooLarge, 0, 0},
		{"no model", "anthropic", 404, nil, `{"type":"error","error":{"type":"not_found_error","message":"model: x"}}`, chat.ModelUnknown, 0, 0},
		{"conflict", "anthropic", 409, nil, `{"type":"error","error":{"type":"conflict_error","message":"x"}}`, chat.Transport, 0, 0},
		{"timeout", "anthropic", 504, nil, `{"type":"error","error":{"type":"timeout_error","message":"x"}}`, chat.Transport, 0, 0},

		{"unknown key", "gemini", 400, nil, `{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}`, chat.BadKey, 0, 0},
		{"no credit", "gemini", 429, nil, `{"error":{"code":429,"message":"Your prepayment credits are depleted.","status":"RESOURCE_EXHAUSTED"}}`, chat.OutOfMoney, 0, 0},
		{"a day's quota", "gemini", 429, nil, `{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}}`, chat.DailyQuota, 20 * time.Hour, noon + 20*3600*1000},
		{"a day's quota beside a minute's", "gemini", 429, nil, `{"error":{"code":429,"message":"Please retry in 8.2s.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"},{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}`, chat.DailyQuota, 20 * time.Hour, noon + 20*3600*1000},
		{"no free tier", "gemini", 400, nil, `{"error":{"code":400,"message":"Gemini API free tier is not available in your country. Please enable billing on your project in Google AI Studio.","status":"FAILED_PRECONDITION"}}`, chat.OutOfMoney, 0, 0},
		{"other precondition", "gemini", 400, nil, `{"error":{"code":400,"message":"The file is not in an ACTIVE state.","status":"FAILED_PRECONDITION"}}`, chat.BadRequest, 0, 0},
		{"rate", "gemini", 429, nil, `{"error":{"code":429,"message":"x\nPlease retry in 48.939935699s.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateContentPaidTierInputTokensPerModelPerMinute"}]}]}}`, chat.RateLimited, 48939935699, 0},
		{"forbidden", "gemini", 403, nil, `{"error":{"code":403,"message":"x","status":"PERMISSION_DENIED"}}`, chat.Forbidden, 0, 0},
		{"no model", "gemini", 404, nil, `{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}`, chat.ModelUnknown, 0, 0},
		{"overloaded", "gemini", 503, nil, `[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]`, chat.Overloaded, 0, 0},
		{"bad field", "gemini", 400, nil, `{"error":{"code":400,"message":"Invalid JSON payload received.","status":"INVALID_ARGUMENT"}}`, chat.BadRequest, 0, 0},

		{"unknown key", "mistral", 401, nil, `{"detail":"Invalid API Key"}`, chat.BadKey, 0, 0},
		{"no model", "mistral", 400, nil, `{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500","raw_status_code":400}`, chat.ModelUnknown, 0, 0},
		{"extra field", "mistral", 422, nil, `{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","x"],"msg":"Extra inputs are not permitted"}]},"type":"invalid_request_error","param":null,"code":null}`, chat.BadRequest, 0, 0},
		{"rate", "mistral", 429, nil, `{"message":"Requests rate limit exceeded"}`, chat.RateLimited, 0, 0},
		{"no money", "mistral", 402, nil, `{"message":"x"}`, chat.OutOfMoney, 0, 0},
		{"no capacity", "mistral", 503, nil, `{"message":"x"}`, chat.Overloaded, 0, 0},

		{"unknown key", "groq", 401, nil, `{"error":{"message":"Invalid API Key","type":"invalid_request_error","code":"invalid_api_key"}}`, chat.BadKey, 0, 0},
		{"rate, text", "groq", 429, nil, `{"error":{"message":"Rate limit reached for model x on tokens per minute (TPM): Limit 6000. Please try again in 5.289s. Visit x","type":"tokens","code":"rate_limit_exceeded"}}`, chat.RateLimited, 5289 * time.Millisecond, 0},
		{"day", "groq", 429, nil, `{"error":{"message":"Rate limit reached for model x on tokens per day (TPD): Limit 1. Please try again in 1h4m2.5s.","type":"tokens","code":"rate_limit_exceeded"}}`, chat.DailyQuota, time.Hour + 4*time.Minute + 2500*time.Millisecond, 0},
		{"day, minutes", "groq", 429, nil, `{"error":{"message":"Rate limit reached for model x on tokens per day (TPD): Limit 100000. Please try again in 12m2.5s.","type":"tokens","code":"rate_limit_exceeded"}}`, chat.DailyQuota, 12*time.Minute + 2500*time.Millisecond, 0},
		{"request too large", "groq", 413, nil, `{"error":{"message":"Request too large for model","type":"tokens","code":"rate_limit_exceeded"}}`, chat.TooLarge, 0, 0},
		{"capacity", "groq", 498, nil, `{"error":{"message":"x","type":"x","code":"capacity_exceeded"}}`, chat.Overloaded, 0, 0},
		{"tool call", "groq", 400, nil, `{"error":{"message":"x","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"{}"}}`, chat.BadToolCall, 0, 0},
		{"no model", "groq", 404, nil, `{"error":{"message":"x","type":"invalid_request_error","code":"model_not_found"}}`, chat.ModelUnknown, 0, 0},

		{"no model", "together", 400, nil, `{"id":"x","error":{"message":"x","type":"invalid_request_error","param":null,"code":"model_not_available"}}`, chat.ModelUnknown, 0, 0},
		{"endpoint asleep", "together", 400, nil, `{"id":"x","error":{"message":"x","type":"invalid_request_error","param":null,"code":"dedicated_endpoint_not_running"}}`, chat.ModelUnknown, 0, 0},
		{"too long as 403", "together", 403, nil, `{"error":{"message":"Input token count + max_tokens parameter must be less than the context length of the model","type":"x"}}`, chat.ContextLength, 0, 0},
		{"too long as 403, capitals", "together", 403, nil, `{"error":{"message":"The request's Input Token Count + max_tokens is too high","type":"x"}}`, chat.ContextLength, 0, 0},
		{"token without access", "together", 403, nil, `{"error":{"message":"Your API token does not have access to this model","type":"forbidden"}}`, chat.Forbidden, 0, 0},
		{"forbidden", "together", 403, nil, `{"error":{"message":"no access","type":"x"}}`, chat.Forbidden, 0, 0},
		{"rate, bare numbers", "together", 429, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"4"}}, `{"error":{"message":"x","type":"rate_limit"}}`, chat.RateLimited, 4 * time.Second, 0},
		{"overloaded", "together", 503, nil, `{"error":{"message":"x","type":"service_unavailable"}}`, chat.Overloaded, 0, 0},

		{"suspended", "fireworks", 412, nil, `{"error":{"object":"error","type":"precondition_failed","message":"Account x is suspended"},"raw_output":null}`, chat.Forbidden, 0, 0},
		{"spent", "fireworks", 412, nil, `{"error":{"object":"error","type":"x","message":"Account x is suspended, possibly due to reaching the monthly spending limit"}}`, chat.OutOfMoney, 0, 0},
		{"no model", "fireworks", 404, nil, `{"error":{"object":"error","type":"not_found","message":"Model not found"}}`, chat.ModelUnknown, 0, 0},

		{"no balance", "deepseek", 402, nil, `{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}`, chat.OutOfMoney, 0, 0},
		{"unknown key", "deepseek", 401, nil, `{"error":{"message":"Authentication Fails","type":"authentication_error","code":"invalid_request_error"}}`, chat.BadKey, 0, 0},
		{"too long", "deepseek", 400, nil, `{"error":{"message":"This model's maximum context length is 131072 tokens. However, you requested 200000.","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}`, chat.ContextLength, 0, 0},
		{"no model", "deepseek", 400, nil, `{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}`, chat.ModelUnknown, 0, 0},
		{"overloaded", "deepseek", 503, nil, `{"error":{"message":"busy","type":"service_unavailable_error","code":null}}`, chat.Overloaded, 0, 0},
		{"no body", "deepseek", 503, nil, ``, chat.Transport, 0, 0},

		{"unknown key", "openrouter", 401, nil, `{"error":{"message":"User not found.","code":401}}`, chat.BadKey, 0, 0},
		{"no credit", "openrouter", 402, nil, `{"error":{"message":"Insufficient credits","code":402}}`, chat.OutOfMoney, 0, 0},
		{"budget in flight", "openrouter", 402, nil, `{"error":{"message":"x","code":402,"metadata":{"provider_code":"in_flight_budget_exhausted"}},"availability":{"retry_after":2}}`, chat.RateLimited, 2 * time.Second, 0},
		{"moderation", "openrouter", 403, nil, `{"error":{"message":"x","code":403,"metadata":{"reasons":["violence"],"flagged_input":"x"}}}`, chat.ContentPolicy, 0, 0},
		{"forbidden", "openrouter", 403, nil, `{"error":{"message":"x","code":403}}`, chat.Forbidden, 0, 0},
		{"too long by type", "openrouter", 400, nil, `{"error":{"message":"x","code":400,"metadata":{"error_type":"context_length_exceeded"}}}`, chat.ContextLength, 0, 0},
		{"too long by text", "openrouter", 400, nil, `{"error":{"message":"This endpoint's maximum context length is 200000 tokens.","code":400}}`, chat.ContextLength, 0, 0},
		{"upstream's limit", "openrouter", 429, nil, `{"error":{"code":429,"message":"Provider returned error","metadata":{"provider_name":"Google","raw":"temporarily rate-limited","provider_code":"insufficient_quota"}}}`, chat.RateLimited, 0, 0},
		{"upstream's key", "openrouter", 502, nil, `{"error":{"code":502,"message":"Provider returned error","metadata":{"provider_name":"X","provider_code":"invalid_api_key"}}}`, chat.Transport, 0, 0},
		{"free models of a day", "openrouter", 429, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1795525200000"}}, `{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-day"}}`, chat.DailyQuota, time.Hour, 0},
		{"no model", "openrouter", 404, nil, `{"error":{"code":404,"message":"No endpoints found"},"availability":{"code":"no_endpoints"}}`, chat.ModelUnknown, 0, 0},
		{"no model as 400", "openrouter", 400, nil, `{"error":{"code":400,"message":"x is not a valid model ID"}}`, chat.ModelUnknown, 0, 0},
		{"edge timeout", "openrouter", 524, nil, `{"error":{"code":524,"message":"x"}}`, chat.Overloaded, 0, 0},
		{"error within 200", "openrouter", 200, nil, `{"error":{"code":429,"message":"Provider returned error"}}`, chat.RateLimited, 0, 0},
	}
	tab := table(t, nil)
	for _, tt := range tests {
		t.Run(tt.provider+"/"+tt.name, func(t *testing.T) {
			p := tab.ByID(tt.provider)
			err := &chat.Error{}
			if p.Client != nil {
				err = p.Client.DecodeError([]byte(tt.body))
			}
			p.Classify(err, Answer{Status: tt.status, Header: tt.header, Body: []byte(tt.body)}, noon)
			if err.Class != tt.class || err.RetryAfter != tt.after || err.ResetAt != tt.resetAt {
				t.Errorf("got %s, after %v, reset %d; want %s, %v, %d", err.Class, err.RetryAfter, err.ResetAt, tt.class, tt.after, tt.resetAt)
			}
		})
	}
}

func TestClassifyKeepsAClass(t *testing.T) {
	err := &chat.Error{Class: chat.Transport, Code: "invalid_api_key"}
	table(t, nil).ByID("openai").Classify(err, Answer{Status: 401}, noon)
	if err.Class != chat.Transport {
		t.Errorf("class %s", err.Class)
	}
}

// An error without any known word still gets a class, whatever the provider and the status.
func TestEveryStatusHasAClass(t *testing.T) {
	for _, p := range table(t, nil).All() {
		for status := range 600 {
			err := &chat.Error{}
			p.Classify(err, Answer{Status: status, Body: []byte(`{"error":{"message":"x"}}`)}, noon)
			if err.Class == "" {
				t.Errorf("%s: status %d has no class", p.ID, status)
			}
			if status >= 500 && err.CallerCaused() {
				t.Errorf("%s: status %d is blamed on the caller", p.ID, status)
			}
		}
	}
}

func FuzzReadDetails(f *testing.F) {
	for _, s := range []string{
		``, `{`, `[]`, `null`, `{"error":"text"}`, `{"error":{"details":[1,{"violations":[null]}]}}`, `{"detail":[{"loc":["body",0],"msg":"m"}]}`,
		`{"error":{"code":429,"metadata":{"reasons":["x"]}},"availability":{"retry_after":1e999}}`,
	} {
		f.Add([]byte(s))
	}
	tab := table(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, p := range tab.All() {
			err := &chat.Error{}
			p.Classify(err, Answer{Status: 429, Body: body}, noon)
			if err.Class == "" || err.RetryAfter < 0 || err.RetryAfter > MaxHint {
				t.Fatalf("%s: class %q, after %v", p.ID, err.Class, err.RetryAfter)
			}
			if _, until := afterFailure(err, noon); until < 0 || until > noon+maxCooldown.Milliseconds() {
				t.Fatalf("%s: cools down until %d", p.ID, until)
			}
		}
	})
}
