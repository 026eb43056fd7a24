package server

import (
	"bytes"
	"math"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// query reads a request's query string and collects its issues.
type query struct {
	values url.Values
	issues fault.Issues
}

func (c *call) query() *query {
	q := &query{}
	var err error
	if q.values, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		q.issues.Add("", "the query string is malformed")
	}
	for name, values := range q.values {
		if len(values) > 1 {
			q.issues.Add(name, "is given more than once")
		}
	}
	return q
}

func (q *query) err() error { return q.issues.Err() }

// integer returns a number within bounds, or the default if it is absent.
func (q *query) integer(name string, low, high, absent int64) int64 {
	s := q.values.Get(name)
	if s == "" {
		return absent
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < low || n > high {
		q.issues.Add(name, "must be a whole number from %d to %d", low, high)
		return absent
	}
	return n
}

// Integer, Text and Err implement [dialect.Query].
func (q *query) Integer(name string, low, high, absent int64) int64 {
	return q.integer(name, low, high, absent)
}

// Text is text.
func (q *query) Text(name string) string { return q.text(name) }

// Err is err.
func (q *query) Err() error { return q.err() }

// boolean returns true, false, or nil if it is absent.
func (q *query) boolean(name string) *bool {
	switch q.values.Get(name) {
	case "":
		return nil
	case "true":
		v := true
		return &v
	case "false":
		v := false
		return &v
	}
	q.issues.Add(name, "must be true or false")
	return nil
}

// id returns an id, or zero if it is absent.
func (q *query) id(name string) store.ID {
	s := q.values.Get(name)
	if s == "" {
		return store.ID{}
	}
	id, err := store.ParseID(s)
	if err != nil || id.IsZero() {
		q.issues.Add(name, "must be an id, such as 0190163d-8694-739b-aea5-966c26f8ad91")
	}
	return id
}

// text returns a short text without control characters.
func (q *query) text(name string) string {
	s := q.values.Get(name)
	if len(s) > 200 || printableText(s) != s {
		q.issues.Add(name, "must be a text of at most 200 bytes without control characters")
		return ""
	}
	return s
}

// The bounds of times: those of this gateway's timestamps.
const (
	firstYear = 2000
	lastYear  = 2200
)

// time returns a time (RFC 3339, or a day: its beginning in UTC) in Unix milliseconds, or the
// default if it is absent.
func (q *query) time(name string, absent int64) int64 {
	s := q.values.Get(name)
	if s == "" {
		return absent
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse(time.DateOnly, s)
	}
	if err != nil || t.Year() < firstYear || t.Year() > lastYear {
		q.issues.Add(name, "must be a time such as 2026-01-31T08:00:00Z, or a day such as 2026-01-31")
		return absent
	}
	return t.UnixMilli()
}

// Sizes of pages.
const (
	defaultPage = 50
	maxPage     = 200
)

// page is a part of a list.
type page struct {
	after store.ID
	limit int
}

func (q *query) page() page {
	return page{after: q.id("cursor"), limit: int(q.integer("limit", 1, maxPage, defaultPage))}
}

func (c *call) page() (page, error) {
	q := c.query()
	p := q.page()
	return p, q.err()
}

// more is the page with one entry more, which tells whether there is another page.
func (p page) more() store.Page { return store.Page{After: p.after, Limit: p.limit + 1} }

// cut returns the page of the entries that were read, and the cursor of the next one; nil if this is the last.
func cut[T any](all []T, p page, id func(T) store.ID) ([]T, *store.ID) {
	if len(all) <= p.limit {
		return all, nil
	}
	all = all[:p.limit]
	next := id(all[p.limit-1])
	return all, &next
}

// ownPage is the page of a list that a cap bounds: without limit it is the whole list.
func (q *query) ownPage() page {
	return page{after: q.id("cursor"), limit: int(q.integer("limit", 1, math.MaxInt32, math.MaxInt32))}
}

// cutWhole is cut for a whole list in the order of the ids.
func cutWhole[T any](all []T, p page, id func(T) store.ID) ([]T, *store.ID) {
	from := sort.Search(len(all), func(i int) bool {
		one := id(all[i])
		return bytes.Compare(one[:], p.after[:]) > 0
	})
	return cut(all[from:], p, id)
}

// requestFilters are the parameters that choose requests of the log.
var requestFilters = []string{"statusClass", "status", "provider", "model", "keyId", "tokenId", "from", "to"}

// parameters are those that the management routes take, by method and pattern. The others take none.
var parameters = map[string][]string{
	"GET /api/queue/stats":              {"scope"},
	"GET /api/queue/jobs":               {"limit", "cursor"},
	"GET /api/users":                    {"limit", "cursor"},
	"GET /api/tokens":                   {"limit", "cursor"},
	"GET /api/admin/tokens":             {"limit", "cursor"},
	"GET /api/tokens/{id}/end-users":    {"limit", "cursor"},
	"DELETE /api/tokens/{id}/end-users": {"endUser"},
	"GET /api/limits":                   {"type", "id", "token", "userId", "scope", "limit", "cursor"},
	"GET /api/keys":                     {"provider", "enabled", "limit", "cursor"},
	"GET /api/keys/{id}/usage":          {"limit"},
	"GET /api/admin/keys":               {"limit", "cursor"},
	"GET /api/usage":                    {"from", "to", "by", "split", "userId", "scope"},
	"GET /api/requests":                 append([]string{"limit", "cursor"}, requestFilters...),
	"GET /api/requests.csv":             requestFilters,
}

// managed reports whether the route manages the gateway: other programs than its own pages and scripts do not call it, so
// a parameter that it does not know is a mistake.
func (r *Route) managed() bool {
	return r.Sharing == SameOrigin && r.Group != Health && r.Group != Cron
}

// checkParameters refuses parameters that a management route does not know.
func (a *App) checkParameters(c *call, r *Route) error {
	if c.r.URL.RawQuery == "" || !r.managed() {
		return nil
	}
	known := parameters[strings.Replace(c.r.Method, "HEAD", "GET", 1)+" "+r.Pattern]
	q := c.query()
	if a.Config.Platform == config.PlatformFunctions {
		delete(q.values, rewrittenPath)
	}
	q.only(known...)
	return q.err()
}

// rewrittenPath is the parameter that Vercel adds for the segment :path* of a rewrite whose destination does not use it.
const rewrittenPath = "path"

// only notes parameters that are not among the names.
func (q *query) only(names ...string) {
	for name := range q.values {
		switch {
		case slices.Contains(names, name):
		case len(names) == 0:
			q.issues.Add(printableText(name), "is unknown: there are no parameters here")
		default:
			q.issues.Add(printableText(name), "is unknown; these are known: %s", strings.Join(names, ", "))
		}
	}
}
