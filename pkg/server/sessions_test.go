package server_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func TestLoginToTheLetter(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	w.wait(2 * time.Millisecond)
	r := w.anyone().with("User-Agent", "Mozilla/5.0 (test)").login(" ANN@example.com ", password).want(200)
	r.members("", "user", "token")
	r.members("user", "id", "email", "name", "role", "createdAt", "strategy")
	r.is("user.id", ann.id.String(), "user.role", "user")
	asAnn := w.anyone().with("Authorization", "Bearer "+r.text("token"))
	me := asAnn.get("/api/auth/me").want(200)
	me.members("", "user")
	me.is("user.id", ann.id.String())

	list := asAnn.get("/api/auth/sessions").want(200)
	list.members("sessions.0", "id", "createdAt", "lastSeenAt", "expiresAt", "current", "userAgent", "address")
	list.is("sessions.0.current", "true", "sessions.1.current", "false", "sessions.0.userAgent", "Mozilla/5.0 (test)", "sessions.0.address", "127.0.0.1")
	list.near("sessions.0.createdAt", time.Now())
	list.near("sessions.0.lastSeenAt", time.Now())
	list.near("sessions.0.expiresAt", time.Now().AddDate(0, 0, 30))
}

func TestCookieOfALogin(t *testing.T) {
	trusted := []string{"TRUSTED_PROXIES=10.0.0.0/8"}
	tests := map[string]struct {
		settings, header []string
		tls              bool
	}{
		"plain HTTP":           {nil, nil, false},
		"TLS":                  {nil, []string{tlsHeader, "1"}, true},
		"trusted proxy, https": {trusted, []string{peerHeader, "10.1.1.1:5", "X-Forwarded-Proto", "https"}, true},
		"trusted proxy, http":  {trusted, []string{peerHeader, "10.1.1.1:5", "X-Forwarded-Proto", "http"}, false},
		"its caller's lie":     {trusted, []string{peerHeader, "10.1.1.1:5", "X-Forwarded-Proto", "https, http"}, false},
		"nobody's proxy":       {trusted, []string{peerHeader, "192.0.2.1:5", "X-Forwarded-Proto", "https"}, false},
		"functions":            {[]string{functions, "SETUP_TOKEN=" + setupToken}, []string{"X-Forwarded-Proto", "https"}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, openSQLite(t, t.TempDir()), tt.settings...)
			w.user("ann")
			caller := w.anyone().with(tt.header...)
			r := caller.login("ann@example.com", password).want(200)
			want, other := plainCookie, secureCookie
			if tt.tls {
				want, other = secureCookie, plainCookie
			}
			c := r.cookie(want)
			if c == nil || r.cookie(other) != nil {
				t.Fatalf("cookies: %v", r.header["Set-Cookie"])
			}
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure != tt.tls || c.Path != "/" || c.Domain != "" || c.MaxAge != 30*86400 || c.Value != r.text("token") {
				t.Errorf("%s", r.header["Set-Cookie"])
			}
			if hsts := r.header.Get("Strict-Transport-Security") != ""; hsts != tt.tls {
				t.Errorf("Strict-Transport-Security: %v", hsts)
			}
			caller.with("Cookie", want+"="+c.Value).get("/api/auth/me").want(200).is("user.email", "ann@example.com")
			if tt.tls {
				caller.with("Cookie", other+"="+c.Value).get("/api/auth/me").refused(401, "UNAUTHORIZED", "log in")
			}

			out := caller.with("Cookie", want+"="+c.Value).post("/api/auth/logout", "").want(204)
			if gone := out.cookie(want); gone == nil || gone.MaxAge >= 0 || gone.Value != "" || gone.Secure != tt.tls || !gone.HttpOnly {
				t.Errorf("the logout sets %v", out.header["Set-Cookie"])
			}
			caller.with("Cookie", want+"="+c.Value).get("/api/auth/me").refused(401, "UNAUTHORIZED", "ended")
		})
	}
}

// Behind a proxy that ends TLS and is not listed in TRUSTED_PROXIES, the browser's own origin says that its cookie has to be
// one for TLS alone.
func TestCookieOfAnHTTPSPage(t *testing.T) {
	w := newWorld(t)
	w.user("ann")
	page := w.anyone().with("Origin", "https://gateway.example.com", "Host", "gateway.example.com")
	c := page.login("ann@example.com", password).want(200).cookie(secureCookie)
	if c == nil || !c.Secure {
		t.Fatalf("no secure cookie: %v", c)
	}
	holder := w.anyone().with("Cookie", secureCookie+"="+c.Value, "Host", "gateway.example.com")
	holder.get("/api/auth/me").want(200)
	out := holder.with("Origin", "https://gateway.example.com").post("/api/auth/logout", "").want(204)
	if gone := out.cookie(secureCookie); gone == nil || !gone.Secure || gone.MaxAge >= 0 {
		t.Errorf("the logout sets %v", out.header["Set-Cookie"])
	}
	if c := w.anyone().with("Origin", "https://evil.example.com").login("ann@example.com", password).refused(403, "FORBIDDEN", "").cookie(secureCookie); c != nil {
		t.Error("a page of another site got a cookie")
	}
}

// Neither the message nor the work of a failed login reveals whether the account exists.
func TestUnknownUserCostsTheSame(t *testing.T) {
	w := newWorld(t)
	w.anyone().post("/api/auth/register", w.firstRegistration("ann")).want(201)
	said := func(email, pass string) (answer string, work int, trips int64) {
		trips = w.db.runs.Load()
		work = hashes(func() { answer = w.anyone().login(email, pass).refused(401, "UNAUTHORIZED", "").text("error.message") })
		return answer, work, w.db.runs.Load() - trips
	}
	for _, pass := range []string{mark + " not this", "x", strings.Repeat("p", 257)} {
		knownSaid, known, knownTrips := said("ann@example.com", pass)
		unknownSaid, unknown, unknownTrips := said("nobody@example.com", pass)
		if known != unknown || knownSaid != unknownSaid || knownTrips != unknownTrips {
			t.Errorf("known: %q, %d hashes, %d trips; unknown: %q, %d hashes, %d trips", knownSaid, known, knownTrips, unknownSaid, unknown, unknownTrips)
		}
	}
	if _, n, _ := said("nobody@example.com", mark+" guess"); n != 1 {
		t.Errorf("%d hashes for an unknown user", n)
	}
}

func TestLoginRefusesBadFields(t *testing.T) {
	w := newWorld(t)
	for body, part := range map[string]string{
		`{}`:                                    `"path":"email","message":"required"},{"path":"password","message":"required"`,
		`{"email":"a@example.com"}`:             `"path":"password"`,
		`{"email":7,"password":"x"}`:            `"path":"email"`,
		`{"email":"no address","password":"x"}`: `"path":"email"`,
		`{"email":"a@example.com","password":["` + password + `"]}`:            `"path":"password"`,
		`{"email":"a@example.com","password":"x","remember":true}`:             `"path":"remember","message":"unknown field"`,
		`{"email":"a@example.com","password":"` + password + `","Password":1}`: `"path":"Password"`,
	} {
		w.anyone().post("/api/auth/login", body).refused(400, "VALIDATION_ERROR", part)
	}
}

func TestLogoutEndsTheSessionAlone(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	_, _, holder := ann.token("kept")
	second := w.anyone().with("Authorization", "Bearer "+w.openSession(ann.id))
	second.post("/api/auth/logout", "").want(204)
	second.get("/api/auth/me").refused(401, "UNAUTHORIZED", "ended")
	second.post("/api/auth/logout", "").refused(401, "UNAUTHORIZED", "ended")
	second.chat(hello).refused(401, "UNAUTHORIZED", "")
	ann.get("/api/auth/me").want(200)
	holder.chat(hello).refused(400, "NO_ELIGIBLE_KEY", "")
}

func TestEndingOneSession(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	other := w.anyone().with("Authorization", "Bearer "+w.openSession(ann.id))
	mine := other.get("/api/auth/sessions").want(200).is("sessions.0.current", "true")
	if mine.count("sessions") != 2 {
		t.Errorf("%s", mine.body)
	}
	ann.delete("/api/auth/sessions/" + mine.text("sessions.0.id")).want(204)
	other.get("/api/auth/me").refused(401, "UNAUTHORIZED", "ended")
	ann.delete("/api/auth/sessions/"+mine.text("sessions.0.id")).refused(404, "NOT_FOUND", "")
	r := ann.cookied().delete("/api/auth/sessions/" + mine.text("sessions.1.id")).want(204)
	if c := r.cookie(plainCookie); c == nil || c.MaxAge >= 0 {
		t.Errorf("ending the current session leaves the cookie: %v", r.header)
	}
	ann.get("/api/auth/me").refused(401, "UNAUTHORIZED", "ended")
}

func TestSessionsExpire(t *testing.T) {
	w := newWorld(t, "SESSION_DAYS=2").freeze()
	ann := w.user("ann")
	ann.key("openai", apiKey)
	w.wait(48*time.Hour - 5*time.Second)
	ann.get("/api/auth/me").want(200)
	ann.chat(hello).want(200)
	w.wait(10 * time.Second)
	ann.get("/api/auth/me").refused(401, "UNAUTHORIZED", "expired")
	ann.chat(hello).refused(401, "UNAUTHORIZED", "expired")
}

func TestLastSeenMoves(t *testing.T) {
	w := newWorld(t).freeze()
	ann := w.user("ann")
	w.wait(10 * time.Minute)
	ann.get("/api/auth/me").want(200)
	ann.get("/api/auth/sessions").want(200).near("sessions.0.lastSeenAt", w.now())
}

func TestForgedSessions(t *testing.T) {
	w := newWorld(t)
	ann, root := w.user("ann"), w.admin("root")
	part := strings.Split(ann.session, ".")
	encode := base64.RawURLEncoding.EncodeToString
	payload, err := base64.RawURLEncoding.DecodeString(part[1])
	if err != nil {
		t.Fatal(err)
	}
	asRoot := encode([]byte(strings.ReplaceAll(string(payload), ann.id.String(), root.id.String())))
	other := newWorld(t, "JWT_SECRET="+nextSecret)
	stranger := other.user("ann")
	for name, token := range map[string]string{
		"no signature":        part[0] + "." + part[1] + ".",
		"alg none":            encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + part[1] + ".",
		"alg none with a kid": encode([]byte(strings.Replace(decoded(t, part[0]), "HS256", "none", 1))) + "." + part[1] + ".",
		"alg HS512":           encode([]byte(strings.Replace(decoded(t, part[0]), "HS256", "HS512", 1))) + "." + part[1] + "." + part[2],
		"another user":        part[0] + "." + asRoot + "." + part[2],
		"another gateway's":   stranger.session,
		"cut":                 ann.session[:len(ann.session)-2],
		"longer":              ann.session + "A",
		"huge":                ann.session + strings.Repeat("A", 10_000),
		"two dots":            "..",
		"a word":              "password",
		"a token's look":      "llm_",
		"UTF-8":               "Grüße",
	} {
		t.Run(name, func(t *testing.T) {
			for _, caller := range []client{
				w.anyone().with("Authorization", "Bearer "+token), w.anyone().with("Cookie", plainCookie+"="+token),
			} {
				caller.w.t = t
				caller.get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
			}
		})
	}
	w.t = t
	for _, header := range []string{"", "Bearer", "Bearer ", "Basic YTpi", "Token " + ann.session, ann.session, "Bearer " + ann.session + " x"} {
		w.anyone().with("Authorization", header).get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
	}
	for _, header := range []string{"bearer " + ann.session, "BEARER  " + ann.session + " "} {
		w.anyone().with("Authorization", header).get("/api/auth/me").want(200)
	}
	// A valid cookie does not excuse a wrong bearer token.
	w.anyone().with("Authorization", "Bearer x", "Cookie", plainCookie+"="+ann.session).get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
}

func decoded(t *testing.T, s string) string {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOldestSessionGoes(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	for range store.MaxSessions {
		w.openSession(ann.id)
	}
	ann.get("/api/auth/me").refused(401, "UNAUTHORIZED", "ended")
}

// A changed JWT_SECRET ends no session while the previous one is listed; cookies are signed anew.
func TestSessionsSurviveANewSecret(t *testing.T) {
	db := openSQLite(t, t.TempDir())
	ann := newWorldOn(t, db).user("ann")
	w := newWorldOn(t, db, "JWT_SECRET="+nextSecret, "JWT_SECRET_PREVIOUS="+thirdSecret+","+jwtSecret)
	bearer := w.anyone().with("Authorization", "Bearer "+ann.session)
	if r := bearer.get("/api/auth/me").want(200); len(r.header["Set-Cookie"]) > 0 {
		t.Error("a bearer got a cookie")
	}
	r := w.anyone().with("Cookie", plainCookie+"="+ann.session).get("/api/auth/me").want(200).is("user.id", ann.id.String())
	fresh := r.cookie(plainCookie)
	if fresh == nil || fresh.Value == ann.session || fresh.MaxAge < 29*86400 {
		t.Fatalf("the cookie was not signed anew: %v", r.header["Set-Cookie"])
	}
	last := newWorldOn(t, db, "JWT_SECRET="+nextSecret)
	last.anyone().with("Cookie", plainCookie+"="+fresh.Value).get("/api/auth/me").want(200).is("user.id", ann.id.String())
	last.anyone().with("Cookie", plainCookie+"="+ann.session).get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
}

// A login with the old password during its change leaves no session.
func TestLoginDuringAPasswordChange(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db)
		ann := w.user("ann")
		w.anyone().login(ann.email, password).want(200) // stores the hash at today's cost
		var changed reply
		w.db.once("insert into sessions", func() {
			w.db.before.Store(nil)
			changed = ann.put("/api/auth/password", fmt.Sprintf(`{"currentPassword":%q,"newPassword":%q}`, password, mark+" new one"))
		})
		late := w.anyone().login(ann.email, password)
		changed.want(200)
		if late.status == 200 {
			w.anyone().with("Authorization", "Bearer "+late.text("token")).get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
		} else {
			late.refused(401, "UNAUTHORIZED", "")
		}
		w.anyone().with("Authorization", "Bearer "+changed.text("token")).get("/api/auth/sessions").want(200)
		if n := w.anyone().with("Authorization", "Bearer "+changed.text("token")).get("/api/auth/sessions").count("sessions"); n != 1 {
			t.Errorf("%d sessions after the change", n)
		}
	})
}

// However logins with the old password and its change interleave, none of their sessions outlives the change.
func TestLoginsRaceAPasswordChange(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db, "AUTH_CONCURRENCY=4")
		for round := range 4 {
			ann := w.user(fmt.Sprint("ann", round))
			var logins [5]reply
			var changed reply
			together(len(logins)+1, func(i int) {
				if i == len(logins) {
					changed = ann.put("/api/auth/password", fmt.Sprintf(`{"currentPassword":%q,"newPassword":%q}`, password, mark+" new one"))
					return
				}
				logins[i] = w.anyone().login(ann.email, password)
			})
			changed.want(200)
			for _, r := range logins {
				if r.status == 200 {
					w.anyone().with("Authorization", "Bearer "+r.text("token")).get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
				} else {
					r.refused(401, "UNAUTHORIZED", "")
				}
			}
			w.anyone().with("Authorization", "Bearer "+changed.text("token")).get("/api/auth/me").want(200)
		}
	})
}

// Concurrent logins rehash a password at today's cost only once.
func TestLoginsHashAnewAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db)
		ann := w.user("ann")
		together(4, func(int) { w.anyone().login(ann.email, password).want(200) })
		if n := hashes(func() { w.anyone().login(ann.email, password).want(200) }); n != 1 {
			t.Errorf("a later login hashed %d times", n)
		}
	})
}
