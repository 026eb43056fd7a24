package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/provider"
)

// A gateway whose base URL for a provider is its own address says so, at its start and in the doctor, and takes no good
// key for a bad one.
func TestOwnAddress(t *testing.T) {
	nobody, port := freeAddress(t)
	s := newShell(t, firstSecret, fmt.Sprintf("PORT=%d", port))
	s.reachable(t)
	w := s.visit(t)
	w.key(t, "sk-emulated-0001")
	w.stop()

	s.set("OPENAI_BASE_URL=http://localhost:" + strings.Split(nobody, ":")[1] + "/v1")
	out, stop := s.start("serve")
	base := out.Wait(t, `ready on (\S+)\n`)
	out.Wait(t, `warning: (OPENAI_BASE_URL) is the address of this gateway itself`)
	w.base, w.bearer = base, w.token
	chat := map[string]any{"model": "gpt-4o-mini", "messages": []any{map[string]any{"role": "user", "content": "hi"}}}
	err := w.post(t.Context(), "/api/chat", chat, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "came back to the gateway") {
		t.Errorf("told %v", err)
	}
	s.want(1, `(?s)FAIL  openai +OPENAI_BASE_URL is the address of this gateway itself`, "doctor")

	// Behind a proxy the address is another one.
	target, _ := url.Parse(base)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	s.set("OPENAI_BASE_URL=" + front.URL + "/v1")
	s.want(1, `(?s)FAIL  openai +OPENAI_BASE_URL is the address of this gateway itself`, "doctor")
	stop()
	s.want(0, `ok    openai +it can be reached`, "doctor") // the proxy answers, and not the gateway
}

func TestLeadsHere(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	for base, want := range map[string]bool{
		"http://127.0.0.1:8080/v1": true, "http://localhost:8080": true, "http://[::1]:8080": true, "http://0.0.0.0:8080": true,
		"http://127.0.0.1:8081/v1": false, "https://127.0.0.1/v1": false, "http://192.0.2.1:8080": false, "http://no-such-host.invalid:8080": false,
	} {
		if leadsHere(t.Context(), base, 8080) != want {
			t.Errorf("%s: %v", base, !want)
		}
	}
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	if found := callsItself(context.Background(), table.All(), 443); len(found) > 0 {
		t.Errorf("%s at its own address is taken for the gateway", found[0].ID)
	}
}
