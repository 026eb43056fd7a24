package provider

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func table(t testing.TB, overrides map[string]string) *Table {
	t.Helper()
	tab, err := NewTable(overrides)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestTable(t *testing.T) {
	tab := table(t, nil)
	if ids := tab.IDs(); len(ids) < 11 || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) || ids[0] != "openai" {
		t.Fatalf("ids %v", ids)
	}
	hosts := map[string]string{}
	for _, p := range tab.All() {
		if tab.ByID(p.ID) != p {
			t.Errorf("%s: ByID returns another row", p.ID)
		}
		if p.Name == "" || p.Client.Common().Provider != p.ID || p.base.Scheme != "https" || p.check.path == "" || p.check.proves == "" {
			t.Errorf("%s: the row is incomplete: %+v", p.ID, p)
		}
		if other, ok := hosts[p.base.Host]; ok {
			t.Errorf("%s and %s share the host %s", p.ID, other, p.base.Host)
		}
		hosts[p.base.Host] = p.ID
		names := append([]string{p.RequestID}, p.ForwardedRequestHeaders...)
		for name := range p.Header {
			names = append(names, name)
		}
		for _, name := range names {
			if name != http.CanonicalHeaderKey(name) {
				t.Errorf("%s: %s is not canonical, and is looked up as it is", p.ID, name)
			}
			if slices.Contains([]string{"Authorization", "Cookie", "X-Api-Key", "Openai-Organization", "Openai-Project"}, name) {
				t.Errorf("%s: %s of a caller would go up", p.ID, name)
			}
		}
		ok, reason := p.Callable()
		if ok != (p.Client != nil) || ok == (reason != "") {
			t.Errorf("%s: Callable is %v, %q", p.ID, ok, reason)
		}
		if !ok {
			t.Errorf("%s has the client %v and is not callable", p.ID, p.Client)
		}
	}
	if tab.ByID("nobody") != nil {
		t.Error("ByID finds a provider that is not there")
	}
}

func TestOverrides(t *testing.T) {
	tab := table(t, map[string]string{"groq": "http://127.0.0.1:9/openai/v1/", "openai": ""})
	if got := tab.ByID("groq").BaseURL; got != "http://127.0.0.1:9/openai/v1" {
		t.Errorf("groq: %q", got)
	}
	if got := tab.ByID("openai").BaseURL; got != "https://api.openai.com/v1" {
		t.Errorf("openai: %q", got)
	}
	if table(t, nil).ByID("groq").BaseURL != "https://api.groq.com/openai/v1" {
		t.Error("an override changed another table")
	}

	_, err := NewTable(map[string]string{
		"groq": "ftp://x", "mistral": "https://user:hunter2@x/", "together": "https://x/?key=1", "acme": "https://x", "openai": "http://[::1",
	})
	if err == nil {
		t.Fatal("wrong base URLs were taken")
	}
	for _, id := range []string{"groq", "mistral", "together", "acme", "openai"} {
		if !strings.Contains(err.Error(), id) {
			t.Errorf("%s is missing in %q", id, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a password is repeated: %q", err)
	}
}

func TestAuthHeader(t *testing.T) {
	for auth, want := range map[Auth][2]string{
		Bearer: {"Authorization", "Bearer k"}, XAPIKey: {"X-Api-Key", "k"}, XGoogAPIKey: {"X-Goog-Api-Key", "k"},
	} {
		if name, v := auth.Header("k"); name != want[0] || v != want[1] {
			t.Errorf("%d: %s: %s", auth, name, v)
		}
	}
}

func TestTargetIsOnTheProvidersHost(t *testing.T) {
	p := table(t, map[string]string{"deepseek": "https://api.deepseek.com"}).ByID("deepseek")
	for path, ok := range map[string]bool{
		"/chat/completions": true, "/v1beta/models/a%2Fb:generateContent?alt=sse": true, "/": true,
		"": false, "@evil.example/x": false, ".evil.example/": false, ":80@evil.example/": false, "/%zz": false,
	} {
		u, err := p.target(path)
		if (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
		if err == nil && u.Host != "api.deepseek.com" {
			t.Errorf("%q leads to %s", path, u.Host)
		}
	}
}
