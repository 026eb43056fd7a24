package server_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func registration(name string, more ...string) string {
	return fmt.Sprintf(`{"email":"%s@example.com","password":%q%s}`, name, password, strings.Join(more, ""))
}

// firstRegistration registers the first account, with the set-up token.
func (w *world) firstRegistration(name string, more ...string) string {
	return registration(name, append(more, fmt.Sprintf(`,"setupToken":%q`, w.app.Secrets.SetupToken()))...)
}

// hashes counts the passwords hashed while do runs: nothing else allocates 19 MiB at a time.
func hashes(do func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int((after.TotalAlloc - before.TotalAlloc) / (18 << 20))
}

// together runs do n times concurrently.
func together(n int, do func(i int)) {
	var begin, end sync.WaitGroup
	begin.Add(1)
	for i := range n {
		end.Go(func() {
			begin.Wait()
			do(i)
		})
	}
	begin.Done()
	end.Wait()
}

func TestFirstRegistration(t *testing.T) {
	w := newWorld(t)
	status := w.anyone().get("/api/auth/status").want(200).is("setupRequired", "true", "setupTokenRequired", "true", "registrationEnabled", "false")
	status.members("", "setupRequired", "setupTokenRequired", "registrationEnabled", "session")
	status.is("session", "false")

	r := w.anyone().post("/api/auth/register", fmt.Sprintf(`{"email":" Ann@Example.COM ","password":%q,"name":"Ann","setupToken":%q}`, password, w.app.Secrets.SetupToken())).want(201)
	r.members("", "user", "token")
	r.members("user", "id", "email", "name", "role", "createdAt", "strategy")
	r.is("user.email", "ann@example.com", "user.name", "Ann", "user.role", "admin", "user.strategy", "null").near("user.createdAt", time.Now())
	if _, err := store.ParseID(r.text("user.id")); err != nil {
		t.Errorf("the id %s: %v", r.text("user.id"), err)
	}
	w.anyone().with("Authorization", "Bearer "+r.text("token")).get("/api/auth/me").want(200).is("user.id", r.text("user.id"))
	if c := r.cookie(plainCookie); c == nil || c.Value != r.text("token") {
		t.Errorf("the cookie is %v", c)
	}
	w.anyone().get("/api/auth/status").want(200).is("setupRequired", "false", "setupTokenRequired", "false", "registrationEnabled", "false")
	w.anyone().post("/api/auth/register", registration("bob")).refused(403, "FORBIDDEN", "closed")
}

func TestManyFirstRegistrationsMakeOneAdmin(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db, "AUTH_CONCURRENCY=4")
		var replies [50]reply
		together(len(replies), func(i int) {
			replies[i] = w.anyone().from(peer(i)).post("/api/auth/register", w.firstRegistration(fmt.Sprint("first", i)))
		})
		admins := 0
		for _, r := range replies {
			if r.status == 201 {
				admins++
				r.is("user.role", "admin")
				continue
			}
			if r.status == 429 { // the throttle refuses so many attempts at once
				r.refused(429, "RATE_LIMIT_EXCEEDED", "too many attempts")
				continue
			}
			r.refused(403, "FORBIDDEN", "closed")
		}
		users, err := store.Users(t.Context(), db, store.Page{Limit: 100})
		if admins != 1 || err != nil || len(users) != 1 || users[0].Role != store.RoleAdmin {
			t.Errorf("%d were answered 201, %d users exist (%v)", admins, len(users), err)
		}
	})
}

func TestAdminOpensAndClosesRegistration(t *testing.T) {
	w := newWorld(t)
	admin := w.admin("root")
	r := admin.get("/api/auth/settings").want(200).is("registrationEnabled", "false", "retentionDays", "30", "traceRetentionDays", "7", "strategy", "exhaust-first")
	r.members("", "registrationEnabled", "strategy", "retentionDays", "traceRetentionDays", "sessionDays", "version", "unlistedProxy")
	admin.put("/api/auth/settings", `{"registrationEnabled":true}`).want(200).is("registrationEnabled", "true").members("", "registrationEnabled")
	w.anyone().get("/api/auth/status").is("registrationEnabled", "true")

	bob := w.anyone().post("/api/auth/register", registration("bob")).want(201).is("user.role", "user", "user.name", "bob")
	asBob := w.anyone().with("Authorization", "Bearer "+bob.text("token"))
	asBob.get("/api/auth/settings").refused(403, "FORBIDDEN", "admin")
	asBob.put("/api/auth/settings", `{"registrationEnabled":true}`).refused(403, "FORBIDDEN", "admin")
	w.anyone().post("/api/auth/register", strings.Replace(registration("bob"), "bob", "BOB", 1)).refused(409, "CONFLICT", "email")

	for body, part := range map[string]string{
		`{}`:                             `"path":"registrationEnabled","message":"required"`,
		`{"registrationEnabled":null}`:   `"path":"registrationEnabled"`,
		`{"registrationEnabled":"true"}`: `"path":"registrationEnabled"`,
		`{"registrationEnabled":true,"setUp":false}`: `"path":"setUp","message":"unknown field"`,
	} {
		admin.put("/api/auth/settings", body).refused(400, "VALIDATION_ERROR", part)
	}
	admin.put("/api/auth/settings", `{"registrationEnabled":false}`).want(200)
	w.anyone().post("/api/auth/register", registration("eve")).refused(403, "FORBIDDEN", "closed")
}

func TestOneAddressOneAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db)
		w.admin("root").put("/api/auth/settings", `{"registrationEnabled":true}`).want(200)
		var statuses [6]int
		together(len(statuses), func(i int) {
			r := w.anyone().post("/api/auth/register", registration("twin"))
			if statuses[i] = r.status; r.status != 201 {
				r.refused(409, "CONFLICT", "email")
			}
		})
		made := 0
		for _, s := range statuses {
			if s == 201 {
				made++
			}
		}
		if made != 1 {
			t.Errorf("%d accounts for one address: %v", made, statuses)
		}
	})
}

func TestRegistrationRefusesBadFields(t *testing.T) {
	w := newWorld(t)
	for more, part := range map[string]string{
		`,"role":"admin"`: `"path":"role","message":"unknown field"`, `,"isAdmin":true`: `"path":"isAdmin"`, `,"Role":"admin"`: `"path":"Role"`,
		`,"id":"x"`: `"path":"id"`, `,"enabled":true`: `"path":"enabled"`, `,"name":7`: `"path":"name"`,
		`,"name":"a\u0000b"`: `"path":"name"`, `,"name":"\u202eevil"`: `"path":"name"`, `,"name":"` + strings.Repeat("n", 101) + `"`: `"path":"name"`,
		`,"password":"another one"`: `"path":"password"`, `,"setupToken":5`: `"path":"setupToken"`,
	} {
		w.anyone().post("/api/auth/register", registration("ann", more)).refused(400, "VALIDATION_ERROR", part)
	}
	for body, part := range map[string]string{
		`{}`:                                  `"path":"email","message":"required"},{"path":"password","message":"required"`,
		credentials("", password):             `"path":"email"`,
		credentials("nobody", password):       `"path":"email"`,
		credentials("a@b\u0000c.d", password): `"path":"email"`,
		credentials(strings.Repeat("a", 300)+"@example.com", password):    `"path":"email"`,
		credentials("a@example.com", "short"):                             `"path":"password"`,
		credentials("a@example.com", strings.Repeat("p", 257)):            `"path":"password"`,
		`{"email":"a@example.com","password":null}`:                       `"path":"password"`,
		`{"email":null,"password":"` + password + `"}`:                    `"path":"email"`,
		`{"email":["a@example.com"],"password":{"x":"` + password + `"}}`: `"path":"email"`,
	} {
		if n := hashes(func() { w.anyone().post("/api/auth/register", body).refused(400, "VALIDATION_ERROR", part) }); n != 0 {
			t.Errorf("%d passwords were hashed for %s", n, body)
		}
	}
	w.anyone().get("/api/auth/status").is("setupRequired", "true")
}

func TestClosedRegistrationHashesNothing(t *testing.T) {
	w := newWorld(t)
	if n := hashes(func() { w.anyone().post("/api/auth/register", w.firstRegistration("ann")).want(201) }); n != 1 {
		t.Fatalf("a registration hashed %d passwords", n)
	}
	if n := hashes(func() { w.anyone().post("/api/auth/register", registration("bob")).refused(403, "FORBIDDEN", "") }); n != 0 {
		t.Errorf("a closed registration hashed %d passwords", n)
	}
	if n := hashes(func() { w.anyone().post("/api/auth/register", registration("ann")).refused(403, "FORBIDDEN", "closed") }); n != 0 {
		t.Errorf("a closed registration looks for the address first: %d hashes", n)
	}
}

// Only the set-up token creates the first admin, whatever address the request comes from.
func TestFirstAccountNeedsTheSetupToken(t *testing.T) {
	const address = "203.0.113.9:4711"
	withToken := []string{"SETUP_TOKEN=" + setupToken}
	tests := map[string]struct {
		settings, header []string
		token            string // sent; empty: none
		ok               bool
	}{
		"loopback":                   {nil, nil, "", false},
		"loopback by name":           {nil, []string{"Host", "localhost:3000"}, "", false},
		"loopback by IPv6":           {nil, []string{"Host", "[::1]:3000", peerHeader, "[::1]:5000"}, "", false},
		"the dashboard on loopback":  {nil, []string{"Host", "localhost:3000", "Origin", "http://localhost:3000", "Sec-Fetch-Site", "same-origin"}, "", false},
		"another machine":            {nil, []string{peerHeader, address}, "", false},
		"a made-up Host":             {nil, []string{peerHeader, address, "Host", "127.0.0.1"}, "", false},
		"a rebound name":             {nil, []string{"Host", "evil.example"}, "", false},
		"behind a proxy":             {nil, []string{"X-Forwarded-For", "127.0.0.1"}, "", false},
		"behind a trusted proxy":     {[]string{"TRUSTED_PROXIES=127.0.0.1"}, []string{"X-Forwarded-For", "127.0.0.1"}, "", false},
		"a wrong token on loopback":  {nil, nil, "aaaaa-bbbbb-ccccc-ddddd", false},
		"a wrong token":              {nil, []string{peerHeader, address}, "aaaaa-bbbbb-ccccc-ddddd", false},
		"the token on loopback":      {nil, nil, "derived", true},
		"the token from anywhere":    {nil, []string{peerHeader, address}, "derived", true},
		"the token, typed":           {nil, []string{peerHeader, address}, "typed", true},
		"SETUP_TOKEN":                {withToken, nil, setupToken, true},
		"SETUP_TOKEN from anywhere":  {withToken, []string{peerHeader, address}, setupToken, true},
		"SETUP_TOKEN missing":        {withToken, nil, "", false},
		"SETUP_TOKEN, but derived":   {withToken, nil, "derived", false},
		"SETUP_TOKEN cut":            {withToken, nil, setupToken[:10], false},
		"SETUP_TOKEN on functions":   {append(withToken, functions), nil, setupToken, true},
		"functions with a wrong one": {append(withToken, functions), nil, "a wrong one", false},
		"functions on loopback":      {[]string{functions}, nil, "", false},
		"functions, derived":         {[]string{functions}, nil, "derived", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, openSQLite(t, t.TempDir()), tt.settings...)
			visitor := w.anyone().with(tt.header...)
			visitor.get("/api/auth/status").want(200).is("setupTokenRequired", "true")
			switch tt.token {
			case "derived":
				tt.token = w.app.Secrets.SetupToken()
			case "typed":
				tt.token = "  " + strings.ReplaceAll(strings.ToUpper(w.app.Secrets.SetupToken()), "-", " ") + "\n"
			}
			more := ""
			if tt.token != "" {
				more = fmt.Sprintf(`,"setupToken":%q`, tt.token)
			}
			var r reply
			n := hashes(func() { r = visitor.post("/api/auth/register", registration("ann", more)) })
			switch {
			case tt.ok:
				r.want(201).is("user.role", "admin")
			case n != 0:
				t.Errorf("%d passwords were hashed for a refusal", n)
			case len(tt.settings) == 1 && tt.settings[0] == functions:
				r.refused(403, "FORBIDDEN", "SETUP_TOKEN")
			default:
				r.refused(403, "FORBIDDEN", "token")
			}
			visitor.get("/api/auth/status").want(200).is("setupTokenRequired", fmt.Sprint(!tt.ok))
			if derived := w.app.Secrets.SetupToken(); strings.Contains(r.body, derived) || strings.Contains(w.log.String(), derived) {
				t.Error("the set-up token is in the answer or in the log")
			}
		})
	}
}

func TestCrossSiteSetup(t *testing.T) {
	w := newWorld(t)
	for _, header := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "http://localhost:9999"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
	} {
		visitor := w.anyone().with("Host", "localhost:3000").with(header...)
		visitor.post("/api/auth/register", w.firstRegistration("eve")).refused(403, "FORBIDDEN", "another site")
		visitor.get("/api/auth/status").want(200).is("setupTokenRequired", "true")
	}
}

// All processes with one JWT_SECRET derive the same set-up token.
func TestDerivedSetupTokenIsStable(t *testing.T) {
	db := openSQLite(t, t.TempDir())
	one, two := newWorldOn(t, db), newWorldOn(t, db)
	token := one.app.Secrets.SetupToken()
	if token != two.app.Secrets.SetupToken() || len(token) != 23 {
		t.Errorf("%s and %s", token, two.app.Secrets.SetupToken())
	}
	two.anyone().from("203.0.113.9:1").post("/api/auth/register", registration("ann", fmt.Sprintf(`,"setupToken":%q`, token))).want(201)
	one.anyone().from("203.0.113.9:1").post("/api/auth/register", registration("eve", fmt.Sprintf(`,"setupToken":%q`, token))).refused(403, "FORBIDDEN", "closed")
}
