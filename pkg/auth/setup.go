package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// setupTokenChars is 20 characters of 5 bits: 100 bits, shown in groups of five.
const setupTokenChars = 20

// crockford is Crockford's base 32, lower case: no i, l, o, u.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// newSetupToken uses one byte a character. 32 divides 256, so all characters are equally likely.
func newSetupToken(random []byte) string {
	var b strings.Builder
	for i, r := range random {
		if i > 0 && i%5 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(crockford[r%32])
	}
	return b.String()
}

// SetupToken returns the token that the first registration must carry if the operator set no SETUP_TOKEN. It depends on
// JWT_SECRET alone, so it survives a restart and is the same in every process. Show it only while no account exists.
func (s *Secrets) SetupToken() string { return s.setupToken }

// CheckSetupToken reports whether given is the set-up token, in constant time. It ignores case, spaces and hyphens, and
// reads the letters that Crockford's alphabet lacks as the digits that they resemble (o as 0, i and l as 1).
func (s *Secrets) CheckSetupToken(given string) bool {
	return EqualSecret(canonicalSetupToken(given), canonicalSetupToken(s.setupToken))
}

func canonicalSetupToken(token string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n', '-':
			return -1
		case 'o', 'O':
			return '0'
		case 'i', 'I', 'l', 'L':
			return '1'
		}
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, token)
}

// EqualSecret compares two secrets (SETUP_TOKEN, CRON_SECRET). Its time reveals neither where they differ nor their lengths.
// Two empty strings are not equal, so that a secret that is not configured matches nothing.
func EqualSecret(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
