package provider

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Table is the set of providers, in a fixed order. It never changes.
type Table struct {
	rows []*Provider
	byID map[string]*Provider
}

// NewTable returns the table. Overrides replaces base URLs by provider id (proxies, regional
// endpoints, tests); an empty value replaces nothing. The error joins all that is wrong with the
// overrides.
func NewTable(overrides map[string]string) (*Table, error) {
	t := &Table{byID: map[string]*Provider{}}
	for _, row := range []Provider{
		openAIRow(), anthropicRow(), openRouterRow(), geminiRow(), mistralRow(), groqRow(), togetherRow(), fireworksRow(), deepSeekRow(),
		xAIRow(), cerebrasRow(),
	} {
		for _, c := range row.clients() {
			c.Common().Provider = row.ID
		}
		row.table = t
		t.rows = append(t.rows, &row)
		t.byID[row.ID] = &row
	}
	own := map[string]bool{}
	for _, p := range t.rows {
		if u, err := parseBase(p.BaseURL); err == nil {
			own[u.Hostname()] = true
		}
	}
	var errs []error
	for id, base := range overrides {
		switch p := t.byID[id]; {
		case base == "":
		case p == nil:
			errs = append(errs, fmt.Errorf("base URL for %q: there is no such provider", id))
		default:
			p.BaseURL = strings.TrimRight(base, "/")
		}
	}
	for _, p := range t.rows {
		var err error
		if p.base, err = parseBase(p.BaseURL); err != nil {
			errs = append(errs, fmt.Errorf("base URL for %s: %w", p.ID, err))
			continue
		}
		p.elsewhere = !own[strings.ToLower(p.base.Hostname())]
	}
	if len(errs) > 0 {
		slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(errs...)
	}
	return t, nil
}

// All returns the providers in the table's order. The slice is the caller's.
func (t *Table) All() []*Provider { return slices.Clone(t.rows) }

// ByID returns the provider with the id, or nil.
func (t *Table) ByID(id string) *Provider { return t.byID[id] }

// IDs returns the ids in the table's order.
func (t *Table) IDs() []string {
	ids := make([]string, len(t.rows))
	for i, p := range t.rows {
		ids[i] = p.ID
	}
	return ids
}

func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		// The URL may hold a password: do not repeat it.
		return nil, errors.New("not a URL")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.Opaque != "":
		return nil, errors.New("must be an http or https URL")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return nil, errors.New("must have no user, query or fragment")
	}
	return u, nil
}
