package provider

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
