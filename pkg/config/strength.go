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

	// A random secret of 32 hex digits has about 14 different ones; fewer than 8 is not chance.
	minDistinct = 8

	makeOne = "set it to the output of: openssl rand -base64 48"
)

// placeholders are what examples and tutorials put where a secret belongs, letters only. A random secret of 64 base64
// characters holds a given word of eight letters once in ten thousand million times.
var placeholders = []string{
	"changeme", "changethis", "changeit", "pleasechange", "replaceme", "replacethis", "replacewith", "yoursecret",
	"yourjwtsecret", "yoursupersecret", "yourrandom", "yourencryption", "yourkeyhere", "placeholder", "supersecret",
	"mysecret", "jwtsecret", "secretkeyhere", "insertsecret", "insertyour", "opensslrand", "examplesecret", "testsecret",
	"devsecret", "notsosecret", "keyboardcat", "passwordpassword", "correcthorse", "minimumcharacters", "atleastcharacters",
}

// weakness says what is wrong with a secret, reads after the variable's name; "" if nothing is.
func weakness(secret string) string {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, secret)
	switch {
	case strings.ContainsFunc(secret, unicode.IsControl):
		return "has line breaks or control characters in it"
	case slices.ContainsFunc(placeholders, func(p string) bool { return strings.Contains(letters, p) }):
		return "is a placeholder that everybody knows"
	case len(secret) < MinSecretLength:
		return fmt.Sprintf("is shorter than %d characters", MinSecretLength)
	case distinct(secret) < minDistinct, period(secret) <= len(secret)/2, mostlySequence(secret):
		return "is easy to guess (it repeats itself)"
	case strings.Contains(secret, ","):
		return "has a comma in it, so it could never be listed as a previous one"
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

// period is the length of the shortest piece that s is a repetition of, the last one cut short or not.
func period(s string) int {
	for p := 1; p < len(s); p++ {
		if s[p:] == s[:len(s)-p] {
			return p
		}
	}
	return len(s)
}

// mostlySequence finds "abcdefgh…" and "12345678…": more than three quarters of the characters follow, or equal, the one before. Of hex
// digits by chance a fifth do.
func mostlySequence(s string) bool {
	steps := 0
	for i := 1; i < len(s); i++ {
		if d := int(s[i]) - int(s[i-1]); d >= -1 && d <= 1 {
			steps++
		}
	}
	return steps > len(s)*3/4
}

// secrets reads all secrets. local says that the database is the binary's own SQLite, which may make its secret.
func (r *reader) secrets(local bool) Secrets {
	var s Secrets
	var st state
	if s.JWT, st = r.strong("JWT_SECRET"); st == unset {
		if s.Local = local; local {
			r.shown["JWT_SECRET"] = "kept in DATA_DIR/" + secretFile
		} else {
			r.problem("JWT_SECRET", "is not set", makeOne)
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
			r.problem(name, wrong, makeOne)
		}
	}
	return value, st
}

// previous does not judge: a secret that is no longer good enough must still be replaceable without loss.
func (r *reader) previous(name string) []string {
	value, _ := r.lookup(name)
	// A file may have one a line.
	return items(strings.NewReplacer("\r\n", ",", "\n", ",").Replace(value))
}

// header reads a secret that callers send in a header or type into a form.
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
		r.problem(name, "has other than printable ASCII characters in it", fix)
	}
	return value
}
