package provider

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// The gateway names itself to hosts that are no provider's own, after those that the request came through, and to
// nobody else.
func TestViaHeader(t *testing.T) {
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header[ViaHeader]
		io.WriteString(w, "{}")
	}))
	t.Cleanup(srv.Close)
	c := NewClient(ClientConfig{Via: "me"})
	t.Cleanup(c.Close)
	p := table(t, map[string]string{"openai": srv.URL}).ByID("openai")
	for came, want := range map[string]string{"": "me", "a": "a, me", "a, b": "a, b, me"} {
		h := http.Header{}
		if came != "" {
			h.Set(ViaHeader, came)
		}
		resp, err := c.Do(deadline(t), p, secret, request, Options{Header: h})
		if err != nil {
			t.Fatal(err)
		}
		resp.ReadAll()
		if len(got) != 1 || got[0] != want {
			t.Errorf("via %q: the host was told %q, want %q", came, got, want)
		}
	}
	for base, want := range map[string]bool{
		"": false, "https://api.openai.com/v1/": false, "https://API.openai.com/other": false, "https://api.deepseek.com": false,
		"https://proxy.example/v1": true, "http://127.0.0.1:8080/v1": true,
	} {
		p := table(t, map[string]string{"openai": base}).ByID("openai")
		if _, told := c.header(p, secret, request, Options{})[ViaHeader]; told != want || p.Elsewhere() != want {
			t.Errorf("%q: told %v, want %v", base, told, want)
		}
	}
}
