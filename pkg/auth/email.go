package auth

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxEmailLength is the maximum length of an address, in bytes (RFC 5321, erratum 1690).
const MaxEmailLength = 254

const maxEmailLocalLength = 64 // RFC 5321, 4.5.3.1.1

var (
	errEmailEmpty = errors.New("must not be empty")
	errEmailLong  = errors.New("must be at most 254 bytes long")
	errEmailShape = errors.New("must be an email address such as name@example.com")
)

// NormalizeEmail returns the form in which addresses are stored and compared: trimmed and in lower case. It is idempotent.
// The error's text addresses the user, follows the field's name, and does not quote the input.
//
// It accepts what looks like an address, not all that RFC 5322 allows: no quoted local parts and no comments, but letters
// of any script and domains without a dot (admin@localhost).
func NormalizeEmail(email string) (string, error) {
	email = strings.TrimSpace(email)
	if email == "" {
		return "", errEmailEmpty
	}
	if len(email) > 2*MaxEmailLength { // bounds the work below
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
