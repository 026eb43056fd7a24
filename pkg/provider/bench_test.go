package provider

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

// BenchmarkDo is a call over loopback; BenchmarkBareClient the same through
// net/http alone, with the same transport.
func BenchmarkDo(b *testing.B) {
	p, c := serve(b, "openai", answer)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := c.Do(context.Background(), p, secret, request, Options{IdleTimeout: time.Minute})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := resp.ReadAll(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareClient(b *testing.B) {
	p, c := serve(b, "openai", answer)
	client := &http.Client{Transport: c.transport}
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(context.Background(), "POST", p.BaseURL+request.Path, bytes.NewReader(request.Body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+secret)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}

func answer(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Write(bytes.Repeat([]byte(`{"a":1}`), 100))
}

// BenchmarkNewTable is what a cold start pays for the providers.
func BenchmarkNewTable(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewTable(nil); err != nil {
			b.Fatal(err)
		}
	}
}
