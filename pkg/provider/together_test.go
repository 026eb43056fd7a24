package provider

import (
	"encoding/json"
	"strings"
	"testing"

	messages "github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// steering are the members that steer reasoning, as JSON.
func steering(t *testing.T, body []byte) string {
	t.Helper()
	var all, some map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		t.Fatal(err)
	}
	some = map[string]json.RawMessage{}
	for _, name := range []string{"reasoning", "reasoning_effort", "thinking"} {
		if all[name] != nil {
			some[name] = all[name]
		}
	}
	out, _ := json.Marshal(some)
	return string(out)
}

// TestTogetherReasoning: reasoning.enabled turns hybrid models off and on, others take an effort; the caller's own
// object is kept if it agrees. Passthrough and encoding give the same result.
func TestTogetherReasoning(t *testing.T) {
	const off, on = `{"reasoning":{"enabled":false}}`, `{"reasoning":{"enabled":true}}`
	effort := func(level string) string { return `{"reasoning_effort":"` + level + `"}` }
	p := table(t, nil).ByID("together")
	for _, tt := range []struct {
		model, request, want string
		warned               bool
	}{
		{"deepseek-ai/DeepSeek-V4-Pro", `{}`, `{}`, false},
		{"deepseek-ai/DeepSeek-V4-Pro", `{"reasoning_effort":"none"}`, off, false},
		{"deepseek-ai/DeepSeek-V4-Pro", `{"thinking":{"type":"disabled"}}`, off, false},
		{"deepseek-ai/DeepSeek-V4-Pro", `{"reasoning":{"enabled":false}}`, off, false},
		{"deepseek-ai/DeepSeek-V4-Pro", `{"reasoning":{"enabled":false},"reasoning_effort":"high"}`, off, false},
		{"deepseek-ai/DeepSeek-V4-Pro", `{"reasoning":{"enabled":true},"reasoning_effort":"max"}`, `{"reasoning":{"enabled":true},"reasoning_effort":"max"}`, false},
		{"deepseek-ai/DeepSeek-V4-Pro", `{"reasoning":{"effort":"low"}}`, effort("high"), true},
		{"deepseek-ai/DeepSeek-V4-Pro", `{"reasoning_effort":"max"}`, effort("max"), false},
		{"moonshotai/Kimi-K2.6", `{"reasoning_effort":"none"}`, off, false},
		{"moonshotai/Kimi-K2.6", `{"reasoning":{"enabled":true}}`, on, false},
		{"moonshotai/Kimi-K2.6", `{"reasoning_effort":"high"}`, on, true},
		{"zai-org/GLM-5.1", `{"thinking":{"type":"disabled"}}`, off, false},
		{"deepseek-ai/DeepSeek-V3.1", `{"reasoning_effort":"medium"}`, on, false}, // it is off by default
		{"openai/gpt-oss-120b", `{"reasoning_effort":"none"}`, effort("low"), true},
		{"openai/gpt-oss-120b", `{"reasoning":{"enabled":false}}`, effort("low"), true},
		{"openai/gpt-oss-120b", `{"reasoning_effort":"high"}`, effort("high"), false},
		{"Some/New-Model", `{"reasoning_effort":"none"}`, off, false},
		{"Some/New-Model", `{"reasoning_effort":"low"}`, effort("low"), false},
	} {
		body := []byte(`{"model":"` + tt.model + `","messages":[{"role":"user","content":"hi"}],` + tt.request[1:])
		if tt.request == "{}" {
			body = []byte(`{"model":"` + tt.model + `","messages":[{"role":"user","content":"hi"}]}`)
		}
		req, _, err := new(openai.Server).DecodeRequest(body)
		if err != nil {
			t.Fatal(err)
		}
		enc, ok := p.Client.(openai.Client).PassthroughRequest(body, req, nil)
		if got := steering(t, enc.Body); !ok || got != tt.want || (len(enc.Warnings) > 0) != tt.warned {
			t.Errorf("%s %s passed: %v, %s, %q; want %s", tt.model, tt.request, ok, got, enc.Warnings, tt.want)
		}
		if enc, err = p.Client.EncodeRequest(req); err != nil {
			t.Fatal(err)
		}
		want := tt.want
		if tt.model == "deepseek-ai/DeepSeek-V4-Pro" && strings.HasPrefix(want, on[:len(on)-1]) {
			want = effort("max") // the effort says that it is on
		}
		if got := steering(t, enc.Body); got != want {
			t.Errorf("%s %s written: %s, want %s", tt.model, tt.request, got, want)
		}
	}
	req, _, err := messages.New().DecodeRequest([]byte(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"thinking":{"type":"disabled"}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Model = "zai-org/GLM-5.2"
	if enc, err := p.Client.EncodeRequest(req); err != nil || steering(t, enc.Body) != off {
		t.Errorf("Anthropic's thinking disabled: %v, %s", err, enc.Body)
	}
}
