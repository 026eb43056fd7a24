package server_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
)

// overTLS serves a handler by TLS with the gateway's HTTP server, and returns a client of the HTTP version.
func overTLS(t *testing.T, version string, limits config.Limits, handler http.HandlerFunc) (*http.Client, string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = server.NewHTTPServer(limits, handler, slog.New(slog.DiscardHandler))
	srv.EnableHTTP2 = version == "HTTP/2.0"
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.Client(), srv.URL
}

func onBothVersions(t *testing.T, test func(t *testing.T, version string)) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) { test(t, version) })
	}
}

// The write timeout does not count while a handler has nothing to write.
func TestThinkingIsNoSlowWrite(t *testing.T) {
	const timeout = 300 * time.Millisecond
	onBothVersions(t, func(t *testing.T, version string) {
		client, url := overTLS(t, version, config.Limits{Write: timeout}, func(w http.ResponseWriter, r *http.Request) {
			pause := func() { time.Sleep(3 * timeout) }
			pause()
			if r.URL.Path == "/stream" {
				io.WriteString(w, "one ")
				http.NewResponseController(w).Flush()
				pause()
			}
			io.WriteString(w, "late")
			pause() // what net/http still holds is written after it
		})
		for path, want := range map[string]string{"/": "late", "/stream": "one late"} {
			for range 2 { // on the same connection
				resp, err := client.Get(url + path)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || string(text) != want || resp.Proto != version {
					t.Errorf("%s: %s %q, %v", path, resp.Proto, text, err)
				}
			}
		}
	})
}

// A caller who does not read ends the writes of its request, but no other request.
func TestSlowReadersAreLeft(t *testing.T) {
	onBothVersions(t, func(t *testing.T, version string) {
		ended := make(chan error, 1)
		client, url := overTLS(t, version, config.Limits{Write: 300 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/small" {
				io.WriteString(w, "small")
				return
			}
			piece := []byte(strings.Repeat("x", 1<<20))
			for range 256 {
				if _, err := w.Write(piece); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		})
		resp, err := client.Get(url + "/large")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		select {
		case err := <-ended:
			if err == nil {
				t.Error("256 MB were written for a caller who does not read")
			}
		case <-time.After(30 * time.Second):
			t.Error("the write has no end")
		}
		small, err := client.Get(url + "/small")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(small.Body)
		small.Body.Close()
		if string(text) != "small" || err != nil {
			t.Errorf("another request gets %q, %v", text, err)
		}
	})
}

// A refused body ends the connection over HTTP/1.1, and over HTTP/2 the stream alone.
func TestRefusedBodyKeepsHTTP2Connections(t *testing.T) {
	w := newWorld(t, "MAX_BODY_BYTES=64KB")
	ann := w.user("ann")
	r := ann.chat(`{"messages":"` + strings.Repeat("x", 65<<10) + `"}`)
	r.refused(413, "PAYLOAD_TOO_LARGE", "64 kB")
	onBothVersions(t, func(t *testing.T, version string) {
		client, url := overTLS(t, version, w.cfg.Limits, w.app.ServeHTTP)
		req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/api/chat", strings.NewReader(strings.Repeat("x", 65<<10)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+ann.session)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		if closes := resp.Close || resp.Header.Get("Connection") != ""; closes != (version == "HTTP/1.1") || resp.StatusCode != 413 {
			t.Errorf("%d, and the connection closes: %v", resp.StatusCode, closes)
		}
	})
}
