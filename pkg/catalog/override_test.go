package catalog_test

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
)

func TestOverrides(t *testing.T) {
	o, err := catalog.ParseOverrides(`{"openai/gpt-4o-mini":{"input":0.25,"output":2,"cacheRead":0.025},
		"fireworks/*":{"input":1,"output":1},"fireworks/accounts/me/*":{"input":0.9,"output":0.000001}}`)
	if err != nil {
		t.Fatal(err)
	}
	usage := chat.Usage{Input: 1_000_000, Cached: 400_000, Output: 1_000_000}
	listed, _ := catalog.Cost("openai", "gpt-4o", "", &usage, 0)
	for name, want := range map[string]int64{
		"openai/gpt-4o-mini":         150_000_000 + 10_000_000 + 2_000_000_000,
		"fireworks/anything":         2_000_000_000,
		"fireworks/accounts/me/mine": 900_000_000 + 1000,
		"openai/gpt-4o":              listed,
	} {
		provider, model, _ := strings.Cut(name, "/")
		if got, priced := o.Cost(provider, model, "priority", &usage, 0); name != "openai/gpt-4o" && (got != want || !priced) {
			t.Errorf("%s: %d, %v, want %d", name, got, priced, want)
		}
		if got, priced := o.Cost(provider, model, "", &usage, 0); got != want || !priced {
			t.Errorf("%s: %d, %v, want %d", name, got, priced, want)
		}
	}
	if got, _ := o.Cost("openai", "gpt-4o-mini", "", &chat.Usage{Input: 5, HasCost: true, CostNanos: 7}, 0); got != 7 {
		t.Errorf("the provider's own cost lost to an override: %d", got)
	}
	if _, priced := o.Cost("openai", "nobody-knows", "", &usage, 0); priced {
		t.Error("a model without a price is priced")
	}
	none, err := catalog.ParseOverrides("")
	if got, priced := none.Cost("openai", "gpt-4o", "", &usage, 0); err != nil || got != listed || !priced {
		t.Errorf("without overrides: %d, %v, %v", got, priced, err)
	}
}

func TestOverridesThatAreWrong(t *testing.T) {
	for text, part := range map[string]string{
		`[]`: "JSON object", `{"openai/x":{"input":1,"output":1}} {}`: "something after", `{"gpt":{"input":1,"output":1}}`: `"gpt"`,
		`{"openai/a*b":{"input":1,"output":1}}`: "provider/model", `{"openai/x":{"output":1}}`: "openai/x: input is required",
		`{"openai/x":{"input":-1,"output":1}}`: "openai/x: input must be", `{"openai/x":{"input":1e3,"output":1}}`: "input must be",
		`{"openai/x":{"input":0.0000001,"output":1}}`: "six decimal places", `{"openai/x":{"input":1,"output":1,"price":2}}`: "JSON object",
	} {
		if _, err := catalog.ParseOverrides(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
