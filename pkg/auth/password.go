package auth

import (
	"crypto/subtle"
	_ "embed" // of commonpasswords.txt
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Lengths of a password. Nothing is trimmed or normalised.
const (
	MinPasswordLength = 10  // characters
	MaxPasswordLength = 256 // bytes of UTF-8
)

var (
	// ErrWrongPassword is returned when a password does not match.
	ErrWrongPassword = errors.New("wrong password")
	// ErrMalformedHash is returned for a stored hash that is not an argon2id PHC string within bounds.
	ErrMalformedHash = errors.New("stored password hash is malformed")

	errPasswordShort   = fmt.Errorf("must be at least %d characters long", MinPasswordLength)
	errPasswordLong    = fmt.Errorf("must be at most %d bytes long", MaxPasswordLength)
	errPasswordUnicode = errors.New("must be valid UTF-8")
	errPasswordEmail   = errors.New("must not be the e-mail address or a part of it")
	errPasswordCommon  = errors.New("must not be one that many people use: attackers try those first")
)

// CheckPassword applies the policy to a new password of the account with the e-mail address. The error's text addresses
// the user and follows the field's name: "must be …". It never quotes the password.
func CheckPassword(password, email string) error {
	folded := strings.ToLower(password)
	name, domain, _ := strings.Cut(strings.ToLower(email), "@")
	switch {
	case len(password) > MaxPasswordLength:
		return errPasswordLong
	case !utf8.ValidString(password):
		return errPasswordUnicode
	case utf8.RuneCountInString(password) < MinPasswordLength:
		return errPasswordShort
	case slices.Contains([]string{name, domain, strings.ToLower(email)}, strings.TrimSpace(folded)):
		return errPasswordEmail
	case isCommon(folded):
		return errPasswordCommon
	}
	return nil
}

// commonPasswords are the passwords of at least MinPasswordLength characters among the 30,000 most common ones, in lower
// case, sorted, one a line: 184 of them are among the first 10,000. The frequencies are those that zxcvbn collected
// (github.com/trustelem/zxcvbn v1.0.1, data/passwords.txt).
//
//go:embed commonpasswords.txt
var commonPasswords string

// isCommon reports whether many people use the password, which is in lower case, or it repeats few characters.
func isCommon(password string) bool {
	different := map[rune]bool{}
	for _, r := range password {
		different[r] = true
	}
	return len(different) < 4 || strings.Contains("\n"+commonPasswords, "\n"+password+"\n")
}

// argon2Params are the cost parameters of one hash. OWASP recommends 19 MiB, two passes and one lane for argon2id
// (Password Storage Cheat Sheet).
type argon2Params struct {
	memory  uint32 // KiB
	passes  uint32
	lanes   uint8
	saltLen int
	tagLen  int
}

func currentParams() argon2Params {
	return argon2Params{memory: 19456, passes: 2, lanes: 1, saltLen: 16, tagLen: 32}
}

// passwordHash is a parsed PHC string: $argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>, unpadded base64.
type passwordHash struct {
	argon2Params
	salt []byte
	tag  []byte
}

// Bounds of the parameters of a stored hash: an attacker who can write to the users table must not be able to make a login
// cost gigabytes or minutes.
const (
	maxMemory  = 64 * 1024 // KiB
	maxPasses  = 10
	maxLanes   = 4
	minSaltLen = 8
	maxSaltLen = 64
	minTagLen  = 16
	maxTagLen  = 64
)

func parsePasswordHash(phc string) (passwordHash, error) {
	if strings.ContainsAny(phc, "\r\n") { // base64 skips them
		return passwordHash{}, ErrMalformedHash
	}
	fields := strings.Split(phc, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" ||
		fields[2] != "v="+strconv.Itoa(argon2.Version) {
		return passwordHash{}, ErrMalformedHash
	}
	var h passwordHash
	costs := strings.Split(fields[3], ",")
	if len(costs) != 3 {
		return passwordHash{}, ErrMalformedHash
	}
	memory, okM := cost(costs[0], "m=", maxMemory)
	passes, okT := cost(costs[1], "t=", maxPasses)
	lanes, okP := cost(costs[2], "p=", maxLanes)
	if !okM || !okT || !okP || memory < 8*lanes {
		return passwordHash{}, ErrMalformedHash
	}
	h.memory, h.passes, h.lanes = memory, passes, uint8(lanes)

	var err error
	encoding := base64.RawStdEncoding.Strict()
	if h.salt, err = encoding.DecodeString(fields[4]); err != nil || len(h.salt) < minSaltLen ||
		len(h.salt) > maxSaltLen {
		return passwordHash{}, ErrMalformedHash
	}
	if h.tag, err = encoding.DecodeString(fields[5]); err != nil || len(h.tag) < minTagLen || len(h.tag) > maxTagLen {
		return passwordHash{}, ErrMalformedHash
	}
	h.saltLen, h.tagLen = len(h.salt), len(h.tag)
	return h, nil
}

func cost(field, name string, limit uint64) (uint32, bool) {
	digits, found := strings.CutPrefix(field, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), found && err == nil && n >= 1 && n <= limit && strconv.FormatUint(n, 10) == digits
}

func hashPassword(password string, salt []byte, p argon2Params) passwordHash {
	tag := argon2.IDKey([]byte(password), salt, p.passes, p.memory, p.lanes, uint32(p.tagLen))
	return passwordHash{argon2Params: p, salt: salt, tag: tag}
}

func (h passwordHash) phc() string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, h.memory, h.passes, h.lanes, encode(h.salt), encode(h.tag))
}

func (h passwordHash) matches(password string) bool {
	other := hashPassword(password, h.salt, h.argon2Params)
	return subtle.ConstantTimeCompare(h.tag, other.tag) == 1
}

// NeedsRehash reports whether a stored hash has other parameters than the current ones, or is malformed: hash the password
// again after the next successful login.
func NeedsRehash(phc string) bool {
	h, err := parsePasswordHash(phc)
	return err != nil || h.argon2Params != currentParams()
}
