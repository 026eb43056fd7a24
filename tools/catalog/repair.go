package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// renamed maps the input's names of providers to the gateway's.
var renamed = map[string]string{"google": "gemini"}

// skipped returns why an entry is no model of the provider; empty if it is one.
func skipped(m *entry) string {
	switch {
	case m.Provider == "openai" && strings.HasPrefix(m.ID, "gpt-oss-"):
		return "open weights, not served by OpenAI's API"
	case m.Provider == "openai" && strings.Contains(m.ID, "ft:"), strings.HasSuffix(m.ID, ".ft-"):
		return "a pattern for fine-tuned models, not a model"
	case m.Provider == "openai" && strings.HasSuffix(m.ID, ":extended"):
		return "a variant of OpenRouter's"
	case m.ID == "gemini-1.5-flash", m.ID == "gemini-exp-1206":
		return "retired, and its data contradict themselves"
	}
	return ""
}

// repair renames providers, removes entries that are no models, and corrects known mistakes of the lists:
//   - A price of zero stays only for models that are free by name; for other models it
//     means that they are not charged by the token.
//   - A cache price of zero is removed where input costs something.
//   - Anthropic charges 1.25 times the input price for a cache write, 2 times for one
//     that lasts an hour (its pricing page): missing or impossible values follow that rule.
//   - A model without an end of life takes it, and the replacement, from the model of which
//     it is an alias or a dated snapshot: the providers' pages often list one of the two.
//   - A tier that lacks a cache price of its base gets one in proportion to the input price,
//     as in all published tiers, and is marked as derived.
//   - An alias or a snapshot at the price of its original has the original's service tiers, too.
//   - Prices that the lists lack are added: see addFees.
func repair(models []*entry, log io.Writer) []*entry {
	models = slices.DeleteFunc(models, func(m *entry) bool {
		if why := skipped(m); why != "" {
			fmt.Fprintf(log, "%s %s: left out: %s\n", m.Provider, m.ID, why)
			return true
		}
		if id, ok := renamed[m.Provider]; ok {
			m.Provider = id
		}
		if isZero(m.In) && isZero(m.Out) && !isFree(m) {
			fmt.Fprintf(log, "%s %s: a price of zero is removed\n", m.Provider, m.ID)
			m.prices, m.Tiers, m.Windows, m.Next, m.Services = prices{}, nil, nil, nil, nil
		}
		if !isFree(m) {
			dropZeros(&m.prices)
		}
		if m.Provider == "anthropic" {
			fixCacheWrites(m, log)
		}
		for i := range m.Tiers {
			if !isFree(m) {
				dropZeros(&m.Tiers[i].prices)
			}
			scaleFromBase(&m.Tiers[i].prices, m.prices)
		}
		return false
	})
	inherit(models, log)
	for _, m := range models {
		addFees(m)
	}
	return models
}

// routed is what a Replacement begins with that the provider serves by itself.
const routed = "routed:"

// routedTo returns the model as which the provider serves this one from its end of life on; empty if it does not.
func (m *entry) routedTo() string {
	id, ok := strings.CutPrefix(m.Replacement, routed)
	if !ok || !isCertain(m) {
		return ""
	}
	return id
}

// isCertain reports whether a route has a date and no remark of doubt.
func isCertain(m *entry) bool { return m.EndOfLife != "" && !strings.HasSuffix(m.Replacement, "?") }

// dated fits the ids of snapshots: gpt-5-2026-01-31, claude-x-20260131.
var dated = regexp.MustCompile(`^(.+)-20\d\d(?:-?\d\d){2}$`)

// inherit gives aliases and snapshots what the lists have of their originals only.
func inherit(models []*entry, log io.Writer) {
	byID := map[string]*entry{}
	for _, m := range models {
		byID[m.Provider+" "+m.ID] = m
	}
	for _, m := range models {
		of := byID[m.Provider+" "+original(m)]
		if of != nil && m.EndOfLife == "" && of.EndOfLife != "" {
			fmt.Fprintf(log, "%s %s: ends on %s, as %s\n", m.Provider, m.ID, of.EndOfLife, of.ID)
			m.EndOfLife, m.Replacement = of.EndOfLife, of.Replacement
		}
		if of != nil && m.Services == nil && of.Services != nil && m.In == of.In && m.Out == of.Out {
			fmt.Fprintf(log, "%s %s: has the service tiers of %s\n", m.Provider, m.ID, of.ID)
			m.Services = of.Services
		}
		if strings.HasPrefix(m.Replacement, routed) && !isCertain(m) {
			fmt.Fprintf(log, "%s %s: %s is not certain: left out\n", m.Provider, m.ID, m.Replacement)
		}
	}
}

// original returns the id of which the model is an alias or a dated snapshot; empty if it is neither.
func original(m *entry) string {
	if alias, _, _ := strings.Cut(m.AliasOf, " "); alias != "" {
		return alias
	}
	if parts := dated.FindStringSubmatch(m.ID); parts != nil {
		return parts[1]
	}
	return ""
}

func isFree(m *entry) bool {
	switch m.Provider {
	case "openrouter":
		return strings.HasSuffix(m.ID, ":free") || m.ID == "openrouter/free"
	case "gemini":
		return strings.HasPrefix(m.ID, "gemma-")
	case "mistral":
		return strings.HasPrefix(m.ID, "labs-")
	}
	return false
}

func dropZeros(p *prices) {
	for _, n := range []*json.Number{&p.Read, &p.Write, &p.Write1h, &p.InAudio, &p.OutAudio} {
		if isZero(*n) {
			*n = ""
		}
	}
}

func fixCacheWrites(m *entry, log io.Writer) {
	if m.Write == "" {
		return // Models before the cache.
	}
	if less(m.Write, m.In) {
		fmt.Fprintf(log, "%s %s: a cache write for %s, input for %s: 1.25 times input\n", m.Provider, m.ID, m.Write,
			m.In)
		m.Write = times(m.In, big.NewRat(5, 4))
	}
	if m.Write1h == "" || less(m.Write1h, m.Write) {
		m.Write1h = times(m.In, big.NewRat(2, 1))
	}
}

func scaleFromBase(t *prices, base prices) {
	if t.In == "" || base.In == "" || isZero(base.In) {
		return
	}
	ratio := new(big.Rat).Quo(rat(t.In), rat(base.In))
	for _, n := range []struct{ tier, base *json.Number }{
		{&t.Read, &base.Read}, {&t.Write, &base.Write}, {&t.Write1h, &base.Write1h},
		{&t.InAudio, &base.InAudio}, {&t.OutAudio, &base.OutAudio},
	} {
		if *n.tier == "" && *n.base != "" {
			*n.tier, t.Derived = times(*n.base, ratio), 1
		}
	}
}

func rat(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return new(big.Rat)
	}
	return r
}

func isZero(n json.Number) bool  { return n != "" && rat(n).Sign() == 0 }
func less(a, b json.Number) bool { return rat(a).Cmp(rat(b)) < 0 }

func times(n json.Number, f *big.Rat) json.Number {
	return json.Number(decimal(new(big.Rat).Mul(rat(n), f)))
}

// decimal writes a price with the six digits that a pico-dollar a token leaves.
func decimal(r *big.Rat) string {
	s := r.FloatString(6)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
