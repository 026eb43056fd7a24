package dialect_test

import (
	"net/http"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/native"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

func all() []*dialect.Dialect {
	return []*dialect.Dialect{gemini.NewDialect(), anthropic.NewDialect(), openai.NewDialect(), responses.NewDialect(), native.NewDialect(nil)}
}

// An SDK with a wrong base URL is answered in its own dialect.
func TestDialectOfPath(t *testing.T) {
	claude := http.Header{"Anthropic-Version": {"2023-06-01"}}
	for _, c := range []struct {
		path   string
		header http.Header
		want   dialect.Name
	}{
		{"/v1/chat/completions", nil, openai.Name},
		{"/chat/completions/", nil, openai.Name},
		{"/v1", nil, openai.Name},
		{"/v10", nil, ""},
		{"/v1/models/x", nil, openai.Name},
		{"/v1/models/x", claude, anthropic.Name},
		{"/api/models", claude, anthropic.Name},
		{"/v1/messages/batches", nil, anthropic.Name},
		{"/api/messages", nil, anthropic.Name},
		{"/v1beta/models/x", claude, gemini.Name},
		{"/api/v1beta/files", nil, gemini.Name},
		{"/v1/models/x:generateContent", nil, gemini.Name},
		{"/v1/models/x:countTokens", nil, gemini.Name},
		{"/v1/models/ft:generate", nil, openai.Name},
		{"/api/chat", claude, native.Name},
		{"/api/chat/completions", nil, openai.Name},
		{"/api/keys", claude, ""},
		{"/", nil, ""},
	} {
		got := dialect.Name("")
		if d := dialect.Of(all(), c.path, c.header); d != nil {
			got = d.Name
		}
		if got != c.want {
			t.Errorf("%s, %v: %q, want %q", c.path, c.header, got, c.want)
		}
	}
}

func TestDescriptorsAreComplete(t *testing.T) {
	names := map[string]bool{}
	for _, d := range all() {
		if d.Name == "" || d.Errors == nil || len(d.Endpoints) == 0 {
			t.Errorf("%s: the descriptor is incomplete: %+v", d.Name, d)
		}
		for _, header := range []string{d.KeyHeader, d.RequestIDHeader, d.ClientHeader} {
			if header != http.CanonicalHeaderKey(header) {
				t.Errorf("%s: %s is not canonical, and is looked up as it is", d.Name, header)
			}
		}
		for _, e := range d.Endpoints {
			kinds := 0
			for _, has := range []bool{e.Chat != nil, e.Embeddings != nil, e.Count != nil} {
				if has {
					kinds++
				}
			}
			if kinds != 1 || e.Name == "" || names[e.Name] {
				t.Errorf("%s: the endpoint %q has %d codecs, or another has its name", d.Name, e.Name, kinds)
			}
			names[e.Name] = true
		}
	}
	// They are stored with asynchronous requests, which outlive a version.
	for _, name := range []string{"chat", "completions", "responses", "embeddings", "messages", "generate"} {
		if !names[name] {
			t.Errorf("no endpoint is called %q", name)
		}
	}
}

func TestCanonicalPaths(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/chat/completions":             "",
		"/openai/v1/chat/completions":      "/v1/chat/completions",
		"/api/v1/chat/completions":         "/v1/chat/completions",
		"/inference/v1/models/a/b":         "/v1/models/a/b",
		"/v1beta/openai/embeddings":        "/v1/embeddings",
		"/v1beta/openai":                   "/v1",
		"/v1/openai/v1/audio/speech":       "/v1/audio/speech",
		"/openai/v1/openai/v1/models":      "/v1/models",
		"/v1/openai/v1/openai/v1/models":   "/v1/models",
		"/chat/completions":                "/v1/chat/completions",
		"/responses/resp_1/input_items":    "/v1/responses/resp_1/input_items",
		"/anthropic/v1/messages":           "/v1/messages",
		"/messages/count_tokens/":          "/v1/messages/count_tokens",
		"//v1///chat//completions//":       "/v1/chat/completions",
		"/v1alpha/models":                  "/v1beta/models",
		"/v1alpha/models/m:countTokens":    "/v1beta/models/m:countTokens",
		"/v1/models/a/b:generateContent":   "/v1beta/models/a/b:generateContent",
		"/v1/a/b:generateContent":          "/v1beta/models/a/b:generateContent",
		"/v1beta/openai/m:generateContent": "/v1beta/models/openai/m:generateContent",
		"/v1beta/a/b%3AgenerateContent":    "/v1beta/models/a/b%3AgenerateContent",
		"/models/m:generateContent":        "/v1beta/models/m:generateContent",
		"/v1/v1beta/m:generateContent":     "",
		"/v1/a:other":                      "",
		"/openai/v10/models":               "",
		"/chat/completionsx":               "",
		"/api/keys":                        "",
		"/":                                "",
		"":                                 "",
	} {
		if want == "" {
			want = path
		}
		if got := dialect.Canonical(all(), path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

// A canonical path stays as it is, and a path always begins with a slash.
func FuzzCanonical(f *testing.F) {
	for _, path := range []string{"/v1/openai/v1/models", "//", "/a//b:generateContent/", "/%ff:countTokens", "/models/:generateContent"} {
		f.Add(path)
	}
	dialects := all()
	f.Fuzz(func(t *testing.T, path string) {
		if path == "" || path[0] != '/' {
			return
		}
		once := dialect.Canonical(dialects, path)
		if once == "" || once[0] != '/' {
			t.Errorf("%q: %q", path, once)
		}
	})
}
