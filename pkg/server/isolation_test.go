package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// bodyFor returns a valid body for a route.
func bodyFor(route server.Route) string {
	switch route.Method + " " + route.Pattern {
	case "PATCH /api/users/{id}":
		return `{"enabled":true}`
	case "PATCH /api/admin/tokens/{id}", "PATCH /api/admin/keys/{id}":
		return `{"blocked":true}`
	}
	if route.Method == "PUT" || route.Method == "PATCH" {
		return `{"name":"taken over"}`
	}
	return ""
}

// Every object belongs to one user. For anyone else, the admin included, it does not exist.
func TestOthersObjectsDoNotExist(t *testing.T) {
	w := newWorld(t)
	ann, bob, root := w.user("ann"), w.user("bob"), w.admin("root")
	key := ann.key("openai", apiKey)
	token, _, _ := ann.token("ann's")
	ann.chat(hello).want(200)
	objects := map[string]string{
		"/api/keys/": key, "/api/tokens/": token,
		"/api/auth/sessions/": ann.get("/api/auth/sessions").want(200).text("sessions.0.id"),
		"/api/requests/":      ann.get("/api/requests").want(200).text("requests.0.id"),
	}
	everything := func() (all string) {
		for _, path := range []string{"/api/keys", "/api/tokens", "/api/auth/sessions", "/api/requests", "/api/usage?by=key&to=2199-01-01T00:00:00Z&from=2198-12-01T00:00:00Z"} {
			all += ann.get(path).want(200).body
		}
		return all
	}
	before, tried := everything(), 0
	for _, route := range server.Routes() {
		for root2, id := range objects {
			if !strings.HasPrefix(route.Pattern, root2) || !strings.Contains(route.Pattern, "{id}") {
				continue
			}
			tried++
			for _, caller := range []*person{bob, root} {
				for _, form := range []string{id, strings.ToUpper(id)} {
					caller.do(route.Method, idOf(route, form), bodyFor(route)).refused(404, "NOT_FOUND", "no such object")
				}
			}
			// An id of another kind of object is unknown too.
			for other, id := range objects {
				if other != root2 {
					ann.do(route.Method, idOf(route, id), bodyFor(route)).refused(404, "NOT_FOUND", "no such object")
				}
			}
			for _, id := range []string{"1", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", id + "0", id[1:], strings.ReplaceAll(id, "-", ""),
				"%00", "%2e%2e", "'%20or%201=1--", "%ff", strings.Repeat("a", 5000)} {
				ann.do(route.Method, idOf(route, id), bodyFor(route)).refused(404, "NOT_FOUND", "")
			}
		}
	}
	if tried < 11 {
		t.Errorf("only %d routes have objects", tried)
	}
	if after := everything(); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
	for _, path := range []string{"/api/keys", "/api/tokens", "/api/requests", "/api/usage", "/api/keys/stats"} {
		for _, caller := range []*person{bob, root} {
			if r := caller.get(path).want(200); strings.Contains(r.body, key) || strings.Contains(r.body, token) {
				t.Errorf("%s shows what is another's: %s", path, r.body)
			}
		}
	}
	for filter, id := range map[string]string{"keyId": key, "tokenId": token} {
		if n := bob.get("/api/requests?" + filter + "=" + id).want(200).count("requests"); n != 0 {
			t.Errorf("%d requests of another by %s", n, filter)
		}
	}
}

// The admin may list and block the objects of others, and nothing else; other users may do neither.
func TestAdminRoutesAreTheAdmins(t *testing.T) {
	w := newWorld(t)
	ann, bob, root := w.user("ann"), w.user("bob"), w.admin("root")
	key := ann.key("openai", apiKey)
	token, secret, _ := ann.token("ann's")
	for _, route := range server.Routes() {
		if route.Access == server.AccessAdmin {
			for _, caller := range []client{bob.client, bob.cookied()} {
				caller.do(route.Method, idOf(route, key), bodyFor(route)).refused(403, "FORBIDDEN", "admin")
			}
		}
	}
	keys := root.get("/api/admin/keys").want(200).is("keys.0.id", key, "keys.0.userId", ann.id.String(), "keys.0.email", ann.email, "keys.0.lastFour", "0001", "nextCursor", "null")
	keys.members("keys.0", "id", "provider", "name", "enabled", "blocked", "lastFour", "createdAt", "userId", "email",
		"state", "cooldownUntil", "cooldownClass", "cooldownMessage", "cooldowns")
	tokens := root.get("/api/admin/tokens").want(200).is("tokens.0.id", token, "tokens.0.email", ann.email)
	tokens.members("tokens.0", "id", "name", "enabled", "blocked", "expiresAt", "createdAt", "userId", "email",
		"allowedModels", "allowedProviders", "allowedEndpoints", "maxConcurrent", "endUsers", "endUserSource")
	if strings.Contains(tokens.body, secret[:12]) {
		t.Error("a token is shown")
	}
	for _, path := range []string{"/api/admin/keys/", "/api/admin/tokens/", "/api/users/"} {
		body := `{"blocked":true}`
		if path == "/api/users/" {
			body = `{"enabled":false}`
		}
		for _, id := range []string{"1", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"} {
			root.patch(path+id, body).refused(404, "NOT_FOUND", "no such object")
		}
	}
}

// The admin's paged lists have every object once, in order.
func TestAdminPages(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	for i := range 7 {
		p := w.user(fmt.Sprint("user", i))
		p.key("openai", apiKey)
		p.token("one")
		w.wait(2 * time.Millisecond)
	}
	for list, want := range map[string]int{"users": 8, "admin/keys": 7, "admin/tokens": 7} {
		member := list[strings.LastIndex(list, "/")+1:]
		root.pages(list, member, want)
		for query, path := range map[string]string{"limit=0": "limit", "limit=201": "limit", "limit=-1": "limit", "limit=a": "limit", "cursor=1": "cursor",
			"cursor=00000000-0000-0000-0000-000000000000": "cursor", "limit=1&limit=1": "limit", "cursor=%00": "cursor"} {
			root.get("/api/"+list+"?"+query).refused(400, "VALIDATION_ERROR", fmt.Sprintf(`"path":%q`, path))
		}
	}
}

// pages checks that the pages of a list have every object once.
func (c client) pages(list, member string, want int) {
	t := c.w.t
	t.Helper()
	for _, limit := range []int{1, 3, 7, 8, 200} {
		seen, cursor := map[string]bool{}, ""
		for pages := 0; ; pages++ {
			r := c.get(fmt.Sprintf("/api/%s?limit=%d&cursor=%s", list, limit, cursor)).want(200)
			if n := r.count(member); n > limit {
				t.Errorf("%s by %d: a page of %d", list, limit, n)
			}
			for i := range r.count(member) {
				id := r.text(fmt.Sprintf("%s.%d.id", member, i))
				if seen[id] {
					t.Errorf("%s: %s twice", list, id)
				}
				seen[id] = true
			}
			if r.at("nextCursor") == nil || pages > 10 {
				break
			}
			cursor = r.text("nextCursor")
		}
		if len(seen) != want {
			t.Errorf("%s by %d: %d, want %d", list, limit, len(seen), want)
		}
	}
}

// A user's own lists have pages, too, and come whole without a limit.
func TestOwnPages(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	for i := range 7 {
		ann.key("openai", fmt.Sprintf("%s%04d", apiKey, i))
		ann.token(fmt.Sprint("token ", i))
		w.wait(2 * time.Millisecond)
	}
	for _, list := range []string{"keys", "tokens"} {
		ann.pages(list, list, 7)
		if r := ann.get("/api/" + list).want(200); r.count(list) != 7 || r.at("nextCursor") != nil {
			t.Errorf("%s: %d without a limit", list, r.count(list))
		}
		for _, query := range []string{"limit=0", "limit=-1", "limit=a", "cursor=1"} {
			ann.get("/api/"+list+"?"+query).refused(400, "VALIDATION_ERROR", `"path":`)
		}
	}
	ann.get("/api/keys?limit=2").want(200).is("total", "7")
}
