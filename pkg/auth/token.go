package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A gateway token is "llm_", 28 random base58 characters (164 bits), and 9 base58 characters of checksum:
//
//	llm_ 7sB2kVfYcJmQ4tWnXp9RhZdE3gLa 5uKq8TzMy
//
// Base58 has no 0, O, I and l and no punctuation, so a double click selects a whole token. The checksum is the first 48
// bits of an HMAC over everything before it: without the secret nobody can make up a token that costs the gateway a query
// (one guess in 2.8e14 has a valid checksum).
const (
	// TokenPrefix is the prefix of every gateway token, and of no other bearer token that the gateway accepts.
	TokenPrefix = "llm_"
	// TokenLength is the length of every gateway token, in bytes.
	TokenLength = len(TokenPrefix) + tokenRandomChars + tokenChecksumChars

	tokenRandomChars   = 28
	tokenChecksumChars = 9 // 58^9 > 2^48
	tokenChecksumBytes = 6
	tokenBody          = len(TokenPrefix) + tokenRandomChars

	base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
)

// ErrInvalidToken is returned for everything that is not a token made by this gateway.
var ErrInvalidToken = errors.New("not a gateway token of this gateway")

// TokenDigest is the HMAC that the database stores in place of a token.
type TokenDigest [sha256.Size]byte

// NewToken makes a token under the current secret. It reads 28 bytes or a few more from random (crypto/rand.Reader), and
// returns no error but that of random.
func (s *Secrets) NewToken(random io.Reader) (string, error) {
	token := make([]byte, 0, TokenLength)
	token = append(token, TokenPrefix...)
	var buf [tokenRandomChars]byte
	for len(token) < tokenBody {
		chunk := buf[:tokenBody-len(token)]
		if _, err := io.ReadFull(random, chunk); err != nil {
			return "", fmt.Errorf("make a gateway token: %w", err)
		}
		for _, b := range chunk {
			if int(b) < 256/len(base58)*len(base58) { // no modulo bias
				token = append(token, base58[int(b)%len(base58)])
			}
		}
	}
	checksum := s.generations[Current].tokenChecksum(string(token))
	return string(append(token, checksum[:]...)), nil
}

// CheckToken reports, without a query, under which of this gateway's secrets token was made. It compares the checksum in
// constant time. The error is ErrInvalidToken.
func (s *Secrets) CheckToken(token string) (Generation, error) {
	if len(token) != TokenLength || !strings.HasPrefix(token, TokenPrefix) {
		return 0, ErrInvalidToken
	}
	given := [tokenChecksumChars]byte([]byte(token[tokenBody:]))
	for g := range s.generations {
		if s.generations[g].checksum == nil {
			continue
		}
		want := s.generations[g].tokenChecksum(token[:tokenBody])
		if subtle.ConstantTimeCompare(given[:], want[:]) == 1 {
			return Generation(g), nil
		}
	}
	return 0, ErrInvalidToken
}

// Digest returns the token's digest under the current secret: the one to store.
func (s *Secrets) Digest(token string) TokenDigest {
	return s.generations[Current].digest.sum(token)
}

// LookupDigests returns the digests under which a token of generation made may be stored, the most likely first: one for
// each secret that is listed.
//
// Usually that is the current one. A token made under a previous secret may still be stored as it was made, or under any
// secret that was the current one since, or under that of another replica while a new secret is being rolled out. A caller
// that finds it under another than the first stores Digest. The token itself does not change, checksum included: it is
// valid as long as the secret under which it was made is listed.
func (s *Secrets) LookupDigests(token string, made Generation) []TokenDigest {
	digests := []TokenDigest{s.Digest(token)}
	if made.Stale() && int(made) < len(s.generations) && s.generations[made].digest != nil {
		digests = append(digests, s.generations[made].digest.sum(token))
	}
	for g := range s.generations {
		if generation := Generation(g); generation.Stale() && generation != made && s.generations[g].digest != nil {
			digests = append(digests, s.generations[g].digest.sum(token))
		}
	}
	return digests
}

func (g *generation) tokenChecksum(body string) [tokenChecksumChars]byte {
	sum := g.checksum.sum(body)
	var n uint64
	for _, b := range sum[:tokenChecksumBytes] {
		n = n<<8 | uint64(b)
	}
	var text [tokenChecksumChars]byte
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = base58[n%uint64(len(base58))]
		n /= uint64(len(base58))
	}
	return text
}
