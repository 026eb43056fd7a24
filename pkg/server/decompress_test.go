package server_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// coding is a way to write a body that the gateway reads.
type coding struct {
	header string
	writer func(io.Writer) io.WriteCloser
}

func codings(t *testing.T) map[string]coding {
	t.Helper()
	must := func(w io.WriteCloser, err error) io.WriteCloser {
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	zstdAt := func(options ...zstd.EOption) func(io.Writer) io.WriteCloser {
		return func(w io.Writer) io.WriteCloser { return must(zstd.NewWriter(w, options...)) }
	}
	return map[string]coding{
		"gzip":         {"gzip", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
		"x-gzip":       {"X-GZIP", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
		"zlib":         {"deflate", func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }},
		"bare deflate": {"deflate", func(w io.Writer) io.WriteCloser { return must(flate.NewWriter(w, 6)) }},
		"br":           {"identity, br", func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }},
		"small br":     {"br", func(w io.Writer) io.WriteCloser { return brotli.NewWriterOptions(w, brotli.WriterOptions{LGWin: 10}) }},
		"zstd":         {"zstd", zstdAt()},
		"zstd, best":   {"zstd", zstdAt(zstd.WithEncoderLevel(zstd.SpeedBestCompression))},
		"zstd, single": {"zstd", func(w io.Writer) io.WriteCloser { return &whole{to: w} }},
	}
}

// whole writes one zstd frame whose window is its content.
type whole struct {
	to  io.Writer
	buf bytes.Buffer
}

func (w *whole) Write(p []byte) (int, error) { return w.buf.Write(p) }

func (w *whole) Close() error {
	e, err := zstd.NewWriter(nil, zstd.WithSingleSegment(true))
	if err == nil {
		_, err = w.to.Write(e.EncodeAll(w.buf.Bytes(), nil))
	}
	return err
}

func (c coding) encode(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := c.writer(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Every route of models reads compressed bodies; the limit counts what they decode to, and what is cut off or damaged is told.
func TestCompressedBodies(t *testing.T) {
	w := newWorld(t, "MAX_BODY_BYTES=1MB", "BODY_BUDGET_BYTES=64MB")
	ann := w.user("ann")
	for _, provider := range []string{"openai", "anthropic", "gemini"} {
		ann.key(provider, apiKey)
	}
	_, _, holder := ann.token("t")
	long := strings.Repeat("Grüße ", 20_000)
	for name, c := range codings(t) {
		t.Run(name, func(t *testing.T) {
			encoded := holder.with("Content-Encoding", c.header)
			for path, body := range map[string]string{
				"/api/chat":                 `{"model":"gpt-4o-mini","messages":[{"role":"user","content":%q}]}`,
				"/v1/chat/completions":      `{"model":"gpt-4o-mini","messages":[{"role":"user","content":%q}]}`,
				"/v1/responses":             `{"model":"gpt-4o-mini","input":%q}`,
				"/v1/embeddings":            `{"model":"text-embedding-3-small","input":%q}`,
				"/v1/messages":              `{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":%q}]}`,
				"/v1/messages/count_tokens": `{"model":"claude-haiku-4-5","messages":[{"role":"user","content":%q}]}`,
				"/v1beta/models/gpt-4o-mini:generateContent": `{"contents":[{"role":"user","parts":[{"text":%q}]}]}`,
			} {
				for _, text := range []string{"Hello!", "Grüße 🌍", strings.Repeat("word ", 3000)} {
					encoded.post(path, c.encode(t, fmt.Sprintf(body, text))).want(200)
				}
			}
			const path = "/v1/chat/completions"
			body := c.encode(t, fmt.Sprintf(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":%q}]}`, long[:300]))
			for cut := range len(body) {
				encoded.post(path, body[:cut]).want(400)
			}
			encoded.post(path, body+"x").want(400)
			encoded.post(path, "{}").want(400)
			for _, size := range []int{2 << 20, 24 << 20} {
				bomb := c.encode(t, strings.Repeat(" ", size))
				r := encoded.post(path, bomb)
				if r.status != 413 {
					t.Errorf("%d bytes, sent as %d: %d %s", size, len(bomb), r.status, r.body)
				}
			}
			// The memory is given back.
			encoded.post(path, body).want(200)
		})
	}
	holder.with("Content-Encoding", "gzip").post("/v1/chat/completions", "").want(400)
}
