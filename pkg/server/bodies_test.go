package server_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// hostile are bodies that no route takes.
func hostile() map[string]string {
	return map[string]string{
		"nothing": "", "a blank": " ", "half an object": "{", "half a member": `{"name"`, "half a string": `{"name":"x`, "a comma too many": `{"name":"x",}`,
		"text after it": `{"name":"x"} x`, "two objects": `{}{}`, "an array": `[]`, "null": `null`, "true": `true`, "a number": `5`, "a string": `"x"`,
		"single quotes": `{'name':'x'}`, "no quotes": `{name:"x"}`, "a comment": `{/* */"name":"x"}`, "NaN": `{"name":NaN}`, "a leading zero": `{"priority":01}`,
		"a hexadecimal": `{"priority":0x1}`, "a plus": `{"priority":+1}`, "a bare point": `{"priority":1.}`,
		"the same twice": `{"name":"a","name":"a"}`, "twice, escaped": `{"name":"a","n\u0061me":"b"}`,
		"an unknown field": `{"nobody knows":1}`, "a prototype": `{"__proto__":{"role":"admin"}}`, "an empty name": `{"":1}`, "another case": `{"NAME":"x","Email":"y"}`,
		"arrays for all":  `{"email":[],"password":[],"name":[],"provider":[],"apiKey":[],"enabled":[],"blocked":[],"messages":{},"role":[],"registrationEnabled":[],"currentPassword":[],"newPassword":[]}`,
		"objects for all": `{"email":{},"password":{},"name":{},"provider":{},"apiKey":{},"enabled":{},"blocked":{},"messages":{},"role":{},"registrationEnabled":{},"currentPassword":{},"newPassword":{}}`,
		"huge numbers":    `{"email":1e999,"password":1e999,"name":1e999,"provider":1e999,"apiKey":1e999,"priority":1e999,"enabled":1e999,"blocked":1e999,"registrationEnabled":1e999,"currentPassword":1e999,"newPassword":1e999,"messages":1e999}`,
		"a long number":   `{"priority":` + strings.Repeat("9", 5000) + `,"name":-` + strings.Repeat("9", 5000) + `}`,
		"invalid UTF-8":   "{\"name\":\"\xff\xfe\"}", "invalid in a name": "{\"\xff\":1}", "overlong UTF-8": "{\"name\":\"\xc0\xaf\"}", "a raw surrogate": "{\"name\":\"\xed\xa0\x80\"}",
		"a control character": "{\"name\":\"a\x01b\"}", "a NUL": "\x00", "NULs": strings.Repeat("\x00", 4096), "a bad escape": `{"name":"\x"}`, "half an escape": `{"name":"\u12"}`,
		"a BOM": "\ufeff{}", "UTF-16": "{\x00}\x00", "gzip": "\x1f\x8b\x08\x00\x00\x00", "a form": "email=a%40b.c&password=x", "XML": `<?xml version="1.0"?><a/>`,
		"deep arrays": strings.Repeat("[", 100_000), "deep objects": strings.Repeat(`{"a":`, 40_000), "deep and whole": `{"name":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
		"many members": `{"a":1` + strings.Repeat(`,"a":1`, 30_000) + `}`, "many others": members(10_000), "a long name": `{"` + strings.Repeat("n", 100_000) + `":1}`,
		"a long string": `{"name":"` + strings.Repeat("n", 200_000) + `"}`, "blanks": strings.Repeat(" ", 200_000), "more than allowed": `{"name":"` + strings.Repeat("n", 2<<20) + `"}`,
	}
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":%d`, i, i)
	}
	return "{" + b.String()[1:] + "}"
}

// takesBody reports whether the route reads a body.
func takesBody(route server.Route) bool {
	switch route.Method + " " + route.Pattern {
	case "POST /api/auth/logout", "POST /api/keys/{id}/reset", "POST /api/limits/{id}/reset", "POST /api/keys/{id}/test", "POST /api/keys/{id}/models",
		"POST /v1/responses/{id}/cancel":
		return false
	}
	return route.Method == "POST" || route.Method == "PUT" || route.Method == "PATCH"
}

// objects returns ids of existing objects for the routes that need one.
func objects(p, other *person) func(server.Route) string {
	key := p.key("openai", apiKey)
	token, _, _ := p.token("test")
	return func(route server.Route) string {
		switch {
		case strings.Contains(route.Pattern, "/keys/"):
			return idOf(route, key)
		case strings.Contains(route.Pattern, "/tokens/"):
			return idOf(route, token)
		}
		return idOf(route, other.id.String())
	}
}

// A route that reads a body answers an invalid one with a 4xx; the other routes ignore it.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "MAX_BODY_BYTES=1MB")
	root, ann := w.admin("root"), w.user("ann")
	path := objects(root, ann)
	for name, body := range hostile() {
		t.Run(name, func(t *testing.T) {
			w.t = t
			for _, route := range server.Routes() {
				caller := root.client
				switch {
				case route.Method == "DELETE":
					continue // it needs an object; see below
				case route.Pattern == "/api/auth/logout":
					caller = w.anyone().with("Authorization", "Bearer "+w.openSession(root.id))
				}
				r := caller.send(caller.request(route.Method, path(route), bytes.NewReader([]byte(body))))
				switch {
				case r.status >= 500:
					t.Errorf("%s: %d %s", r.what, r.status, r.body)
				case !takesBody(route):
				case name == "more than allowed", route.Access == server.AccessPublic && len(body) > 8<<10:
					r.refused(413, "PAYLOAD_TOO_LARGE", "larger than")
				default:
					r.refused(400, "VALIDATION_ERROR", `"issues":[{"path":`)
				}
			}
			caller := root.client
			for _, gone := range []string{"/api/keys/", "/api/tokens/", "/api/auth/sessions/"} {
				caller.send(caller.request("DELETE", gone+ann.id.String(), strings.NewReader(body))).refused(404, "NOT_FOUND", "")
			}
		})
	}
	w.t = t
	root.get("/api/keys").want(200).is("total", "1", "keys.0.name", "OpenAI")
	root.get("/api/users").want(200).is("users.1.enabled", "true")
}

func TestBodiesThatAreNoJSON(t *testing.T) {
	w := newWorld(t)
	root, ann := w.admin("root"), w.user("ann")
	path := objects(root, ann)
	for _, route := range server.Routes() {
		if !takesBody(route) {
			continue
		}
		for _, header := range [][]string{
			{"Content-Encoding", "compress"}, {"Content-Encoding", "gzip, br"}, {"Content-Encoding", "identity, lzma"},
			{"Content-Type", "text/plain"}, {"Content-Type", "application/x-www-form-urlencoded"}, {"Content-Type", "multipart/form-data; boundary=x"},
			{"Content-Type", "application/json; charset=latin1"}, {"Content-Type", "application/json;;"}, {"Content-Type", "json"}, {"Content-Type", "application/jsonp"},
		} {
			root.with(header...).do(route.Method, path(route), `{}`).refused(415, "UNSUPPORTED_MEDIA_TYPE", header[0])
		}
		if route.Sharing != server.AnyOrigin {
			root.with("Content-Encoding", "gzip").do(route.Method, path(route), `{}`).refused(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Encoding")
		}
	}
	for _, kind := range []string{"application/json", "Application/JSON; charset=UTF-8", "application/json; charset=\"utf-8\""} {
		root.with("Content-Type", kind, "Content-Encoding", "identity").post("/api/tokens", `{"name":"x"}`).want(201)
	}
	req := root.request("POST", "/api/tokens", strings.NewReader(`{"name":"x"}`))
	req.Header.Del("Content-Type")
	root.send(req).want(201)
}

// The limits apply with and without Content-Length.
func TestTooLargeBodies(t *testing.T) {
	w := newWorld(t, "MAX_BODY_BYTES=1MB")
	ann := w.user("ann")
	ann.key("openai", apiKey)
	chat := func(size int) string {
		text := strings.Replace(hello, "echo: Grüße, Welt 🌍!", strings.Repeat("x", 1<<20), 1)
		return text[:strings.Index(text, "xxx")] + strings.Repeat("x", size-len(text)+1<<20) + `"}]}`
	}
	exact := chat(1 << 20)
	if len(exact) != 1<<20 {
		t.Fatalf("%d bytes", len(exact))
	}
	for _, unknown := range []bool{false, true} {
		send := func(path, body string) reply {
			var in io.Reader = strings.NewReader(body)
			if unknown {
				in = io.MultiReader(in) // hides the length
			}
			return ann.send(ann.request("POST", path, in))
		}
		send("/api/chat", exact).want(200)
		send("/api/chat", exact+" ").refused(413, "PAYLOAD_TOO_LARGE", "1 MB")
		management := `{"name":"x"}`
		send("/api/tokens", management+strings.Repeat(" ", 256<<10-len(management))).want(201)
		send("/api/tokens", management+strings.Repeat(" ", 256<<10-len(management)+1)).refused(413, "PAYLOAD_TOO_LARGE", "256 kB")
	}
}
