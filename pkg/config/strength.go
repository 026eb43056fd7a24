package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

const (
	// MinSecretLength is the least length of JWT_SECRET and ENCRYPTION_KEY, in bytes.
	MinSecretLength = 32

	minSetupTokenLength = 8
	minCronSecretLength = 16

	// minDistinct is the least number of different characters. A random secret of 32 hex digits has about 14.
	minDistinct = 8

	generateOne = "set it to the output of: openssl rand -base64 48"
)

// placeholders are the values that examples and tutorials use for a secret, letters only. A random secret of 64 base64
// characters contains a given word of eight letters with a probability of 1e-10.
var placeholders = []string{
	"changeme", "changethis", "changeit", "pleasechange", "replaceme", "replacethis", "replacewith", "yoursecret",
	"yourjwtsecret", "yoursupersecret", "yourrandom", "yourencryption", "yourkeyhere", "placeholder", "supersecret",
	"mysecret", "jwtsecret", "secretkeyhere", "insertsecret", "insertyour", "opensslrand", "examplesecret",
	"testsecret",
	"devsecret", "notsosecret", "keyboardcat", "passwordpassword", "correcthorse", "minimumcharacters",
	"atleastcharacters",
}

// weakness returns what is wrong with a secret, as text that follows the variable's name, or "".
func weakness(secret string) string {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, secret)
	switch {
	case strings.ContainsFunc(secret, unicode.IsControl):
		return "contains line breaks or control characters"
	case slices.ContainsFunc(placeholders, func(p string) bool { return strings.Contains(letters, p) }):
		return "is a well-known placeholder"
	case len(secret) < MinSecretLength:
		return fmt.Sprintf("is shorter than %d characters", MinSecretLength)
	case distinct(secret) < minDistinct, period(secret) <= len(secret)/2, mostlySequence(secret):
		return "is easy to guess (it repeats itself)"
	case strings.Contains(secret, ","):
		return "contains a comma, so it could not be listed as a previous secret"
	}
	return ""
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// period returns the length of the shortest string that s repeats; the last repetition may be incomplete.
func period(s string) int {
	for p := 1; p < len(s); p++ {
		if s[p:] == s[:len(s)-p] {
			return p
		}
	}
	return len(s)
}

// mostlySequence reports whether s looks like "abcdefgh…" or "12345678…": more than three quarters of its characters
// equal or are next to the one before. In random hex digits a fifth are.
func mostlySequence(s string) bool {
	steps := 0
	for i := 1; i < len(s); i++ {
		if d := int(s[i]) - int(s[i-1]); d >= -1 && d <= 1 {
			steps++
		}
	}
	return steps > len(s)*3/4
}

// secrets reads all secrets. local is true for the binary's default SQLite, which may generate its secret.
func (r *reader) secrets(local bool) Secrets {
	var s Secrets
	var st state
	if s.JWT, st = r.strong("JWT_SECRET"); st == unset {
		if s.Local = local; local {
			r.shown["JWT_SECRET"] = "kept in DATA_DIR/" + secretFile
		} else {
			r.problem("JWT_SECRET", "is not set", generateOne)
		}
	}
	s.Encryption, _ = r.strong("ENCRYPTION_KEY")
	s.PreviousJWT = r.previous("JWT_SECRET_PREVIOUS")
	s.PreviousEncryption = r.previous("ENCRYPTION_KEY_PREVIOUS")
	s.Setup = r.header("SETUP_TOKEN", minSetupTokenLength)
	s.Cron = r.header("CRON_SECRET", minCronSecretLength)
	return s
}

func (r *reader) strong(name string) (string, state) {
	value, st := r.lookup(name)
	if st == set {
		if wrong := weakness(value); wrong != "" {
			r.problem(name, wrong, generateOne)
		}
	}
	return value, st
}

// previous does not check the strength: a weak secret must remain replaceable without loss.
func (r *reader) previous(name string) []string {
	value, _ := r.lookup(name)
	// A file may have one a line.
	return items(strings.NewReplacer("\r\n", ",", "\n", ",").Replace(value))
}

// header reads a secret that a client sends in a header or a person types into a form.
func (r *reader) header(name string, least int) string {
	value, st := r.lookup(name)
	if st != set {
		return ""
	}
	const fix = "set it to the output of: openssl rand -hex 24"
	switch {
	case len(value) < least:
		r.problem(name, fmt.Sprintf("is shorter than %d characters", least), fix)
	case strings.ContainsFunc(value, func(c rune) bool { return c < 0x21 || c > 0x7e }):
		r.problem(name, "contains characters other than printable ASCII", fix)
	}
	return value
}
