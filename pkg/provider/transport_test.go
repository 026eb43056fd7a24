package provider

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/outbound"
)

// A connection that a key with a wide reach has opened is not used for one that may not open it, though the host is the
// same.
func TestReachesShareNoConnections(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"data":[]}`) }))
	defer server.Close()
	table, err := NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := NewClient(ClientConfig{})
	defer client.Close()
	ask := func(reach outbound.Reach) error {
		p, err := table.Custom(Custom{Slug: "box", BaseURL: server.URL, Reach: reach})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.ListModels(t.Context(), p, "")
		return err
	}
	for range 2 {
		if err := ask(outbound.Loopback); err != nil {
			t.Errorf("loopback: %v", err)
		}
		for _, reach := range []outbound.Reach{outbound.Public, outbound.Off} {
			var refused *outbound.RefusedError
			if err := ask(reach); !errors.As(err, &refused) || !strings.Contains(err.Error(), outbound.Variable) {
				t.Errorf("%s: %v", reach, err)
			}
		}
	}
}

// The proxy of the environment is used for custom endpoints only if the operator wants it, and literal addresses stay
// checked.
func TestCustomProxy(t *testing.T) {
	direct := newCustomTransports(&ClientConfig{Guard: outbound.NewGuard()}, &net.Dialer{})
	if direct.proxied != nil {
		t.Error("a proxy without the operator's word")
	}
	for _, transport := range direct.direct {
		if transport.Proxy != nil {
			t.Error("a direct transport has a proxy")
		}
	}
}

// With the operator's word requests go through the proxy, which resolves names. Addresses in URLs stay checked, and so
// do connections for which no proxy is asked. The environment of a process is read once, so that a process of its own calls.
func TestCustomEndpointsViaProxy(t *testing.T) {
	const child = "PROVIDER_TEST_VIA_PROXY"
	if os.Getenv(child) != "" {
		callViaProxy(t)
		return
	}
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.URL.String())
		mu.Unlock()
		io.WriteString(w, `{"data":[{"id":"from-the-proxy"}]}`)
	}))
	defer proxy.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCustomEndpointsViaProxy$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), child+"=1", "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if want := []string{"http://inside.test/v1/models"}; !slices.Equal(asked, want) {
		t.Errorf("the proxy was asked for %q, want %q", asked, want)
	}
}

// callViaProxy is the part of TestCustomEndpointsViaProxy that calls.
func callViaProxy(t *testing.T) {
	table, err := NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	list := func(viaProxy bool, base string) ([]string, error) {
		client := NewClient(ClientConfig{CustomViaProxy: viaProxy, ConnectTimeout: 5 * time.Second})
		defer client.Close()
		p, err := table.Custom(Custom{Slug: "box", BaseURL: base, Reach: outbound.Public})
		if err != nil {
			t.Fatal(err)
		}
		return client.ListModels(t.Context(), p, "")
	}
	if models, err := list(true, "http://inside.test/v1"); err != nil || !slices.Equal(models, []string{"from-the-proxy"}) {
		t.Errorf("by name: %q, %v", models, err)
	}
	for _, base := range []string{"http://169.254.169.254/v1", "http://127.0.0.1:1/v1", "http://10.0.0.7/v1", "http://[::1]:1/v1", "http://[::ffff:10.0.0.7]/v1",
		"http://localhost:1/v1"} { // for which no proxy is asked
		for _, viaProxy := range []bool{true, false} {
			var refused *outbound.RefusedError
			if models, err := list(viaProxy, base); !errors.As(err, &refused) {
				t.Errorf("%s, through the proxy %v: %q, %v", base, viaProxy, models, err)
			}
		}
	}
}

// Errors of custom endpoints are read in the forms that servers have.
func TestCustomErrors(t *testing.T) {
	table, _ := NewTable(nil)
	p, err := table.Custom(Custom{Slug: "box", BaseURL: "https://models.example/v1/", Reach: outbound.Public, Header: map[string]string{"x-team": "a-secret-value"}})
	if err != nil {
		t.Fatal(err)
	}
	if p.BaseURL != "https://models.example/v1" || p.Header["X-Team"] != "a-secret-value" {
		t.Errorf("%s, %v", p.BaseURL, p.Header)
	}
	for body, evidence := range map[string]bool{
		`{"error":"model is loading"}`: true, `{"detail":"Not authenticated"}`: true, `{"error":{"message":"no"}}`: true,
		`<html>nginx</html>`: false, `{}`: false, `[]`: false, ``: false,
	} {
		failure := p.Client.DecodeError([]byte(body))
		p.Classify(failure, Answer{Status: 400, Header: http.Header{}, Body: []byte(body)}, 0)
		if failure.Evidence != evidence {
			t.Errorf("%s: evidence %v", body, failure.Evidence)
		}
	}
	if _, err := p.target("/x"); err != nil {
		t.Error(err)
	}
	if h := (&Client{}).header(p, "", dialect.Encoded{}, Options{}); h.Get("Authorization") != "" || h.Get("X-Team") == "" {
		t.Errorf("headers: %v", h)
	}
}
