package redact

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPatterns(t *testing.T) {
	for in, want := range map[string]string{
		"Incorrect API key provided: sk-abcde***wxyz. You can find your key at https://x/y.": "Incorrect API key provided: [redacted] You can find your key at https://x/y.",
		"Incorrect API key provided: invalid-key. See":                                       "Incorrect API key provided: [redacted] See",
		"key sk-proj-AbC_123-xyz789 is bad":                                                  "key [redacted] is bad",
		"sk-ant-api03-abcdefgh":                                                              "[redacted]",
		"(sk-or-v1-0123456789abcdef)":                                                        "([redacted])",
		"gsk_0123456789abcdef failed":                                                        "[redacted] failed",
		"fw_3ZabcdefGHIJ failed":                                                             "[redacted] failed",
		"tgp_v1_abcdefghijk":                                                                 "[redacted]",
		"hf_abcdefghijk":                                                                     "[redacted]",
		"API key AIzaSyA-0123456789 not valid":                                               "API key [redacted] not valid",
		"AQ.Ab8RN6IabcdefG":                                                                  "[redacted]",
		"ya29.a0AfH6SMBx":                                                                    "[redacted]",
		"AKIAIOSFODNN7EXAMPLE":                                                               "[redacted]",
		"using llm_123456789ABCDEFGHJKLMNPQRSTU1NMnonHMB here":                               "using [redacted] here",
		"Authorization: Bearer abcDEF123":                                                    "Authorization: Bearer [redacted]",
		"authorization: basic dXNlcjpwYXNz":                                                  "authorization: basic [redacted]",
		`{"headers":{"x-api-key":"abc123def"}}`:                                              `{"headers":{"x-api-key":"[redacted]"}}`,
		`{\"api_key\":\"abc123def\"}`:                                                        `{\"api_key\":\"[redacted]\"}`,
		"x-goog-api-key: abc123def":                                                          "x-goog-api-key: [redacted]",
		"GET /v1?alt=sse&key=abc123&x=1":                                                     "GET /v1?alt=sse&key=[redacted]&x=1",
		"access_token=abc&id=1":                                                              "access_token=[redacted]&id=1",
		"password = 'abc'":                                                                   "password = '[redacted]'",
		"postgres://user:pass@host/db":                                                       "postgres://[redacted]@host/db",
		"eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiIwMSJ9.AJBBafzJH7":                                   "[redacted]",
		"your key abcd****wxyz is":                                                           "your key [redacted] is",
		"-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx":             "[redacted]\nx",
		"-----BEGIN PRIVATE KEY-----\nMII":                                                   "[redacted]",
		"Bearer sk-abcdefgh, key=sk-abcdefgh":                                                "Bearer [redacted], key=[redacted]",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestSentencesStay(t *testing.T) {
	for _, in := range []string{
		"",
		"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
		"max_tokens=4096 exceeds the limit",
		"This model's maximum context length is 131072 tokens. However, you requested 140000 tokens.",
		"Rate limit reached for gpt-5 in organization org-abc123 on tokens per min (TPM): Limit 30000. Please try again in 5.289s.",
		"You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth",
		"Missing bearer authentication in header",
		"The model `llama-3.3-70b-versatile` does not exist or you do not have access to it.",
		"a task-based, risk-averse disk-intensive job",
		"llm_provider llm_gateway",
		"request req_011CSHoEeqs5C35K2UUqR7Fy failed",
		"see https://platform.openai.com/account/api-keys",
		"Unexpected token: } in JSON at position 7",
		"**bold** text",
	} {
		if got := Text(in); got != in {
			t.Errorf("%q\nbecame %q", in, got)
		}
	}
}

func TestGivenSecrets(t *testing.T) {
	for _, c := range []struct {
		text    string
		secrets []string
		want    string
	}{
		{"a 0a1b2c3d4e5f b", []string{"0a1b2c3d4e5f"}, "a [redacted] b"},
		{"x0a1b2c3d4e5fx", []string{"0a1b2c3d4e5f"}, "x[redacted]x"},
		{"0a1b2c3d0a1b2c3d", []string{"0a1b2c3d"}, "[redacted]"},
		{"abcdefghijkl", []string{"abcdefgh", "efghijkl"}, "[redacted]"},
		{"abcdefghijkl", []string{"efghijkl", "abcdefgh"}, "[redacted]"},
		{"xabababx", []string{"abab"}, "x[redacted]x"},
		{"k%2Fey%2B1 and k/ey+1", []string{"k/ey+1"}, "[redacted] and [redacted]"},
		{`say "q\"uo\\te"`, []string{`q"uo\te`}, `say "[redacted]"`},
		{"a b c", []string{"", "a", "b c"}, "a b c"},
		{"nothing here", []string{"0a1b2c3d"}, "nothing here"},
	} {
		if got := Text(c.text, c.secrets...); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.text, c.secrets, got, c.want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("Incorrect API key provided: sk-abcde***wxyz", "0a1b2c3d4e5f", "abcdefgh")
	f.Add("abcdefghijkl", "abcdefgh", "efghijkl")
	f.Add("Bearer key=AIza0123456 -----BEGIN PRIVATE KEY-----", "AIza", "key=")
	f.Add("ééé", "\xa9\xc3\xa9\xc3", "xxxx")
	f.Fuzz(func(t *testing.T, text, one, two string) {
		got := Text(text, one, two)
		for _, secret := range []string{one, two} {
			// A secret with a bracket, or made of the mark itself, could come into being by the replacement.
			if len(secret) < minSecret || strings.ContainsAny(secret, "[]") || strings.Contains(Mark, secret) {
				continue
			}
			if strings.Contains(got, secret) {
				t.Errorf("%q still holds %q: %q", text, secret, got)
			}
		}
		if utf8.ValidString(text) && utf8.ValidString(one) && utf8.ValidString(two) && !utf8.ValidString(got) {
			t.Errorf("%q became invalid UTF-8: %q", text, got)
		}
		for _, pattern := range patterns {
			lower := strings.ToLower(text)
			if pattern.expr.MatchString(text) && !pattern.hinted(lower) && !strings.Contains(lower, "ſ") {
				t.Errorf("no hint leads %q to %s", text, pattern.expr)
			}
		}
		if !strings.Contains(got, Mark) && got != text {
			t.Errorf("%q changed without a mark: %q", text, got)
		}
	})
}

func BenchmarkText(b *testing.B) {
	text := strings.Repeat("Rate limit reached for gpt-5 on tokens per min (TPM): Limit 30000. ", 15)
	b.ReportAllocs()
	for b.Loop() {
		Text(text, "sk-0123456789abcdef")
	}
}
