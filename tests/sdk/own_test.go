package sdk

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestOwnTests runs tests of the SDKs' own that want a server, with all the optional parameters that an API has. Their
// files are given by name, and run in the SDK's module: all of the SDK's tests would take minutes to compile.
func TestOwnTests(t *testing.T) {
	front := httptest.NewServer(fitted())
	t.Cleanup(front.Close)
	// A key may serve a model that nobody has heard of, if it says so.
	if err := gate.post("/api/keys",
		map[string]any{"provider": "anthropic", "apiKey": "sk-emulated-own", "allowedModels": []string{"model_id"}}, nil); err != nil {
		t.Fatal(err)
	}
	for name, own := range map[string]struct{ module, base, files, tests string }{
		"openai": {"github.com/openai/openai-go/v3", front.URL + "/v1",
			"chatcompletion_test.go embedding_test.go model_test.go usage_test.go",
			"TestChatCompletionNewWithOptionalParams TestEmbeddingNewWithOptionalParams TestModelGet TestModelList TestUsage"},
		"anthropic": {"github.com/anthropics/anthropic-sdk-go/v2", front.URL,
			"message_test.go betamessage_test.go model_test.go betamodel_test.go usage_test.go",
			"TestMessageNewWithOptionalParams TestMessageCountTokensWithOptionalParams TestBetaMessageNewWithOptionalParams " +
				"TestBetaMessageCountTokensWithOptionalParams TestModelListWithOptionalParams TestBetaModelListWithOptionalParams TestModelGetWithOptionalParams TestUsage"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", own.module).Output()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			args := []string{"test", "-count=1", "-v", "-run", "^(" + strings.ReplaceAll(own.tests, " ", "|") + ")$"}
			cmd := exec.CommandContext(ctx, "go", append(args, strings.Fields(own.files)...)...)
			cmd.Dir, cmd.Env = strings.TrimSpace(string(dir)), append(os.Environ(), "TEST_API_BASE_URL="+own.base)
			out, err := cmd.CombinedOutput()
			passed := map[string]bool{}
			for _, m := range regexp.MustCompile(`(?m)^--- PASS: (\w+)`).FindAllSubmatch(out, -1) {
				passed[string(m[1])] = true
			}
			for test := range strings.FieldsSeq(own.tests) {
				if !passed[test] {
					t.Errorf("%s did not pass", test)
				}
			}
			if err != nil || t.Failed() {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// fitted is the gateway behind a proxy that changes what no server but a mock would take: the tests' own key becomes
// the token, and a limit of no tokens at all becomes one of 16.
func fitted() http.Handler {
	target, err := url.Parse(gate.url)
	if err != nil {
		panic(err)
	}
	real := strings.NewReplacer(`"max_completion_tokens":0,"max_tokens":0`, `"max_completion_tokens":16`, `"strict":true`, `"strict":false`,
		`"thread":{"type":"create"},`, "") // the gateway refuses threads, by which the SDK sends the whole conversation
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		for header, value := range map[string]string{"Authorization": "Bearer " + gate.token, "X-Api-Key": gate.token} {
			if r.Out.Header.Get(header) != "" {
				r.Out.Header.Set(header, value)
			}
		}
		if r.Out.Body == nil {
			return
		}
		body, _ := io.ReadAll(r.Out.Body)
		text := real.Replace(string(body))
		r.Out.Body, r.Out.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}}
}
