package provider

import (
	"errors"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/catalog"
)

// Patterns are the models that a key may serve: exact ids, "prefix*", or "*".
// None means every model of the key's provider.
type Patterns []string

// Limits of a key's patterns.
const (
	MaxPatterns      = 500
	MaxPatternLength = 256 // bytes
)

// CheckPattern says what is wrong with one pattern; nil: nothing.
func CheckPattern(s string) error {
	switch {
	case s == "":
		return errors.New("must not be empty")
	case len(s) > MaxPatternLength:
		return errors.New("must be at most 256 characters long")
	case strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		return errors.New("must be printable ASCII without spaces")
	case strings.Contains(s[:len(s)-1], "*"):
		return errors.New("may have a * only at its end")
	}
	return nil
}

// Match says whether one of the patterns matches the model. An empty list matches none.
func (ps Patterns) Match(model string) bool {
	for _, p := range ps {
		if prefix, ok := strings.CutSuffix(p, "*"); ok && strings.HasPrefix(model, prefix) || p == model {
			return true
		}
	}
	return false
}

// Lists says whether one of the patterns is the model's id itself.
func (ps Patterns) Lists(model string) bool {
	for _, p := range ps {
		if p == model {
			return true
		}
	}
	return false
}

// Serves says whether a key of the provider with the patterns may serve the model,
// and by which id the provider knows it. The model may carry the provider's id as a
// prefix ("groq/llama-3.3-70b-versatile"); patterns fit either form. A prefix that
// names another provider keeps a "*" from fitting, unless the catalogue has the whole
// for this provider too (OpenRouter's "openai/gpt-5") or the patterns list it.
func (p *Provider) Serves(allowed Patterns, model string) (id string, ok bool) {
	id, known := p.knows(model)
	if len(allowed) == 0 {
		return id, known
	}
	if known {
		return id, allowed.Match(model) || allowed.Match(id)
	}
	if allowed.Lists(model) {
		return model, true
	}
	if _, _, elsewhere := p.table.split(model); elsewhere {
		return "", false
	}
	return model, allowed.Match(model)
}

// maxOutput looks the most tokens of an answer up, for the providers who publish it and refuse to be asked for more.
func maxOutput(provider string) func(model string) int64 {
	return func(model string) int64 {
		m, _ := catalog.Related(provider, model)
		return m.MaxOutput
	}
}
