package server_test

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// crossSite holds the headers with which a browser sends a request of another site's page.
var crossSite = map[string][]string{
	"another origin":       {"Origin", "https://evil.example"},
	"another port":         {"Origin", "http://localhost:3001", "Host", "localhost:3000"},
	"a sub-domain":         {"Origin", "http://evil.gateway.example", "Host", "gateway.example"},
	"a longer name":        {"Origin", "http://gateway.example.evil.example", "Host", "gateway.example"},
	"null":                 {"Origin", "null"},
	"no URL":               {"Origin", "http://%zz"},
	"a sandbox":            {"Origin", "file://"},
	"Sec-Fetch-Site":       {"Sec-Fetch-Site", "cross-site"},
	"a neighbouring site":  {"Sec-Fetch-Site", "same-site"},
	"host in the userinfo": {"Origin", "http://gateway.example@evil.example", "Host", "gateway.example"},
	"a forged host":        {"Origin", "https://evil.example", "X-Forwarded-Host", "evil.example"},
	"http to https":        {"Origin", "http://gateway.example", "Host", "gateway.example", tlsHeader, "1"},
}

func TestCrossSiteRequestsWithTheCookie(t *testing.T) {
	w := newWorld(t)
	ann, root := w.user("ann"), w.admin("root")
	for name, header := range crossSite {
		t.Run(name, func(t *testing.T) {
			visitor := w.anyone().with(header...).with("Cookie", plainCookie+"="+root.session+"; "+secureCookie+"="+root.session)
			for _, route := range server.Routes() {
				path := idOf(route, ann.id.String())
				switch {
				case route.Sharing == server.AnyOrigin: // such routes ignore cookies
					visitor.do(route.Method, path, bodyFor(route)).refused(401, "UNAUTHORIZED", "")
				case route.Method == "GET":
					if r := visitor.do(route.Method, path, ""); r.header.Get("Access-Control-Allow-Origin") != "" {
						t.Errorf("%s may be read: %v", r.what, r.header)
					}
				case route.Access == server.AccessPublic:
					visitor.do(route.Method, path, credentials("root@example.com", password)).refused(403, "FORBIDDEN", "another site")
				default:
					visitor.do(route.Method, path, bodyFor(route)).refused(403, "FORBIDDEN", "another site")
				}
			}
		})
	}
	root.get("/api/auth/me").want(200)
	// A page cannot make the browser send a bearer token of its own accord.
	ann.with("Origin", "https://app.example", "Sec-Fetch-Site", "cross-site").post("/api/tokens", `{"name":"x"}`).want(201)
}

func TestSameOriginRequests(t *testing.T) {
	proxy := []string{"TRUSTED_PROXIES=10.0.0.0/8"}
	for name, tt := range map[string]struct{ settings, header []string }{
		"same origin":           {nil, []string{"Origin", "http://localhost:3000", "Host", "localhost:3000", "Sec-Fetch-Site", "same-origin"}},
		"the default port":      {nil, []string{"Origin", "http://gateway.example", "Host", "gateway.example:80"}},
		"upper case":            {nil, []string{"Origin", "http://gateway.example", "Host", "Gateway.Example"}},
		"IPv6":                  {nil, []string{"Origin", "http://[::1]:3000", "Host", "[::1]:3000"}},
		"a proxy that ends TLS": {nil, []string{"Origin", "https://gateway.example", "Host", "gateway.example"}},
		"TLS":                   {nil, []string{"Origin", "https://gateway.example", "Host", "gateway.example", tlsHeader, "1"}},
		"a proxy with a host":   {proxy, []string{"Origin", "https://gateway.example", "Host", "10.2.2.2:3000", peerHeader, "10.1.1.1:5", "X-Forwarded-Host", "gateway.example", "X-Forwarded-Proto", "https"}},
		"no browser":            {nil, nil},
		"typed into the bar":    {nil, []string{"Sec-Fetch-Site", "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.settings...)
			ann := w.user("ann")
			cookies := plainCookie + "=" + ann.session + "; " + secureCookie + "=" + ann.session
			w.anyone().with(tt.header...).with("Cookie", cookies).post("/api/tokens", `{"name":"x"}`).want(201)
			w.anyone().with(tt.header...).with("Cookie", cookies).chat(hello).refused(400, "NO_ELIGIBLE_KEY", "")
			w.anyone().with(tt.header...).login(ann.email, password).want(200)
		})
	}
}

// exposedHeaders are the headers that pages of other origins can read.
var exposedHeaders = []string{"X-LLM-Provider", "X-LLM-Model", "X-LLM-Key-ID", "X-LLM-Latency-Ms", "X-Request-ID", "Request-ID", "Retry-After", "Location"}

func TestChatAllowsEveryOrigin(t *testing.T) {
	const origin = "https://app.example"
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	_, _, holder := ann.token("test")
	page := holder.with("Origin", origin)
	for name, r := range map[string]reply{
		"an answer":       page.chat(hello).want(200),
		"a stream":        page.chat(strings.Replace(hello, "{", `{"stream":true,`, 1)).want(200),
		"bad input":       page.chat(`{`).want(400),
		"no credential":   w.anyone().with("Origin", origin).chat(hello).want(401),
		"a wrong method":  page.get("/api/chat").want(405),
		"an encoded body": page.with("Content-Encoding", "compress").chat(hello).want(415),
		"an extra slash":  page.post("/api/chat/", hello).want(404),
		"no such route":   page.post("/v1/nothing", hello).want(404),
		"nor here":        page.post("/v1beta/nothing", hello).want(404),
	} {
		if r.header.Get("Access-Control-Allow-Origin") != "*" || r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", name, r.header)
		}
		for _, h := range exposedHeaders {
			if !strings.Contains(strings.ToLower(r.header.Get("Access-Control-Expose-Headers")), strings.ToLower(h)) {
				t.Errorf("%s: %s cannot be read", name, h)
			}
		}
	}
	preflight := w.anyone().with("Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type,x-stainless-os").do("OPTIONS", "/api/chat", "").want(204)
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "authorization,content-type,x-stainless-os",
		"Access-Control-Allow-Methods": "OPTIONS, POST", "Access-Control-Allow-Credentials": ""} {
		if got := preflight.header.Get(name); got != want {
			t.Errorf("preflight: %s is %q, want %q", name, got, want)
		}
	}
	for _, odd := range []string{"a\tb", `x"y`, strings.Repeat("x", 5000), "a,b;c", "<script>"} {
		r := w.anyone().with("Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", odd).do("OPTIONS", "/api/chat", "").want(204)
		if got := r.header.Get("Access-Control-Allow-Headers"); got != "" {
			t.Errorf("reflected: %.40q", got)
		}
	}
}

func TestCORSOrigins(t *testing.T) {
	w := newWorld(t, "CORS_ORIGINS=https://app.example,http://localhost:5173")
	ann := w.user("ann")
	_, _, holder := ann.token("test")
	for origin, want := range map[string]string{
		"https://app.example": "https://app.example", "http://localhost:5173": "http://localhost:5173", "https://evil.example": "", "null": "",
		"https://app.example.evil.example": "", "http://app.example": "", "https://app.example:8443": "", "": "",
	} {
		var replies []reply
		replies = append(replies, holder.with("Origin", origin).chat(`{`).want(400),
			w.anyone().with("Origin", origin, "Access-Control-Request-Method", "POST").do("OPTIONS", "/api/chat", "").want(204))
		for _, r := range replies {
			if got := r.header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s from %q: %q, want %q", r.what, origin, got, want)
			}
			if !strings.Contains(strings.Join(r.header["Vary"], ","), "Origin") {
				t.Errorf("%s: Vary is %v", r.what, r.header["Vary"])
			}
		}
	}
}

func TestOtherRoutesAllowNoOrigin(t *testing.T) {
	w := newWorld(t)
	root := w.admin("root")
	for _, route := range server.Routes() {
		if route.Sharing == server.AnyOrigin {
			continue
		}
		path := idOf(route, root.id.String())
		r := root.with("Origin", "https://app.example").do(route.Method, path, "")
		o := w.anyone().with("Origin", "https://app.example", "Access-Control-Request-Method", route.Method).do("OPTIONS", path, "").want(204)
		for _, r := range []reply{r, o} {
			for name := range r.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s: %s", r.what, name)
				}
			}
		}
		if route.Pattern == "/api/auth/logout" {
			root.client = w.anyone().with("Authorization", "Bearer "+w.openSession(root.id))
		}
	}
}
