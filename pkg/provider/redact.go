package provider

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

const (
	redacted = "[redacted]"
	// maxText bounds the texts of a provider's error, in bytes.
	maxText = 2000
	// gram is the length of the shortest piece of a key that is taken out of a text.
	gram = 8
)

// Redact takes the key, pieces of it, and whatever looks like a credential out of
// the texts that came from the provider, and bounds and cleans them.
func Redact(err *chat.Error, secret string) {
	for _, s := range []*string{&err.Message, &err.Code, &err.Type, &err.Param} {
		*s = RedactText(*s, secret)
	}
}

// RedactText is Redact for one text.
func RedactText(s, secret string) string {
	s = withoutPieces(clean(s, maxText), secret)
	return credential.ReplaceAllString(s, redacted)
}

// credential matches what providers' keys, the gateway's own tokens and
// authorization headers look like, masked ones (sk-abc***xyz) included.
var credential = regexp.MustCompile(`(?i)` +
	`\bBearer\s+[\w.~+/*=-]{8,}` +
	`|\b(?:sk|xai)[-_][\w*-]{6,}[\w*]` +
	`|\b(?:gsk|fw|tgp|csk|llm|pk|rk)_[\w*-]{6,}[\w*]` +
	`|\bAIza[\w*-]{10,}|\bAQ\.[\w*-]{10,}|\beyJ[\w-]{8,}\.[\w.-]{8,}` +
	`|([?&](?:api_?key|key|token)=)[^&\s"']+` +
	`|\b\w+://[^\s/@]+:[^\s/@]+@`)

// withoutPieces replaces every run of the text that stands in the secret too, if it
// is long enough to be no accident.
func withoutPieces(s, secret string) string {
	if len(secret) < gram || len(s) < gram {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		n := 0
		if i+gram <= len(s) && strings.Contains(secret, s[i:i+gram]) {
			for n = gram; i+n < len(s) && strings.Contains(secret, s[i:i+n+1]); n++ {
			}
		}
		if n == 0 {
			out.WriteByte(s[i])
			i++
			continue
		}
		out.WriteString(redacted)
		i += n
	}
	return out.String()
}

// clean makes a text printable on one line and cuts it to n bytes.
func clean(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			return -1
		}
		return r
	}, s))
}
