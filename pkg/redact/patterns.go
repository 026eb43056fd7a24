package redact

import (
	"regexp"
	"slices"
	"strings"
)

// pattern finds what looks like a credential: the last group of expr. A first of two groups is the credential with its
// name or scheme. The expression is tried only on texts that hold one of hints (lower case), because it costs a
// thousand times what looking for a word does.
type pattern struct {
	hints []string
	expr  *regexp.Regexp
}

// start is the beginning of a word.
const start = `(?:^|[^A-Za-z0-9])`

// patterns know the prefixes of the providers' keys and of what else an operator may have beside them, and the places
// where credentials stand. Asterisks and dots are part of a key because providers show keys masked.
var patterns = []pattern{
	// OpenAI, Anthropic, OpenRouter, DeepSeek (sk-), Cerebras, xAI, GitLab, Slack.
	{[]string{"sk-", "pk-", "rk-", "sess-", "xai-", "glpat-", "xox"},
		regexp.MustCompile(`(?i)` + start + `((?:sk|pk|rk|csk|sess|xai|glpat|xox[abprs])-[A-Za-z0-9_.*…-]{6,})`)},
	// Stripe's style, Groq (gsk_), Fireworks (fw_, fpk_), Together (tgp_v1_), Hugging Face, GitHub, Vercel, Neon, Replicate.
	{[]string{"k_", "fw_", "tgp_", "xai_", "hf_", "gh", "_pat_", "vcp_", "npg_", "r8_"},
		regexp.MustCompile(`(?i)` + start +
			`((?:sk|pk|rk|gsk|csk|xai|fw|fpk|tgp|hf|gh[oprsu]|github_pat|vc[pk]|npg|r8)_[A-Za-z0-9_.*…-]{7,})`)},
	// Google: API keys old and new, OAuth access tokens.
	{[]string{"aiza", "aq.", "ya29."},
		regexp.MustCompile(`(?i)` + start + `((?:AIza|AQ\.|ya29\.)[A-Za-z0-9_.*…-]{6,})`)},
	// AWS access key ids.
	{[]string{"akia", "asia"},
		regexp.MustCompile(start + `((?:AKIA|ASIA)[A-Z0-9]{16})`)},
	// The gateway's own tokens, cut ones, too.
	{[]string{"llm_"},
		regexp.MustCompile(`(?i)` + start + `(llm_[A-Za-z0-9*…]{12,})`)},
	// JSON Web Tokens.
	{[]string{"eyj"},
		regexp.MustCompile(`(?i)` + start + `(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)`)},
	// Authorization schemes.
	{[]string{"bearer", "basic"},
		regexp.MustCompile(`(?i)` + start + `((?:bearer|basic)(?:\s|%20|\+)+["']?([A-Za-z0-9._~+/=*…-]{4,}))`)},
	// name=value in a query string.
	{[]string{"="},
		regexp.MustCompile(`(?i)([?&](?:api_?key|key|token)=([^&\s"']+))`)},
	// name=value in a connection string or a form.
	{[]string{"="},
		regexp.MustCompile(`(?i)` + start + `(?:(?:x-)?(?:goog-)?api[ _-]?key|key|(?:access|auth|id|refresh)[_-]?token|token|` +
			`(?:client[_-]?)?secret|password|passwd|pwd|sig|signature|authorization|cookie)\s*=\s*\\?["']?([^\s"'\\&,;<>(){}\[\]]+)`)},
	// name: value, as in a header or in JSON.
	{[]string{"api", "access", "auth", "refresh", "secret", "passw", "cookie"},
		regexp.MustCompile(`(?i)` + start + `(?:(?:x-)?(?:goog-)?api[ _-]?key|(?:access|auth|refresh)[_-]?token|` +
			`client[_-]?secret|password|passwd|authorization|(?:set-)?cookie)\\?["']?\s*:\s*\\?["']?([^\s"'\\&,;<>(){}\[\]]{4,})`)},
	// "Incorrect API key provided: abcd1234."
	{[]string{"provided", "given", "supplied", "used", "sent"},
		regexp.MustCompile(`(?i)(?:key|token)\s+(?:was\s+)?(?:provided|given|supplied|used|sent)\s*[:=]\s*["'` + "`" + `]?([^\s"'` + "`" + `,;<>]+)`)},
	// Whatever somebody else has masked already: it still shows both ends.
	{[]string{"***"},
		regexp.MustCompile(`([A-Za-z0-9_.-]*\*{3,}[A-Za-z0-9_.*-]*)`)},
	// User info of a URL.
	{[]string{"://"},
		regexp.MustCompile(`([A-Za-z0-9_]*://([^/\s@]+)@)`)},
	{[]string{"-----begin "},
		regexp.MustCompile(`(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.*?-----END [A-Z ]*PRIVATE KEY-----|.*))`)},
}

// plainWords follow a name or a scheme in ordinary sentences ("using Bearer auth") and stay readable.
var plainWords = []string{
	"auth", "authentication", "authorization", "basic", "bearer", "credential", "credentials", "format", "header", "headers", "invalid",
	"key", "keys", "missing", "none", "null", "required", "scheme", "token", "tokens", "true", "false",
}

func isPlainWord(s string) bool {
	return slices.Contains(plainWords, strings.ToLower(strings.TrimRight(s, ".")))
}

// width says how much of a match is taken out.
type width int

const (
	credentialAlone width = iota + 1
	withItsName
)

func appendCredentials(found []span, text string, width width) []span {
	lower := strings.ToLower(text)
	for _, p := range patterns {
		if !p.hinted(lower) {
			continue
		}
		for _, m := range p.expr.FindAllStringSubmatchIndex(text, -1) {
			credential := span{m[len(m)-2], m[len(m)-1]}
			if isPlainWord(text[credential.from:credential.to]) {
				continue
			}
			s := credential
			if width == withItsName {
				s = span{m[2], m[3]}
			}
			found = append(found, withoutFullStop(text, s))
		}
	}
	return found
}

func (p pattern) hinted(lower string) bool {
	return slices.ContainsFunc(p.hints, func(word string) bool { return strings.Contains(lower, word) })
}

// withoutFullStop leaves the full stop at the end of the text, which keys do not end with.
func withoutFullStop(text string, s span) span {
	if s.to == len(text) && s.to-s.from > 1 && text[s.to-1] == '.' {
		s.to--
	}
	return s
}
