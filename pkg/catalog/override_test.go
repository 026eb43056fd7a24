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
	listed, _ := paid(catalog.Cost(catalog.Request{Provider: "openai", Model: "gpt-4o"}, &usage))
	for name, want := range map[string]int64{
		"openai/gpt-4o-mini":         150_000_000 + 10_000_000 + 2_000_000_000,
		"fireworks/anything":         2_000_000_000,
		"fireworks/accounts/me/mine": 900_000_000 + 1000,
		"openai/gpt-4o":              listed,
	} {
		provider, model, _ := strings.Cut(name, "/")
		if got, priced := paid(o.Cost(catalog.Request{Provider: provider, Model: model, ServiceTier: "priority"}, &usage)); name != "openai/gpt-4o" && (got != want || !priced) {
			t.Errorf("%s: %d, %v, want %d", name, got, priced, want)
		}
		if got, priced := paid(o.Cost(catalog.Request{Provider: provider, Model: model}, &usage)); got != want || !priced {
			t.Errorf("%s: %d, %v, want %d", name, got, priced, want)
		}
	}
	if got, _ := paid(o.Cost(catalog.Request{Provider: "openai", Model: "gpt-4o-mini"}, &chat.Usage{Input: 5, HasCost: true, CostNanos: 7})); got != 7 {
		t.Errorf("the provider's own cost lost to an override: %d", got)
	}
	if _, priced := paid(o.Cost(catalog.Request{Provider: "openai", Model: "nobody-knows"}, &usage)); priced {
		t.Error("a model without a price is priced")
	}
	none, err := catalog.ParseOverrides("")
	if got, priced := paid(none.Cost(catalog.Request{Provider: "openai", Model: "gpt-4o"}, &usage)); err != nil || got != listed || !priced {
		t.Errorf("without overrides: %d, %v, %v", got, priced, err)
	}
}

func TestOverridesOfTheModelThatAnswered(t *testing.T) {
	o, err := catalog.ParseOverrides(`{"gemini/gemini-2.5-pro":{"input":1,"output":1},"gemini/gemini-3.8-flash":{"input":2,"output":1},
		"gemini/gemini-3*":{"input":3,"output":1},"gemini/*":{"input":4,"output":1},"openrouter/x/*":{"input":5,"output":1},"openrouter/x/y*":{"input":6,"output":1}}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		provider, asked, answered string
		input                     int64 // dollars for a million
	}{
		{"gemini", "gemini-2.5-pro", "", 1},
		{"gemini", "gemini-2.5-pro", "gemini-3.8-flash", 2},
		{"gemini", "gemini-2.5-pro", "models/gemini-3.8-flash", 2},
		{"gemini", "gemini-2.5-pro", "gemini-2.5-pro-001", 1}, // a whole name before a prefix
		{"gemini", "gemini-2.0-flash", "gemini-3.5-flash", 3},
		{"gemini", "gemini-2.0-flash", "gemini-2.5-pro", 1},
		{"gemini", "gemini-3-flash", "gemini-2.5-flash", 3}, // the longest prefix
		{"openrouter", "x/y", "x/z", 6},
		{"openrouter", "x/z", "x/y", 6},
		{"openrouter", "x/z", "a/b", 5},
	} {
		r := catalog.Request{Provider: tt.provider, Model: tt.asked, Answered: tt.answered}
		if got, _ := paid(o.Cost(r, &chat.Usage{Input: 1_000_000})); got != tt.input*1e9 {
			t.Errorf("%s as %q: %d, want $%d", tt.asked, tt.answered, got, tt.input)
		}
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

func paid(c catalog.Charge) (nanos int64, priced bool) { return c.Nanos, c.Priced }
