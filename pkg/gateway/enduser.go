package gateway

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// EndUserSources are where a request may name its end user, in the order in which they are looked at: headers of the
// gateway, of OpenWebUI and of LibreChat, and members of the body. Of metadata.user_id the account counts.
var EndUserSources = []string{"X-LLM-End-User", "X-OpenWebUI-User-Id", "X-LibreChat-User-Id", "safety_identifier", "user", "metadata.user_id"}

// maxEndUser bounds the name of an end user, in bytes.
const maxEndUser = 128

// readEndUser finds out who is behind the request, if its token tells that. Errors: Validation.
func (c *Call) readEndUser() error {
	c.endUserName = ""
	scope := &c.entry.scope
	if c.entry.token.IsZero() || !scope.EndUsers || c.req.EndUser == nil {
		return c.demandEndUser()
	}
	for _, source := range EndUserSources {
		if scope.EndUserSource != "" && scope.EndUserSource != source {
			continue
		}
		name, problem := c.g.EndUserName(accountOf(source, c.req.EndUser(source)))
		if problem != "" {
			return fault.New(fault.Validation, "%s %s", source, problem)
		}
		if name != "" {
			c.endUserName = name
			break
		}
	}
	return c.demandEndUser()
}

// EndUserName returns the name under which an end user is kept, or what is wrong with it. An e-mail address is kept as a
// keyed hash.
func (g *Gateway) EndUserName(given string) (name, problem string) {
	name = strings.TrimSpace(given)
	switch {
	case strings.HasPrefix(name, "{{"):
		return "", "" // a placeholder of LibreChat's that was not replaced
	case strings.Contains(strings.Trim(name, "@"), "@"):
		if len(name) > 2*maxEndUser {
			return "", "must be at most 128 bytes long"
		}
		return g.Secrets.Pseudonym(strings.ToLower(name)), ""
	case len(name) > maxEndUser:
		return "", "must be at most 128 bytes long"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return "", "must be text without control characters"
	}
	return name, ""
}

// accountOf returns the end user that a source names. Claude Code's metadata.user_id has the account among other parts:
// user_HASH_account_ACCOUNT_session_SESSION, or the same as JSON.
func accountOf(source, value string) string {
	if source != "metadata.user_id" {
		return value
	}
	if strings.HasPrefix(strings.TrimSpace(value), "{") {
		return accountOfJSON(value)
	}
	user, rest, ok := strings.Cut(value, "_account_")
	if !ok {
		return value
	}
	if account, _, _ := strings.Cut(rest, "_session_"); account != "" {
		return account
	}
	return user
}

// demandEndUser refuses a request without an end user if a limit holds for each. Errors: Validation.
func (c *Call) demandEndUser() error {
	if c.endUserName != "" || c.entry.token.IsZero() {
		return nil
	}
	for i := range c.entry.table.limits {
		l := &c.entry.table.limits[i]
		if l.Subject == store.LimitEndUser && l.SubjectID == c.entry.token && l.EndUser == nil {
			hint := "set endUsers of the token"
			switch source := c.entry.scope.EndUserSource; {
			case c.entry.scope.EndUsers && source != "":
				hint = "name it in " + source
			case c.entry.scope.EndUsers:
				hint = "name it in one of " + strings.Join(EndUserSources, ", ")
			}
			return fault.New(fault.Validation, "a limit holds for each end user of this token, and the request names none: %s", hint)
		}
	}
	return nil
}

// isFor reports whether a limit of end users holds for the request.
func (c *Call) isFor(l *store.Limit) bool {
	return l.SubjectID == c.entry.token && c.endUserName != "" && (l.EndUser == nil || *l.EndUser == c.endUserName)
}

// labels are the end user and the tags of the request.
func (c *Call) labels() (all []store.Label) {
	if c.endUserName != "" {
		all = append(all, c.endUserLabel())
	}
	for _, tag := range c.req.Tags {
		all = append(all, store.Label{Kind: store.TagLabel, Owner: c.entry.table.user, Name: tag})
	}
	for i := range all {
		all[i].Known = c.entry.table.labels.has(all[i].Party())
	}
	return all
}

func (c *Call) endUserLabel() store.Label {
	return store.Label{Kind: store.EndUserLabel, Owner: c.entry.token, Name: c.endUserName}
}

// party identifies the end user; zero: there is none.
func (c *Call) party() store.ID {
	if c.endUserName == "" {
		return store.ID{}
	}
	l := c.endUserLabel()
	return l.Party()
}

// labelSet remembers which labels the database has. It lasts as long as the user's revision: deleting an end user's data
// changes that.
type labelSet struct {
	mu    sync.Mutex
	known map[store.ID]struct{}
}

// maxKnownLabels bounds the set of each user.
const maxKnownLabels = 1000

func (s *labelSet) has(party store.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.known[party]
	return ok
}

func (s *labelSet) add(labels []store.Label) {
	if !slices.ContainsFunc(labels, func(l store.Label) bool { return !l.Known }) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxKnownLabels {
		s.known = map[store.ID]struct{}{}
	}
	for i := range labels {
		s.known[labels[i].Party()] = struct{}{}
	}
}

// accountOfJSON returns the account of Claude Code's user_id, or else its device; the text itself if it has neither.
func accountOfJSON(text string) string {
	var in struct {
		Account string `json:"account_uuid"`
		Device  string `json:"device_id"`
	}
	if json.Unmarshal([]byte(text), &in) != nil {
		return text
	}
	return cmp.Or(in.Account, in.Device, text)
}
