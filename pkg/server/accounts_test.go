package server_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestProfile(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	r := ann.patch("/api/auth/me", `{"name":"  Ann Bär  ","strategy":"round-robin"}`).want(200)
	r.members("", "user")
	r.members("user", "id", "email", "name", "role", "createdAt", "strategy")
	r.is("user.name", "Ann Bär", "user.strategy", "round-robin")
	ann.get("/api/auth/me").is("user.name", "Ann Bär", "user.strategy", "round-robin")
	ann.patch("/api/auth/me", `{"strategy":"exhaust-first"}`).want(200).is("user.name", "Ann Bär", "user.strategy", "exhaust-first")
	ann.patch("/api/auth/me", `{"strategy":null}`).want(200).is("user.strategy", "null")
	ann.patch("/api/auth/me", `{}`).want(200).is("user.name", "Ann Bär")
	for body, path := range map[string]string{
		`{"name":""}`: "name", `{"name":null}`: "name", `{"name":5}`: "name", `{"name":"\u0000"}`: "name", `{"name":"` + strings.Repeat("x", 101) + `"}`: "name",
		`{"strategy":""}`: "strategy", `{"strategy":"random"}`: "strategy", `{"strategy":7}`: "strategy",
		`{"role":"admin"}`: "role", `{"email":"x@example.com"}`: "email", `{"enabled":true}`: "enabled", `{"id":"x"}`: "id", `{"password":"x"}`: "password",
	} {
		ann.patch("/api/auth/me", body).refused(400, "VALIDATION_ERROR", fmt.Sprintf(`"path":%q`, path))
	}
	ann.get("/api/auth/me").is("user.role", "user", "user.email", ann.email)
}

// The strategy that a user chooses applies to the next request.
func TestStrategyOfTheUser(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	one, two := ann.key("openai", apiKey), ann.key("openai", "sk-"+mark+"-0002")
	used := func() string {
		return ann.get("/api/keys/"+one).text("usedToday") + "," + ann.get("/api/keys/"+two).text("usedToday")
	}
	ann.chat(hello).want(200)
	ann.chat(hello).want(200)
	if u := used(); u != "2,0" && u != "0,2" { // keys made in one millisecond have no order
		t.Errorf("exhaust-first used %s", u)
	}
	ann.post("/api/keys/"+one+"/reset", "").want(200)
	ann.post("/api/keys/"+two+"/reset", "").want(200)
	ann.patch("/api/auth/me", `{"strategy":"round-robin"}`).want(200)
	ann.chat(hello).want(200)
	ann.chat(hello).want(200)
	if u := used(); u != "1,1" {
		t.Errorf("round-robin used %s", u)
	}
}

func TestPasswordChange(t *testing.T) {
	const next = mark + " of next year"
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	_, _, holder := ann.token("test")
	other := w.anyone().with("Cookie", plainCookie+"="+w.openSession(ann.id))
	change := func(current, chosen string) string {
		return fmt.Sprintf(`{"currentPassword":%q,"newPassword":%q}`, current, chosen)
	}
	ann.put("/api/auth/password", change(mark+" guess", next)).refused(403, "FORBIDDEN", "current password")
	ann.put("/api/auth/password", change(strings.Repeat("p", 257), next)).refused(403, "FORBIDDEN", "current password")
	for body, part := range map[string]string{
		change(password, "short"): `"path":"newPassword"`, change(password, strings.Repeat("p", 257)): `"path":"newPassword"`,
		`{}`: `"path":"currentPassword"`, `{"currentPassword":"` + password + `"}`: `"path":"newPassword"`,
		`{"currentPassword":null,"newPassword":"` + next + `"}`:                           `"path":"currentPassword"`,
		`{"currentPassword":"` + password + `","newPassword":"` + next + `","email":"x"}`: `"path":"email"`,
	} {
		ann.put("/api/auth/password", body).refused(400, "VALIDATION_ERROR", part)
	}
	other.get("/api/auth/me").want(200)

	r := ann.put("/api/auth/password", change(password, next)).want(200)
	r.members("", "user", "token")
	if c := r.cookie(plainCookie); c == nil || c.Value != r.text("token") {
		t.Errorf("the cookie: %v", r.header["Set-Cookie"])
	}
	ann.get("/api/auth/me").refused(401, "UNAUTHORIZED", "ended")
	other.get("/api/auth/me").refused(401, "UNAUTHORIZED", "ended")
	w.anyone().with("Authorization", "Bearer "+r.text("token")).get("/api/auth/me").want(200)
	w.anyone().login(ann.email, password).refused(401, "UNAUTHORIZED", "")
	w.anyone().login(ann.email, next).want(200)
	holder.chat(hello).want(200) // gateway tokens are still valid
}
