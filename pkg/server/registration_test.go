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

// hashes counts the passwords hashed while do runs: nothing else takes 19 MiB at a time.
func hashes(do func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int((after.TotalAlloc - before.TotalAlloc) / (18 << 20))
}

// together does it n times at once.
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

func TestFirstRegistrationToTheLetter(t *testing.T) {
	w := newWorld(t)
	status := w.anyone().get("/api/auth/status").want(200).is("setupRequired", "true", "setupTokenRequired", "false", "registrationEnabled", "false")
	status.members("", "setupRequired", "setupTokenRequired", "registrationEnabled")

	r := w.anyone().post("/api/auth/register", `{"email":" Ann@Example.COM ","password":"`+password+`","name":"Ann"}`).want(201)
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
			replies[i] = w.anyone().post("/api/auth/register", registration(fmt.Sprint("first", i)))
		})
		admins := 0
		for _, r := range replies {
			if r.status == 201 {
				admins++
				r.is("user.role", "admin")
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
	r.members("", "registrationEnabled", "strategy", "retentionDays", "traceRetentionDays", "sessionDays", "version")
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
	if n := hashes(func() { w.anyone().post("/api/auth/register", registration("ann")).want(201) }); n != 1 {
		t.Fatalf("a registration hashed %d passwords", n)
	}
	if n := hashes(func() { w.anyone().post("/api/auth/register", registration("bob")).refused(403, "FORBIDDEN", "") }); n != 0 {
		t.Errorf("a closed registration hashed %d passwords", n)
	}
	if n := hashes(func() { w.anyone().post("/api/auth/register", registration("ann")).refused(403, "FORBIDDEN", "closed") }); n != 0 {
		t.Errorf("a closed registration looks for the address first: %d hashes", n)
	}
}

func TestWhoMayMakeTheFirstAccount(t *testing.T) {
	const address = "203.0.113.9:4711"
	tests := map[string]struct {
		settings, header []string
		token            string // sent; empty: none
		needs, ok        bool
	}{
		"this machine":               {nil, nil, "", false, true},
		"this machine, by name":      {nil, []string{"Host", "localhost:3000"}, "", false, true},
		"this machine, by IPv6":      {nil, []string{"Host", "[::1]:3000", peerHeader, "[::1]:5000"}, "", false, true},
		"this machine's page":        {nil, []string{"Host", "localhost:3000", "Origin", "http://localhost:3000", "Sec-Fetch-Site", "same-origin"}, "", false, true},
		"another machine":            {nil, []string{peerHeader, address}, "", true, false},
		"another machine's lie":      {nil, []string{peerHeader, address, "Host", "127.0.0.1"}, "", true, false},
		"a rebound name":             {nil, []string{"Host", "evil.example"}, "", true, false},
		"a name like localhost":      {nil, []string{"Host", "localhost.evil.example"}, "", true, false},
		"behind a proxy":             {nil, []string{"X-Forwarded-For", "127.0.0.1"}, "", true, false},
		"behind a standard proxy":    {nil, []string{"Forwarded", "for=127.0.0.1"}, "", true, false},
		"behind nginx":               {nil, []string{"X-Real-Ip", "127.0.0.1"}, "", true, false},
		"behind a proxy of any kind": {nil, []string{"Via", "1.1 x"}, "", true, false},
		"behind a trusted proxy":     {[]string{"TRUSTED_PROXIES=127.0.0.1"}, []string{"X-Forwarded-For", "127.0.0.1"}, "", true, false},
		"the derived token":          {nil, []string{peerHeader, address}, "derived", true, true},
		"the derived token, typed":   {nil, []string{peerHeader, address}, "typed", true, true},
		"a wrong token":              {nil, []string{peerHeader, address}, "aaaaa-bbbbb-ccccc-ddddd", true, false},
		"SETUP_TOKEN":                {[]string{"SETUP_TOKEN=" + setupToken}, nil, setupToken, true, true},
		"SETUP_TOKEN from anywhere":  {[]string{"SETUP_TOKEN=" + setupToken}, []string{peerHeader, address}, setupToken, true, true},
		"SETUP_TOKEN missing":        {[]string{"SETUP_TOKEN=" + setupToken}, nil, "", true, false},
		"SETUP_TOKEN, but derived":   {[]string{"SETUP_TOKEN=" + setupToken}, nil, "derived", true, false},
		"SETUP_TOKEN cut":            {[]string{"SETUP_TOKEN=" + setupToken}, nil, setupToken[:10], true, false},
		"SETUP_TOKEN on functions":   {[]string{functions, "SETUP_TOKEN=" + setupToken}, nil, setupToken, true, true},
		"functions with a wrong one": {[]string{functions, "SETUP_TOKEN=" + setupToken}, nil, "a wrong one", true, false},
		"functions on loopback":      {[]string{functions}, nil, "", true, false},
		"functions, derived":         {[]string{functions}, nil, "derived", true, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, openSQLite(t, t.TempDir()), tt.settings...)
			asks := w.anyone().with(tt.header...)
			asks.get("/api/auth/status").want(200).is("setupTokenRequired", fmt.Sprint(tt.needs))
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
			n := hashes(func() { r = asks.post("/api/auth/register", registration("ann", more)) })
			switch {
			case tt.ok:
				r.want(201).is("user.role", "admin")
			case n != 0:
				t.Errorf("%d passwords were hashed for a refusal", n)
			case len(tt.settings) > 0 && tt.settings[0] == functions && len(tt.settings) == 1:
				r.refused(403, "FORBIDDEN", "SETUP_TOKEN")
			default:
				r.refused(403, "FORBIDDEN", "token")
			}
			if derived := w.app.Secrets.SetupToken(); strings.Contains(r.body, derived) || strings.Contains(w.log.String(), derived) {
				t.Error("the set-up token was told")
			}
		})
	}
}

func TestCrossSiteSetup(t *testing.T) {
	w := newWorld(t)
	for _, header := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "http://localhost:9999"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
	} {
		asks := w.anyone().with("Host", "localhost:3000").with(header...)
		asks.post("/api/auth/register", registration("eve")).refused(403, "FORBIDDEN", "another site")
		asks.get("/api/auth/status").want(200).is("setupTokenRequired", "true")
	}
}

// Two gateways and a restart know the same set-up token.
func TestDerivedSetupTokenStays(t *testing.T) {
	db := openSQLite(t, t.TempDir())
	one, two := newWorldOn(t, db), newWorldOn(t, db)
	token := one.app.Secrets.SetupToken()
	if token != two.app.Secrets.SetupToken() || len(token) != 23 {
		t.Errorf("%s and %s", token, two.app.Secrets.SetupToken())
	}
	two.anyone().from("203.0.113.9:1").post("/api/auth/register", registration("ann", fmt.Sprintf(`,"setupToken":%q`, token))).want(201)
	one.anyone().from("203.0.113.9:1").post("/api/auth/register", registration("eve", fmt.Sprintf(`,"setupToken":%q`, token))).refused(403, "FORBIDDEN", "closed")
}
