package redact

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const key = "QzW7xKp3-mode/all+Rt9vLb2Ns5Yd8Fh"

// Whatever form a secret is shown in, neither it nor a piece of it stays.
func TestForms(t *testing.T) {
	for name, shown := range map[string]string{
		"plain": key, "upper case": strings.ToUpper(key), "lower case": strings.ToLower(key),
		"hexadecimal": hex.EncodeToString([]byte(key)), "upper hexadecimal": strings.ToUpper(hex.EncodeToString([]byte(key))),
		"base64": base64.StdEncoding.EncodeToString([]byte(key)), "URL base64": base64.URLEncoding.EncodeToString([]byte(key)),
		"base64 after a user": base64.StdEncoding.EncodeToString([]byte("user:" + key)),
		"query":               url.QueryEscape(key), "path": url.PathEscape(key), "beginning": key[:9], "end": key[len(key)-9:], "halves": key[:16] + " " + key[16:],
		"groups of four": grouped(key, " ", 4), "letters": grouped(key, " ", 1), "lines": grouped(key, "\r\n", 6),
		"no-break spaces": grouped(key, "\u00a0", 3), "without width": grouped(key, "\u200b", 2),
		"base64 in lines": grouped(base64.StdEncoding.EncodeToString([]byte(key)), "\n  ", 7),
	} {
		for way, redacted := range map[string]string{"Text": Text("you sent <"+shown+"> to us", key), "Message": Message("you sent <"+shown+"> to us", key)} {
			left := strings.ReplaceAll(redacted, Mark, "")
			if len(left) > len("you sent <> to us")+piece || !strings.HasPrefix(redacted, "you sent <") || !strings.HasSuffix(redacted, "> to us") {
				t.Errorf("%s, %s: %s", way, name, redacted)
			}
		}
	}
}

// grouped puts a separator after every n bytes of s.
func grouped(s, separator string, n int) string {
	var b strings.Builder
	for i := 0; i < len(s); i += n {
		b.WriteString(s[i:min(i+n, len(s))] + separator)
	}
	return strings.TrimSuffix(b.String(), separator)
}

func TestPieces(t *testing.T) {
	for _, c := range []struct{ text, secret, want string }{
		{"req-" + key, key, "req-" + Mark},
		{"12ms", key, "12ms"},
		{"1 abc12", "abc12", "1 " + Mark},
		{"the keys", "key", "the keys"},
		{"", key, ""},
		{hex.EncodeToString([]byte(key)), key, Mark},
		{"id-" + base64.StdEncoding.EncodeToString([]byte(key)), key, "id-" + Mark},
	} {
		if got := Pieces(c.text, c.secret); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// In a message, the name or scheme of a credential goes with it; in a log it tells where the credential stood.
func TestNamesOfCredentials(t *testing.T) {
	for in, want := range map[string][2]string{
		"Authorization: Bearer abcdef.1234567": {"Authorization: Bearer [redacted]", "Authorization: [redacted]"},
		"at https://u:pw@host/x":               {"at https://[redacted]@host/x", "at [redacted]host/x"},
		"GET /x?key=abc,d&b=1":                 {"GET /x?key=[redacted]&b=1", "GET /x[redacted]&b=1"},
		"use a Bearer token.":                  {"use a Bearer token.", "use a Bearer token."},
		"bad: sk-abcdefghij.":                  {"bad: [redacted].", "bad: [redacted]."},
		"CSK-ABCDEFGH12 and xai_abcdefg":       {"[redacted] and [redacted]", "[redacted] and [redacted]"},
	} {
		if got := [2]string{Text(in), Message(in)}; got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

// Twice the text takes about twice the time, also where everything looks like a beginning of something.
func TestTimeIsLinear(t *testing.T) {
	for _, part := range []string{"sk-", "key=", "a.b-***", key[:7], "://", "Bearer ", "-----BEGIN PRIVATE KEY-----", strings.Repeat("a", 16)} {
		took := func(n int) time.Duration {
			text := strings.Repeat(part, n/len(part))
			best := time.Hour
			for range 3 {
				begun := time.Now()
				Text(text, key, strings.Repeat("a", 500))
				best = min(best, time.Since(begun))
			}
			return best
		}
		small, large := took(20_000), took(200_000)
		if large > 60*small+50*time.Millisecond {
			t.Errorf("%q: %v for 20 kB, %v for 200 kB", part, small, large)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("the key 0123456789abcdef is wrong", "0123456789abcdef")
	f.Add("01234567 89abcdef", "0123456789abcdef")
	f.Add("é\xc3\xa9 Bearer ééééééééé", "\xa9 Bearer \xc3")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := Message(text, secret)
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("%q became invalid: %q", text, got)
		}
		// The mark itself may complete a strange secret.
		if len(secret) >= minSecret && !strings.ContainsAny(secret, "[]") && !strings.Contains(Mark, secret) && strings.Contains(got, secret) {
			t.Fatalf("%q still holds %q: %q", text, secret, got)
		}
		if got != text && !strings.Contains(got, Mark) {
			t.Fatalf("%q changed without a mark: %q", text, got)
		}
	})
}
