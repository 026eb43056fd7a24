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

// newSetupToken spends one byte a character: 32 divides 256, so none is likelier than another.
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

// SetupToken is what the first registration must carry when the operator set no SETUP_TOKEN. It depends on JWT_SECRET
// alone, so it survives a restart and is the same on every replica. Print it only while no user exists.
func (s *Secrets) SetupToken() string { return s.setupToken }

// CheckSetupToken compares in constant time. It forgives what typing and pasting do: case, spaces, missing hyphens, and
// the letters that Crockford's alphabet leaves out (o for 0, i and l for 1).
func (s *Secrets) CheckSetupToken(given string) bool {
	return EqualSecret(plainSetupToken(given), plainSetupToken(s.setupToken))
}

func plainSetupToken(token string) string {
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

// EqualSecret compares two secrets (SETUP_TOKEN, CRON_SECRET) in a time that tells neither where they differ nor how
// long the other one is. Two empty strings are not equal: what is not configured matches nothing.
func EqualSecret(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
