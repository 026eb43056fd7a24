package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The dashboard shows why the gateway cannot serve.
func TestUnreadyGateway(t *testing.T) {
	files := http.FileServer(http.Dir("../../public"))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			files.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"error":{"code":"UNAVAILABLE","message":"the configuration is wrong: JWT_SECRET is missing"},"requestId":"r-1"}`)
	}))
	defer srv.Close()
	b := openBrowser(t, srv.URL)
	b.open("")
	b.sees("The gateway is not ready")
	b.sees("JWT_SECRET is missing")
	srv.CloseClientConnections()
	srv.Listener.Close()
	b.click("Try again")
	b.sees("The gateway does not answer")
	b.clean()
}
