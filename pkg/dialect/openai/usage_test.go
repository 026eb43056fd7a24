package openai_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// The members of usage that change the price are read. Those that are not known mark the usage as estimated, unless the
// provider tells the cost.
func TestUsageOf(t *testing.T) {
	type u = chat.Usage
	for name, tt := range map[string]struct {
		json string
		want chat.Usage
	}{
		"own key, no fee":      {`"cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0360795}`, u{CostNanos: 36_079_500, HasCost: true}},
		"own key, fee":         {`"cost":0.00180398,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0360795}`, u{CostNanos: 37_883_480, HasCost: true}},
		"order":                {`"cost_details":{"upstream_inference_cost":0.5},"is_byok":true,"cost":0.25`, u{CostNanos: 750_000_000, HasCost: true}},
		"own key, fee null":    {`"cost":null,"is_byok":true,"cost_details":{"upstream_inference_cost":0.5}`, u{CostNanos: 500_000_000, HasCost: true}},
		"own key, two parts":   {`"cost":0.01,"is_byok":true,"cost_details":{"upstream_inference_cost":null,"upstream_inference_prompt_cost":0.1,"upstream_inference_completions_cost":0.2}`, u{CostNanos: 310_000_000, HasCost: true}},
		"as Responses says it": {`"cost":0,"is_byok":true,"cost_details":{"upstream_inference_input_cost":0.1,"upstream_inference_output_cost":0.2}`, u{CostNanos: 300_000_000, HasCost: true}},
		"own key, not told":    {`"cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":null}`, u{Estimated: true}},
		"no details":           {`"cost":0,"is_byok":true`, u{Estimated: true}},
		"not an own key":       {`"cost":0.05,"is_byok":false,"cost_details":{"upstream_inference_cost":0.05}`, u{CostNanos: 50_000_000, HasCost: true}},
		"not said":             {`"cost":0.95,"cost_details":{"upstream_inference_cost":19}`, u{CostNanos: 950_000_000, HasCost: true}},
		"huge":                 {`"cost":9223372036,"is_byok":true,"cost_details":{"upstream_inference_cost":9223372036}`, u{CostNanos: 9223372036854775807, HasCost: true}},

		"a picture":             {`"completion_tokens":10,"completion_tokens_details":{"image_tokens":7}`, u{Output: 10, OutputImage: 7}},
		"parts of the input":    {`"prompt_tokens":10,"prompt_tokens_details":{"image_tokens":7,"text_tokens":3,"audio_tokens":0}`, u{Input: 10}},
		"a usual write":         {`"prompt_tokens":9,"prompt_tokens_details":{"cache_write_tokens":7,"cache_write_tokens_details":{"ttl_30m_tokens":7,"ttl_12h_tokens":0}}`, u{Input: 9, CacheWrite: 7}},
		"a write for long":      {`"prompt_tokens":9,"prompt_tokens_details":{"cache_write_tokens":7,"cache_write_tokens_details":{"ttl_30m_tokens":3,"ttl_12h_tokens":4}}`, u{Input: 9, CacheWrite: 7, Estimated: true}},
		"a search":              {`"server_tool_use_details":{"tool_calls_requested":2,"tool_calls_executed":2,"web_search_requests":2}`, u{WebSearches: 2}},
		"a search in the cost":  {`"cost":0.5,"server_tool_use_details":{"web_search_requests":2}`, u{WebSearches: 2, CostNanos: 500_000_000, HasCost: true}},
		"another tool":          {`"server_tool_use":{"code_runs":1}`, u{Estimated: true}},
		"a tier":                {`"service_tier":"priority"`, u{Tier: "priority"}},
		"the usual tier":        {`"service_tier":"standard","speed":"standard"`, u{}},
		"speed":                 {`"speed":"fast"`, u{Tier: "fast"}},
		"seconds of audio":      {`"prompt_audio_seconds":12`, u{Estimated: true}},
		"no seconds":            {`"prompt_audio_seconds":0,"foo":null,"bar":{},"baz":[],"on":false,"list":[{"n":0}]`, u{}},
		"times":                 {`"queue_time":0.1,"prompt_time":0.2,"completion_time":1,"total_time":1.3,"request_count":1`, u{}},
		"unknown":               {`"holograms":{"count":2}`, u{Estimated: true}},
		"unknown class":         {`"completion_tokens":5,"completion_tokens_details":{"hologram_tokens":2}`, u{Output: 5, Estimated: true}},
		"unknown beside a cost": {`"cost":1,"holograms":2`, u{CostNanos: 1_000_000_000, HasCost: true}},
	} {
		v, err := jsonx.Parse([]byte("{"+tt.json+"}"), jsonx.Lenient)
		if err != nil {
			t.Fatal(err)
		}
		if got := openai.UsageOf(v); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
