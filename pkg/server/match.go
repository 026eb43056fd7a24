package server

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// table finds routes. It decides odd paths, unknown paths and wrong methods itself:
// http.ServeMux would redirect some of them, and answer others in its own shape.
type table struct {
	exact  map[string]*endpoint
	params []*endpoint // those with {id} or {model...}
}

// endpoint is the routes of one pattern.
type endpoint struct {
	segments []string
	routes   []Route
	allow    string // the Allow header
	sharing  Sharing
	group    Group
}

func newTable(routes []Route) *table {
	t := &table{exact: map[string]*endpoint{}}
	byPattern := map[string]*endpoint{}
	for _, r := range routes {
		e := byPattern[r.Pattern]
		if e == nil {
			e = &endpoint{segments: strings.Split(r.Pattern[1:], "/"), sharing: r.Sharing, group: r.Group}
			byPattern[r.Pattern] = e
			if strings.Contains(r.Pattern, "{") {
				t.params = append(t.params, e)
			} else {
				t.exact[r.Pattern] = e
			}
		}
		e.routes = append(e.routes, r)
	}
	for _, e := range byPattern {
		e.allow = strings.Join(e.methods(), ", ")
	}
	return t
}

func (e *endpoint) methods() []string {
	methods := []string{"OPTIONS"}
	for _, r := range e.routes {
		methods = append(methods, r.Method)
		if r.Method == "GET" {
			methods = append(methods, "HEAD")
		}
	}
	slices.Sort(methods)
	return methods
}

// find returns the endpoint of an escaped path and what stands in the place of the pattern's
// braces, or nil.
func (t *table) find(path string) (e *endpoint, rest string) {
	if e := t.exact[path]; e != nil {
		return e, ""
	}
	if len(path) < 2 || path[0] != '/' {
		return nil, ""
	}
	for _, e := range t.params {
		if id, ok := e.match(path[1:]); ok {
			return e, id
		}
	}
	return nil, ""
}

// findOf returns the endpoint of an escaped path as find does, or that of the canonical path, if it is of a dialect for
// SDKs. It also returns the path by which the dialect is told.
func (t *table) findOf(d *dialects, path string) (e *endpoint, rest, canonical string) {
	if e := t.exact[path]; e != nil {
		return e, "", path
	}
	canonical = dialect.Canonical(d.list, path)
	if e, rest = t.find(canonical); e != nil && (e.group.ofDialect() || canonical == path) {
		return e, rest, canonical
	}
	if e, rest = t.find(path); e != nil {
		return e, rest, path
	}
	return nil, "", canonical
}

func (e *endpoint) match(path string) (id string, ok bool) {
	for i, want := range e.segments {
		if strings.HasSuffix(want, "...}") {
			return path, path != "" && !strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") && !strings.Contains(path, "//")
		}
		segment, rest, more := strings.Cut(path, "/")
		if more != (i < len(e.segments)-1) {
			return "", false
		}
		switch {
		case want == "{id}" && segment != "":
			id = segment
		case want != segment:
			return "", false
		}
		path = rest
	}
	return id, true
}

// route returns the endpoint's route for a method, or nil.
func (e *endpoint) route(method string) *Route {
	if method == "HEAD" {
		method = "GET"
	}
	for i := range e.routes {
		if e.routes[i].Method == method {
			return &e.routes[i]
		}
	}
	return nil
}

// unknown is the error for a path that no route has. It helps with what programs often get
// wrong, and never redirects: a redirected POST loses its body, or its token.
func (a *App) unknown(c *call) error {
	message, hint := "there is no such route", c.baseURL()
	if a.table.hasWithoutSlashes(c.r.URL.EscapedPath()) {
		message += "; did you mean it without the extra slash?"
	} else if hint != "" {
		message += "."
	}
	return fault.New(fault.NotFound, "%s", strings.TrimSpace(message+" "+hint))
}

// hasWithoutSlashes says whether the path has slashes too many, and is a route's without them.
func (t *table) hasWithoutSlashes(path string) bool {
	clean := strings.TrimRight(path, "/")
	for strings.Contains(clean, "//") {
		clean = strings.ReplaceAll(clean, "//", "/")
	}
	if clean == path {
		return false
	}
	e, _ := t.find(clean)
	return e != nil
}

// baseURL says which base URL the SDKs of the caller's dialect need. It is empty for the gateway's own dialect.
func (c *call) baseURL() string {
	origin := "http://" + printableText(c.host())
	if c.tls() {
		origin = "https://" + printableText(c.host())
	}
	if c.dialect.SDKs == "" {
		return ""
	}
	return "The base URL for " + c.dialect.SDKs + " SDKs is " + origin + c.dialect.SDKBase
}
