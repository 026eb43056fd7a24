package provider

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/catalog"
)

// modelIDs says which model ids are a provider's, by the patterns of those that it documents. The ids in the catalogue
// need no pattern.
type modelIDs struct {
	// prefixes and match fit ids that are the provider's and nobody else's.
	prefixes []string
	match    func(id string) bool
	// likely fits ids that the provider probably serves. It counts only for ids that no provider is known to have:
	// org/model is ambiguous between three of them.
	likely func(id string) bool
	// authors are prefixes of the provider's ids, slash included, that are also ids of providers: OpenRouter's
	// "openai/x" does not name the provider openai.
	authors []string
	// collection may stand before an id: Gemini's list says models/gemini-x.
	collection string
}

// owns says whether the id is the provider's and nobody else's.
func (m *modelIDs) owns(id string) bool {
	return hasPrefix(id, m.prefixes) || m.match != nil && m.match(id)
}

func (m *modelIDs) withoutCollection(id string) string { return strings.TrimPrefix(id, m.collection) }

// hasAuthor says whether the id begins with the name of another provider and may be one of this provider's all the same:
// OpenRouter knows anthropic/claude-sonnet-4.5, and takes anthropic/claude-sonnet-4-5 for it.
func (m *modelIDs) hasAuthor(id string) bool {
	return hasPrefix(id, m.authors) && m.likely != nil && m.likely(id)
}

// Has says whether the provider is known to have the model: the catalogue lists it, its id has a form that only this
// provider uses, or its prefix names the provider.
func (p *Provider) Has(model string) bool {
	id, ok := p.knows(model)
	if !ok || p.custom {
		return ok
	}
	named, _, explicit := p.table.split(model)
	return explicit && named == p || catalog.Has(p.ID, model) || catalog.Has(p.ID, id) || p.modelIDs.owns(id)
}

// knows says whether the provider may serve the model, and returns its id for it: without the explicit prefix of the
// provider, and without the collection.
func (p *Provider) knows(model string) (id string, ok bool) {
	if p.custom {
		id, ok = strings.CutPrefix(model, p.ID+"/")
		return id, ok && id != ""
	}
	if catalog.Has(p.ID, model) {
		return model, true
	}
	named, rest, explicit := p.table.split(model)
	if explicit && named == p {
		return p.modelIDs.withoutCollection(rest), true
	}
	id = p.modelIDs.withoutCollection(model)
	switch {
	case id != model && catalog.Has(p.ID, id), p.modelIDs.owns(id):
		return id, true
	case explicit || p.modelIDs.likely == nil || !p.modelIDs.likely(id) || catalog.Lists(id) || p.table.owned(id):
		return "", false
	}
	return id, true
}

// split reads an explicit "provider/model". The prefix counts if the provider is known to serve the rest. If it is
// not, the prefix still counts, unless the whole is a known id (openai/gpt-oss-120b, anthropic/claude-haiku-4.5) or may
// be one of OpenRouter's (openai/x) while the rest does not look like the provider's.
func (t *Table) split(model string) (p *Provider, rest string, ok bool) {
	prefix, rest, ok := strings.Cut(model, "/")
	if !ok || rest == "" {
		return nil, "", false
	}
	p = t.byID[prefix]
	if p == nil || p.modelIDs.owns(model) || catalog.Has(prefix, model) {
		return nil, "", false
	}
	id := p.modelIDs.withoutCollection(rest)
	if catalog.Has(prefix, id) {
		return p, rest, true
	}
	if catalog.Lists(model) || t.isAuthor(prefix) && !p.modelIDs.owns(id) {
		return nil, "", false
	}
	return p, rest, true
}

// owned says whether the id is some provider's and nobody else's.
func (t *Table) owned(id string) bool {
	return slices.ContainsFunc(t.rows, func(p *Provider) bool { return p.modelIDs.owns(id) })
}

func (t *Table) isAuthor(name string) bool {
	return slices.ContainsFunc(t.rows, func(p *Provider) bool { return slices.Contains(p.modelIDs.authors, name+"/") })
}

func hasPrefix(id string, list []string) bool {
	return slices.ContainsFunc(list, func(prefix string) bool { return strings.HasPrefix(id, prefix) })
}
