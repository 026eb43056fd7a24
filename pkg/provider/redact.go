package provider

import (
	"encoding/base64"
	"encoding/hex"
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

// RedactText is Redact for one text. The key is also found in other letters' case, and in the forms that the function encodings gives it.
func RedactText(s, secret string) string {
	s = clean(s, maxText)
	for _, form := range encodings(secret) {
		s = withoutPieces(s, form)
	}
	s = withoutPieces(s, secret)
	return credential.ReplaceAllString(s, redacted)
}

// encodings are the forms in which somebody may show a key beside its own: hexadecimal, every byte in percent, and base64 with
// zero, one or two bytes before it, as of "user:key".
func encodings(secret string) []string {
	if secret == "" {
		return nil
	}
	digits := hex.EncodeToString([]byte(secret))
	var percent strings.Builder
	for i := 0; i < len(digits); i += 2 {
		percent.WriteString("%" + digits[i:i+2])
	}
	forms := []string{digits, percent.String()}
	for before, own := range []int{0, 2, 3} { // characters that depend on what stands before are not the key's own
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), secret...))
		text = text[own:]
		forms = append(forms, text, strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	return forms
}

// credential matches what providers' keys, the gateway's own tokens and
// authorization headers look like, masked ones (sk-abc***xyz) included.
var credential = regexp.MustCompile(`(?i)` +
	`\bBearer\s+[\w.~+/*=-]{8,}` +
	`|\b(?:sk|csk|xai)[-_][\w*-]{6,}[\w*]` +
	`|\b(?:gsk|fw|tgp|csk|llm|pk|rk)_[\w*-]{6,}[\w*]` +
	`|\bAIza[\w*-]{10,}|\bAQ\.[\w*-]{10,}|\beyJ[\w-]{8,}\.[\w.-]{8,}` +
	`|([?&](?:api_?key|key|token)=)[^&\s"']+` +
	`|\b\w+://[^\s/@]+:[^\s/@]+@` +
	`|[\w.-]*\*{3}[\w.*-]*`) // masked by somebody else: both ends are the key's

// withoutPieces replaces every run of the text that stands in the secret too, whatever the letters' case, if it
// is long enough to be no accident. A secret that is shorter than that is replaced as a whole.
func withoutPieces(s, secret string) string {
	least := min(gram, len(secret))
	if least < minSecret || len(s) < least {
		return s
	}
	folded, pieces := lower(s), lower(secret)
	var out strings.Builder
	for i := 0; i < len(s); {
		n := 0
		if i+least <= len(s) && strings.Contains(pieces, folded[i:i+least]) {
			for n = least; i+n < len(s) && strings.Contains(pieces, folded[i:i+n+1]); n++ {
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

// minSecret is the shortest key that is looked for: a shorter one would tear words apart.
const minSecret = 4

// lower folds ASCII letters alone, so that every byte stays where it is.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
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
