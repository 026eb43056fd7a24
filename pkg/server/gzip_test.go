package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/server"
)

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0, *": false, "*": true, "*;q=0": false,
		"identity": false, "x-gzip-like": false, "gzip;q=x": false,
	} {
		r := &http.Request{Header: http.Header{"Accept-Encoding": {header}}}
		if got := server.AcceptsGzip(r); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// What a client reads is compressed if it is long, and the catalogue is sent once.
func TestCompressedAnswers(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	get := func(path string, header ...string) *http.Response {
		t.Helper()
		req := ann.with(header...).request("GET", path, nil)
		resp, err := (&http.Client{Transport: &http.Transport{DisableCompression: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	plain := get("/api/keys/catalog")
	want, err := io.ReadAll(plain.Body)
	if err != nil || plain.Header.Get("Content-Encoding") != "" || !json.Valid(want) {
		t.Fatalf("without Accept-Encoding: %v, %v", plain.Header, err)
	}
	zipped := get("/api/keys/catalog", "Accept-Encoding", "gzip")
	var sent bytes.Buffer
	r, err := gzip.NewReader(io.TeeReader(zipped.Body, &sent))
	if err != nil || zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("with Accept-Encoding: %v, %v", zipped.Header, err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != string(want) {
		t.Errorf("the compressed answer has %d bytes, the other %d; %v", len(got), len(want), err)
	}
	if sent.Len() > len(want)/4 {
		t.Errorf("%d bytes of %d", sent.Len(), len(want))
	}
	for _, tag := range []string{zipped.Header.Get("ETag"), `"x", ` + zipped.Header.Get("ETag"), "*"} {
		again := get("/api/keys/catalog", "If-None-Match", tag)
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("If-None-Match %s: %d", tag, again.StatusCode)
		}
	}
	if other := get("/api/keys/catalog", "If-None-Match", `"x"`); other.StatusCode != 200 {
		t.Errorf("another tag: %d", other.StatusCode)
	}
	if short := get("/api/auth/status", "Accept-Encoding", "gzip"); short.Header.Get("Content-Encoding") != "" {
		t.Error("a short answer is compressed")
	}
}
