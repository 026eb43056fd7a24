package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

func TestCerebrasFields(t *testing.T) {
	const always = "frequency_penalty logprobs max_completion_tokens parallel_tool_calls presence_penalty seed stop stream_options temperature top_logprobs top_p user"
	for model, more := range map[string]string{"gpt-oss-120b": "reasoning_effort", "qwen-3.8-27b": "reasoning_effort", "zai-glm-4.7": ""} {
		want := strings.Fields(always + " " + more)
		slices.Sort(want)
		if got := fieldsOf(t, "cerebras", model); got != strings.Join(want, " ") {
			t.Errorf("%s:\n got %s\nwant %s", model, got, strings.Join(want, " "))
		}
	}
	p := table(t, nil).ByID("cerebras")
	if got := encode(t, p, everything("gpt-oss-120b"))["temperature"]; got != 1.5 {
		t.Errorf("the temperature is %v", got)
	}
	// Reasoning is sent back under the name under which it came.
	req := everything("gpt-oss-120b")
	req.Messages = append(req.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Reason, Text: "hm"}, {Kind: chat.Text, Text: "yes"}}},
		chat.Message{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "go on"}}})
	turns, _ := json.Marshal(encode(t, p, req)["messages"])
	if !strings.Contains(string(turns), `"reasoning":"hm"`) || strings.Contains(string(turns), "reasoning_content") {
		t.Errorf("%s", turns)
	}
}

func TestCerebrasErrors(t *testing.T) {
	for _, tt := range []struct {
		status           int
		text, kind, code string
		class            chat.Class
	}{
		{401, "Wrong API Key", "invalid_request_error", "wrong_api_key", chat.BadKey},
		{400, "body.store: property 'body.store' is unsupported", "invalid_request_error", "wrong_api_format", chat.BadRequest},
		{402, "Payment required", "payment_required", "", chat.OutOfMoney},
		{404, "Model x does not exist or you do not have access to it.", "not_found_error", "model_not_found", chat.ModelUnknown},
		{400, "Please reduce the length of the messages or completion.", "invalid_request_error", "context_length_exceeded", chat.ContextLength},
		{429, "We're experiencing high traffic right now! Please try again soon.", "too_many_requests_error", "queue_exceeded", chat.Overloaded},
		{429, "Requests per day limit exceeded", "too_many_requests_error", "request_quota_exceeded", chat.DailyQuota},
		{429, "Tokens per minute limit exceeded", "too_many_tokens_error", "token_quota_exceeded", chat.RateLimited},
		{500, "x", "server_error", "", chat.Transport},
		{503, "x", "server_error", "", chat.Overloaded},
	} {
		body := fmt.Sprintf(`{"message":%q,"type":%q,"param":"quota","code":%q}`, tt.text, tt.kind, tt.code)
		if e := classOf(t, "cerebras", tt.status, nil, body); e.Class != tt.class || e.Message != tt.text {
			t.Errorf("%d %s: %s, %q", tt.status, tt.text, e.Class, e.Message)
		}
	}
	spent := http.Header{"X-Ratelimit-Remaining-Requests-Day": {"5"}, "X-Ratelimit-Reset-Requests-Day": {"33011.38"},
		"X-Ratelimit-Remaining-Tokens-Minute": {"0"}, "X-Ratelimit-Reset-Tokens-Minute": {"11.5"}}
	if e := classOf(t, "cerebras", 429, spent, `{"message":"Tokens per minute limit exceeded","type":"too_many_tokens_error","code":"token_quota_exceeded"}`); e.RetryAfter != 11500*time.Millisecond {
		t.Errorf("come back after %s", e.RetryAfter)
	}
}
