package custom

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func find(preset string) script {
	return scripts[slices.IndexFunc(scripts, func(s script) bool { return s.preset == preset })]
}

// What is wrong with a key is said of its field, and nothing is stored.
func TestRefusals(t *testing.T) {
	w, admin := newWorld(t)
	someone := w.register("someone@example.com")
	good := func(change object) object {
		body := object{"provider": "custom", "slug": "box", "baseUrl": "https://models.example/v1"}
		for name, value := range change {
			body[name] = value
		}
		return body
	}
	header := func(name, value string) object { return object{"headers": object{name: value}} }
	for field, bodies := range map[string][]object{
		"slug": {{"slug": ""}, {"slug": "a"}, {"slug": "Box"}, {"slug": "a_b"}, {"slug": strings.Repeat("a", 33)}, {"slug": "openai"}, {"slug": "custom"},
			{"slug": "auto"}, {"slug": "qwen"}, {"slug": "meta-llama"}, {"slug": "a/b"}},
		"baseUrl": {{"baseUrl": ""}, {"baseUrl": "models.example"}, {"baseUrl": "ftp://models.example"}, {"baseUrl": "file:///etc/passwd"},
			{"baseUrl": "http://user:pass@models.example"}, {"baseUrl": "https://models.example/v1?x=1"}, {"baseUrl": "https://models.example/#x"},
			{"baseUrl": "http://127.0.0.1/v1"}, {"baseUrl": "http://localhost/v1"}, {"baseUrl": "http://[::1]/v1"}, {"baseUrl": "http://169.254.169.254/"},
			{"baseUrl": "http://[::ffff:169.254.169.254]/"}, {"baseUrl": "http://10.0.0.1/"}, {"baseUrl": "http://0.0.0.0/"}},
		"preset":  {{"preset": "nothing"}},
		"dialect": {{"dialect": "native"}, {"dialect": "OpenAI"}},
		"auth":    {{"auth": "basic"}},
		"headers": {header("Host", "x"), header("host", "x"), header("Connection", "x"), header("Content-Length", "1"), header("content-type", "x"),
			header("Forwarded", "x"), header("X-Forwarded-For", "x"), header("Metadata", "true"), header("Metadata-Flavor", "Google"),
			header("Transfer-Encoding", "x"), header("Upgrade", "x"), header("TE", "x"), header("Proxy-Authorization", "x"), header("X-A", "a\r\nX-B: b"),
			header("X-A", "a\nb"), header("", "x"), header("X A", "x"), header("X-A:", "x"), {"headers": object{"X-A": nil}}, {"headers": object{"X-A": "1", "x-a": "2"}}},
		"prices": {{"prices": "free"}, {"prices": object{"input": 1}}, {"prices": object{"x": object{"input": -1, "output": 1}}}},
		"apiKey": {{"apiKey": "with a blank"}},
	} {
		for _, change := range bodies {
			status, answer := someone.send("POST", "/api/keys", good(change))
			text, _ := json.Marshal(answer)
			if status != 400 || !strings.Contains(string(text), `"`+field) {
				t.Errorf("%s %v: %d %s", field, change, status, text)
			}
		}
	}
	if _, answer := someone.send("GET", "/api/keys", nil); answer["total"] != 0.0 {
		t.Errorf("stored: %v", answer)
	}
	if status, answer := admin.send("POST", "/api/keys", object{"provider": "openai", "apiKey": "sk-abcdefgh", "baseUrl": "http://127.0.0.1"}); status != 400 {
		t.Errorf("a base URL for a provider of the table: %d %v", status, answer)
	}
	if status, answer := someone.send("POST", "/api/keys", good(nil)); status != 201 || answer["provider"] != "custom" {
		t.Errorf("a good one: %d %v", status, answer)
	}
	if status, _ := someone.send("POST", "/api/keys", good(nil)); status != 409 {
		t.Errorf("the same slug again: %d", status)
	}
	if status, _ := admin.send("POST", "/api/keys", good(nil)); status != 201 {
		t.Errorf("another user's slug: %d", status)
	}
}

// Neither the secret nor the value of a header comes back, and both reach the server. A stored secret follows no change
// of the host.
func TestSecrets(t *testing.T) {
	w, admin := newWorld(t)
	p := play(t, find("vllm"))
	id := admin.key(object{"slug": "box", "preset": "vllm", "baseUrl": p.url, "apiKey": p.key, "headers": object{"X-Team": "team-secret-42", "X-Other": "other-secret-43"}})
	hidden := func(what string, answer object) {
		t.Helper()
		text, _ := json.Marshal(answer)
		for _, secret := range []string{p.key, "team-secret-42", "other-secret-43"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s tells %s: %s", what, secret, text)
			}
		}
	}
	_, answer := admin.send("GET", "/api/keys/"+id, nil)
	hidden("GET", answer)
	if fmt.Sprint(answer["headers"]) != "[X-Other X-Team]" || answer["slug"] != "box" || answer["baseUrl"] != p.url || answer["preset"] != "vllm" ||
		answer["auth"] != "bearer" || answer["dialect"] != "openai" || answer["lastFour"] != "vllm" {
		t.Errorf("got %v", answer)
	}
	status, answer := admin.send("PATCH", "/api/keys/"+id, object{"headers": object{"X-Team": nil, "X-New": "new-value"}})
	hidden("PATCH", answer)
	if status != 200 || fmt.Sprint(answer["headers"]) != "[X-New X-Team]" {
		t.Errorf("PATCH: %d %v", status, answer)
	}
	if a := admin.chat(object{"model": "box/" + p.model, "messages": user("Hi")}); a.status != 200 {
		t.Fatalf("chat: %+v", a)
	}
	if h := p.header[0]; h.Get("X-Team") != "team-secret-42" || h.Get("X-New") != "new-value" || h.Get("X-Other") != "" {
		t.Errorf("headers: %v", h)
	}
	thief := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		t.Errorf("a stored secret went to another host: %v", r.Header)
	}))
	defer thief.Close()
	if status, answer := admin.send("PATCH", "/api/keys/"+id, object{"baseUrl": thief.URL}); status != 400 {
		t.Errorf("another host: %d %v", status, answer)
	}
	if status, answer := admin.send("PATCH", "/api/keys/"+id, object{"baseUrl": thief.URL, "apiKey": "new-secret"}); status != 400 {
		t.Errorf("another host with the old headers: %d %v", status, answer)
	}
	if status, answer := admin.send("PATCH", "/api/keys/"+id, object{"name": "renamed", "slug": "crate"}); status != 200 || answer["slug"] != "crate" {
		t.Errorf("rename: %d %v", status, answer)
	}
	if a := admin.chat(object{"model": "crate/" + p.model, "messages": user("Hi")}); a.status != 200 {
		t.Errorf("after the new slug: %+v", a)
	}
	// A server that repeats what it got tells it to nobody.
	echo := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.WriteHeader(400)
		fmt.Fprintf(rw, `{"error":{"message":"bad header %s, key %s","type":"invalid_request_error"}}`, r.Header.Get("X-Team"), r.Header.Get("Authorization"))
	}))
	defer echo.Close()
	admin.key(object{"slug": "echo", "baseUrl": echo.URL, "apiKey": p.key, "headers": object{"X-Team": "team-secret-42"}})
	a := admin.chat(object{"model": "echo/x", "messages": user("Hi")})
	hidden("an error", a.body)
	if a.status != 400 || !strings.Contains(a.error(), "bad header") {
		t.Errorf("an error: %+v", a)
	}
	if text := w.log.String(); strings.Contains(text, "team-secret-42") || strings.Contains(text, p.key) {
		t.Errorf("the log tells a secret: %s", text)
	}
}

// A key without a secret sends none, and what it serves counts under its slug, at its own prices.
func TestUsageAndPrices(t *testing.T) {
	_, admin := newWorld(t)
	p := play(t, find("ollama"))
	for slug, prices := range map[string]any{"priced": object{"input": 1, "output": 2}, "by-model": object{"llama*": object{"input": 3, "output": 0}}, "free": 0, "unpriced": nil} {
		body := object{"slug": slug, "preset": "ollama", "baseUrl": p.url}
		if prices != nil {
			body["prices"] = prices
		}
		admin.key(body)
		if a := admin.chat(object{"model": slug + "/" + p.model, "messages": user("Hi")}); a.status != 200 {
			t.Fatalf("%s: %+v", slug, a)
		}
		if h := p.header[len(p.header)-1]; h.Get("Authorization") != "" {
			t.Errorf("a key without a secret sends %q", h.Get("Authorization"))
		}
		_, answer := admin.send("GET", "/api/requests?provider="+slug, nil)
		rows := list(answer["requests"])
		if len(rows) != 1 {
			t.Fatalf("%s: %v", slug, answer)
		}
		row := rows[0].(object)
		want := map[string]any{"priced": 0.00002, "by-model": 0.00003, "free": 0.0, "unpriced": nil}[slug]
		if row["provider"] != slug || row["model"] != p.model || row["costUsd"] != want {
			t.Errorf("%s: %v, want a cost of %v", slug, row, want)
		}
	}
	_, answer := admin.send("GET", "/api/keys?provider=custom", nil)
	if answer["total"] != 4.0 {
		t.Errorf("provider=custom: %v", answer["total"])
	}
	if _, answer = admin.send("GET", "/api/keys?provider=free", nil); answer["total"] != 1.0 {
		t.Errorf("provider=free: %v", answer["total"])
	}
	if status, _ := admin.send("GET", "/api/keys?provider=nobody", nil); status != 400 {
		t.Errorf("provider=nobody: %d", status)
	}
}

// A model is named by the prefix, by the provider, or by a list of allowed models; a token's scope counts.
func TestNames(t *testing.T) {
	_, admin := newWorld(t)
	p := play(t, find("ollama"))
	admin.key(object{"slug": "box", "preset": "ollama", "baseUrl": p.url, "allowedModels": []string{p.model}, "defaultModel": p.model})
	if a := admin.chat(object{"model": p.model, "messages": user("Hi")}); a.status != 200 {
		t.Errorf("an allowed model: %+v", a)
	}
	if a := admin.chat(object{"model": "box/other", "messages": user("Hi")}); a.status == 200 {
		t.Errorf("a model that is not allowed: %+v", a)
	}
	for _, name := range []string{"box", "nobody"} {
		status, answer := admin.send("POST", "/api/chat", object{"provider": name, "messages": user("Hi")})
		if (status == 200) != (name == "box") {
			t.Errorf("/api/chat with the provider %s: %d %v", name, status, answer)
		}
		resp := admin.open("POST", "/v1/chat/completions", admin.token, object{"model": p.model, "messages": user("Hi")}, http.Header{"X-Llm-Provider": {name}})
		resp.Body.Close()
		if (resp.StatusCode == 200) != (name == "box") {
			t.Errorf("X-LLM-Provider: %s: %d", name, resp.StatusCode)
		}
	}
	if status, answer := admin.send("POST", "/api/tokens", object{"name": "scoped", "allowedProviders": []string{"box"}}); status != 201 {
		t.Errorf("a token for the endpoint: %d %v", status, answer)
	}
	if status, _ := admin.send("POST", "/api/tokens", object{"name": "scoped", "allowedProviders": []string{"crate"}}); status != 400 {
		t.Errorf("a token for an endpoint that there is not: %d", status)
	}
	if status, answer := admin.send("POST", "/api/aliases", object{"name": "mine", "targets": []object{{"model": p.model, "provider": "box"}}}); status != 201 {
		t.Errorf("an alias: %d %v", status, answer)
	}
	if a := admin.chat(object{"model": "mine", "messages": user("Hi")}); a.status != 200 || a.header.Get("X-LLM-Provider") != "box" {
		t.Errorf("an alias: %+v", a)
	}
	// Whoever else takes ids with a slash does not get what is meant for an endpoint.
	admin.send("POST", "/api/keys", object{"provider": "openrouter", "apiKey": "sk-or-v1-abcdefgh", "allowedModels": []string{"*"}})
	_, answer := admin.send("GET", "/api/keys?provider=box", nil)
	admin.send("PATCH", "/api/keys/"+list(answer["keys"])[0].(object)["id"].(string), object{"enabled": false})
	if a := admin.chat(object{"model": "box/" + p.model, "messages": user("Hi")}); a.status != 404 && a.status != 400 && a.status != 403 {
		t.Errorf("the endpoint is disabled: %+v", a)
	}
}

// Users who are no admins reach no loopback, also where the name of the host is what leads there; a demoted admin does
// not any more. Redirects are not followed, and the gateway does not call itself.
func TestGuard(t *testing.T) {
	w, admin := newWorld(t)
	p := play(t, find("ollama"))
	someone := w.register("someone@example.com")
	asked := p.asked()
	port := p.url[strings.LastIndex(p.url, ":")+1:]
	for i, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost.localdomain", "127。0。0。1", "①②⑦.⓪.⓪.①"} {
		slug := fmt.Sprintf("hole%d", i)
		status, answer := someone.send("POST", "/api/keys", object{"provider": "custom", "slug": slug, "baseUrl": "http://" + host + ":" + port})
		if status == 400 {
			continue
		}
		if a := someone.chat(object{"model": slug + "/" + p.model, "messages": user("Hi")}); a.status < 400 {
			t.Errorf("%s: %+v", host, a)
		}
		someone.send("POST", "/api/keys/"+answer["id"].(string)+"/test", nil)
		someone.send("POST", "/api/keys/"+answer["id"].(string)+"/models", nil)
	}
	if p.asked() != asked {
		t.Errorf("the loopback was asked %d times", p.asked()-asked)
	}
	id := admin.key(object{"slug": "self", "baseUrl": w.url + "/v1", "apiKey": admin.token})
	if _, answer := admin.send("POST", "/api/keys/"+id+"/test", nil); answer["ok"] != false || !strings.Contains(fmt.Sprint(answer["message"]), "this gateway itself") {
		t.Errorf("the gateway itself: %v", answer)
	}
	var followed atomic.Bool
	redirect := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/followed" {
			followed.Store(true)
		}
		http.Redirect(rw, r, "/followed", http.StatusTemporaryRedirect)
	}))
	defer redirect.Close()
	id = admin.key(object{"slug": "moved", "baseUrl": redirect.URL})
	admin.send("POST", "/api/keys/"+id+"/test", nil)
	if a := admin.chat(object{"model": "moved/x", "messages": user("Hi")}); a.status < 400 || followed.Load() {
		t.Errorf("a redirect: %+v", a)
	}
}

// An admin who is one no more loses what only admins reach, at once.
func TestDemotedAdmin(t *testing.T) {
	w, admin := newWorld(t)
	p := play(t, find("ollama"))
	second := w.register("second@example.com")
	_, answer := second.send("GET", "/api/auth/me", nil)
	who := child(answer, "user")["id"]
	if who == nil {
		who = answer["id"]
	}
	role := func(name string) {
		t.Helper()
		if status, answer := admin.send("PATCH", fmt.Sprintf("/api/users/%v", who), object{"role": name}); status != 200 {
			t.Fatalf("role: %d %v", status, answer)
		}
	}
	role("admin")
	second.key(object{"slug": "box", "preset": "ollama", "baseUrl": p.url})
	if a := second.chat(object{"model": "box/" + p.model, "messages": user("Hi")}); a.status != 200 {
		t.Fatalf("as an admin: %+v", a)
	}
	asked := p.asked()
	role("user")
	a := second.chat(object{"model": "box/" + p.model, "messages": user("Hi")})
	if a.status < 400 || p.asked() != asked || !strings.Contains(a.error(), "CUSTOM_ENDPOINTS=loopback") {
		t.Errorf("as a user: %+v", a)
	}
}

// A policy of off turns keys off that exist, and says what to set.
func TestOff(t *testing.T) {
	_, admin := newWorld(t, "CUSTOM_ENDPOINTS=off")
	status, answer := admin.send("POST", "/api/keys", object{"provider": "custom", "slug": "box", "baseUrl": "https://models.example"})
	if text := fmt.Sprint(answer); status != 400 || !strings.Contains(text, "CUSTOM_ENDPOINTS") {
		t.Errorf("%d %v", status, answer)
	}
}

// A server that accepts connections and never answers holds up no list of models.
func TestDeadServer(t *testing.T) {
	_, admin := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(io.Discard, conn)
		}
	}()
	p := play(t, find("ollama"))
	admin.key(object{"slug": "dead", "baseUrl": "http://" + l.Addr().String()})
	admin.key(object{"slug": "live", "preset": "ollama", "baseUrl": p.url})
	for range 3 {
		began := time.Now()
		ids := admin.models()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the list took %v", took)
		}
		if !slices.Contains(ids, "live/"+p.model) {
			t.Errorf("listed: %v", ids)
		}
	}
}
