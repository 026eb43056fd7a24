package provider

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/redact"
)

func TestRedactText(t *testing.T) {
	const key = "sk-proj-Qx7vR2mN9pL4kT8wZ3yB"
	for in, want := range map[string]string{
		"plain words stay":                         "plain words stay",
		"Incorrect API key provided: " + key + ".": "Incorrect API key provided: [redacted].",
		"masked sk-abc***xyz9 here":                "masked [redacted] here",
		"begins with " + key[:14] + " it says":     "begins with [redacted] it says",
		"ends with " + key[10:]:                    "ends with [redacted]",
		"Authorization: Bearer abcdef.1234567":     "Authorization: [redacted]",
		"AIzaSyD-1234567890abcdef bad":             "[redacted] bad",
		"at https://u:pw@host/x":                   "at [redacted]host/x",
		"GET /x?key=abc&b=1":                       "GET /x[redacted]&b=1",
		"token llm_abcdefgh12345":                  "token [redacted]",
		"gsk_abcdefgh1234 and gpt-5.4-mini":        "[redacted] and gpt-5.4-mini",
		"line\none\x00\x1b[31m":                    "line one[31m",
		"model `llama-3.3-70b-versatile` unknown":  "model `llama-3.3-70b-versatile` unknown",
		"an llm-gateway in a key-value store":      "an llm-gateway in a key-value store",
		"task-oriented: ask-something-else please": "task-oriented: ask-something-else please",
	} {
		if got := RedactText(in, key); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

// However a provider quotes a key, the caller, who may not be its owner, cannot reassemble it.
func TestRedactFindsEncodings(t *testing.T) {
	const key = "QzW7xKp3-mode-all-Rt9vLb2Ns5Yd8Fh"
	percent := ""
	for _, c := range []byte(key) {
		percent += fmt.Sprintf("%%%02X", c)
	}
	for name, shown := range map[string]string{
		"plain": key, "upper": strings.ToUpper(key), "lower": strings.ToLower(key), "hex": hex.EncodeToString([]byte(key)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(key))),
		"base64": base64.StdEncoding.EncodeToString([]byte(key)), "base64url": base64.URLEncoding.EncodeToString([]byte(key)),
		"user:key": base64.StdEncoding.EncodeToString([]byte("user:" + key)), "u:key": base64.StdEncoding.EncodeToString([]byte("u:" + key)),
		"api:key": base64.StdEncoding.EncodeToString([]byte("api:" + key)), "percent": percent, "masked": key[:7] + "***" + key[len(key)-8:], "halves": key[:16] + " " + key[16:],
	} {
		got := RedactText("you sent <"+shown+"> to us", key)
		if rest := strings.ReplaceAll(got, redact.Mark, ""); len(rest) > len("you sent <> to us")+8 || !strings.HasPrefix(got, "you sent <") || !strings.HasSuffix(got, "> to us") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := RedactText("the key abc12 is wrong", "abc12"); got != "the key [redacted] is wrong" {
		t.Errorf("a short key: %s", got)
	}
	if got := RedactText("the keys are wrong", "key"); got != "the keys are wrong" {
		t.Errorf("a word: %s", got)
	}
}

// Request ids and forwarded response headers are redacted too.
func TestHeadersHoldNoKey(t *testing.T) {
	const key = "QzW7xKp3-mode-all-Rt9vLb2Ns5Yd8Fh"
	h := http.Header{"X-Request-Id": {"req-" + key}, "Openai-Processing-Ms": {"1 " + key}}
	p := table(t, nil).ByID("openai")
	if id := p.RequestIDOf(h, key); id != "req-[redacted]" {
		t.Errorf("the request's id is %q", id)
	}
	if ms := forwardedResponseHeaders(h, key).Get("Openai-Processing-Ms"); ms != "1 [redacted]" {
		t.Errorf("the header is %q", ms)
	}
}

func TestRedactCoversEveryText(t *testing.T) {
	const key = "0123456789abcdef"
	err := &chat.Error{Message: "m " + key, Code: key, Type: "t" + key, Param: key}
	Redact(err, key)
	if s := err.Message + err.Code + err.Type + err.Param; strings.Contains(s, key[:8]) {
		t.Error(s)
	}
}

func FuzzRedactText(f *testing.F) {
	f.Add("the key 0123456789abcdef is wrong", "0123456789abcdef")
	f.Add("01234567 89abcdef", "0123456789abcdef")
	f.Add("\xff\xfe", "k")
	f.Fuzz(func(t *testing.T, s, secret string) {
		got := RedactText(s, secret)
		if !utf8.ValidString(got) && utf8.ValidString(s) {
			t.Fatalf("%q became invalid: %q", s, got)
		}
		if strings.ContainsAny(got, "\n\r\x00\x1b") {
			t.Fatalf("control characters in %q", got)
		}
		// The replacement itself may be part of a strange secret.
		if len(secret) >= 16 && !strings.Contains(secret, "e") && strings.Contains(got, secret) {
			t.Fatalf("%q still holds %q", got, secret)
		}
	})
}
