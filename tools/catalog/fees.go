package main

import (
	"encoding/json"
	"math/big"
	"regexp"
)

// tierFactors are the service tiers whose prices the providers publish as multiples of the standard price.
var tierFactors = []struct {
	provider string
	ids      *regexp.Regexp
	tier     string
	factor   *big.Rat
}{
	// Fast mode, which usage calls speed (platform.claude.com/docs/en/build-with-claude/fast-mode, read 2026-11).
	{"anthropic", regexp.MustCompile(`^claude-(opus-4-8|opus-5|opus-5-5|fable-5-2|mythos-5-2)(-\d{8})?$`), "fast", big.NewRat(2, 1)},
	{"anthropic", regexp.MustCompile(`^claude-opus-4-[67](-\d{8})?$`), "fast", big.NewRat(6, 1)},
	// The notes of the price lists.
	{"openai", regexp.MustCompile(`^gpt-6\.2-(astra|sol)$`), "priority", big.NewRat(2, 1)},
	{"openai", regexp.MustCompile(`^gpt-6\.2-(astra|sol)$`), "fast", big.NewRat(2, 1)},
	{"gemini", regexp.MustCompile(`^gemini-4-(carbon|hydrogen|neon)$`), "flex", big.NewRat(1, 2)},
	{"gemini", regexp.MustCompile(`^gemini-4-(carbon|hydrogen|neon)$`), "priority", big.NewRat(9, 5)},
}

// addFees adds the prices of service tiers that follow from a rule, and of web searches: Anthropic charges 10 dollars for
// a thousand, whatever the model (platform.claude.com/docs/en/about-claude/pricing, "Web search tool", read 2026-11).
func addFees(m *entry) {
	if m.In == "" {
		return
	}
	if m.Provider == "anthropic" {
		m.WebSearch = "10"
	}
	for _, t := range tierFactors {
		if _, known := m.Services[t.tier]; known || m.Provider != t.provider || !t.ids.MatchString(m.ID) {
			continue
		}
		if m.Services == nil {
			m.Services = map[string]prices{}
		}
		m.Services[t.tier] = m.prices.multiplied(t.factor)
	}
}

// multiplied returns the prices of tokens, multiplied.
func (p prices) multiplied(factor *big.Rat) prices {
	for _, n := range []*json.Number{&p.In, &p.Out, &p.Read, &p.Write, &p.Write1h, &p.InAudio, &p.OutAudio} {
		if *n != "" {
			*n = times(*n, factor)
		}
	}
	p.WebSearch, p.Derived = "", 1
	return p
}
