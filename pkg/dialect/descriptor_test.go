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
