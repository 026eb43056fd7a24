package provider

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// A failure of the way to the provider says what failed.
func TestConnectionProblems(t *testing.T) {
	quiet := func(srv *httptest.Server) *httptest.Server {
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		t.Cleanup(srv.Close)
		return srv
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			w.WriteHeader(http.StatusProxyAuthRequired)
		}
	})
	secure := quiet(httptest.NewTLSServer(handler))
	bare := quiet(httptest.NewServer(handler))
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	closed := nobody.Addr().String()
	for _, tt := range []struct {
		name, base, proxy string
		want              []string
	}{
		{"an unknown authority", secure.URL, "", []string{"certificate signed by unknown authority: it was issued by", "Acme"}},
		{"no TLS", strings.Replace(bare.URL, "http:", "https:", 1), "", []string{"does not speak TLS"}},
		{"nobody listens", "http://" + closed, "", []string{"connection refused (" + closed + ")"}},
		{"no such host", "http://no-such-host.invalid", "", []string{"DNS", "no-such-host.invalid"}},
		{"no such proxy", "https://api.example", "http://" + closed, []string{"the proxy", "connection refused (" + closed + ")"}},
		{"a proxy that refuses", "https://api.example", bare.URL, []string{"the proxy", "Proxy Authentication Required"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewClient(ClientConfig{})
			t.Cleanup(c.Close)
			c.transport.Proxy = func(*http.Request) (*url.URL, error) {
				if tt.proxy == "" {
					return nil, nil
				}
				return url.Parse(tt.proxy)
			}
			failure := fails(t, deadline(t), c, table(t, map[string]string{"openai": tt.base}).ByID("openai"), Options{}).Err
			var unreachable *UnreachableError
			if failure.Class != chat.Transport || !errors.As(failure, &unreachable) {
				t.Fatalf("%s: %v", failure.Class, failure)
			}
			for _, want := range tt.want {
				if !strings.Contains(failure.Message, want) || !strings.Contains(unreachable.Problem, want) {
					t.Errorf("%q lacks %q", failure.Message, want)
				}
			}
		})
	}
}

// A connection that breaks after it was open was no problem of the way.
func TestBrokenConnectionIsNoProblemOfTheWay(t *testing.T) {
	p, c := serve(t, "openai", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	failure := fails(t, deadline(t), c, p, Options{}).Err
	var unreachable *UnreachableError
	if failure.Message != "the connection to the provider broke" || errors.As(failure, &unreachable) {
		t.Errorf("%v", failure)
	}
}
