package catalog

import "strings"

// Has says whether the catalogue has the id for the provider, as such or as the base of a snapshot or variant.
func Has(provider, id string) bool {
	if lineOf(provider, id) != "" {
		return true
	}
	base := baseID(id)
	return base != id && lineOf(provider, base) != ""
}

// Lists says whether the catalogue has the id for some provider, as such or as the base of a snapshot or variant.
func Lists(id string) bool {
	for range linesOf(id) {
		return true
	}
	base := baseID(id)
	if base == id {
		return false
	}
	for range linesOf(base) {
		return true
	}
	return false
}

// baseID removes the date of a snapshot, OpenRouter's routing variant, or the deployment after Fireworks' "model#"
// (docs.fireworks.ai/guides/ondemand-deployments, "Creating & querying deployments").
func baseID(id string) string {
	if base, _, ok := strings.Cut(id, "#"); ok {
		return base
	}
	if base, _, ok := strings.Cut(id, ":"); ok && strings.Contains(base, "/") {
		return base
	}
	for _, n := range [...]int{len("-2026-01-31"), len("-20260131")} {
		if i := len(id) - n; i > 0 && id[i] == '-' && isDate(id[i+1:]) {
			return id[:i]
		}
	}
	return id
}

func isDate(s string) bool {
	if !strings.HasPrefix(s, "20") {
		return false
	}
	for i := range len(s) {
		if dash := len(s) == 10 && (i == 4 || i == 7); dash != (s[i] == '-') || !dash && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// withoutCollection removes the collection that Gemini's lists and answers may put before an id: models/gemini-x.
func withoutCollection(id string) string { return strings.TrimPrefix(id, "models/") }
