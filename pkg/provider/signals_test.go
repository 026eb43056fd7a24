package provider

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// outcome is what a failure means: its class and scope, and how long the first cooldown lasts. Of a host's failures
// that is the cooldown of this model on the key, as long as other keys are well.
type outcome struct {
	class    chat.Class
	scope    chat.Scope
	cooldown time.Duration
}

// said is one failure, as a provider words it.
type said struct {
	provider string
	status   int    // 200: inside an answer
	header   string // "Name: value"
	body     string
	outcome
	limit, requested int64
}

const (
	onRequest = chat.ScopeRequest
	onAttempt = chat.ScopeAttempt
	onModel   = chat.ScopeModel
	onKey     = chat.ScopeKey
	onHost    = chat.ScopeHostModel

	untilMonth    = 156 * time.Hour // from noon to 2026-12-01 00:00 UTC
	untilMidnight = 20 * time.Hour  // Pacific time
)

func rejected(class chat.Class) outcome { return outcome{class, onKey, time.Minute} }
func noAccess(class chat.Class) outcome { return outcome{class, onModel, 10 * time.Minute} }
func money(d time.Duration) outcome     { return outcome{chat.OutOfMoney, onKey, d} }
func daily(d time.Duration) outcome     { return outcome{chat.DailyQuota, onModel, d} }
func rate(s chat.Scope, d time.Duration) outcome {
	return outcome{chat.RateLimited, s, d}
}
func caller(class chat.Class) outcome { return outcome{class, onRequest, 0} }

var (
	tooMuch    = outcome{chat.TooLarge, onAttempt, 0}
	overloaded = outcome{chat.Overloaded, onHost, 2 * time.Second}
	broken     = outcome{chat.Transport, onHost, 2 * time.Second}
)

// openAIError is an error in the format of Chat Completions.
func openAIError(message, kind, code string) string {
	return `{"error":{"message":` + quote(message) + `,"type":` + quote(kind) + `,"param":null,"code":` + orNull(code) + `}}`
}

func anthropicError(kind, message, code string) string {
	details := ""
	if code != "" {
		details = `,"details":{"error_code":` + quote(code) + `}`
	}
	return `{"type":"error","error":{"type":` + quote(kind) + `,"message":` + quote(message) + details + `},"request_id":"req_1"}`
}

func googleError(code, status, message string, details ...string) string {
	return `{"error":{"code":` + code + `,"message":` + quote(message) + `,"status":` + quote(status) + `,"details":[` + strings.Join(details, ",") + `]}}`
}

func quota(id, model string) string {
	dimensions := `{"location":"global"}`
	if model != "" {
		dimensions = `{"location":"global","model":` + quote(model) + `}`
	}
	return `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"m","quotaId":` + quote(id) +
		`,"quotaDimensions":` + dimensions + `,"quotaValue":"9"}]}`
}

func retryInfo(delay string) string {
	return `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":` + quote(delay) + `}`
}

func openRouterError(code, message, metadata string) string {
	return `{"error":{"code":` + code + `,"message":` + quote(message) + `,"metadata":{` + metadata + `}},"user_id":"user_1"}`
}

func mistralError(message, kind, code string) string {
	return `{"object":"error","message":` + quote(message) + `,"type":` + quote(kind) + `,"param":null,"code":` + orNull(code) + `}`
}

func xAIError(code, text string) string {
	return `{"code":` + quote(code) + `,"error":` + quote(text) + `}`
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return quote(s)
}

func TestSignals(t *testing.T) {
	tab := table(t, nil)
	for _, s := range allSaid() {
		p := tab.ByID(s.provider)
		name, value, _ := strings.Cut(s.header, ": ")
		header := http.Header{}
		if name != "" {
			header.Set(name, value)
		}
		err := p.Client.DecodeError([]byte(s.body))
		p.Classify(err, Answer{Status: s.status, Header: header, Body: []byte(s.body)}, noon)
		policy := FailurePolicy(err, noon)
		cooldown := time.Duration(0)
		if !policy.Cooldown.None() {
			cooldown = time.Duration(policy.Cooldown.End(noon, 0)-noon) * time.Millisecond
		}
		if got := (outcome{err.Class, err.Scope, cooldown}); got != s.outcome || !err.Evidence {
			t.Errorf("%s %d %s\n got %v, evidence %v\nwant %v", s.provider, s.status, s.body, got, err.Evidence, s.outcome)
		}
		if err.Limit != s.limit || err.Requested != s.requested {
			t.Errorf("%s %s: limit %d, requested %d", s.provider, s.body, err.Limit, err.Requested)
		}
		want := FailoverAny
		switch {
		case s.class == chat.ContextLength:
			want = FailoverLargerContext
		case s.scope == onRequest:
			want = NoFailover
		}
		if policy.Failover != want {
			t.Errorf("%s %s: failover %d, want %d", s.provider, s.body, policy.Failover, want)
		}
	}
}

// The rows of a table of what each provider says, in the order of the table of providers.
func allSaid() []said {
	var all []said
	for _, list := range [][]said{openAISaid(), anthropicSaid(), geminiSaid(), openRouterSaid(), groqSaid(), otherSaid()} {
		all = append(all, list...)
	}
	return all
}

func openAISaid() []said {
	context := caller(chat.ContextLength)
	return []said{
		{"openai", 401, "", openAIError("Incorrect API key provided: sk-x.", "invalid_request_error", "invalid_api_key"), rejected(chat.BadKey), 0, 0},
		{"openai", 401, "", openAIError("You must be a member of an organization to use the API", "invalid_request_error", ""), rejected(chat.BadKey), 0, 0},
		{"openai", 401, "", openAIError("Your IP is not authorized for this project", "invalid_request_error", "ip_not_authorized"), rejected(chat.Forbidden), 0, 0},
		{"openai", 401, "", openAIError("You have insufficient permissions for this operation. Missing scopes: model.request", "invalid_request_error", ""), noAccess(chat.Forbidden), 0, 0},
		{"openai", 403, "", openAIError("Country not supported", "request_forbidden", "unsupported_country_region_territory"), rejected(chat.Forbidden), 0, 0},
		{"openai", 403, "", openAIError("Project `p` does not have access to model `gpt-5`", "invalid_request_error", "model_not_found"), noAccess(chat.Forbidden), 0, 0},
		{"openai", 403, "", openAIError("Something new is not allowed", "permission_error", "brand_new"), noAccess(chat.Forbidden), 0, 0},
		{"openai", 400, "", openAIError("This organization has been disabled.", "invalid_request_error", ""), rejected(chat.Forbidden), 0, 0},
		{"openai", 400, "", openAIError("Your organization must be verified to use the model `o3`. Go to settings.", "invalid_request_error", "model_not_found_yet"), noAccess(chat.Forbidden), 0, 0},
		{"openai", 400, "", openAIError("Your organization must be verified to stream this model.", "invalid_request_error", "unsupported_value"), outcome{chat.Forbidden, onAttempt, 0}, 0, 0},
		{"openai", 429, "", openAIError("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), money(time.Hour), 0, 0},
		{"openai", 429, "", openAIError("No credit", "insufficient_quota", "credit_balance_exhausted"), money(time.Hour), 0, 0},
		{"openai", 429, "", openAIError("Spent", "insufficient_quota", "organization_spend_limit_exceeded"), money(time.Hour), 0, 0},
		{"openai", 429, "", openAIError("Spent", "x", "organization_usage_limit_exceeded"), money(time.Hour), 0, 0},
		{"openai", 429, "", openAIError("The project's budget is spent", "x", "project_spend_limit_exceeded"), money(untilMonth), 0, 0},
		{"openai", 429, "Retry-After: 7", openAIError("Rate limit reached for gpt-5 on requests per min (RPM): Limit 3, Used 3, Requested 1.", "requests", "rate_limit_exceeded"), rate(onModel, 7*time.Second), 0, 0},
		{"openai", 429, "X-Ratelimit-Reset-Tokens: 1.5s", openAIError("Rate limit reached", "tokens", "rate_limit_exceeded"), rate(onModel, 1500*time.Millisecond), 0, 0},
		{"openai", 429, "", openAIError("Rate limit reached for gpt-5 on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.", "requests", "rate_limit_exceeded"), daily(432 * time.Second), 0, 0},
		{"openai", 429, "", openAIError("Request too large for gpt-5 on tokens per min (TPM): Limit 30,000, Requested 41,250. The input must be reduced.", "tokens", "rate_limit_exceeded"), tooMuch, 30000, 41250},
		{"openai", 429, "", openAIError("Request too large for gpt-5 on tokens per day (TPD): Limit 90000, Requested 100000.", "tokens", "rate_limit_exceeded"), tooMuch, 90000, 100000},
		{"openai", 429, "", openAIError("Request too large for gpt-5.", "tokens", "rate_limit_exceeded"), tooMuch, 0, 0},
		{"openai", 503, "", openAIError("Busy", "service_unavailable_error", "server_is_overloaded"), overloaded, 0, 0},
		{"openai", 503, "Retry-After: 3", openAIError("Slow down", "service_unavailable_error", "slow_down"), outcome{chat.Overloaded, onHost, 3 * time.Second}, 0, 0},
		{"openai", 500, "", openAIError("The server had an error", "server_error", ""), broken, 0, 0},
		{"openai", 404, "", openAIError("The model `x` does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"), noAccess(chat.ModelUnknown), 0, 0},
		{"openai", 400, "", openAIError("The requested model 'x' does not exist.", "invalid_request_error", "model_not_found"), noAccess(chat.ModelUnknown), 0, 0},
		{"openai", 400, "", openAIError("Your input exceeds the context window of this model.", "invalid_request_error", "context_length_exceeded"), context, 0, 0},
		{"openai", 400, "", openAIError("This model's maximum context length is 128000 tokens. However, your messages resulted in 130011 tokens.", "invalid_request_error", "context_length_exceeded"), context, 128000, 130011},
		{"openai", 200, "", openAIError("Your input exceeds the context window of this model.", "", "context_length_exceeded"), context, 0, 0},
		{"openai", 400, "", openAIError("Unknown parameter: 'x'.", "invalid_request_error", "unknown_parameter"), caller(chat.BadRequest), 0, 0},
		{"openai", 409, "", openAIError("Conflict", "server_error", ""), outcome{chat.Transport, onAttempt, 0}, 0, 0},
	}
}

func anthropicSaid() []said {
	invalid := "invalid_request_error"
	return []said{
		{"anthropic", 401, "", anthropicError("authentication_error", "invalid x-api-key", ""), rejected(chat.BadKey), 0, 0},
		{"anthropic", 403, "", anthropicError("permission_error", "Your API key may not use this resource.", ""), rejected(chat.Forbidden), 0, 0},
		{"anthropic", 403, "", anthropicError("permission_error", "Your account may not use the model claude-x.", ""), noAccess(chat.Forbidden), 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "On hold.", "organization_on_hold"), rejected(chat.Forbidden), 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "This organization has been disabled.", ""), rejected(chat.Forbidden), 0, 0},
		{"anthropic", 402, "", anthropicError("billing_error", "Add a card.", ""), money(time.Hour), 0, 0},
		{"anthropic", 402, "", anthropicError("billing_error", "x", "linked_organization_spend_limit_reached"), money(untilMonth), 0, 0},
		{"anthropic", 402, "", anthropicError("billing_error", "x", "linked_organization_billing_unavailable"), money(time.Hour), 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "You have reached your specified API usage limits. You will regain access on 2026-12-01.", ""), money(untilMonth), 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "You have reached your specified workspace API usage limits.", ""), money(untilMonth), 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "Your credit balance is too low to access the Anthropic API.", ""), money(time.Hour), 0, 0},
		{"anthropic", 429, "", anthropicError("rate_limit_error", "Changed words", "enforced_spend_limit_reached"), money(untilMonth), 0, 0},
		{"anthropic", 429, "", anthropicError("rate_limit_error", "Changed words", "contract_spend_limit_reached"), money(untilMonth), 0, 0},
		{"anthropic", 429, "Retry-After: 12", anthropicError("rate_limit_error", "Too many tokens a minute", ""), rate(onModel, 12*time.Second), 0, 0},
		{"anthropic", 429, "Retry-After: 40", anthropicError("rate_limit_error", "Your use grows too fast", "ramp_limit_exceeded"), rate(onKey, 40*time.Second), 0, 0},
		{"anthropic", 529, "", anthropicError("overloaded_error", "Overloaded", ""), overloaded, 0, 0},
		{"anthropic", 200, "", anthropicError("overloaded_error", "Overloaded", ""), overloaded, 0, 0},
		{"anthropic", 200, "", anthropicError("rate_limit_error", "Slow", ""), rate(onModel, 5*time.Second), 0, 0},
		{"anthropic", 500, "", anthropicError("api_error", "Internal", ""), broken, 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "prompt is too long: 208310 tokens > 200000 maximum", ""), caller(chat.ContextLength), 200000, 208310},
		{"anthropic", 400, "", anthropicError(invalid, "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length", ""), caller(chat.ContextLength), 200000, 209573},
		{"anthropic", 400, "", anthropicError(invalid, "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens", ""), caller(chat.BadRequest), 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "An image is too wide", "image_dimensions_too_large"), caller(chat.TooLarge), 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "Too many tools", "available_tools_limit_exceeded"), caller(chat.BadRequest), 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "Two tools share a name", "tool_name_conflict"), caller(chat.BadRequest), 0, 0},
		{"anthropic", 400, "", anthropicError(invalid, "Nothing to compact", "compaction_failed"), caller(chat.BadRequest), 0, 0},
		{"anthropic", 413, "", anthropicError("request_too_large", "Request exceeds the maximum size", ""), caller(chat.TooLarge), 0, 0},
		{"anthropic", 404, "", anthropicError("not_found_error", "model: claude-9", ""), noAccess(chat.ModelUnknown), 0, 0},
	}
}

func geminiSaid() []said {
	exhausted := "RESOURCE_EXHAUSTED"
	return []said{
		{"gemini", 400, "", googleError("400", "INVALID_ARGUMENT", "API key not valid.", `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}`), rejected(chat.BadKey), 0, 0},
		{"gemini", 403, "", googleError("403", "PERMISSION_DENIED", "The caller does not have permission"), rejected(chat.Forbidden), 0, 0},
		{"gemini", 403, "", googleError("403", "PERMISSION_DENIED", "You do not have permission to access tuned model x"), noAccess(chat.Forbidden), 0, 0},
		{"gemini", 400, "", googleError("400", "FAILED_PRECONDITION", "User location is not supported for the API use."), rejected(chat.Forbidden), 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Your prepayment credits are depleted."), money(time.Hour), 0, 0},
		{"gemini", 402, "", googleError("402", exhausted, "Pay"), money(time.Hour), 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Quota exceeded", quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "gemini-2.5-pro"), retryInfo("31s")), daily(untilMidnight), 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Quota exceeded", quota("GenerateRequestsPerDayPerProject", "gemini-2.5-pro")), daily(untilMidnight), 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Quota exceeded", quota("GenerateRequestsPerDayPerProject", "")), outcome{chat.DailyQuota, onKey, untilMidnight}, 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Quota exceeded", quota("GenerateContentPaidTierInputTokensPerModelPerMinute", "gemini-2.5-pro"), retryInfo("34.4s")), rate(onModel, 34400*time.Millisecond), 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Quota exceeded", quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", ""), retryInfo("9s")), rate(onModel, 9*time.Second), 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Quota exceeded", quota("RequestsPerMinutePerProject", ""), retryInfo("9s")), rate(onKey, 9*time.Second), 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Quota exceeded for metric: free_tier_requests, limit: 0\nPlease retry in 34s.", quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "gemini-3-pro"), retryInfo("34s")), noAccess(chat.Forbidden), 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Quota exceeded for metric: free_tier_requests, limit: 05, model: x", retryInfo("34s")), rate(onModel, 34*time.Second), 0, 0},
		{"gemini", 429, "", googleError("429", exhausted, "Resource has been exhausted (e.g. check quota)."), rate(onModel, 5*time.Second), 0, 0},
		{"gemini", 503, "", googleError("503", "UNAVAILABLE", "The model is overloaded."), overloaded, 0, 0},
		{"gemini", 503, "", "[" + googleError("503", "UNAVAILABLE", "The model is overloaded.") + "]", overloaded, 0, 0},
		{"gemini", 500, "", googleError("500", "INTERNAL", "An internal error has occurred."), broken, 0, 0},
		{"gemini", 400, "", googleError("400", "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."), caller(chat.ContextLength), 1048576, 1200000},
		{"gemini", 400, "", googleError("400", "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens allowed 1048576."), caller(chat.ContextLength), 0, 0},
		{"gemini", 404, "", googleError("404", "NOT_FOUND", "models/x is not found"), noAccess(chat.ModelUnknown), 0, 0},
		{"gemini", 200, "", googleError("503", "UNAVAILABLE", "The model is overloaded."), overloaded, 0, 0},
	}
}

func openRouterSaid() []said {
	return []said{
		{"openrouter", 401, "", `{"error":{"message":"User not found.","code":401}}`, rejected(chat.BadKey), 0, 0},
		{"openrouter", 402, "", openRouterError("402", "Insufficient credits", `"limit_source":"openrouter_credits"`), money(time.Hour), 0, 0},
		{"openrouter", 402, "", openRouterError("402", "Key limit", `"limit_source":"openrouter_key_limit","resets_at":"2026-11-30T12:00:00Z"`), money(144 * time.Hour), 0, 0},
		{"openrouter", 403, "", openRouterError("403", "Budget limit exceeded", `"limit_source":"openrouter_guardrail_budget","scope":"user","limit_usd":5,"spend_usd":5.1,"resets_at":"2026-11-25T00:00:00Z"`), money(12 * time.Hour), 0, 0},
		{"openrouter", 403, "", openRouterError("403", "The workspace's budget limit exceeded", `"limit_source":"openrouter_workspace_budget"`), money(time.Hour), 0, 0},
		{"openrouter", 402, "", `{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens. You requested up to 64000 tokens, but can only afford 1480."}}`, tooMuch, 1480, 64000},
		{"openrouter", 402, "", `{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens. You requested up to 64000 tokens, but can only afford 0."}}`, money(time.Hour), 0, 0},
		{"openrouter", 402, "", `{"error":{"code":402,"message":"Requested up to 64000 tokens, but can only afford -12."}}`, money(time.Hour), 0, 0},
		{"openrouter", 402, "", `{"error":{"code":402,"message":"Prompt tokens limit exceeded: 12030 > 8004. To increase, visit settings."}}`, tooMuch, 8004, 12030},
		{"openrouter", 402, "Retry-After: 2", openRouterError("402", "Too much under way", `"limit_source":"openrouter_in_flight_budget","provider_code":"in_flight_budget_exhausted"`), rate(onKey, 2*time.Second), 0, 0},
		{"openrouter", 429, "", openRouterError("429", "Rate limit exceeded: free-models-per-day. Add 10 credits.", `"headers":{"X-RateLimit-Limit":"50","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1795564800000"}`), daily(12 * time.Hour), 0, 0},
		{"openrouter", 429, "", openRouterError("429", "Rate limit exceeded: free-models-per-day-high-balance.", `"headers":{"X-RateLimit-Reset":"1795564800000"}`), daily(12 * time.Hour), 0, 0},
		{"openrouter", 429, "", openRouterError("429", "Rate limit exceeded: free-models-per-min.", `"headers":{"X-RateLimit-Reset":"1795521630000"}`), rate(onModel, 30*time.Second), 0, 0},
		{"openrouter", 429, "", openRouterError("429", "Provider returned error", `"provider_name":"Chutes","raw":"x/y:free is temporarily rate-limited upstream. Please retry shortly."`), rate(onModel, 5*time.Second), 0, 0},
		{"openrouter", 403, "", openRouterError("403", "Your input was flagged", `"reasons":["violence"],"provider_name":"OpenAI"`), caller(chat.ContentPolicy), 0, 0},
		{"openrouter", 403, "", openRouterError("403", "Provider returned error", `"provider_name":"Google","raw":"denied"`), noAccess(chat.Forbidden), 0, 0},
		{"openrouter", 401, "", openRouterError("401", "Provider returned error", `"provider_name":"Google","raw":"bad key"`), noAccess(chat.Forbidden), 0, 0},
		{"openrouter", 400, "", `{"error":{"code":400,"message":"This endpoint's maximum context length is 128000 tokens. However, you requested about 140000 tokens."}}`, caller(chat.ContextLength), 128000, 140000},
		{"openrouter", 502, "", openRouterError("502", "Provider returned error", `"provider_name":"X"`), broken, 0, 0},
		{"openrouter", 503, "", `{"error":{"code":503,"message":"No provider is available"}}`, overloaded, 0, 0},
		{"openrouter", 413, "", openRouterError("413", "Too large", `"error_type":"payload_too_large"`), caller(chat.TooLarge), 0, 0},
	}
}

func groqSaid() []said {
	limited := func(text string) string { return openAIError(text, "tokens", "rate_limit_exceeded") }
	return []said{
		{"groq", 401, "", openAIError("Invalid API Key", "invalid_request_error", "invalid_api_key"), rejected(chat.BadKey), 0, 0},
		{"groq", 429, "", openAIError("Rate limit reached for model m on requests per day (RPD): Limit 1000, Used 1000, Requested 1. Please try again in 1m26.4s.", "requests", "rate_limit_exceeded"), daily(86400 * time.Millisecond), 0, 0},
		{"groq", 429, "", limited("Rate limit reached for model m on tokens per day (TPD): Limit 200000, Used 199500, Requested 900."), daily(time.Hour), 0, 0},
		{"groq", 429, "Retry-After: 4", limited("Rate limit reached for model m on tokens per minute (TPM): Limit 8000, Used 7900, Requested 900."), rate(onModel, 4*time.Second), 0, 0},
		{"groq", 413, "", limited("Request too large for model m on tokens per minute (TPM): Limit 8000, Requested 9300, please reduce your message size."), tooMuch, 8000, 9300},
		{"groq", 413, "", limited("Request too large for model m."), tooMuch, 0, 0},
		{"groq", 429, "", limited("Rate limit reached for model m on tokens per minute (ITPM): Limit 8000, Used 100, Requested 9300."), tooMuch, 8000, 9300},
		{"groq", 413, "", openAIError("Request Entity Too Large", "invalid_request_error", "request_too_large"), caller(chat.TooLarge), 0, 0},
		{"groq", 400, "", openAIError("The model m requires terms acceptance.", "invalid_request_error", "model_terms_required"), noAccess(chat.Forbidden), 0, 0},
		{"groq", 403, "", openAIError("The model m is blocked at the organization level.", "permissions_error", "model_permission_blocked_org"), noAccess(chat.Forbidden), 0, 0},
		{"groq", 403, "", openAIError("The model m is blocked at the project level.", "permissions_error", "model_permission_blocked_project"), noAccess(chat.Forbidden), 0, 0},
		{"groq", 400, "", openAIError("Organization restricted", "invalid_request_error", "organization_restricted"), rejected(chat.Forbidden), 0, 0},
		{"groq", 400, "", openAIError("Spend limit", "invalid_request_error", "blocked_api_access"), money(time.Hour), 0, 0},
		{"groq", 404, "", openAIError("The model m does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"), noAccess(chat.ModelUnknown), 0, 0},
		{"groq", 498, "", openAIError("Flex is full", "x", "capacity_exceeded"), overloaded, 0, 0},
		{"groq", 400, "", openAIError("Please reduce the length of the messages or completion.", "invalid_request_error", "context_length_exceeded"), caller(chat.ContextLength), 0, 0},
		{"groq", 400, "", openAIError("Failed to call a function.", "invalid_request_error", "tool_use_failed"), outcome{chat.BadToolCall, onAttempt, 0}, 0, 0},
	}
}

func otherSaid() []said {
	denied := "The caller does not have permission to execute the specified operation"
	return []said{
		{"mistral", 401, "", `{"detail":"Invalid API Key"}`, rejected(chat.BadKey), 0, 0},
		{"mistral", 401, "", `{"message":"Unauthorized","request_id":"r"}`, rejected(chat.BadKey), 0, 0},
		{"mistral", 401, "Mistral-Correlation-Id: c", `{"message":"Unauthorized"}`, rejected(chat.BadKey), 0, 0},
		{"mistral", 402, "", `{"message":"Payment required"}`, money(time.Hour), 0, 0},
		{"mistral", 429, "", `{"message":"Requests rate limit exceeded"}`, rate(onModel, 5*time.Second), 0, 0},
		{"mistral", 429, "", `{"message":"Tokens per month limit exceeded"}`, daily(untilMonth), 0, 0},
		{"mistral", 400, "", mistralError("Expected last role User", "invalid_request_message_order", "3230"), caller(chat.BadRequest), 0, 0},
		{"mistral", 400, "", mistralError("Tool call id", "invalid_function_call", "3280"), caller(chat.BadRequest), 0, 0},
		{"mistral", 422, "", `{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","x"],"msg":"No"}]},"type":"invalid_request_error","param":null,"code":null}`, caller(chat.BadRequest), 0, 0},
		{"mistral", 400, "", mistralError("Prompt contains 140000 tokens and 0 draft tokens, too large for model with 131072 maximum context length", "invalid_request_prompt", "3051"), caller(chat.ContextLength), 131072, 140000},
		{"mistral", 400, "", mistralError("Invalid model: x", "invalid_model", "1500"), noAccess(chat.ModelUnknown), 0, 0},

		{"together", 401, "", openAIError("Invalid API key", "invalid_request_error", "invalid_api_key"), rejected(chat.BadKey), 0, 0},
		{"together", 402, "", openAIError("You reached your monthly spending limit", "billing", ""), money(time.Hour), 0, 0},
		{"together", 403, "", openAIError("Input token count + max_tokens parameter must be less than the context length of the model being queried", "invalid_request_error", ""), caller(chat.ContextLength), 0, 0},
		{"together", 422, "", openAIError("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 8000 `inputs` tokens and 512 `max_new_tokens`", "invalid_request_error", ""), caller(chat.ContextLength), 8193, 8512},
		{"together", 403, "", openAIError("Your token does not have access to this model", "forbidden", ""), noAccess(chat.Forbidden), 0, 0},
		{"together", 429, "X-Ratelimit-Reset: 4", openAIError("Slow down", "rate_limit", ""), rate(onModel, 4*time.Second), 0, 0},
		{"together", 503, "", openAIError("The model is busy", "service_unavailable", ""), overloaded, 0, 0},

		{"fireworks", 401, "", openAIError("Invalid key", "unauthorized", ""), rejected(chat.BadKey), 0, 0},
		{"fireworks", 403, "", openAIError("Forbidden for this account", "forbidden", ""), rejected(chat.Forbidden), 0, 0},
		{"fireworks", 412, "", openAIError("Account a is suspended, possibly due to reaching the monthly spending limit", "precondition_failed", ""), money(time.Hour), 0, 0},
		{"fireworks", 412, "", openAIError("Account a is suspended", "precondition_failed", ""), rejected(chat.Forbidden), 0, 0},
		{"fireworks", 412, "", openAIError("The adapter could not be loaded", "precondition_failed", ""), noAccess(chat.ModelUnknown), 0, 0},
		{"fireworks", 429, "", openAIError("10 requests a minute without a payment method", "rate_limit", ""), rate(onKey, 5*time.Second), 0, 0},
		{"fireworks", 429, "", openAIError("Too many tokens", "rate_limit", ""), rate(onModel, 5*time.Second), 0, 0},
		{"fireworks", 404, "", openAIError("Model not found, inaccessible, or not deployed", "not_found", ""), noAccess(chat.ModelUnknown), 0, 0},
		{"fireworks", 400, "", openAIError("The prompt is too long: 140000, model maximum context length: 131072", "invalid_request_error", ""), caller(chat.ContextLength), 131072, 140000},

		{"deepseek", 401, "", openAIError("Authentication Fails", "authentication_error", "invalid_request_error"), rejected(chat.BadKey), 0, 0},
		{"deepseek", 402, "", openAIError("Insufficient Balance", "unknown_error", "invalid_request_error"), money(time.Hour), 0, 0},
		{"deepseek", 429, "", openAIError("Too many at once", "rate_limit_error", ""), rate(onModel, 5*time.Second), 0, 0},
		{"deepseek", 503, "", openAIError("Busy", "service_unavailable_error", ""), overloaded, 0, 0},
		{"deepseek", 400, "", openAIError("This model's maximum context length is 1048576 tokens. However, you requested 1050000 tokens (1049000 in the messages, 1000 in the completion).", "invalid_request_error", "invalid_request_error"), caller(chat.ContextLength), 1048576, 1050000},

		{"xai", 400, "", xAIError("Client specified an invalid argument", "Incorrect API key provided: na***ys."), rejected(chat.BadKey), 0, 0},
		{"xai", 403, "", xAIError(denied, "The key is blocked."), rejected(chat.Forbidden), 0, 0},
		{"xai", 403, "", xAIError(denied, "Your team doesn't have any credits yet."), money(time.Hour), 0, 0},
		{"xai", 403, "", xAIError(denied, "Your team may not use the model grok-9."), noAccess(chat.Forbidden), 0, 0},
		{"xai", 403, "", xAIError(denied, "Content violates usage guidelines."), caller(chat.ContentPolicy), 0, 0},
		{"xai", 429, "", xAIError("Some resource has been exhausted", "Your team has used all available credits or reached its monthly spending limit."), money(time.Hour), 0, 0},
		{"xai", 429, "", xAIError("Some resource has been exhausted", "Too many requests for team t and model grok-4. Actual: 61, limit: 60."), rate(onModel, 5*time.Second), 0, 0},
		{"xai", 400, "", xAIError("Client specified an invalid argument", "This model's maximum prompt length is 131072 but the request contains 156000 tokens."), caller(chat.ContextLength), 131072, 156000},
		{"xai", 503, "", xAIError("The service is currently unavailable", "The model is at capacity."), overloaded, 0, 0},

		{"cerebras", 401, "", `{"message":"Wrong API Key","type":"invalid_request_error","param":"api_key","code":"wrong_api_key"}`, rejected(chat.BadKey), 0, 0},
		{"cerebras", 402, "", `{"message":"Payment required","type":"payment_required","param":"","code":""}`, money(time.Hour), 0, 0},
		{"cerebras", 429, "", `{"message":"High traffic","type":"too_many_requests_error","param":"queue","code":"queue_exceeded"}`, overloaded, 0, 0},
		{"cerebras", 429, "X-Ratelimit-Reset-Tokens-Minute: 11.5", `{"message":"Tokens per minute limit exceeded","type":"too_many_tokens_error","param":"quota","code":"token_quota_exceeded"}`, rate(onModel, 11500*time.Millisecond), 0, 0},
		{"cerebras", 429, "", `{"message":"Requests per day limit exceeded","type":"too_many_requests_error","param":"quota","code":"request_quota_exceeded"}`, daily(time.Hour), 0, 0},
		{"cerebras", 400, "", `{"message":"Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}`, caller(chat.ContextLength), 8192, 9000},
	}
}
