package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// client calls an emulator over HTTP.
type client struct {
	t      *testing.T
	e      *Emulator
	origin string
}

func newClient(t *testing.T) *client {
	e := New()
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	return &client{t, e, srv.URL}
}

const goodKey = "sk-emulated-0001"

// send makes a request as the provider wants it. Header has names and values by turns.
func (c *client) send(method, provider, path, key string, body any, header ...string) (*http.Response, string, error) {
	c.t.Helper()
	var b []byte
	switch body := body.(type) {
	case nil:
	case string:
		b = []byte(body)
	default:
		b, _ = json.Marshal(body)
	}
	req, err := http.NewRequest(method, BaseURL(c.origin, provider)+path, bytes.NewReader(b))
	if err != nil {
		c.t.Fatal(err)
	}
	switch provider {
	case "anthropic":
		req.Header.Set("X-Api-Key", key)
		req.Header.Set("Anthropic-Version", "2023-06-01")
	case "gemini":
		req.Header.Set("X-Goog-Api-Key", key)
	default:
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

func (c *client) post(provider, path string, body any, header ...string) (int, string) {
	c.t.Helper()
	resp, text, err := c.send("POST", provider, path, goodKey, body, header...)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, text
}

// good posts, and fails the test if the answer is not good.
func (c *client) good(provider, path string, body any) string {
	c.t.Helper()
	status, text := c.post(provider, path, body)
	if status != 200 {
		c.t.Fatalf("%d %s for %s", status, text, encode(body))
	}
	return text
}

// merge is base with more members; nil takes one away.
func merge(base, more object) object {
	out := object{}
	for k, v := range base {
		out[k] = v
	}
	for k, v := range more {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// dig follows names and indexes into a value; what is not there is nil.
func dig(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func str(v any) string { s, _ := v.(string); return s }

func num(v any) float64 { n, _ := v.(float64); return n }

func items(v any) []any { l, _ := v.([]any); return l }

// sse are the data of a stream of server-sent events, without "[DONE]", and the events' names.
func sse(t *testing.T, text string) (data []map[string]any, names []string) {
	t.Helper()
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if n, ok := strings.CutPrefix(line, "event: "); ok {
			name = n
		}
		if d, ok := strings.CutPrefix(line, "data: "); ok && strings.HasPrefix(d, "{") {
			data, names = append(data, parse(t, d)), append(names, name)
			name = ""
		}
	}
	return data, names
}
