package auth

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// minRedactable is the shortest secret that RedactSecrets looks for: shorter ones would tear ordinary words apart.
const minRedactable = 4

// credentialPattern finds what looks like a credential: the first group of expr. It is tried only on texts that hold one
// of hints (lower case), because a regular expression costs a thousand times what looking for a word does.
type credentialPattern struct {
	hints []string
	expr  *regexp.Regexp
}

// credentialPatterns know the prefixes of the providers' keys and of what else an operator may have beside them, and the
// places where credentials stand. Asterisks and dots are part of a key because providers echo keys masked.
var credentialPatterns = []credentialPattern{
	// OpenAI, Anthropic, OpenRouter, DeepSeek (sk-), Cerebras (csk-), xAI, GitLab, Slack.
	{[]string{"sk-", "pk-", "rk-", "sess-", "xai-", "glpat-", "xox"},
		regexp.MustCompile(`(?:^|[^A-Za-z0-9])((?:c?sk|pk|rk|sess|xai|glpat|xox[abprs])-[A-Za-z0-9_.*…-]{6,})`)},
	// Stripe's style, Groq (gsk_), Fireworks (fw_, fpk_), Together (tgp_v1_), Hugging Face, GitHub, Vercel, Neon, Replicate.
	{[]string{"k_", "fw_", "tgp_", "hf_", "gh", "_pat_", "vcp_", "npg_", "r8_"},
		regexp.MustCompile(`(?:^|[^A-Za-z0-9])((?:sk|pk|rk|gsk|fw|fpk|tgp_v1|hf|gh[oprsu]|github_pat|vc[pk]|npg|r8)_[A-Za-z0-9_.*…-]{8,})`)},
	// Google: API keys old and new, OAuth access tokens.
	{[]string{"aiza", "aq.", "ya29."},
		regexp.MustCompile(`(?:^|[^A-Za-z0-9])((?:AIza|AQ\.|ya29\.)[A-Za-z0-9_.*…-]{6,})`)},
	// AWS access key ids.
	{[]string{"akia", "asia"},
		regexp.MustCompile(`(?:^|[^A-Za-z0-9])((?:AKIA|ASIA)[A-Z0-9]{16})`)},
	// Our own tokens, cut ones too.
	{[]string{"llm_"},
		regexp.MustCompile(`(?:^|[^A-Za-z0-9])(llm_[A-Za-z0-9*…]{12,})`)},
	// JSON Web Tokens.
	{[]string{"eyj"},
		regexp.MustCompile(`(?:^|[^A-Za-z0-9])(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)`)},
	// Authorization schemes.
	{[]string{"bearer", "basic"},
		regexp.MustCompile(`(?i)(?:^|[^A-Za-z0-9])(?:bearer|basic)(?:\s|%20|\+)+["']?([A-Za-z0-9._~+/=*…-]{4,})`)},
	// name=value, as in a query string or a connection string.
	{[]string{"="},
		regexp.MustCompile(`(?i)(?:^|[^A-Za-z0-9])(?:(?:x-)?(?:goog-)?api[ _-]?key|key|(?:access|auth|id|refresh)[_-]?token|token|` +
			`(?:client[_-]?)?secret|password|passwd|pwd|sig|signature|authorization|cookie)\s*=\s*\\?["']?([^\s"'\\&,;<>(){}\[\]]+)`)},
	// name: value, as in a header or in JSON.
	{[]string{"api", "access", "auth", "refresh", "secret", "passw", "cookie"},
		regexp.MustCompile(`(?i)(?:^|[^A-Za-z0-9])(?:(?:x-)?(?:goog-)?api[ _-]?key|(?:access|auth|refresh)[_-]?token|` +
			`client[_-]?secret|password|passwd|authorization|(?:set-)?cookie)\\?["']?\s*:\s*\\?["']?([^\s"'\\&,;<>(){}\[\]]{4,})`)},
	// "Incorrect API key provided: abcd1234."
	{[]string{"provided", "given", "supplied", "used", "sent"},
		regexp.MustCompile(`(?i)(?:key|token)\s+(?:was\s+)?(?:provided|given|supplied|used|sent)\s*[:=]\s*["'` + "`" + `]?([^\s"'` + "`" + `,;<>]+)`)},
	// Whatever somebody else has masked already: it still shows both ends.
	{[]string{"***"},
		regexp.MustCompile(`([A-Za-z0-9_.-]*\*{3,}[A-Za-z0-9_.*-]*)`)},
	// User info of a URL.
	{[]string{"://"},
		regexp.MustCompile(`://([^/\s@"'<>]+)@`)},
	{[]string{"-----begin "},
		regexp.MustCompile(`(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.*?-----END [A-Z ]*PRIVATE KEY-----|.*))`)},
}

// plainWords follow a name or a scheme in ordinary sentences ("using Bearer auth") and are left readable.
var plainWords = []string{
	"auth", "authentication", "authorization", "basic", "bearer", "format", "header", "headers", "invalid", "missing",
	"none", "null", "required", "scheme", "token", "tokens", "true", "false",
}

// RedactSecrets returns text with every one of secrets, and whatever else looks like a credential, replaced by
// "[redacted]". It is for texts that came from somewhere else, such as a provider's error message, before they are shown,
// logged or stored.
//
// The secrets are found as they are and as a URL or a JSON string would write them; those under four bytes are ignored.
// All are looked for in the original text, so that one replacement cannot hide a part of another. Linear in the text.
func RedactSecrets(text string, secrets ...string) string {
	var found []span
	for _, secret := range secrets {
		for _, form := range written(secret) {
			found = appendOccurrences(found, text, form)
		}
	}
	lower := strings.ToLower(text)
	for _, pattern := range credentialPatterns {
		if !containsAny(lower, pattern.hints) {
			continue
		}
		for _, m := range pattern.expr.FindAllStringSubmatchIndex(text, -1) {
			if !isPlainWord(text[m[2]:m[3]]) {
				found = append(found, span{m[2], m[3]})
			}
		}
	}
	return replaceSpans(text, found)
}

type span struct{ from, to int }

// written lists the forms in which a secret may occur in a text.
func written(secret string) []string {
	if len(secret) < minRedactable {
		return nil
	}
	forms := []string{secret}
	for _, form := range []string{url.QueryEscape(secret), url.PathEscape(secret), jsonEscape(secret)} {
		if !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	return forms
}

func jsonEscape(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(quoted[1 : len(quoted)-1])
}

// appendOccurrences finds overlapping occurrences too ("abab" in "ababab"), as one run.
func appendOccurrences(found []span, text, secret string) []span {
	for at := 0; ; {
		i := strings.Index(text[at:], secret)
		if i < 0 {
			return found
		}
		from := at + i
		found = append(found, span{from, from + len(secret)})
		at = from + 1
	}
}

func containsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

func isPlainWord(s string) bool {
	return slices.Contains(plainWords, strings.ToLower(strings.TrimRight(s, ".")))
}

func replaceSpans(text string, found []span) string {
	if len(found) == 0 {
		return text
	}
	slices.SortFunc(found, func(a, b span) int { return a.from - b.from })
	var out strings.Builder
	done := 0 // text up to here has been dealt with
	for i, s := range found {
		if s.to <= done && i > 0 {
			continue
		}
		if i == 0 || s.from > done { // else it overlaps or touches the last one: one mark for both
			out.WriteString(text[done:s.from])
			out.WriteString(redacted)
		}
		done = max(done, s.to)
	}
	out.WriteString(text[done:])
	return out.String()
}
