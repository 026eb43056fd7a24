package server_test

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/server"
	"github.com/alicetears/llm-gateway/pkg/store"
)

func TestTokenToTheLetter(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	if r := ann.get("/api/tokens").want(200); r.body != `{"tokens":[]}` {
		t.Errorf("no tokens: %s", r.body)
	}
	r := ann.post("/api/tokens", `{"name":" my app ","expiresInDays":30}`).want(201)
	r.members("", "id", "name", "expiresAt", "createdAt", "token", "enabled", "blocked", "allowedModels", "allowedProviders", "allowedEndpoints", "maxConcurrent", "endUsers", "endUserSource")
	r.is("name", "my app", "enabled", "true", "blocked", "false")
	r.near("createdAt", time.Now())
	r.near("expiresAt", time.Now().AddDate(0, 0, 30))
	token := r.text("token")
	if !regexp.MustCompile(`^llm_[1-9A-HJ-NP-Za-km-z]{37}$`).MatchString(token) {
		t.Errorf("the token is %s", token)
	}
	list := ann.get("/api/tokens").want(200)
	list.members("", "tokens")
	list.members("tokens.0", "id", "name", "enabled", "expiresAt", "lastUsedAt", "usageCount", "createdAt", "blocked",
		"allowedModels", "allowedProviders", "allowedEndpoints", "maxConcurrent", "endUsers", "endUserSource")
	list.is("tokens.0.id", r.text("id"), "tokens.0.lastUsedAt", "null", "tokens.0.usageCount", "0", "tokens.0.expiresAt", r.text("expiresAt"))
	if strings.Contains(list.body, token[:20]) {
		t.Error("the token is shown again")
	}

	ann.key("openai", apiKey)
	holder := w.anyone().with("Authorization", "Bearer "+token)
	holder.chat(hello).want(200)
	holder.chat(hello).want(200)
	ann.get("/api/tokens").want(200).is("tokens.0.usageCount", "2").near("tokens.0.lastUsedAt", time.Now())
	ann.post("/api/tokens", `{"name":"for ever"}`).want(201).is("expiresAt", "null")
	ann.post("/api/tokens", `{"name":"for ever","expiresInDays":null}`).want(201).is("expiresAt", "null")

	changed := ann.patch("/api/tokens/"+r.text("id"), `{"name":"renamed","expiresInDays":null,"enabled":false}`).want(200)
	changed.is("id", r.text("id"), "name", "renamed", "expiresAt", "null", "enabled", "false", "createdAt", r.text("createdAt"))
	ann.patch("/api/tokens/"+r.text("id"), `{}`).want(200).is("name", "renamed", "enabled", "false")
	if d := ann.delete("/api/tokens/" + r.text("id")).want(204); d.body != "" {
		t.Errorf("a body: %s", d.body)
	}
	ann.delete("/api/tokens/"+r.text("id")).refused(404, "NOT_FOUND", "")
}

// The database holds nothing that can be used as a token.
func TestTokensAreNotKept(t *testing.T) {
	w := newWorld(t)
	_, token, _ := w.user("ann").token("test")
	var hash []byte
	found := false
	err := w.db.DB.Run(t.Context(), store.Stmt{SQL: "select hash from tokens", Each: store.First(&found, &hash)})
	if err != nil || len(hash) != 32 || strings.Contains(string(hash), token[4:12]) {
		t.Errorf("%v: %x", err, hash)
	}
}

func TestTokenRefusesBadFields(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	id, _, _ := ann.token("test")
	for body, part := range map[string]string{
		`{"name":""}`:       `"path":"name"`,
		`{"name":"  "}`:     `"path":"name"`,
		`{"name":null}`:     `"path":"name"`,
		`{"name":["x"]}`:    `"path":"name"`,
		`{"name":"\ud800"}`: `"path":"name"`,
		`{"name":"a\nb"}`:   `"path":"name"`,
		`{"name":"` + strings.Repeat("ü", 101) + `"}`:      `"path":"name"`,
		`{"name":"x","expiresInDays":0}`:                   `"path":"expiresInDays"`,
		`{"name":"x","expiresInDays":-1}`:                  `"path":"expiresInDays"`,
		`{"name":"x","expiresInDays":1.5}`:                 `"path":"expiresInDays"`,
		`{"name":"x","expiresInDays":"30"}`:                `"path":"expiresInDays"`,
		`{"name":"x","expiresInDays":3651}`:                `"path":"expiresInDays"`,
		`{"name":"x","expiresInDays":1e400}`:               `"path":"expiresInDays"`,
		`{"name":"x","expiresInDays":9223372036854775808}`: `"path":"expiresInDays"`,
		`{"name":"x","token":"llm_mine"}`:                  `"path":"token","message":"unknown field"`,
		`{"name":"x","blocked":false}`:                     `"path":"blocked","message":"unknown field"`,
		`{"name":"x","user_id":"1"}`:                       `"path":"user_id","message":"unknown field"`,
	} {
		ann.post("/api/tokens", body).refused(400, "VALIDATION_ERROR", part)
		ann.patch("/api/tokens/"+id, body).refused(400, "VALIDATION_ERROR", part)
	}
	ann.post("/api/tokens", `{}`).refused(400, "VALIDATION_ERROR", `"path":"name","message":"required"`)
	ann.post("/api/tokens", `{"name":"`+strings.Repeat("ü", 100)+`","expiresInDays":3650}`).want(201)
	if n := ann.get("/api/tokens").count("tokens"); n != 2 {
		t.Errorf("%d tokens", n)
	}
}

// A change of a token applies to the next request, even right after a use.
func TestTokensEndAtOnce(t *testing.T) {
	endings := map[string]struct {
		end    func(w *world, ann, root *person, id string)
		repair func(w *world, ann, root *person, id string) // nil: it cannot be
	}{
		"disabled": {
			func(w *world, ann, root *person, id string) {
				ann.patch("/api/tokens/"+id, `{"enabled":false}`).want(200).is("enabled", "false")
			},
			func(w *world, ann, root *person, id string) {
				ann.patch("/api/tokens/"+id, `{"enabled":true}`).want(200)
			}},
		"deleted": {func(w *world, ann, root *person, id string) { ann.delete("/api/tokens/" + id).want(204) }, nil},
		"expired": {
			func(w *world, ann, root *person, id string) {
				ann.patch("/api/tokens/"+id, `{"expiresInDays":1}`).want(200)
				w.wait(24*time.Hour + time.Second)
			},
			func(w *world, ann, root *person, id string) {
				ann.patch("/api/tokens/"+id, `{"expiresInDays":2}`).want(200)
			}},
		"blocked by the admin": {
			func(w *world, ann, root *person, id string) {
				root.patch("/api/admin/tokens/"+id, `{"blocked":true}`).want(200).is("blocked", "true", "enabled", "false")
				ann.patch("/api/tokens/"+id, `{"enabled":true}`).refused(403, "FORBIDDEN", "admin")
				ann.get("/api/tokens").want(200).is("tokens.0.blocked", "true", "tokens.0.enabled", "false")
			},
			func(w *world, ann, root *person, id string) {
				root.patch("/api/admin/tokens/"+id, `{"blocked":false}`).want(200).is("enabled", "true")
			}},
		"its user disabled": {
			func(w *world, ann, root *person, id string) {
				root.patch("/api/users/"+ann.id.String(), `{"enabled":false}`).want(200)
				ann.get("/api/auth/me").refused(401, "UNAUTHORIZED", "")
				ann.chat(hello).refused(401, "UNAUTHORIZED", "")
			},
			func(w *world, ann, root *person, id string) {
				root.patch("/api/users/"+ann.id.String(), `{"enabled":true}`).want(200)
			}},
	}
	for name, tt := range endings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ann, root := w.user("ann"), w.admin("root")
			ann.key("openai", apiKey)
			id, _, holder := ann.token("test")
			other := w.app
			holder.chat(hello).want(200)
			w.assemble() // another process, with the token in its cache too
			holder.chat(hello).want(200)
			tt.end(w, ann, root, id)
			holder.chat(hello).refused(401, "UNAUTHORIZED", "")
			w.app = other
			holder.chat(hello).refused(401, "UNAUTHORIZED", "")
			if tt.repair != nil {
				tt.repair(w, ann, root, id)
				holder.chat(hello).want(200)
				w.assemble()
				holder.chat(hello).want(200)
			}
			for _, seen := range w.emu.Requests() {
				if seen.Status != 200 {
					t.Errorf("the provider was asked: %d", seen.Status)
				}
			}
		})
	}
}

// An invented token is refused without a query and before a body is read.
func TestForgedTokensCostNothing(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	_, token, holder := ann.token("test")
	other := newWorld(t, "JWT_SECRET="+nextSecret)
	_, foreign, _ := other.user("ann").token("test")
	last := "1"
	if strings.HasSuffix(token, last) {
		last = "2"
	}
	for _, forged := range []string{
		token[:len(token)-1] + last, token[:10] + "zz" + token[12:], token[:len(token)-1], token + "1", "llm_", foreign,
		"llm_" + strings.Repeat("1", 37), "llm_" + strings.Repeat("é", 20), strings.ToLower(token),
	} {
		before := w.db.runs.Load()
		w.anyone().with("Authorization", "Bearer "+forged).chat(hello).refused(401, "UNAUTHORIZED", "")
		if n := w.db.runs.Load() - before; n != 0 {
			t.Errorf("%d queries for a forged token", n)
		}
		if answer := sendHalf(t, w, forged); !strings.HasPrefix(answer, "HTTP/1.1 401 ") {
			t.Errorf("with half a body: %.60q", answer)
		}
	}
	before := w.db.runs.Load()
	holder.get("/api/keys").refused(403, "FORBIDDEN", "session")
	if n := w.db.runs.Load() - before; n != 0 {
		t.Errorf("%d queries for a token on a management route", n)
	}
}

// A caller that sends a provider's key gets an error that says what to send.
func TestProviderKeysAreNoTokens(t *testing.T) {
	w := newWorld(t)
	for path, header := range map[string]string{"/api/chat": "Authorization", "/v1/chat/completions": "Authorization", "/v1/messages": "X-Api-Key", "/v1beta/models/m:generateContent": "X-Goog-Api-Key"} {
		for _, key := range []string{"sk-proj-1234567890", "sk-ant-api03-1234", "AIzaSyD-1234"} {
			value := key
			if header == "Authorization" {
				value = "Bearer " + key
			}
			r := w.anyone().with(header, value).post(path, hello).refused(401, "UNAUTHORIZED", "begins with llm_")
			if strings.Contains(r.body, key) {
				t.Errorf("%s: the key is in the answer: %s", path, r.body)
			}
		}
	}
}

// sendHalf announces a large body, sends little of it, and returns the answer.
func sendHalf(t *testing.T, w *world, token string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(conn, "POST /api/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n{", token)
	answer := make([]byte, 64)
	n, err := io.ReadAtLeast(conn, answer, 13)
	if err != nil {
		t.Errorf("no answer before the body: %v", err)
	}
	return string(answer[:n])
}

func TestTokenOpensNoManagementRoute(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	_, _, holder := root.token("of the admin")
	for _, route := range server.Routes() {
		path := idOf(route, root.id.String())
		r := holder.do(route.Method, path, "")
		switch route.Access {
		case server.AccessSession, server.AccessAdmin:
			r.refused(403, "FORBIDDEN", "session")
		case server.AccessToken:
			if r.status == 401 || r.status == 403 {
				t.Errorf("%s: %d %s", r.what, r.status, r.body)
			}
		}
		w.anyone().do(route.Method, path, "").noAccess(route)
	}
}

// noAccess checks the answer to a request without credentials.
func (r reply) noAccess(route server.Route) {
	r.t.Helper()
	if route.Access == server.AccessPublic {
		return
	}
	r.refused(401, "UNAUTHORIZED", "")
	if r.header.Get("WWW-Authenticate") == "" {
		r.t.Errorf("%s: no WWW-Authenticate", r.what)
	}
}

// A changed JWT_SECRET loses no token while the previous one is listed, and the stored digests are renewed.
func TestTokensSurviveANewSecret(t *testing.T) {
	db := openSQLite(t, t.TempDir())
	digest := func() string {
		var hash []byte
		found := false
		if err := db.Run(t.Context(), store.Stmt{SQL: "select hash from tokens", Each: store.First(&found, &hash)}); err != nil {
			t.Fatal(err)
		}
		return string(hash)
	}
	first := newWorldOn(t, db)
	ann := first.user("ann")
	ann.key("openai", apiKey)
	_, token, _ := ann.token("test")
	old := digest()

	second := newWorldOn(t, db, "JWT_SECRET="+nextSecret, "JWT_SECRET_PREVIOUS="+jwtSecret)
	holder := second.anyone().with("Authorization", "Bearer "+token)
	for range 2 {
		holder.chat(hello).want(200)
	}
	renewed := digest()
	if want := second.app.Secrets.Digest(token); renewed == old || renewed != string(want[:]) {
		t.Error("the token was not digested anew")
	}
	// After two changes the digest belongs neither to the current secret nor to the one that made the token.
	third := newWorldOn(t, db, "JWT_SECRET="+thirdSecret, "JWT_SECRET_PREVIOUS="+nextSecret+","+jwtSecret)
	third.anyone().with("Authorization", "Bearer "+token).chat(hello).want(200)
	holder.chat(hello).want(200) // from the process's cache

	dropped := newWorldOn(t, db, "JWT_SECRET="+nextSecret)
	before := dropped.db.runs.Load()
	dropped.anyone().with("Authorization", "Bearer "+token).chat(hello).refused(401, "UNAUTHORIZED", "")
	if dropped.db.runs.Load() != before {
		t.Error("a token of a forgotten secret cost a query")
	}
}

// During the rollout of a new secret, processes that list it and processes that use it accept the same tokens.
func TestTokensSurviveARollOut(t *testing.T) {
	db := openSQLite(t, t.TempDir())
	before := newWorldOn(t, db, "JWT_SECRET="+jwtSecret, "JWT_SECRET_PREVIOUS="+nextSecret)
	after := newWorldOn(t, db, "JWT_SECRET="+nextSecret, "JWT_SECRET_PREVIOUS="+jwtSecret)
	ann := before.user("ann")
	ann.key("openai", apiKey)
	_, one, _ := ann.token("made before")
	_, two, _ := after.anyone().person(ann).token("made after")
	for range 2 {
		for _, token := range []string{one, two} {
			for _, w := range []*world{after, before} {
				w.assemble() // without any of them in the cache
				w.anyone().with("Authorization", "Bearer "+token).chat(hello).want(200)
			}
		}
	}
}

// Each dialect's routes accept gateway tokens where its SDK puts the key, and nowhere else.
func TestTokenInTheSDKsHeaders(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	_, token, _ := ann.token("test")
	for _, header := range []string{"X-Api-Key", "X-Goog-Api-Key"} {
		for _, path := range []string{"/api/chat", "/v1/chat/completions", "/v1/messages", "/v1beta/models/gpt-4o-mini:generateContent"} {
			w.anyone().with(header, " "+token+" ").post(path, `{}`).want(400)
			for _, wrong := range []string{ann.session, token[:20], "llm_forged", apiKey, "x"} {
				before := w.db.runs.Load()
				w.anyone().with(header, wrong).post(path, `{}`).refused(401, "UNAUTHORIZED", "")
				if n := w.db.runs.Load() - before; n != 0 {
					t.Errorf("%d queries for a wrong %s", n, header)
				}
			}
			// The Authorization header takes precedence.
			w.anyone().with(header, token, "Authorization", "Bearer llm_forged").post(path, `{}`).refused(401, "UNAUTHORIZED", "")
		}
		w.anyone().with(header, token).get("/api/keys").refused(401, "UNAUTHORIZED", "")
		w.anyone().with(header, ann.session).get("/api/keys").refused(401, "UNAUTHORIZED", "")
	}
	for _, path := range []string{"/api/chat?key=", "/v1beta/models/gpt-4o-mini:generateContent?key=", "/v1/models?key="} {
		if r := w.anyone().post(path+token, `{}`); r.status != 401 && r.status != 405 {
			t.Errorf("a token in the query: %d %s", r.status, r.body)
		}
	}
}
