package provider

import (
	"errors"
	"slices"
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

// Fit says on what ground a key may serve a model.
type Fit uint8

// The grounds, the weakest first.
const (
	NoFit Fit = iota
	// Guess: nothing says that the provider has the model, and nothing but "*" allows it; or the id is one of the provider's
	// only if its first segment does not name another provider. A guess counts while no key of a provider that has the model
	// exists.
	Guess
	// Sure: the provider has the model, as far as is known, or the key's owner named it.
	Sure
)

// Serves says whether a key of the provider with the patterns may serve the model, and by which id the provider knows
// it. The model may carry the provider's id as a prefix ("groq/llama-3.3-70b-versatile"); patterns fit either form. A
// prefix that names another provider keeps a "*" from fitting, unless the provider has ids with such prefixes itself
// (OpenRouter's "openai/gpt-5") or the patterns list the model.
func (p *Provider) Serves(allowed Patterns, model string) (id string, fit Fit) {
	if allowed.Lists(model) {
		if id, ok := p.knows(model); ok {
			return id, Sure
		}
		return model, Sure
	}
	id, known := p.knows(model)
	switch {
	case known:
		fit = Sure
	case p.modelIDs.hasAuthor(model):
		id, fit = model, Guess
	}
	if len(allowed) == 0 {
		return id, fit
	}
	if fit != NoFit {
		switch {
		case allowed.matchesBeside(model), allowed.matchesBeside(id):
			return id, Sure
		case allowed.Lists("*"):
			return id, fit
		}
		return "", NoFit
	}
	if _, _, elsewhere := p.table.split(model); elsewhere || !allowed.Match(model) {
		return "", NoFit
	}
	if allowed.matchesBeside(model) {
		return model, Sure
	}
	return model, Guess
}

// matchesBeside says whether a pattern other than "*" matches the model.
func (ps Patterns) matchesBeside(model string) bool {
	return slices.ContainsFunc(ps, func(p string) bool { return p != "*" && Patterns{p}.Match(model) })
}

// maxOutput looks the most tokens of an answer up, for the providers who publish it and refuse to be asked for more.
func maxOutput(provider string) func(model string) int64 {
	return func(model string) int64 {
		m, _ := catalog.Related(provider, model)
		return m.MaxOutput
	}
}
