package auth

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxEmailLength is the longest address, in bytes: what SMTP can carry (RFC 5321, erratum 1690).
const MaxEmailLength = 254

const maxEmailLocalLength = 64 // RFC 5321, 4.5.3.1.1

var (
	errEmailEmpty = errors.New("must not be empty")
	errEmailLong  = errors.New("must be at most 254 bytes long")
	errEmailShape = errors.New("must be an email address such as name@example.com")
)

// NormalizeEmail returns the form in which addresses are stored and compared: trimmed and in lower case. It is idempotent.
// The error's text is made for the person who typed it, reads after the field's name, and does not quote the input.
//
// It checks that this looks like an address, not that RFC 5322 allows it: no quoted local parts, no comments; letters of
// any script; a domain without a dot is fine (admin@localhost).
func NormalizeEmail(email string) (string, error) {
	email = strings.TrimSpace(email)
	if email == "" {
		return "", errEmailEmpty
	}
	if len(email) > 2*MaxEmailLength { // before any work on it
		return "", errEmailLong
	}
	if !utf8.ValidString(email) {
		return "", errEmailShape
	}
	email = strings.ToLower(email)
	if len(email) > MaxEmailLength {
		return "", errEmailLong
	}
	local, domain, found := strings.Cut(email, "@")
	if !found || !isLocalPart(local) || !isDomain(domain) {
		return "", errEmailShape
	}
	return email, nil
}

func isLocalPart(local string) bool {
	if local == "" || len(local) > maxEmailLocalLength {
		return false
	}
	for _, r := range local {
		if r == ' ' || !unicode.IsPrint(r) || strings.ContainsRune(`()<>[]\,;:"`, r) {
			return false
		}
	}
	return true
}

func isDomain(domain string) bool {
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				return false
			}
		}
	}
	return true
}
