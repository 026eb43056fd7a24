package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func TestUsersForTheAdmin(t *testing.T) {
	w := newWorld(t)
	root, ann := w.admin("root"), w.user("ann")
	list := root.get("/api/users").want(200)
	list.members("", "users", "nextCursor")
	list.members("users.0", "id", "email", "name", "role", "strategy", "createdAt", "enabled")
	list.is("users.0.id", root.id.String(), "users.0.role", "admin", "users.1.email", ann.email, "users.1.enabled", "true")

	path := "/api/users/" + ann.id.String()
	r := root.patch(path, `{"role":"admin"}`).want(200)
	r.members("", "user")
	r.members("user", "id", "email", "name", "role", "strategy", "createdAt", "enabled")
	r.is("user.role", "admin", "user.enabled", "true")
	ann.get("/api/users").want(200) // at once
	root.patch(path, `{"role":"user"}`).want(200)
	ann.get("/api/users").refused(403, "FORBIDDEN", "")

	for body, part := range map[string]string{
		`{}`: "give enabled, role, or both", `{"role":"root"}`: `"path":"role"`, `{"role":null}`: `"path":"role"`, `{"role":1}`: `"path":"role"`,
		`{"enabled":"no"}`: `"path":"enabled"`, `{"enabled":null}`: "enabled", `{"enabled":true,"email":"x@y.z"}`: `"path":"email"`,
		`{"enabled":true,"password":"` + password + `"}`: `"path":"password"`, `{"role":"Admin"}`: `"path":"role"`, `[]`: "",
	} {
		root.patch(path, body).refused(400, "VALIDATION_ERROR", part)
	}
}

func TestDisabledUser(t *testing.T) {
	w := newWorld(t)
	root, ann := w.admin("root"), w.user("ann")
	path := "/api/users/" + ann.id.String()
	root.patch(path, `{"enabled":false}`).want(200).is("user.enabled", "false")
	for _, caller := range []client{ann.client, ann.cookied()} {
		caller.get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
		caller.get("/api/keys").refused(401, "UNAUTHORIZED", "")
	}
	w.anyone().login(ann.email, password).refused(403, "FORBIDDEN", "disabled")
	w.anyone().login(ann.email, mark+" guess").refused(401, "UNAUTHORIZED", "wrong") // without the password the state is not revealed
	root.patch(path, `{"enabled":true}`).want(200)
	ann.get("/api/auth/me").refused(401, "UNAUTHORIZED", "") // an ended session does not come back
	w.anyone().login(ann.email, password).want(200)
}

func TestLastAdminIsKept(t *testing.T) {
	w := newWorld(t)
	root, ann := w.admin("root"), w.user("ann")
	self, other := "/api/users/"+root.id.String(), "/api/users/"+ann.id.String()
	for _, body := range []string{`{"enabled":false}`, `{"role":"user"}`, `{"enabled":false,"role":"user"}`, `{"enabled":true,"role":"user"}`, `{"enabled":false,"role":"admin"}`} {
		root.patch(self, body).refused(409, "CONFLICT", "last enabled admin")
	}
	root.patch(self, `{"enabled":true,"role":"admin"}`).want(200)
	// A disabled admin does not count as another admin.
	root.patch(other, `{"role":"admin","enabled":false}`).want(200)
	root.patch(self, `{"role":"user"}`).refused(409, "CONFLICT", "")
	root.patch(other, `{"enabled":true}`).want(200)
	root.patch(self, `{"role":"user"}`).want(200)
	root.get("/api/users").refused(403, "FORBIDDEN", "")
}

// Of admins who demote or disable each other concurrently, one remains.
func TestAdminsDemoteEachOtherAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db)
		admins := []*person{w.admin("one"), w.admin("two")}
		bodies := []string{`{"role":"user"}`, `{"enabled":false}`, `{"role":"user","enabled":false}`}
		for try := range 40 {
			var replies [4]reply
			together(len(replies), func(i int) {
				replies[i] = admins[i%2].patch("/api/users/"+admins[(i+1)%2].id.String(), bodies[try%len(bodies)])
			})
			for _, r := range replies {
				switch r.status {
				case 200, 401, 403, 409:
				default:
					t.Fatalf("%s: %d %s", r.what, r.status, r.body)
				}
			}
			left := 0
			users, err := store.Users(t.Context(), db, store.Page{Limit: 10})
			for _, u := range users {
				if u.Enabled && u.Role == store.RoleAdmin {
					left++
				}
			}
			if err != nil || left != 1 {
				t.Fatalf("try %d: %d enabled admins are left (%v)", try, left, err)
			}
			// Both are admins again for the next try.
			for i, u := range users {
				change := store.UserChange{Enabled: store.To(true), Role: store.To(store.RoleAdmin)}
				if _, err := store.UpdateUser(t.Context(), db, u.ID, change, w.now().UnixMilli()); err != nil {
					t.Fatal(err)
				}
				admins[i] = w.anyone().person(&person{id: u.ID, session: w.openSession(u.ID)})
			}
		}
	})
}

func TestDeletedAccounts(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db)
		root, ann, bob := w.admin("root"), w.user("ann"), w.user("bob")
		_, _, holder := ann.token("app")
		ann.post("/api/auth/me/delete", `{}`).refused(400, "VALIDATION_ERROR", `"path":"password"`)
		ann.post("/api/auth/me/delete", `{"password":"`+mark+` guess"}`).refused(403, "FORBIDDEN", "password: this is not the current password")
		ann.get("/api/auth/me").want(200)
		body := fmt.Sprintf(`{"password":%q}`, password)
		ann.post("/api/auth/me/delete", body).want(204)
		ann.get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
		holder.chat(hello).refused(401, "UNAUTHORIZED", "")
		w.anyone().login(ann.email, password).refused(401, "UNAUTHORIZED", "")

		root.delete("/api/users/"+ann.id.String()).refused(404, "NOT_FOUND", "")
		root.delete("/api/users/"+root.id.String()).refused(409, "CONFLICT", "your own account")
		root.post("/api/auth/me/delete", body).refused(409, "CONFLICT", "last enabled admin")
		bob.delete("/api/users/"+root.id.String()).refused(403, "FORBIDDEN", "")
		root.delete("/api/users/" + bob.id.String()).want(204)
		bob.get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
		if n := root.get("/api/users").want(200).count("users"); n != 1 {
			t.Errorf("%d users are left", n)
		}
	})
}

func TestRevocation(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.user("ann"), w.user("bob")
	other := w.anyone().with("Authorization", "Bearer "+w.openSession(ann.id))
	_, _, holder := ann.token("app")
	_, _, theirs := bob.token("app")
	ann.post("/api/auth/revoke", `{}`).want(200).is("sessions", "1", "tokens", "0")
	other.get("/api/auth/me").refused(401, "UNAUTHORIZED", "ended")
	ann.get("/api/auth/me").want(200)
	holder.chat(hello).refused(400, "NO_ELIGIBLE_KEY", "")
	ann.post("/api/auth/revoke", `{"tokens":true}`).want(200).is("sessions", "0", "tokens", "1")
	holder.chat(hello).refused(401, "UNAUTHORIZED", "")
	theirs.chat(hello).refused(400, "NO_ELIGIBLE_KEY", "")
	bob.put("/api/auth/password", fmt.Sprintf(`{"currentPassword":%q,"newPassword":"%s anew","revokeTokens":true}`, password, mark)).want(200)
	theirs.chat(hello).refused(401, "UNAUTHORIZED", "")
}

// A proxy that is not listed is warned of once in the log, and to an admin who comes through it.
func TestUnlistedProxy(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	root.get("/api/auth/settings").want(200).is("unlistedProxy", "null")
	for range 3 {
		root.with("X-Forwarded-For", "203.0.113.9", peerHeader, "10.1.2.3:4").get("/api/auth/settings").want(200).is("unlistedProxy", "10.1.2.3")
	}
	if n := strings.Count(w.log.String(), "TRUSTED_PROXIES"); n != 1 {
		t.Errorf("the log warns %d times", n)
	}
}
