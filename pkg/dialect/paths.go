package dialect

import (
	"net/url"
	"slices"
	"strings"
)

// maxBases bounds how many bases a path may have one after the other.
const maxBases = 3

// Canonical returns the path below one of the dialects' Bases that a client means by the escaped path: the base may be an
// alias, or missing before a root, or stand twice where an SDK adds its own to the base URL, and slashes may be too many.
// A path that has none of this stays as it is.
func Canonical(dialects []*Dialect, path string) string {
	path = withoutSlashes(path)
	for _, d := range dialects {
		if named, ok := d.byMethod(dialects, path); ok {
			return named
		}
	}
	for range maxBases {
		next := withoutAlias(dialects, path)
		if next == path {
			break
		}
		path = next
	}
	for _, d := range dialects {
		if slices.ContainsFunc(d.Roots, func(root string) bool { return below(path, root) }) {
			return d.Bases[0] + path
		}
	}
	return path
}

// withoutSlashes returns the path without empty segments.
func withoutSlashes(path string) string {
	if !strings.Contains(path, "//") && !strings.HasSuffix(path, "/") {
		return path
	}
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	return "/" + strings.Join(parts, "/")
}

// withoutAlias returns the path with the base in the place of an alias, or of the base before an alias.
func withoutAlias(dialects []*Dialect, path string) string {
	for _, d := range dialects {
		for _, alias := range d.Aliases {
			for _, prefix := range [...]string{alias, d.Bases[0] + alias} {
				if below(path, prefix) {
					return d.Bases[0] + path[len(prefix):]
				}
			}
		}
	}
	return path
}

// byMethod returns the route of a path that ends in MODEL:method, where the dialect has the method. The model may stand
// below any base, as several dialects have them, and without "models/" before it.
func (d *Dialect) byMethod(dialects []*Dialect, path string) (string, bool) {
	if !d.hasMethodOf(path) {
		return "", false
	}
	const collection = "/models/"
	model, found := strings.CutPrefix(path, collection)
	for _, of := range dialects {
		for _, base := range slices.Concat(of.Bases, d.Aliases) {
			if rest, ok := strings.CutPrefix(path, base+"/"); ok && !found {
				model, found = strings.TrimPrefix(rest, collection[1:]), true
			}
		}
	}
	if !found || isVersion(dialects, model) {
		return "", false // the base stands there twice
	}
	return d.Bases[0] + collection + model, true
}

// hasMethodOf says whether the path ends in a colon and a method of the dialect.
func (d *Dialect) hasMethodOf(path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	if text, err := url.PathUnescape(last); err == nil {
		last = text
	}
	colon := strings.LastIndexByte(last, ':')
	return colon >= 0 && slices.ContainsFunc(d.Endpoints, func(e Endpoint) bool {
		return e.Method != "" && e.Method == last[colon+1:]
	})
}

func isVersion(dialects []*Dialect, model string) bool {
	return slices.ContainsFunc(dialects, func(d *Dialect) bool {
		return slices.ContainsFunc(d.Bases, func(base string) bool { return below("/"+model, base) })
	})
}
