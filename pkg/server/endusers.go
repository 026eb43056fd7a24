package server

import (
	"net/http"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// tagsHeader is the header that says what a request is for: a list.
const tagsHeader = "X-LLM-Tags"

// The bounds of the tags of a request.
const (
	maxTags = 5
	maxTag  = 64 // bytes
)

// tags reads the tags of a request. Error: Validation.
func tags(h http.Header) ([]string, error) {
	var issues fault.Issues
	var all []string
	for _, tag := range list(h, tagsHeader) {
		switch {
		case len(tag) > maxTag || printableText(tag) != tag:
			issues.Add(tagsHeader, "a tag is at most %d bytes of text without control characters", maxTag)
		default:
			all = appendMissing(all, tag)
		}
	}
	if len(all) > maxTags {
		issues.Add(tagsHeader, "has more than %d tags", maxTags)
	}
	return all, issues.Err()
}

func appendMissing(all []string, s string) []string {
	for _, known := range all {
		if known == s {
			return all
		}
	}
	return append(all, s)
}

// endUserOf returns what a request says of its end user in one of [gateway.EndUserSources]. It reads the body once, if
// the token tells end users at all.
func endUserOf(h http.Header, body []byte) func(source string) string {
	var root jsonx.Value
	read := false
	return func(source string) string {
		if strings.HasPrefix(source, "X-") {
			return h.Get(source)
		}
		if !read {
			root, _ = jsonx.Parse(body, jsonx.Lenient)
			read = true
		}
		v := root
		for name := range strings.SplitSeq(source, ".") {
			if !v.Exists() || v.Kind() != jsonx.Object {
				return ""
			}
			v = v.Get(name)
		}
		if !v.Exists() || v.Kind() != jsonx.String {
			return ""
		}
		return v.Str()
	}
}

// checkSource checks where a token's end users are named; empty: wherever one is named first.
func checkSource(issues *fault.Issues, source jsonx.Optional[string]) string {
	if source.Null || source.Value == "" {
		return ""
	}
	for _, known := range gateway.EndUserSources {
		if strings.EqualFold(known, source.Value) {
			return known
		}
	}
	issues.Add("endUserSource", "must be null or one of %s", strings.Join(gateway.EndUserSources, ", "))
	return ""
}

type endUserView struct {
	Name      string    `json:"name"`
	CreatedAt timestamp `json:"createdAt"`
}

// listEndUsers lists the end users of a token by name.
func (a *App) listEndUsers(c *call) error {
	token, err := c.objectID()
	if err != nil {
		return err
	}
	q := c.query()
	limit, after := int(q.integer("limit", 1, maxPage, defaultPage)), q.text("cursor")
	if err := q.err(); err != nil {
		return err
	}
	ctx, user := c.r.Context(), c.who.user.ID
	if _, err := store.TokenByID(ctx, a.DB, user, token); err != nil {
		return err
	}
	found, err := store.EndUsers(ctx, a.DB, user, token, after, limit+1)
	if err != nil {
		return err
	}
	var next *string
	if len(found) > limit {
		found = found[:limit]
		next = &found[limit-1].Name
	}
	views := make([]endUserView, len(found))
	for i, e := range found {
		views[i] = endUserView{e.Name, timestamp(e.CreatedAt)}
	}
	return c.reply(http.StatusOK, struct {
		EndUsers   []endUserView `json:"endUsers"`
		NextCursor *string       `json:"nextCursor"`
	}{views, next})
}

// deleteEndUser deletes what is known of an end user of a token.
func (a *App) deleteEndUser(c *call) error {
	token, err := c.objectID()
	if err != nil {
		return err
	}
	if _, err := store.TokenByID(c.r.Context(), a.DB, c.who.user.ID, token); err != nil {
		return err
	}
	q := c.query()
	name, problem := a.Gateway.EndUserName(q.values.Get("endUser"))
	switch {
	case problem != "":
		q.issues.Add("endUser", "%s", problem)
	case name == "":
		q.issues.Add("endUser", "required: the end user as its requests name it, or as the list has it")
	}
	if err := q.err(); err != nil {
		return err
	}
	if err := store.DeleteEndUser(c.r.Context(), a.DB, c.who.user.ID, token, name); err != nil {
		return err
	}
	a.Log.Info("end user deleted", "token", token.String(), "by", c.who.user.ID.String(), "request", c.requestID())
	return c.noContent()
}

// labelUsageView is the usage of an end user or a tag.
type labelUsageView struct {
	Bucket  string    `json:"bucket"`
	TokenID *store.ID `json:"tokenId,omitempty"` // of an end user
	countsView
}

// maxLabelRows bounds an answer; the first have the most requests.
const maxLabelRows = 1000

// usageByLabel sums up requests by end user or tag, in whole days.
func (a *App) usageByLabel(c *call, user store.ID, by store.By, from, to int64) error {
	kind := store.TagLabel
	if by == store.ByEndUser {
		kind = store.EndUserLabel
	}
	usage, err := store.LabelUsageBetween(c.r.Context(), a.DB, user, kind, from, to, maxLabelRows)
	if err != nil {
		return err
	}
	rows := make([]labelUsageView, len(usage))
	for i, u := range usage {
		rows[i] = labelUsageView{Bucket: u.Label, countsView: viewCounts(u.Counts)}
		if kind == store.EndUserLabel {
			rows[i].TokenID = &usage[i].Owner
		}
	}
	return c.reply(http.StatusOK, struct {
		Usage []labelUsageView `json:"usage"`
		By    store.By         `json:"by"`
		From  timestamp        `json:"from"`
		To    timestamp        `json:"to"`
	}{rows, by, timestamp(from), timestamp(to)})
}

// whose reads the parameters by which the admin asks for what is another user's, or everybody's: the zero user. Errors:
// Forbidden.
func (c *call) whose(q *query) (user store.ID, err error) {
	user = q.id("userId")
	everybody := q.text("scope") == scopeAll
	if scope := q.text("scope"); scope != "" && (!everybody || !user.IsZero()) {
		q.issues.Add("scope", "must be %s, without userId", scopeAll)
	}
	admin := c.who.user.Role == store.RoleAdmin
	switch {
	case everybody && !admin:
		return user, fault.New(fault.Forbidden, "only the admin may see what is all users'")
	case !user.IsZero() && user != c.who.user.ID && !admin:
		return user, fault.New(fault.Forbidden, "only the admin may see what is another user's")
	case everybody:
		return store.ID{}, nil
	case user.IsZero():
		return c.who.user.ID, nil
	}
	return user, nil
}
